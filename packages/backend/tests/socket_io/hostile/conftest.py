"""A server process of the test's own, to be attacked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.socket_io.hostile.target import Target

Start = Callable[..., Target]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start it with these flags; at the end it must still run, and must not have failed.

    Over ASGI uvicorn's own WebSockets fail where bytes that are no UTF-8 come after a close; only its log tells of it.
    """
    with ExitStack() as ending:

        def begin(*flags: str) -> Target:
            target = ending.enter_context(Target(tmp_path, *flags))
            targets.append(target)
            asgi.append("--asgi" in flags)
            return target

        targets: list[Target] = []
        asgi: list[bool] = []
        yield begin
        for target, over_asgi in zip(targets, asgi, strict=True):
            assert target.running
            assert over_asgi or "Traceback" not in target.log, target.log[:3000]
