"""People who send all the time, while a test breaks something; and what must hold of what they sent.

Each sends one message after the other, and the same one again, as clients do, while the store is unavailable.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rejoinder.errors import Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.base import Store
from rejoinder.stores.records import Draft
from rejoinder.testing.store.tools import draft, fresh

WAIT_SECONDS = 40.0
PAGE = 500


@dataclass(slots=True)
class Ack:
    message_id: str
    sender_id: str
    seq: int


@dataclass
class Load:
    """Senders in one room, each on one of the stores (two stores are two servers on one database)."""

    stores: list[Store]
    senders: int = 6
    room_id: str = field(default_factory=lambda: fresh("room"))
    acks: list[Ack] = field(default_factory=list)
    refusals: int = 0
    slowest: float = 0.0
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    _stopping: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        await self.stores[0].create_room(self.room_id, "owner", 0, None)
        self._tasks = [
            asyncio.create_task(self._send(f"sender {n}", self.stores[n % len(self.stores)]))
            for n in range(self.senders)
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Stop; what was begun is sent until it is acknowledged."""
        self._stopping = True
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.gather(*self._tasks)

    async def _send(self, sender_id: str, store: Store) -> None:
        number = 0
        while not self._stopping:
            number += 1
            message = draft(self.room_id, f"number {number}", sender_id)
            self.acks.append(await self._until_acked(store, message))
            self._news.set()

    async def _until_acked(self, store: Store, message: Draft) -> Ack:
        while True:
            started = time.monotonic()
            try:
                done = await store.append(message)
            except Unavailable:
                self.refusals += 1
                self._news.set()
                # A refusal may come at once; the others must have their turn.
                await asyncio.sleep(0.01)
            else:
                return Ack(message.id, message.sender_id, done.message.seq)
            finally:
                self.slowest = max(self.slowest, time.monotonic() - started)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def more(self, count: int) -> None:
        """Wait for that many further acks."""
        goal = len(self.acks) + count
        await self.until(lambda: len(self.acks) >= goal)

    async def refused(self) -> None:
        """Wait until somebody has been refused since now."""
        before = self.refusals
        await self.until(lambda: self.refusals > before)

    async def check(self, store: Store) -> None:
        """Promises 1, 2 and 3: what was acked is there, once, in one order without holes, each sender's in theirs."""
        rows = await whole(store, self.room_id)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert len({row.id for row in rows}) == len(rows)
        places = {row.id: row.seq for row in rows}
        assert {ack.message_id: ack.seq for ack in self.acks} == places, "acked and stored"
        assert await store.last_seq(self.room_id) == len(rows)
        for sender_id in {ack.sender_id for ack in self.acks}:
            own = [ack.seq for ack in self.acks if ack.sender_id == sender_id]
            assert own == sorted(own), f"the order of {sender_id}"
            texts = [row.content for row in rows if row.sender_id == sender_id]
            assert texts == [f"number {n}" for n in range(1, len(texts) + 1)]


async def whole(store: Store, room_id: str) -> list[ChatMessage]:
    """All rows of a room, page by page."""
    rows: list[ChatMessage] = []
    while True:
        page = await store.page_after(room_id, rows[-1].seq if rows else 0, PAGE)
        rows += page.messages
        if not page.has_more:
            return rows
