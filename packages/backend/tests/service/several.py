"""Several servers on one store, in virtual time: what goes between them is late, or lost, by a chance that is seeded.

`Air` stands for Redis as `rejoinder.cluster.redis` uses it: the commands of a server are done in their order, what two servers say
to each other comes in its order or not at all, a loss is told within a second, and who was cut off tells everything again.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from tests.service.shuffled import ShuffledStore
from tests.service.world import TICK_SECONDS, Cluster, World

from rejoinder.core.limits import Rate
from rejoinder.service.context import Limits
from rejoinder.testing import FakeClock

T = TypeVar("T")
BEAT_SECONDS = 1.0
LOST_SECONDS = 2.5
SOON = (0.0, 0.0, 0.001, 0.01)
LATE = (0.0, 0.01, 0.3, 0.6)
"""What is asked of a store several times is still answered in time."""


class SharedStore(ShuffledStore):
    """One server's way to the file that all have; it may be slow."""

    shared = True

    def __init__(self, path: Path, chance: Random, clock: FakeClock) -> None:
        super().__init__(path, chance.randrange(1 << 30))
        self._late = chance
        self._clock = clock
        self.delays: tuple[float, ...] = SOON
        self._under_way = 0

    async def close(self) -> None:
        while self._under_way:
            await self._clock.sleep(TICK_SECONDS)
        await super().close()

    async def _do(self, job: Callable[[sqlite3.Connection], T]) -> T:
        self._under_way += 1
        try:
            return await super()._do(job)
        finally:
            self._under_way -= 1

    async def _hop(self) -> None:
        await self._clock.sleep(self._late.choice(self.delays))


class Air:
    """What is between the servers."""

    def __init__(self, chance: Random, clock: FakeClock) -> None:
        self.chance = chance
        self.clock = clock
        self.delays: tuple[float, ...] = SOON
        self.loses = 0.0
        self.rooms: dict[str, set[str]] = {}
        self.servers: dict[str, AirCluster] = {}
        self._arrives: dict[tuple[str, str], float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def at(self, when: float, do: Callable[[], object]) -> None:
        """Do that then."""

        async def wait() -> None:
            await self.clock.sleep(when - self.clock.now())
            do()

        self.start(wait())

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """In a task that is held."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.result()

    def close(self) -> None:
        """Nothing comes any more."""
        for task in self._tasks:
            task.cancel()

    def carry(self, sender: str, receiver: str, item: bytes) -> None:
        """Bring something from one server to another, after what was said before."""
        now, pair = self.clock.now(), (sender, receiver)
        there = self.servers[receiver]
        if self.chance.random() < self.loses or self.servers[sender].cut:
            self.at(now + BEAT_SECONDS, lambda: there.miss(sender))
            return
        self._arrives[pair] = max(
            self._arrives.get(pair, 0.0), now + self.chance.choice(self.delays)
        )
        self.at(self._arrives[pair], lambda: there.hear(sender, item))

    def taken_up(self, at: int, room_id: str) -> bool:
        """Whether that server, by its place, has taken the room up, as far as it could."""
        return tuple(self.servers.values())[at].has(room_id)

    def listen(self, server: str, room_id: str) -> Collection[str]:
        """As the script does it."""
        listed = self.rooms.setdefault(room_id, set())
        listed.add(server)
        return [each for each in listed if each != server and not self.servers[each].lost]


class AirCluster(Cluster):
    """One server in it."""

    alone = False
    doubted = False

    def __init__(self, name: str, air: Air) -> None:
        super().__init__(air.clock, 300)
        self.server_id = name
        self.cut = False
        self.lost = False
        """The others take it for gone."""
        self.reached = True
        self._air = air
        self._rooms: set[str] = set()
        self._done_at = 0.0
        self._cut_since = 0.0
        self._stale = False
        air.servers[name] = self

    @property
    def healthy(self) -> bool:
        return self.reached

    def _turn(self) -> float:
        """When the next of its commands is done."""
        now = self._air.clock.now()
        self._done_at = max(self._done_at, now + self._air.chance.choice(self._air.delays))
        return self._done_at

    async def _until(self, when: float) -> None:
        await self._air.clock.sleep(when - self._air.clock.now())

    async def listen(self, room_id: str, /) -> Collection[str]:
        self._rooms.add(room_id)
        if not self.reached:
            self._stale = True
            return frozenset()
        return await self._listen(room_id)

    async def _listen(self, room_id: str) -> Collection[str]:
        await self._until(self._turn())
        found = self._air.listen(self.server_id, room_id)
        await self._until(self._air.clock.now() + self._air.chance.choice(self._air.delays))
        return found

    def has(self, room_id: str) -> bool:
        """Whether it listens to the room, or will when it is reached again."""
        listed = self._air.rooms.get(room_id, ())
        return self.server_id in listed or (room_id in self._rooms and not self.reached)

    def ignore(self, room_id: str) -> None:
        self._rooms.discard(room_id)
        if self.reached:
            listed = self._air.rooms.setdefault(room_id, set())
            self._air.at(self._turn(), lambda: listed.discard(self.server_id))

    def send(self, servers: Iterable[str], item: bytes) -> None:
        for server in servers:
            self._air.carry(self.server_id, server, item)

    def hear(self, sender: str, item: bytes) -> None:
        """Something has come."""
        if self.cut:
            return  # All is asked for again.
        self.peers.heard(sender, item)

    def miss(self, sender: str) -> None:
        """A beat tells of a loss."""
        if not self.cut and not self._air.servers[sender].cut:
            self.peers.missed(sender)

    def cut_off(self) -> None:
        """From all others; they notice after a while."""
        if self.cut:
            return
        self.cut, self.reached = True, False
        since = self._air.clock.now()
        self._cut_since = since

        def notice() -> None:
            if self.cut and self._cut_since == since:
                self.lost = True
                for name, other in self._air.servers.items():
                    if name != self.server_id and not other.cut:
                        other.peers.gone(self.server_id, ended=False)

        self._air.at(since + LOST_SECONDS, notice)

    def heal(self) -> None:
        """All is in order again."""
        if self.cut:
            self.cut = self.lost = False
            self._air.start(self._tell_again())

    async def _tell_again(self) -> None:
        while True:
            self._stale = False
            rooms = tuple(self._rooms)
            found = await asyncio.gather(*map(self._listen, rooms))
            if self.cut:
                return
            if not self._stale:
                break
        self.reached = True
        for room_id, servers in zip(rooms, found, strict=True):
            self.peers.listening(room_id, servers)
        self.peers.missed(None)


class Several:
    """The servers, and their time."""

    def __init__(self, worlds: list[World], stores: list[SharedStore], air: Air) -> None:
        self.worlds = worlds
        self.stores = stores
        self.air = air

    async def settle(self) -> None:
        """Let everything happen that can happen without time passing."""
        for world in self.worlds:
            await world.settle()

    async def advance(self, seconds: float) -> None:
        """Let time pass, with the servers' ticks."""
        await self.settle()
        while seconds > 1e-9:
            await self.air.clock.advance(min(TICK_SECONDS, seconds))
            seconds -= TICK_SECONDS
            await self.settle()
            for world in self.worlds:
                world.service.tick()
            await self.settle()

    async def over(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of it, while time passes."""
        task = asyncio.ensure_future(work)
        while not task.done():
            await self.advance(TICK_SECONDS)
        return task.result()

    def heal(self) -> None:
        """Nothing is late, lost or cut off any more."""
        self.air.loses, self.air.delays = 0.0, SOON
        for store in self.stores:
            store.delays = SOON
            store.release()
        for server in self.air.servers.values():
            server.heal()


@asynccontextmanager
async def several(folder: Path, count: int, seed: int) -> AsyncIterator[Several]:
    """Servers that run within the block, with all chance from the seed."""
    loop, clock, chance = asyncio.get_running_loop(), FakeClock(), Random(seed)
    air, limits = Air(chance, clock), Limits(sends=Rate(1e6, 10**6), events=Rate(1e6, 10**6))
    stores = [SharedStore(folder / "chat.db", chance, clock) for _ in range(count)]
    worlds = [
        World(store, limits, "single", cluster=AirCluster(f"server {at}", air), clock=clock)
        for at, store in enumerate(stores)
    ]
    loop.time = clock.now  # type: ignore[method-assign]
    try:
        for world in worlds:
            opening = asyncio.ensure_future(world.service.open())
            while not opening.done():
                await clock.advance(TICK_SECONDS)
            await opening
        yield Several(worlds, stores, air)
    finally:
        air.close()
        closing = asyncio.gather(*(world.service.close() for world in worlds))
        while not closing.done():
            await clock.advance(TICK_SECONDS)
        del loop.time
        await closing
