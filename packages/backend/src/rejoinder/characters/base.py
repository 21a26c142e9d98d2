"""What a character is to the chat: who it is, what it is asked, and the text it writes.

This module knows no model and no room; every kind of character implements `Character`.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypedDict, runtime_checkable

from rejoinder.errors import ConfigurationError

MAX_ID_LENGTH = 128


@dataclass(frozen=True, slots=True)
class CharacterInfo:
    """What the page lists.

    `id` has 1 to 128 printable characters and names the character in events; `name` is for people. `greeting` is what
    people see of what the character says first, "" for nothing. `greetings` are the ways in which a room with it may begin, the
    usual one first, with `{{user}}` for the name of whoever begins it; without them that is the greeting. `prompts` is False of
    one that asks no model anything, so that nobody is offered to see what it was asked.
    """

    id: str
    name: str
    description: str = ""
    greeting: str = ""
    greetings: tuple[str, ...] = field(default=(), compare=False)
    prompts: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class PastMessage:
    """One message of the room, written by a person or by a character; `sender_id` says by whom.

    `name` is the writer's name for people, "" where it is not known.
    """

    role: Literal["user", "character"]
    sender_id: str
    content: str
    name: str = ""


class PromptMessage(TypedDict):
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model was really asked, and which one, "" where that is not said."""

    messages: tuple[PromptMessage, ...]
    model: str = ""


def _kept_by_nobody(_prompt: Prompt) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a character: what it answers and what came before.

    `begun` is the beginning of the answer, which is there already, "" for nothing: the reply is what comes after it.

    `text` is the message being answered, which `message_id` names and `user_id` wrote. `history` is oldest first and
    does not hold that message. `user_name` is the writer's name for people, "" where it is not known, and
    `character_id` is who is to answer, since others may be in the room. Every text is valid Unicode: no surrogate stands alone. `on_prompt` is to be called in the event loop with what the model is asked, so that
    whoever asked can be shown that.
    """

    room_id: str
    message_id: str
    user_id: str
    text: str
    history: tuple[PastMessage, ...]
    user_name: str = ""
    character_id: str = ""
    on_prompt: Callable[[Prompt], None] = field(default=_kept_by_nobody, compare=False, repr=False)
    begun: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost, in tokens of the character's model."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of what a character thinks before it answers, to be appended to the pieces before it.

    Who watches is shown it while it comes; it is no part of the answer, is not kept, and comes into no prompt.
    """

    text: str


Delta = str | Thought | Usage
"""A piece of text, to be appended as it is; of a thought; or what the answer cost, at most once, and last."""


class Character(Protocol):
    """Something that answers. It may be asked for several turns at once."""

    @property
    def info(self) -> CharacterInfo:
        """Who it is; the same for as long as it lives."""
        ...

    def reply(self, turn: Turn) -> AsyncIterator[Delta]:
        """Answer one turn, each piece as soon as it is there.

        The iterator ends when the answer is complete. Cancelling the task that reads it, or its `aclose()`, ends the
        answer: what it holds (a request, a slot of a model) is free again within a second.

        Raises:
            CharacterFailed: There will be no more of this answer; the text is a sentence for a person. Any other
                exception counts as a defect of the character.
        """
        ...

    async def aclose(self) -> None:
        """End all answers and free everything. The character is not used afterwards; a second call does nothing."""
        ...


@runtime_checkable
class Reaching(Protocol):
    """A character whose prompts may have room for more than the newest 50 messages of a conversation."""

    @property
    def history_bytes(self) -> int:
        """How many bytes of text may come into one of its prompts at most."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A character that keeps something of what was said in rooms from one turn to the next."""

    def forget(self, room_id: str) -> None:
        """Keep nothing of that room: some of what was said there was deleted."""
        ...


def check_info(info: CharacterInfo) -> None:
    """See that a character can be listed and named.

    Raises:
        ConfigurationError: The id or the name is not as `CharacterInfo` says.
    """
    if not 1 <= len(info.id) <= MAX_ID_LENGTH or not info.id.isprintable():
        raise ConfigurationError(
            f"Give the character an id of 1 to {MAX_ID_LENGTH} printable characters instead of {info.id[:200]!r}."
        )
    if not info.name.strip() or not info.name.isprintable():
        raise ConfigurationError(
            f"Give the character {info.id!r} a name that can be shown instead of {info.name[:200]!r}."
        )
