"""The load of streams: characters that write all the time, and viewers who check what they are shown."""

import asyncio
import time
from typing import Any

import msgspec

from figures import Figures, Meter, Plan
from hearing import Due, Member, Room, Tally
from people import SET_UP_SECONDS, People, each
from wire import Connection, Run, Trouble, check_success

DELTAS_PER_SECOND = 50
CHARACTER = "echo"
SPARE_SECONDS = 0.5


class Stage(Room):
    """A room in which a character counts; what it writes is put together."""

    prefix = b'42["message:stream:'

    def __init__(self, tally: Tally, room_id: str, count: int) -> None:
        super().__init__(tally)
        self.room_id = room_id
        self._count = count
        self._index = 0
        self._text = ""
        self._last = 0.0
        loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()

    def ask(self, client: Connection) -> None:
        """Let the character begin."""
        payload = {
            "roomId": self.room_id,
            "content": f"/count {self._count} {1000 // DELTAS_PER_SECOND}",
            "characterId": CHARACTER,
        }
        client.emit("message:send:stream", payload, check_success)

    def read(self, event: bytes, frame: bytes, place: int) -> Due:
        name, payload = msgspec.json.decode(event[2:])
        before, self._last = self._last, time.perf_counter()
        match name.rpartition(":")[2]:
            case "start" if place == 0:
                return Due(frame, self._last, lambda _now: self.begun.set_result(None))
            case "chunk" if place == self._index + 1:
                self._add(payload)
                return Due(frame, before, _nothing)
            case "end" if place == self._index + 1:
                self._check(payload)
                return Due(frame, before, lambda _now: self.ended.set_result(None))
            case "error":
                raise Trouble(f"a stream failed: {payload}")
            case _:
                raise Trouble(f"lost, repeated or out of order: {payload}")

    def _add(self, chunk: dict[str, Any]) -> None:
        if (chunk["index"], chunk["offset"]) != (self._index, len(self._text)):
            raise Trouble(f"a chunk was lost, repeated or out of order: {chunk}")
        self._index += 1
        self._text += chunk["delta"]

    def _check(self, end: dict[str, Any]) -> None:
        due = " ".join(map(str, range(1, self._count + 1)))
        if not self._text == end["content"] == due:
            raise Trouble("what was shown is not what the character wrote")


def _nothing(_now: float) -> None:
    """A chunk has come to all."""


async def watch(run: Run, plan: Plan) -> Figures:
    """A unit is a chunk delivered; the milliseconds are from one chunk's first delivery to each of the next chunk."""
    # Counted so that it does not end before the measuring does, however punctual the character is.
    count = round((plan.warm_up + plan.seconds + SPARE_SECONDS) * DELTAS_PER_SECOND)
    with People(run, plan) as people:
        tally = Tally()
        stages = [
            Stage(tally, people.room(number), count)
            for number in range(plan.clients // plan.room_size)
        ]
        clients = [
            [people.client(Member(stage)) for _ in range(plan.room_size)] for stage in stages
        ]
        entering = [
            people.enter(client, stage.room_id, characterId=CHARACTER)
            for stage, viewers in zip(stages, clients, strict=True)
            for client in viewers
        ]
        await run.until(each(entering), SET_UP_SECONDS, "letting everybody in")
        everybody = [client for viewers in clients for client in viewers]
        await run.until(people.fence(everybody), SET_UP_SECONDS, "telling of who came in")
        for stage, viewers in zip(stages, clients, strict=True):
            stage.ask(viewers[0])
        begun = asyncio.wait([stage.begun for stage in stages])
        await run.until(begun, SET_UP_SECONDS, "the beginning of the streams")
        await run.go_on(plan.warm_up)
        tally.forget_times()
        before = tally.deliveries
        meter = Meter(plan.pid)
        await run.go_on(plan.seconds)
        meter.stop()
        if any(stage.ended.done() for stage in stages):
            raise Trouble("a stream ended before the measuring did")
        found = meter.read(tally.deliveries - before, tally.times)
        if not found.units:
            raise Trouble("nothing was shown in the measured time")
        ended = asyncio.wait([stage.ended for stage in stages])
        await run.until(ended, plan.patience + count / DELTAS_PER_SECOND, "the end of the streams")
        await run.until(people.fence(everybody), SET_UP_SECONDS, "the last acks")
        if any(len({member.place for member in stage.members}) != 1 for stage in stages):
            raise Trouble("some viewers were shown more than others")
        return found
