"""The load of streams: characters that write all the time, each with a viewer who checks what it is shown."""

import asyncio
import time
from array import array
from typing import Any

import msgspec

from figures import Figures, Meter, Plan
from people import SET_UP_SECONDS, People, each
from wire import Run, Trouble, check_success

DELTAS_PER_SECOND = 50
CHARACTER = "echo"
SPARE_SECONDS = 1.0

_STREAM = b'42["message:stream:'


class Tally:
    """What all viewers count together."""

    def __init__(self) -> None:
        self.chunks = 0
        self.gaps = array("d")


class Viewer:
    """One who asks a character to count, and puts together what it writes."""

    def __init__(self, tally: Tally, people: People, room_id: str, count: int) -> None:
        self._tally = tally
        self._room_id = room_id
        self._count = count
        self._index = 0
        self._text = ""
        self._last = 0.0
        loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.client = people.client(self.hear)

    def ask(self) -> None:
        """Let the character begin."""
        payload = {
            "roomId": self._room_id,
            "content": f"/count {self._count} {1000 // DELTAS_PER_SECOND}",
            "characterId": CHARACTER,
        }
        self.client.emit("message:send:stream", payload, check_success)

    def hear(self, event: bytes) -> None:
        """Take a part of the stream."""
        if not event.startswith(_STREAM):
            return
        name, payload = msgspec.json.decode(event[2:])
        match name.rpartition(":")[2]:
            case "start":
                self._last = time.perf_counter()
                self.begun.set_result(None)
            case "chunk":
                self._add(payload)
            case "end":
                self._end(payload)
            case _:
                raise Trouble(f"a stream failed: {payload}")

    def _add(self, chunk: dict[str, Any]) -> None:
        if (chunk["index"], chunk["offset"]) != (self._index, len(self._text)) or self.ended.done():
            raise Trouble(f"a chunk was lost, repeated or out of order: {chunk}")
        self._index += 1
        self._text += chunk["delta"]
        now = time.perf_counter()
        self._tally.gaps.append(now - self._last)
        self._tally.chunks += 1
        self._last = now

    def _end(self, end: dict[str, Any]) -> None:
        due = " ".join(map(str, range(1, self._count + 1)))
        if not self._text == end["content"] == due:
            raise Trouble("what was shown is not what the character wrote")
        self.ended.set_result(None)


async def watch(run: Run, plan: Plan) -> Figures:
    """A unit is a chunk delivered; the milliseconds are those from one chunk to the next."""
    # Counted so that it does not end before the measuring does, however punctual the character is.
    count = round((plan.warm_up + plan.seconds + SPARE_SECONDS) * DELTAS_PER_SECOND)
    with People(run, plan) as people:
        tally = Tally()
        viewers = [
            Viewer(tally, people, people.room(number), count) for number in range(plan.clients)
        ]
        entering = [
            people.enter(viewer.client, people.room(number), characterId=CHARACTER)
            for number, viewer in enumerate(viewers)
        ]
        await run.until(each(entering), SET_UP_SECONDS, "letting everybody in")
        for viewer in viewers:
            viewer.ask()
        begun = asyncio.wait([viewer.begun for viewer in viewers])
        await run.until(begun, SET_UP_SECONDS, "the beginning of the streams")
        await run.go_on(plan.warm_up)
        tally.gaps = array("d")
        before = tally.chunks
        meter = Meter(plan.pid)
        await run.go_on(plan.seconds)
        if any(viewer.ended.done() for viewer in viewers):
            raise Trouble("a stream ended before the measuring did")
        found = meter.read(tally.chunks - before, tally.gaps)
        ended = asyncio.wait([viewer.ended for viewer in viewers])
        await run.until(ended, plan.patience + count / DELTAS_PER_SECOND, "the end of the streams")
        await run.until(
            people.fence([viewer.client for viewer in viewers]), SET_UP_SECONDS, "the last acks"
        )
        return found
