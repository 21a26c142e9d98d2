"""Real-time chat with AI characters that never loses a message."""

__version__ = "0.1.0"
