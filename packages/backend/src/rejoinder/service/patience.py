"""How long a person may be kept waiting for the store."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from rejoinder.errors import Unavailable

T = TypeVar("T")
STORE_SECONDS: Final = 5.0
SILENT: Final = "The message store does not answer. Try again in a moment."


async def in_time(work: Awaitable[T]) -> T:
    """What the store answers, within that time.

    Raises:
        Unavailable: the store did not answer in time.
    """
    try:
        # It runs in the caller's task: `wait_for` would make one for it.
        async with asyncio.timeout(STORE_SECONDS):
            return await work
    except TimeoutError as error:
        raise Unavailable(SILENT) from error
