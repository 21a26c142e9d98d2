"""Clients who do nothing wrong: each calls the server again and again, and each call is answered, in order."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from tests.socket_io.hostile.wire import Polling, WebSocket, text

CLIENTS = 50
POLLED = 10
PACE = 0.1
SECONDS = 30.0
SEPARATOR = b"\x1e"


class Good:
    """Fifty of them, ten over long polling. `acks` counts, `waits` are the seconds that each answer took."""

    def __init__(self, port: int, pace: float) -> None:
        self._port = port
        self._pace = pace
        self._stopping = False
        self._news = asyncio.Event()
        self.acks = [0] * CLIENTS
        self.waits: list[float] = []

    async def _one(self, number: int) -> None:
        polled = number < POLLED
        name = f'40{{"name":"good {number}"}}'
        client: Polling | WebSocket = await (
            Polling.join(self._port, name) if polled else WebSocket.join(self._port, name)
        )
        async with client:
            while not self._stopping:
                began = time.monotonic()
                first = self.acks[number]
                ids = range(first, first + 2)
                calls = [b'42%d["echo",%d,"%d"]' % (i, i, number) for i in ids]
                answers = [b'43%d[%d,"%d"]' % (i, i, number) for i in ids]
                async with asyncio.timeout(SECONDS):
                    if isinstance(client, Polling):
                        await self._polled(client, calls, answers)
                    else:
                        await client.send(b"".join(map(text, calls)))
                        assert [await client.packet() for _ in ids] == answers, number
                took = time.monotonic() - began
                self.waits.append(took)
                self.acks[number] += 2
                self._news.set()
                if took < self._pace:
                    await asyncio.sleep(self._pace - took)

    @staticmethod
    async def _polled(client: Polling, calls: list[bytes], answers: list[bytes]) -> None:
        assert await client.post(SEPARATOR.join(calls)) == 200
        came: list[bytes] = []
        while len(came) < len(answers):
            for packet in (await client.get()).split(SEPARATOR):
                if packet == b"2":
                    assert await client.post(b"3") == 200
                elif packet != b"6":
                    came.append(packet)
        assert came == answers

    async def run(self) -> None:
        """Go on until `stop`; an answer that is wrong, late or missing is an error."""
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(self._one(number))

    def stop(self) -> None:
        """End after the calls that are under way."""
        self._stopping = True

    async def more(self, rounds: int) -> None:
        """Wait until each has had so many further answers."""
        goals = [count + 2 * rounds for count in self.acks]
        while any(count < goal for count, goal in zip(self.acks, goals, strict=True)):
            self._news.clear()
            await self._news.wait()

    def p99(self, since: int = 0) -> float:
        """In milliseconds, of the answers since that many."""
        waits = sorted(self.waits[since:])
        return 1000 * waits[int(len(waits) * 0.99)]


@contextlib.asynccontextmanager
async def good_clients(port: int, pace: float = PACE) -> AsyncIterator[Good]:
    """Let them run; each has been answered before this begins, and again before it ends."""
    good = Good(port, pace)
    running = asyncio.create_task(good.run())

    async def answered() -> None:
        more = asyncio.create_task(good.more(2))
        await asyncio.wait((running, more), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            more.cancel()
            await running
        await more

    try:
        await answered()
        yield good
        await answered()
    finally:
        good.stop()
        await running
