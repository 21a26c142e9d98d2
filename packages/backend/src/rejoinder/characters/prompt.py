"""What of a room goes into a prompt: the character's own parts and the message always, of the history what fits.

This module decides; whoever runs the model counts the tokens for it. Deciding is a generator that hands out what it
wants counted and is sent the number, so that a count may come from a thread, from a request, or from nowhere at all.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, Protocol, TypeVar

from rejoinder.characters.base import PastMessage, PromptMessage, Turn
from rejoinder.characters.speakers import NOTE, told_apart

# What is kept when something must go, as a share of the room there is. A prompt that begins as the last one did is
# read much faster, so the cut is made seldom and deep instead of a little further on at every turn.
KEPT = 0.6
_ROOMS = 1024
# What a token stands for in texts that a model reads well.
_BYTES_OF_A_TOKEN = 6
SUMMARY_LABEL = "Summary of what was said before, of which only the end follows:"
_OMISSION = "\n…\n"
_MARK = re.compile(r"<(?=\||/?s>|(?:start|end)_of_turn>)")

_GO_ON = (
    "Go on with your last message from exactly where it ends. Write only what comes next: no word of what is there "
    "already, and nothing about it."
)

T = TypeVar("T")

GoesOn = Literal["asked", "prefilled"]
"""How a model is had to go on with an answer: it is asked to, or the prompt ends in the middle of it."""


Message = PromptMessage

Count = Callable[[Sequence[Message]], int]
"""Says how many tokens a prompt of these messages has; more is allowed, fewer is not."""

Counting = Generator[Sequence[Message], int, T]
"""Yields messages, is sent their tokens, and returns what it was started for."""


class NoRoomError(Exception):
    """The character's own parts alone take the whole window."""


@dataclass(frozen=True, slots=True)
class OwnParts:
    """What a character brings to a prompt.

    Attributes:
        first: Before the conversation, always.
        opening: Older than the oldest of the history, and like it left out when there is no room.
        last: After the message that is answered, always.
    """

    first: tuple[Message, ...] = ()
    opening: tuple[PastMessage, ...] = ()
    last: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt, and what of the history is not in it, the oldest first."""

    messages: list[Message]
    left_out: tuple[PastMessage, ...] = ()


class Persona(Protocol):
    """Who a character is, as the model is told."""

    def parts(self, turn: Turn, tokens: int) -> Counting[OwnParts]:
        """What it brings to the prompt of this turn, which has so many tokens in all.

        It may be resumed in another thread each time.
        """
        ...


@dataclass(frozen=True, slots=True)
class Told(Persona):
    """A persona that is one text; "" for none."""

    system_prompt: str = ""

    def parts(self, _turn: Turn, _tokens: int) -> Counting[OwnParts]:
        yield from ()
        told: Message = {"role": "system", "content": self.system_prompt}
        return OwnParts((told,) if self.system_prompt else ())


class Window:
    """Fits conversations into a number of tokens, and remembers for some rooms where it cut them.

    Args:
        tokens: What a prompt may have.
        persona: Where the character's own parts come from.
        goes_on: How the model is had to go on with an answer.
    """

    def __init__(self, tokens: int, persona: Persona, goes_on: GoesOn = "asked") -> None:
        self.tokens = tokens
        self.goal = int(tokens * KEPT)
        """Whatever has no more tokens than this is never cut."""
        self._persona = persona
        self._goes_on = goes_on
        self._first_kept: OrderedDict[str, PastMessage] = OrderedDict()

    @property
    def most_bytes(self) -> int:
        """How many bytes of text may fit into it at most."""
        return self.tokens * _BYTES_OF_A_TOKEN

    def fit(self, turn: Turn, count: Count) -> list[Message]:
        """The prompt for a turn, with the newest part of its history.

        A message that is too long by itself loses its middle.

        Raises:
            NoRoomError: There is no room for any message.
        """
        return counted(self.fitting(turn), count)

    def fitting(self, turn: Turn) -> Counting[list[Message]]:
        """The same as `fit`, for whoever counts in another way."""
        return (yield from self.fitted(turn)).messages

    def fitted(self, turn: Turn, summary: str = "") -> Counting[Fitted]:
        """The same, and what is left out. `summary` stands for that, and comes in only where something is left out."""
        own = yield from self._own(turn)
        past = [message for message in (*own.opening, *turn.history) if message.content]
        shown, text = told_apart(turn, past)
        if shown != past:
            own = _told_besides(own, NOTE)
        cut = self._cut(turn.room_id, past)
        if not cut and (yield _prompt(own, shown, text)) <= self.tokens:
            self._remember(turn.room_id, past, len(past))
            return Fitted(_prompt(own, shown, text))
        if summary:
            with_summary = _told_besides(own, f"{SUMMARY_LABEL}\n{harmless(summary)}")
            if (yield _prompt(with_summary, [], text)) <= self.goal:
                own = with_summary

        def fits(kept: int, tokens: int) -> Counting[bool]:
            return (yield _prompt(own, shown[len(past) - kept :], text)) <= tokens

        kept = len(past) - cut
        if not cut or not (yield from fits(kept, self.tokens)):
            # The newest message stays if it can, even where the goal cannot be met with it.
            kept = (yield from largest(kept, lambda size: fits(size, self.goal))) or (
                yield from largest(min(kept, 1), lambda size: fits(size, self.tokens))
            )
        self._remember(turn.room_id, past, kept)
        if not kept and not (yield from fits(0, self.tokens)):

            def short_enough(size: int) -> Counting[bool]:
                return (yield _prompt(own, [], shorten(text, size))) <= self.tokens

            size = yield from largest(len(text), short_enough)
            if not size:
                raise NoRoomError
            text = shorten(text, size)
        opening = sum(1 for message in own.opening if message.content)
        left_out = past[opening : len(past) - kept]
        return Fitted(_prompt(own, shown[len(past) - kept :], text), tuple(left_out))

    def _own(self, turn: Turn) -> Counting[OwnParts]:
        own = yield from self._persona.parts(turn, self.tokens)
        if not turn.begun:
            return own
        return replace(own, last=(*own.last, *_begun(turn.begun, self._goes_on)))

    def _cut(self, room_id: str, past: Sequence[PastMessage]) -> int:
        try:
            return past.index(self._first_kept[room_id])
        except (KeyError, ValueError):
            return 0

    def _remember(self, room_id: str, past: Sequence[PastMessage], kept: int) -> None:
        self._first_kept.pop(room_id, None)
        if 0 < kept < len(past):
            self._first_kept[room_id] = past[-kept]
            if len(self._first_kept) > _ROOMS:
                self._first_kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _End(Generic[T]):
    value: T


def counted(asking: Counting[T], count: Count) -> T:
    """Run it to its end with a function that counts."""
    asked = _resume(asking, None)
    while not isinstance(asked, _End):
        asked = _resume(asking, count(asked))
    return asked.value


async def counted_elsewhere(
    asking: Counting[T], count: Callable[[Sequence[Message]], Awaitable[int]]
) -> T:
    """Run it to its end with counts that are waited for; between them it runs in a thread, as it may take its time."""
    asked = await asyncio.to_thread(_resume, asking, None)
    while not isinstance(asked, _End):
        asked = await asyncio.to_thread(_resume, asking, await count(asked))
    return asked.value


def _resume(asking: Counting[T], tokens: int | None) -> Sequence[Message] | _End[T]:
    try:
        return next(asking) if tokens is None else asking.send(tokens)
    except StopIteration as end:
        return _End(end.value)


def _prompt(own: OwnParts, past: Sequence[PastMessage], text: str) -> list[Message]:
    prompt = list(own.first)
    for message in past:
        _append(prompt, "user" if message.role == "user" else "assistant", message.content)
    _append(prompt, "user", text)
    prompt.extend(own.last)
    return prompt


def _begun(text: str, goes_on: GoesOn) -> tuple[Message, ...]:
    # White space at its end is read as the end by many models.
    said: Message = {"role": "assistant", "content": harmless(text).rstrip()}
    return (said,) if goes_on == "prefilled" else (said, {"role": "user", "content": _GO_ON})


def joint(before: str, after: str) -> str:
    """What is to stand between a text and what a model that was asked to go on has written: a space, or nothing."""
    if not (before and after and before[-1].isalnum() and after[0].isalnum()):
        return ""
    return "" if _without_spaces(before[-1]) or _without_spaces(after[0]) else " "


def _without_spaces(character: str) -> bool:
    """True of scripts that have none between words."""
    return "\u3040" <= character <= "\u30ff" or "\u3400" <= character <= "\u9fff"


def _told_besides(own: OwnParts, text: str) -> OwnParts:
    first = list(own.first)
    # Many templates take one such message only, and at the beginning.
    if first and first[-1]["role"] == "system":
        text = f"{first.pop()['content']}\n\n{text}"
    first.append({"role": "system", "content": text})
    return replace(own, first=tuple(first))


def _append(prompt: list[Message], role: Literal["user", "assistant"], text: str) -> None:
    content = harmless(text)
    # Many templates insist on turns: two messages of one side become one.
    if prompt and prompt[-1]["role"] == role:
        content = f"{prompt[-1]['content']}\n\n{content}"
        prompt.pop()
    prompt.append({"role": role, "content": content})


def harmless(text: str) -> str:
    """Text without the marks by which the common templates tell who speaks, and without broken Unicode."""
    return _MARK.sub("< ", text.encode(errors="replace").decode())


def shorten(text: str, size: int) -> str:
    """The first and the last part of a text, `size` code points together, with a mark for what is left out."""
    if size >= len(text):
        return text
    tail = size // 2
    return text[: size - tail] + _OMISSION + text[len(text) - tail :]


def largest(most: int, good: Callable[[int], Counting[bool]]) -> Counting[int]:
    """The largest number up to `most` that is good, where everything below a good number is; 0 is taken as good.

    It goes up from 1, doubling, so that it does not cost much where `most` is far too large.
    """
    low, high = 0, min(1, most)
    while high > low and (yield from good(high)):
        low, high = high, min(high * 2, most)
    while high - low > 1:
        middle = (low + high) // 2
        if (yield from good(middle)):
            low = middle
        else:
            high = middle
    return low
