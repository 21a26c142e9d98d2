"""The characters that answer in a room, and what one's own must do."""

from rejoinder.characters.base import (
    Character,
    CharacterInfo,
    Delta,
    PastMessage,
    Prompt,
    PromptMessage,
    Reaching,
    Remembering,
    Thought,
    Turn,
    Usage,
    check_info,
)
from rejoinder.characters.echo import EchoCharacter
from rejoinder.characters.function import CharacterFunction, FunctionCharacter
from rejoinder.characters.registry import Characters

__all__ = [
    "Character",
    "CharacterFunction",
    "CharacterInfo",
    "Characters",
    "Delta",
    "EchoCharacter",
    "FunctionCharacter",
    "PastMessage",
    "Prompt",
    "PromptMessage",
    "Reaching",
    "Remembering",
    "Thought",
    "Turn",
    "Usage",
    "check_info",
]
