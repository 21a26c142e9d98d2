"""Pings are real time here: every 300 ms, to be answered within 200 ms. A machine that stands still for longer ends
sessions by itself, and what a test sees then tells nothing of the server.
"""

import functools
import time
from collections.abc import Awaitable, Callable
from typing import ParamSpec

import aiohttp

FIRST_PING_SECONDS = 0.3
ATTEMPTS = 3

P = ParamSpec("P")


def patient(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Believe a failure only if it came before a ping could have a part in it, or every time."""

    @functools.wraps(test)
    async def attempts(*args: P.args, **kwargs: P.kwargs) -> None:
        for left in reversed(range(ATTEMPTS)):
            began = time.monotonic()
            try:
                return await test(*args, **kwargs)
            except (AssertionError, OSError, aiohttp.ClientError):
                if left == 0 or time.monotonic() - began < FIRST_PING_SECONDS:
                    raise
        return None

    return attempts
