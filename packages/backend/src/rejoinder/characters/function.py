"""A character made from an async generator function of a program's own."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import cast

from rejoinder.characters.base import CharacterInfo, Delta, Thought, Turn, Usage
from rejoinder.errors import CharacterFailed

CharacterFunction = Callable[[Turn], AsyncIterator[Delta]]
"""Declared as `async def answer(turn)` with `yield` in it: it yields text, a `Thought` before it, and a `Usage` last, if it likes."""


class FunctionCharacter:
    """Answers by calling a function once for each turn.

    Args:
        info: Who the character is.
        function: An async generator function of one argument, the `Turn`. An answer that is ended early closes the
            generator, so its `finally` is the place to free things.

    Raises:
        TypeError: The function is of another kind.
    """

    def __init__(self, info: CharacterInfo, function: CharacterFunction) -> None:
        _check(info.id, function)
        self._info = info
        self._function = cast("Callable[[Turn], AsyncGenerator[object, None]]", function)

    @property
    def info(self) -> CharacterInfo:
        return self._info

    async def reply(self, turn: Turn) -> AsyncIterator[Delta]:
        async with aclosing(self._function(turn)) as deltas:
            async for delta in deltas:
                if not isinstance(delta, str | Thought | Usage):
                    kind = type(delta).__name__
                    raise CharacterFailed(
                        f"{self._info.name} wrote something that is no text."
                    ) from TypeError(
                        f"character {self._info.id!r} yielded {kind}; it may yield str, Thought, and Usage at the end"
                    )
                yield delta

    async def aclose(self) -> None:
        """Nothing is held between turns."""


def _check(character_id: str, function: object) -> None:
    # An object with an async generator as its __call__ will do as well.
    called = function if inspect.isroutine(function) else getattr(function, "__call__", None)  # noqa: B004
    if not (inspect.isasyncgenfunction(function) or inspect.isasyncgenfunction(called)):
        raise TypeError(
            f"The function of the character {character_id!r} must be an async generator function: "
            "declare it with `async def` and `yield` the text piece by piece."
        )
    try:
        inspect.signature(cast("Callable[..., object]", function)).bind(None)
    except TypeError:
        raise TypeError(
            f"The function of the character {character_id!r} must take one argument, the turn that it answers."
        ) from None
