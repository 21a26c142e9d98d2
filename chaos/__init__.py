"""Breaks a server at random moments while people chat, and then checks what was promised: `make chaos`."""
