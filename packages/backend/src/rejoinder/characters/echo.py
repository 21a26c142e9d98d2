"""The character that people test their own clients with: it answers with their own words, or as they command.

Commands are a whole message:

    /count N [delayMs]   the numbers 1 to N, one per delta and each but the first after the delay: "1", " 2", " 3"
    /fail N              the same N deltas, and then the answer fails
    /think TEXT          thinks the text word by word, and then says it as if it had been sent alone

Any other text comes back as it is, one word per delta; a delta is a word and the white space after it (white space in
front of the first word belongs to the first delta), so the deltas joined are the text. Asked to go on with an answer, it
says the same once more.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from rejoinder.characters.base import CharacterInfo, Delta, Thought, Turn
from rejoinder.errors import CharacterFailed

MAX_COUNT = 100_000
MAX_DELAY_MS = 60_000
NOTHING_TO_REPEAT = "There was nothing to repeat."
HELP = (
    f"Write /count N [delayMs] with N from 1 to {MAX_COUNT} and a delay of at most {MAX_DELAY_MS} milliseconds, "
    f"/fail N with N from 0 to {MAX_COUNT}, or /think with a text."
)

_WORD = re.compile(r"(?:\A\s+)?\S+\s*")
_COMMAND = re.compile(r"(/count|/fail|/think)(?:\s.*)?", re.DOTALL)
_COUNT = re.compile(r"/count\s+([0-9]{1,9})(?:\s+([0-9]{1,9}))?")
_FAIL = re.compile(r"/fail\s+([0-9]{1,9})")
_THINK = re.compile(r"/think\s+(.+)", re.DOTALL)


class _Plan(NamedTuple):
    """An answer: its deltas, the seconds between any two of them, whether it fails at the end, and what is thought before."""

    deltas: Iterable[str]
    delay: float = 0
    fails: bool = False
    thoughts: Iterable[str] = ()


class EchoCharacter:
    """The test character; see the top of the module for what it understands.

    Args:
        info: Who it is; by default the id is `echo`.
        sleep: Waits for a number of seconds. It is called between any two deltas, with 0 where no delay was asked
            for, so that an answer can be stopped at each of them.
    """

    def __init__(
        self,
        info: CharacterInfo | None = None,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        known = info or CharacterInfo(
            id="echo",
            name="Echo",
            description="Answers with your own words. For testing: /count N [delayMs], /fail N, /think TEXT.",
        )
        self._info = replace(known, prompts=False)
        self._sleep = sleep

    @property
    def info(self) -> CharacterInfo:
        return self._info

    async def reply(self, turn: Turn) -> AsyncIterator[Delta]:
        plan = _plan(turn.text)
        if turn.begun and not turn.begun[-1].isspace():
            yield " "
        for thought in plan.thoughts:
            yield Thought(thought)
            await self._sleep(0)
        for index, delta in enumerate(plan.deltas):
            if index:
                await self._sleep(plan.delay)
            yield delta
        if plan.fails:
            raise CharacterFailed(f"{self._info.name} failed, as it was told to.")

    async def aclose(self) -> None:
        """Nothing is held between turns."""


def _plan(text: str) -> _Plan:
    command = text.strip()
    if not command:
        return _Plan([NOTHING_TO_REPEAT])
    if not _COMMAND.fullmatch(command):
        return _Plan(_words(text))
    if asked := _COUNT.fullmatch(command):
        number, delay_ms = int(asked[1]), int(asked[2] or 0)
        if 1 <= number <= MAX_COUNT and delay_ms <= MAX_DELAY_MS:
            return _Plan(_numbers(number), delay=delay_ms / 1000)
    elif asked := _FAIL.fullmatch(command):
        number = int(asked[1])
        if number <= MAX_COUNT:
            return _Plan(_numbers(number), fails=True)
    elif asked := _THINK.fullmatch(command):
        return _Plan(_words(asked[1]), thoughts=_words(asked[1]))
    return _Plan([HELP])


def _words(text: str) -> Iterator[str]:
    return (match[0] for match in _WORD.finditer(text))


def _numbers(last: int) -> Iterator[str]:
    return (str(number) if number == 1 else f" {number}" for number in range(1, last + 1))
