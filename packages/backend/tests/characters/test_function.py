import functools
from collections.abc import AsyncIterator

import pytest

from rejoinder.characters import Character, CharacterInfo, Delta, FunctionCharacter, Turn, Usage
from rejoinder.errors import CharacterFailed
from rejoinder.testing.characters import check_character

INFO = CharacterInfo(id="parrot", name="Parrot")
TURN = Turn(room_id="r", message_id="m", user_id="u", text="hello", history=())


async def parrot(turn: Turn) -> AsyncIterator[Delta]:
    yield "You said "
    yield repr(turn.text)
    yield Usage(prompt_tokens=1, completion_tokens=2)


async def test_does_what_every_character_must_do() -> None:
    async def make() -> Character:
        return FunctionCharacter(INFO, parrot)

    await check_character(make)


async def test_passes_on_what_the_function_yields() -> None:
    character = FunctionCharacter(INFO, parrot)
    assert character.info is INFO
    assert [delta async for delta in character.reply(TURN)] == [
        "You said ",
        "'hello'",
        Usage(prompt_tokens=1, completion_tokens=2),
    ]


class Method:
    async def answer(self, turn: Turn) -> AsyncIterator[str]:
        yield turn.text


class Callable:
    async def __call__(self, turn: Turn) -> AsyncIterator[str]:
        yield turn.text


async def with_more(turn: Turn, end: str = "!") -> AsyncIterator[str]:
    yield turn.text + end


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (Method().answer, "hello"),
        (Callable(), "hello"),
        (with_more, "hello!"),
        (functools.partial(with_more, end="?"), "hello?"),
    ],
)
async def test_takes_whatever_can_be_called_like_one(function: object, expected: str) -> None:
    character = FunctionCharacter(INFO, function)  # type: ignore[arg-type]
    assert [delta async for delta in character.reply(TURN)] == [expected]


def plain(turn: Turn) -> str:
    return turn.text


async def coroutine(turn: Turn) -> str:
    return turn.text


def generator(turn: Turn) -> object:
    yield turn.text


@pytest.mark.parametrize("function", [plain, coroutine, generator, "hello", None, Method])
def test_refuses_what_is_no_async_generator_function(function: object) -> None:
    with pytest.raises(TypeError, match="'parrot' must be an async generator function"):
        FunctionCharacter(INFO, function)  # type: ignore[arg-type]


async def no_argument() -> AsyncIterator[str]:
    yield "hello"


async def two_arguments(turn: Turn, other: str) -> AsyncIterator[str]:
    yield other


@pytest.mark.parametrize("function", [no_argument, two_arguments])
def test_refuses_a_function_that_does_not_take_the_turn_alone(function: object) -> None:
    with pytest.raises(TypeError, match="'parrot' must take one argument"):
        FunctionCharacter(INFO, function)  # type: ignore[arg-type]


async def test_fails_when_the_function_yields_something_else() -> None:
    async def wrong(turn: Turn) -> AsyncIterator[str]:
        yield "fine"
        yield 3  # type: ignore[misc]

    answer = FunctionCharacter(INFO, wrong).reply(TURN)
    assert await anext(answer) == "fine"
    with pytest.raises(CharacterFailed, match="Parrot wrote something that is no text") as failure:
        await anext(answer)
    assert "yielded int" in str(failure.value.__cause__)


async def test_closes_the_function_when_the_answer_is_not_wanted_any_more() -> None:
    closed = []

    async def holding(turn: Turn) -> AsyncIterator[str]:
        try:
            yield "one"
            yield "two"
        finally:
            closed.append(True)

    answer = FunctionCharacter(INFO, holding).reply(TURN)
    await anext(answer)
    await answer.aclose()  # type: ignore[attr-defined]
    assert closed == [True]


async def test_passes_on_the_error_of_the_function() -> None:
    async def failing(turn: Turn) -> AsyncIterator[str]:
        yield "one"
        raise CharacterFailed("The oracle is asleep.")

    answer = FunctionCharacter(INFO, failing).reply(TURN)
    assert await anext(answer) == "one"
    with pytest.raises(CharacterFailed, match="asleep"):
        await anext(answer)
