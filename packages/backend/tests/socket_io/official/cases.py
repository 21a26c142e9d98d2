"""Which case of the official suites a test is.

The cases are counted from the top of `docs/engine.io-protocol/v4-test-suite/test-suite.js` (25 at commit 36d2324) and
`docs/socket.io-protocol/v5-test-suite/test-suite.js` (32 at commit b4002c2) in github.com/socketio/socket.io. The
second begins with 16 of the first, over its own path.
"""

from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Literal, ParamSpec

import pytest
from tests.socket_io.patience import patient

P = ParamSpec("P")
Suite = Literal["engine_io", "socket_io"]


def case(
    *, engine_io: int | None = None, socket_io: int | None = None
) -> Callable[[Callable[P, Awaitable[None]]], Callable[P, Awaitable[None]]]:
    """Number a test as the suites do."""

    def numbered(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
        return pytest.mark.official(engine_io=engine_io, socket_io=socket_io)(patient(test))

    return numbered


def numbers(module: ModuleType, suite: Suite) -> list[int]:
    """The numbers of the cases that pytest finds in a module."""
    classes = [each for name, each in vars(module).items() if name.startswith("Test")]
    tests = [
        getattr(each, name) for each in classes for name in dir(each) if name.startswith("test")
    ]
    marks = [mark for test in tests for mark in test.pytestmark if mark.name == "official"]
    assert len(marks) == len(tests)
    return sorted(mark.kwargs[suite] for mark in marks)
