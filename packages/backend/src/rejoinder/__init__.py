"""Real-time chat with AI characters that never loses a message.

`ChatServer` is the whole chat as an ASGI app; `rejoinder serve` runs it.
"""

from importlib.metadata import version

from rejoinder.characters import Character, CharacterInfo, PastMessage, Prompt, Thought, Turn, Usage
from rejoinder.core.users import User
from rejoinder.errors import (
    CharacterFailed,
    ChatError,
    ConfigurationError,
    RejoinderError,
    Unauthorized,
)
from rejoinder.server import ChatServer
from rejoinder.service.auth import Handshake
from rejoinder.settings import Settings

__version__ = version("rejoinder")

__all__ = [
    "Character",
    "CharacterFailed",
    "CharacterInfo",
    "ChatError",
    "ChatServer",
    "ConfigurationError",
    "Handshake",
    "PastMessage",
    "Prompt",
    "RejoinderError",
    "Settings",
    "Thought",
    "Turn",
    "Unauthorized",
    "Usage",
    "User",
]
