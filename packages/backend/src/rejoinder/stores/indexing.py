"""Putting all of a store into the index of its search."""

import time
from collections.abc import AsyncIterator, Callable, Sequence

from rejoinder.stores.base import Store

ROOMS = 100
ROWS = 500


async def index_store(store: Store, progress: Callable[[int], None]) -> int:
    """Put everything into the index that is not in it, and can be by now; how many messages that was.

    Args:
        store: Is open.
        progress: Told how many there are so far.

    Raises:
        Unavailable: it can't be reached; go on later.
    """
    rows, after = 0, ""
    while rooms := await store.unindexed(after, ROOMS):
        async for done in index_rooms(store, rooms):
            rows += done
            progress(rows)
        after = rooms[-1]
    return rows


async def index_rooms(store: Store, room_ids: Sequence[str]) -> AsyncIterator[int]:
    """The same with some rooms: how many messages each step has put in."""
    left = room_ids
    while left:
        done = await store.index(left, ROWS, time.time_ns() // 1_000_000)
        if not done.rows:
            return  # What is left waits for an answer to end.
        yield done.rows
        left = done.left
