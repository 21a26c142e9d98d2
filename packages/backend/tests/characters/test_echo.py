import asyncio

import pytest

from rejoinder.characters import Character, EchoCharacter, Thought, Turn
from rejoinder.characters.echo import HELP, NOTHING_TO_REPEAT
from rejoinder.errors import CharacterFailed
from rejoinder.testing.characters import check_character


def turn(text: str) -> Turn:
    return Turn(room_id="r", message_id="m", user_id="u", text=text, history=())


class Waits(list[float]):
    """Waits that take no time, noted down."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


async def deltas(text: str, waits: Waits | None = None) -> list[object]:
    echo = EchoCharacter(sleep=(waits if waits is not None else Waits()).sleep)
    return [delta async for delta in echo.reply(turn(text))]


async def test_does_what_every_character_must_do() -> None:
    async def make() -> Character:
        return EchoCharacter()

    await check_character(make)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", ["hello"]),
        ("to be or", ["to ", "be ", "or"]),
        ("  two  lines\n\nhere \t", ["  two  ", "lines\n\n", "here \t"]),
        ("안녕 하세요 👩‍👩‍👧!", ["안녕 ", "하세요 ", "👩‍👩‍👧!"]),
        ("/counter 3", ["/counter ", "3"]),
        ("say /count 3", ["say ", "/count ", "3"]),
    ],
)
async def test_answers_with_the_words_as_they_were_written(text: str, expected: list[str]) -> None:
    assert await deltas(text) == expected
    assert "".join(expected) == text


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
async def test_says_so_when_there_is_nothing_to_repeat(text: str) -> None:
    assert await deltas(text) == [NOTHING_TO_REPEAT]


async def test_counts() -> None:
    assert await deltas("/count 3") == ["1", " 2", " 3"]
    assert await deltas(" /count  1\n") == ["1"]
    assert len(await deltas("/count 100000")) == 100_000


async def test_waits_between_the_numbers_and_not_before_the_first() -> None:
    waits = Waits()
    assert await deltas("/count 3 250", waits) == ["1", " 2", " 3"]
    assert waits == [0.25, 0.25]


async def test_fails_after_as_many_deltas_as_it_was_told() -> None:
    for count, expected in ((0, []), (2, ["1", " 2"])):
        answer = EchoCharacter().reply(turn(f"/fail {count}"))
        assert [await anext(answer) for _ in range(count)] == expected
        with pytest.raises(CharacterFailed, match="as it was told"):
            await anext(answer)


async def test_thinks_before_it_says_the_same() -> None:
    said = [piece async for piece in EchoCharacter().reply(turn("/think so  it is"))]
    words = ["so  ", "it ", "is"]
    assert said == [*map(Thought, words), *words]


@pytest.mark.parametrize(
    "text",
    [
        "/count",
        "/count 0",
        "/count -1",
        "/count x",
        "/count 1.5",
        "/count ٣",
        "/count 100001",
        "/count 9999999999999",
        "/count 3 60001",
        "/count 3 4 5",
        "/count 3 x",
        "/fail",
        "/fail -1",
        "/fail 100001",
        "/fail 1 2",
        "/think",
        "/think  ",
    ],
)
async def test_explains_a_command_that_it_cannot_follow(text: str) -> None:
    assert await deltas(text) == [HELP]


async def test_lets_others_run_between_any_two_deltas() -> None:
    seen: list[object] = []
    begun = asyncio.Event()

    async def read() -> None:
        async for delta in EchoCharacter().reply(turn("/count 100000")):
            seen.append(delta)
            begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    assert len(seen) < 10
