"""The suite for characters finds what it is there to find."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from rejoinder.characters import Character, CharacterInfo, Delta, Turn, Usage
from rejoinder.errors import CharacterFailed, ConfigurationError
from rejoinder.testing.characters import check_character

Answer = Callable[[Turn], AsyncIterator[Delta]]


class Custom:
    """A character of one function, with nothing that keeps it from breaking its promises."""

    def __init__(self, answer: Answer, character_id: str = "custom") -> None:
        self.info = CharacterInfo(id=character_id, name="Custom")
        self._answer = answer
        self.closed = False

    def reply(self, turn: Turn) -> AsyncIterator[Delta]:
        return self._answer(turn)

    async def aclose(self) -> None:
        self.closed = True


async def check(answer: Answer, character_id: str = "custom") -> None:
    made: list[Custom] = []

    async def make() -> Character:
        made.append(Custom(answer, character_id))
        return made[-1]

    try:
        await check_character(make, patience=1)
    finally:
        assert made
        assert all(character.closed for character in made)


async def good(turn: Turn) -> AsyncIterator[Delta]:
    yield "yes "
    await asyncio.sleep(0)
    yield "안녕"
    yield Usage(prompt_tokens=3, completion_tokens=2)


async def refuses_odd_texts(turn: Turn) -> AsyncIterator[Delta]:
    if not turn.text.strip():
        raise CharacterFailed("Say something.")
    yield "yes"


@pytest.mark.parametrize("answer", [good, refuses_odd_texts])
async def test_accepts_a_character_that_keeps_its_promises(answer: Answer) -> None:
    await check(answer)


async def silent(turn: Turn) -> AsyncIterator[Delta]:
    yield ""


async def endless(turn: Turn) -> AsyncIterator[Delta]:
    yield "yes"
    await asyncio.Event().wait()


async def bytes_instead(turn: Turn) -> AsyncIterator[Delta]:
    yield b"yes"  # type: ignore[misc]


async def half_a_character(turn: Turn) -> AsyncIterator[Delta]:
    yield "\ud83d"
    yield "\ude00"


async def more_after_usage(turn: Turn) -> AsyncIterator[Delta]:
    yield Usage(1, 1)
    yield "yes"


async def negative_usage(turn: Turn) -> AsyncIterator[Delta]:
    yield "yes"
    yield Usage(-1, 1)


async def holds_on(turn: Turn) -> AsyncIterator[Delta]:
    try:
        yield "yes"
        yield "yes"
    except GeneratorExit:
        await asyncio.sleep(1.5)
        raise


class NotClosable:
    def __init__(self, turn: Turn) -> None:
        self._left = ["yes"]

    def __aiter__(self) -> AsyncIterator[Delta]:
        return self

    async def __anext__(self) -> Delta:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


@pytest.mark.parametrize(
    ("answer", "broken"),
    [
        (silent, "there must be an answer"),
        (endless, "must end within 1 s"),
        (bytes_instead, "must be str, Thought or Usage, not bytes"),
        (half_a_character, "no half of a character"),
        (more_after_usage, "nothing may come after the Usage"),
        (negative_usage, "must not be negative"),
        (holds_on, "closed in the middle must end within"),
        (NotClosable, "can be closed"),
    ],
)
async def test_says_which_promise_is_broken(answer: Answer, broken: str) -> None:
    with pytest.raises(AssertionError, match=broken):
        await check(answer)


async def test_finds_one_that_serves_a_single_turn_at_a_time() -> None:
    busy = False

    async def alone(turn: Turn) -> AsyncIterator[Delta]:
        nonlocal busy
        if busy:
            raise RuntimeError("busy")
        busy = True
        try:
            await asyncio.sleep(0)
            yield "yes"
        finally:
            busy = False

    with pytest.raises(ExceptionGroup) as raised:
        await check(alone)
    assert raised.group_contains(RuntimeError, match="busy")


async def test_finds_one_that_does_not_recover_from_a_cancellation() -> None:
    broken = False

    async def fragile(turn: Turn) -> AsyncIterator[Delta]:
        nonlocal broken
        if broken:
            raise RuntimeError("broken")
        try:
            yield "yes"
            await asyncio.sleep(0)
            yield "yes"
        except asyncio.CancelledError:
            broken = True
            raise

    with pytest.raises(RuntimeError, match="broken"):
        await check(fragile)


async def test_finds_an_id_that_is_not_valid() -> None:
    with pytest.raises(ConfigurationError, match="an id of 1 to 128"):
        await check(good, "")
