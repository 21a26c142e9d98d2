"""What of a room goes into a prompt: the character's own part and the message always, of the history what fits.

This module decides; an engine counts the tokens for it.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Literal

from rejoinder.characters.base import PastMessage, Turn
from rejoinder.characters.local.engine import Message

Count = Callable[[Sequence[Message]], int]

# What is kept when something must go, as a share of the room there is. A prompt that begins as the last one did is
# read much faster, so the cut is made seldom and deep instead of a little further on at every turn.
_KEPT = 0.6
_ROOMS = 1024
_OMISSION = "\n…\n"
_MARK = re.compile(r"<(?=\||/?s>|(?:start|end)_of_turn>)")


class NoRoomError(Exception):
    """The system prompt alone takes the whole window."""


class Window:
    """Fits conversations into a number of tokens, and remembers for some rooms where it cut them.

    Args:
        tokens: What a prompt may have.
        system_prompt: The character's own part; "" for none.
    """

    def __init__(self, tokens: int, system_prompt: str) -> None:
        self._tokens = tokens
        self._system: list[Message] = (
            [{"role": "system", "content": system_prompt}] if system_prompt else []
        )
        self._first_kept: OrderedDict[str, PastMessage] = OrderedDict()

    def fit(self, turn: Turn, count: Count) -> list[Message]:
        """The prompt for a turn, with the newest part of its history.

        A message that is too long by itself loses its middle.

        Raises:
            NoRoomError: There is no room for any message.
        """
        past = [message for message in turn.history if message.content]

        def fits(kept: int, tokens: int) -> bool:
            return count(self._prompt(past[len(past) - kept :], turn.text)) <= tokens

        kept = len(past) - self._cut(turn.room_id, past)
        if not fits(kept, self._tokens):
            goal = int(self._tokens * _KEPT)
            # The newest message stays if it can, even where the goal cannot be met with it.
            kept = largest(kept, lambda size: fits(size, goal)) or largest(
                min(kept, 1), lambda size: fits(size, self._tokens)
            )
        self._remember(turn.room_id, past, kept)
        text = turn.text
        if not kept and not fits(0, self._tokens):
            size = largest(
                len(text), lambda size: count(self._prompt([], shorten(text, size))) <= self._tokens
            )
            if not size:
                raise NoRoomError
            text = shorten(text, size)
        return self._prompt(past[len(past) - kept :], text)

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

    def _prompt(self, past: Sequence[PastMessage], text: str) -> list[Message]:
        prompt = list(self._system)
        for message in past:
            _append(prompt, "user" if message.role == "user" else "assistant", message.content)
        _append(prompt, "user", text)
        return prompt


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


def largest(most: int, good: Callable[[int], bool]) -> int:
    """The largest number up to `most` that is good, where everything below a good number is; 0 is taken as good.

    It goes up from 1, doubling, so that it does not cost much where `most` is far too large.
    """
    low, high = 0, min(1, most)
    while high > low and good(high):
        low, high = high, min(high * 2, most)
    while high - low > 1:
        middle = (low + high) // 2
        if good(middle):
            low = middle
        else:
            high = middle
    return low
