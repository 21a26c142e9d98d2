"""The load of history: pages out of a long room, while people send at fixed times."""

import asyncio
import time
from array import array
from collections import deque
from collections.abc import Sequence

import msgspec

from figures import Figures, Meter, Plan, percentile
from people import SET_UP_SECONDS, People
from talk import Sender, Talk, TalkRoom, TalkTally
from wire import Connection, Run, Trouble

PAGE = 50
AT_ONCE = 100
TICK = 0.001
ALONE = 0.5
"""Share of the measured time that the sends are first measured alone."""


class _Row(msgspec.Struct):
    id: str
    seq: int


class _Page(msgspec.Struct):
    messages: list[_Row]


_decode = msgspec.json.Decoder(tuple[_Page]).decode


class Paced(Sender):
    """One who sends at given times; or, where the last message is not through by then, as soon as it is."""

    def __init__(self, tally: TalkTally, room: TalkRoom, client: Connection) -> None:
        super().__init__(tally, room, client)
        self._owed: deque[float] = deque()

    def due(self, at: float) -> None:
        """It is time for the next."""
        if self.waits_for:
            self._owed.append(at)
        else:
            self.send(at)

    def next(self) -> None:
        if self._owed:
            self.send(self._owed.popleft())


async def keep_pace(senders: Sequence[Sender], rate: float, tally: TalkTally) -> None:
    """Let them send in turn."""
    begun, count = time.perf_counter(), 0
    while not tally.stopping:
        while (at := begun + count / rate) <= time.perf_counter():
            sender = senders[count % len(senders)]
            if isinstance(sender, Paced):
                sender.due(at)
            count += 1
        await asyncio.sleep(TICK)


class Reader:
    """One who reads a long room from its end to its beginning, and again."""

    def __init__(self, client: Connection, room_id: str, size: int) -> None:
        self._client = client
        self._room_id = room_id
        self._size = size
        self.times = array("d")
        self.stopping = False

    async def fill(self, people: People) -> None:
        """Enter the room, and write it."""
        await people.enter(self._client, self._room_id)
        for begin in range(0, self._size, AT_ONCE):
            numbers = range(begin, min(begin + AT_ONCE, self._size))
            await asyncio.gather(*map(self._write, numbers))

    async def _write(self, number: int) -> None:
        content = f"message {number} of a long room, as long as messages are that people write"
        await self._client.call("message:send", {"roomId": self._room_id, "content": content})

    async def read(self) -> None:
        """Read on and on."""
        before: _Row | None = None
        while not self.stopping:
            request = {"roomId": self._room_id, "limit": PAGE}
            if before is not None:
                request["before"] = before.id
            begun = time.perf_counter()
            ack = await self._client.call("messages:history", request)
            self.times.append(time.perf_counter() - begun)
            end = self._size + 1 if before is None else before.seq
            rows = _decode(ack[ack.index(b"[") :])[0].messages
            if [row.seq for row in rows] != list(range(max(1, end - PAGE), end)):
                raise Trouble(f"a page that ends before {end} has {[row.seq for row in rows]}")
            before = rows[0] if rows[0].seq > 1 else None


async def pages(run: Run, plan: Plan) -> Figures:
    """A unit is a page; the sends are measured without the reader, and with it."""
    with People(run, plan) as people:
        talk = Talk(run, plan, people, Paced)
        tally = talk.tally
        await talk.enter()
        reader = Reader(people.client(), people.room(-1), plan.messages)
        await run.until(reader.fill(people), SET_UP_SECONDS, "writing a long room")
        pace = asyncio.ensure_future(keep_pace(talk.senders, plan.rate, tally))
        await run.go_on(plan.warm_up)
        tally.forget_times()
        alone = Meter(plan.pid)
        await run.go_on(plan.seconds * ALONE)
        alone.stop()
        alone_times = tally.send_times
        reading = asyncio.ensure_future(reader.read())
        reading.add_done_callback(run.notice)
        await run.go_on(plan.warm_up)
        tally.forget_times()
        reader.times = array("d")
        both = Meter(plan.pid)
        await run.go_on(plan.seconds)
        both.stop()
        found = both.read(len(reader.times), reader.times)
        send_times = tally.send_times
        reader.stopping = True
        await run.until(reading, plan.patience, "the last page")
        await talk.settle()
        await pace
        if not (found.units and send_times and alone_times):
            raise Trouble("nothing was read or sent in the measured time")
        more = both.server - alone.server / alone.wall * both.wall
        return msgspec.structs.replace(
            found,
            server_us=max(0.0, more) / found.units * 1e6,
            alone_p50=percentile(alone_times, 50) * 1000,
            alone_p99=percentile(alone_times, 99) * 1000,
            send_p50=percentile(send_times, 50) * 1000,
            send_p99=percentile(send_times, 99) * 1000,
        )
