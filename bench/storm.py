"""The load of a storm: everybody comes back in the same instant, and is given what they missed."""

import re
import time
from array import array

import msgspec

from figures import Figures, Meter, Plan
from people import SET_UP_SECONDS, People, each
from wire import Connection, Run, Trouble

LEAVING_SECONDS = 0.5
"""What a server may take to see that all have gone."""

_SEQ = re.compile(rb'"seq":(\d+)')


class Storm:
    """Those who come back, and what each of them holds and misses."""

    def __init__(self, run: Run, plan: Plan, people: People) -> None:
        self._run = run
        self._plan = plan
        self._people = people
        self._missed = [b"%d" % seq for seq in range(2, plan.messages + 2)]
        self._here: list[Connection] = []
        self.times = array("d")
        self.whole: list[float] = []

    def _message(self, room: int, number: int) -> str:
        return f"{self._people.room(room)}-{number}"

    async def prepare(self) -> None:
        """Let all be there for the first message of their room, and have the rest of it written."""
        rooms = range(self._plan.clients // self._plan.room_size)
        clients = [self._people.client_of(user) for user in range(self._plan.clients)]
        entering = [
            self._people.enter(client, self._people.room(user // self._plan.room_size))
            for user, client in enumerate(clients)
        ]
        await self._run.until(each(entering), SET_UP_SECONDS, "letting everybody in")
        writing = [self._write(room, clients[room * self._plan.room_size]) for room in rooms]
        await self._run.until(each(writing), SET_UP_SECONDS, "writing what is missed")
        await self._run.until(self._people.fence(clients), SET_UP_SECONDS, "the last acks")
        self._here = clients
        await self.leave()

    async def _write(self, room: int, client: Connection) -> None:
        for number in range(self._plan.messages + 1):
            payload = {
                "roomId": self._people.room(room),
                "content": f"message {number} of a room whose people are away",
                "messageId": self._message(room, number),
            }
            await client.call("message:send", payload)

    async def leave(self) -> None:
        """Let all go."""
        for client in self._here:
            client.close()
        await self._run.go_on(LEAVING_SECONDS)

    async def come_back(self) -> None:
        """Let all come at once, and wait until the last of them has what they missed."""
        users = range(self._plan.clients)
        self._here = [self._people.client_of(user) for user in users]
        begun = time.perf_counter()
        coming = [self._catch_up(user, begun) for user in users]
        await self._run.until(each(coming, len(coming)), SET_UP_SECONDS, "the storm")
        self.whole.append(time.perf_counter() - begun)

    async def _catch_up(self, user: int, begun: float) -> None:
        room = user // self._plan.room_size
        client = self._here[user]
        await client.open(self._plan.url)
        position = {"roomId": self._people.room(room), "lastMessageId": self._message(room, 0)}
        ack = await client.call("room:join", position)
        missed = _SEQ.findall(ack)
        if missed != self._missed or b'"recovered":true' not in ack:
            raise Trouble(f"one who came back was given {missed} of what they missed")
        self.times.append(time.perf_counter() - begun)


async def storm(run: Run, plan: Plan) -> Figures:
    """A unit is one who is back and has caught up; storms follow each other as long as there is time."""
    with People(run, plan) as people:
        storms = Storm(run, plan, people)
        await storms.prepare()
        end = time.perf_counter() + plan.seconds
        meter = Meter(plan.pid)
        await storms.come_back()
        meter.stop()
        while time.perf_counter() < end:
            await storms.leave()
            meter.start()
            await storms.come_back()
            meter.stop()
        found = meter.read(len(storms.times), storms.times)
        await storms.leave()
        return msgspec.structs.replace(found, whole=sum(storms.whole) / len(storms.whole) * 1000)
