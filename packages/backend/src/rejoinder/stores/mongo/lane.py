"""One lane of the log: the rows that wait, the numbers that are known, and whom to let go first.

Servers that write into the same room compete for its next number, and to be refused costs as much as to be let in. So a
server that was refused goes on from what the others tell of, and waits for those that go before it, in an order that all have alike.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from rejoinder.stores.records import Appended, Draft

T = TypeVar("T")
ROOMS_KEPT = 10_000
TOLD_SECONDS = 2.0
"""For so long it counts that a room was told of, or a number refused in it."""
HEAR_SECONDS = 0.05
GIVE_WAY_SECONDS = 0.02
NEVER = (-TOLD_SECONDS, 0)


@dataclass(slots=True)
class Entry:
    """A draft and who waits for it."""

    draft: Draft
    done: "asyncio.Future[Appended]"


@dataclass(slots=True)
class Lane:
    """The rows that wait, and the last numbers of rooms, where known; the rooms that were used last are at the end."""

    waiting: deque[Entry] = field(default_factory=deque)
    last: dict[str, int] = field(default_factory=dict)
    told: dict[str, tuple[float, int]] = field(default_factory=dict)
    """When another server last told of a row of a room, and how many go before this one."""
    refused: dict[str, float] = field(default_factory=dict)
    """When another server was last quicker in a room."""
    takes: float = 0.004
    """Seconds of an insert, as it was of late."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    runs: bool = False

    def know(self, room_id: str, last: int) -> None:
        """Keep a room's last number, and forget that of the room that was not used for longest."""
        self.last[room_id] = max(last, self.last.pop(room_id, 0))
        if len(self.last) > ROOMS_KEPT:
            del self.last[next(iter(self.last))]

    def hear(self, room_id: str, seq: int, before: int, now: float) -> None:
        """Another server has stored a row of that number."""
        self.know(room_id, seq)
        _keep(self.told, room_id, (now, before))
        self.news.set()

    async def hears(self, room_id: str, now: float) -> None:
        """After a refusal: wait a moment for what another server has to tell of a room, if it is likely to."""
        _keep(self.refused, room_id, now)
        if now - self.told.get(room_id, NEVER)[0] >= TOLD_SECONDS:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(HEAR_SECONDS):
                while room_id not in self.last:
                    self.news.clear()
                    await self.news.wait()

    async def give_way(self, rooms: Iterable[str], now: float) -> None:
        """Let those go first that go before this server, in rooms where they are in each other's way.

        Else all that were refused would try again at once, and all but one in vain.
        """
        before = max(
            (
                self.told.get(room_id, NEVER)[1]
                for room_id in rooms
                if now - self.refused.get(room_id, -TOLD_SECONDS) < TOLD_SECONDS
            ),
            default=0,
        )
        if not before:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(min(before * self.takes, GIVE_WAY_SECONDS)):
                for _ in range(before):
                    self.news.clear()
                    await self.news.wait()


def _keep(entries: dict[str, T], key: str, entry: T) -> None:
    entries.pop(key, None)
    entries[key] = entry
    if len(entries) > ROOMS_KEPT:
        del entries[next(iter(entries))]
