"""The loads of connections: people who come and go, and people who only stay."""

import asyncio
import time
from array import array

import msgspec

from figures import Figures, Meter, Plan, rss_kib
from people import SET_UP_SECONDS, People, each
from wire import Run, Trouble

BASE = 100


class Tally:
    """What all who come count together."""

    def __init__(self) -> None:
        self.done = 0
        self.times = array("d")
        self.stopping = False


async def come(run: Run, plan: Plan) -> Figures:
    """A unit is a connection: WebSocket, token, join of a room of its own, and its end."""
    with People(run, plan) as people:
        tally = Tally()

        async def keep_coming() -> None:
            while not tally.stopping:
                begun = time.perf_counter()
                client, room_id = people.client(), people.new_room()
                await client.open(plan.url)
                await client.call("room:join", {"roomId": room_id})
                tally.done += 1
                tally.times.append(time.perf_counter() - begun)
                client.close()

        comers = asyncio.gather(*(keep_coming() for _ in range(plan.clients)))
        comers.add_done_callback(run.notice)
        try:
            await run.go_on(plan.warm_up)
            tally.times = array("d")
            before = tally.done
            meter = Meter(plan.pid)
            await run.go_on(plan.seconds)
            meter.stop()
            found = meter.read(tally.done - before, tally.times)
            tally.stopping = True
            await run.until(comers, plan.patience, "the last connects")
        finally:
            comers.cancel()
        if not found.units:
            raise Trouble("nobody was let in in the measured time")
        return found


async def stay(run: Run, plan: Plan) -> Figures:
    """Connections, in rooms of two, that do nothing: the memory of each, after some that warmed the server up."""
    with People(run, plan) as people:
        clients = [people.client() for _ in range(BASE + plan.clients)]

        async def let_in(begin: int, end: int) -> None:
            entering = [
                people.enter(client, people.room(number // plan.room_size))
                for number, client in enumerate(clients[begin:end], begin)
            ]
            await run.until(each(entering), SET_UP_SECONDS, "letting everybody in")
            await run.until(people.fence(clients[:end]), SET_UP_SECONDS, "the acks")

        await let_in(0, BASE)
        before = rss_kib(plan.pid)
        meter = Meter(plan.pid)
        await let_in(BASE, len(clients))
        meter.stop()
        found = meter.read(plan.clients, array("d"))
        return msgspec.structs.replace(found, each=(rss_kib(plan.pid) - before) / plan.clients)
