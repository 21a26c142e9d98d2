"""Two thousand people in one room on two servers: two services, with a real Redis between them and a store that they share."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from redis.asyncio import Redis
from tests.service.world import handled
from tests.support.redis import RedisServer

from rejoinder.characters import Characters
from rejoinder.cluster.base import Peers
from rejoinder.cluster.redis import RedisCluster
from rejoinder.core.clock import SystemClock
from rejoinder.core.users import User
from rejoinder.protocol import events
from rejoinder.protocol.catalogue import ServerEvent
from rejoinder.protocol.fields import ServerPayload
from rejoinder.service import items
from rejoinder.service.auth import Handshake
from rejoinder.service.chat import ChatService
from rejoinder.service.context import Limits
from rejoinder.stores.sqlite import SqliteStore

P = TypeVar("P", bound=ServerPayload)
EACH = 1000
"""On each of the two servers: twice as many as one part holds."""
PATIENCE = 120.0
TICK_SECONDS = 0.25


class SharedStore(SqliteStore):
    """One file that both services have open; whoever opens it first does, and the test closes it."""

    async def open(self) -> None:
        if not self.opened:
            self.opened = True
            await super().open()

    async def close(self) -> None:
        """Another one may still need it."""

    async def really_close(self) -> None:
        await super().close()

    opened = False


class Ears:
    """A delivery of whose receivers only those are looked at who are listened to."""

    def __init__(self) -> None:
        self.of: dict[str, list[tuple[str, ServerPayload]]] = {}

    def send(self, connections: Iterable[str], event: ServerEvent[P], payload: P) -> None:
        told = set(connections)
        for connection_id, heard in self.of.items():
            if connection_id in told:
                heard.append((event.name, payload))

    def close(self, connection: str) -> None:
        """Nobody is closed here."""


class Bus(RedisCluster):
    """The real one; it counts what comes of a kind."""

    def __init__(self, url: str) -> None:
        super().__init__(url, 300.0)
        self.whole = 0
        """How often another server has told all of its people."""

    async def open(self, peers: Peers) -> None:
        heard, decoder = peers.heard, msgspec.json.Decoder(items.AnyItem)

        def hear(server: str, item: bytes) -> None:
            heard(server, item)
            said = decoder.decode(item)
            if isinstance(said, items.Here) and said.part == said.parts - 1:
                self.whole += 1

        peers.heard = hear  # type: ignore[method-assign]
        await super().open(peers)


class Server:
    """One of the two."""

    def __init__(self, name: str, url: str, store: SqliteStore) -> None:
        self.name = name
        self.ears = Ears()
        self.bus = Bus(url)
        self.service = ChatService(
            store=store,
            characters=Characters(),
            delivery=self.ears,
            clock=SystemClock(),
            authenticate=_who,
            authorize=_anybody,
            limits=Limits(),
            cluster=self.bus,
        )

    async def enter(self, user_id: str, *, listened_to: bool = False) -> events.RoomAck:
        """Somebody connects and enters the room."""
        await self.service.connect(user_id, Handshake({"token": user_id}, {}))
        await self.service.opened(user_id)
        if listened_to:
            self.ears.of[user_id] = []
        entry = msgspec.json.encode({"roomId": "hall"})
        ack = await handled(self.service, user_id, "room:join", [entry])
        assert isinstance(ack, events.RoomAck), ack
        return ack

    async def leave(self, user_id: str) -> None:
        """They leave the room."""
        leave = msgspec.json.encode({"roomId": "hall"})
        ack = await handled(self.service, user_id, "room:leave", [leave])
        assert isinstance(ack, events.Ack), ack

    def users(self, listener: str, event: str) -> list[str]:
        """Of whom a listener has heard that."""
        heard = self.ears.of[listener]
        return [payload.user_id for name, payload in heard if name == event]  # type: ignore[attr-defined]

    def own(self) -> set[str]:
        """Who is in the room on this server."""
        state = self.service._rooms.get("hall")
        assert state is not None
        return {user for user, _ in state.people.items()}

    def here(self) -> set[str]:
        """All who are in the room, wherever, as this server knows."""
        state = self.service._rooms.get("hall")
        assert state is not None
        return self.own() | {each.user_id for each in state.others}

    def statuses(self) -> dict[str, int]:
        """How many of the other server's people are shown in which way."""
        state = self.service._rooms.get("hall")
        assert state is not None
        counts: dict[str, int] = defaultdict(int)
        for somebody in state.others:
            counts[somebody.status] += 1
        return dict(counts)


async def _who(handshake: Handshake) -> User:
    return User(handshake.auth["token"], "", None)


async def _anybody(_user: User, _room: str) -> bool:
    return True


async def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.02)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis").start()
    yield server
    server.stop()


@asynccontextmanager
async def running(*servers: Server) -> AsyncIterator[None]:
    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for server in servers:
                server.service.tick()

    for server in servers:
        await server.service.open()
    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()
        for server in servers:
            await server.service.close()


@pytest.mark.timeout(300)
async def test_a_crowd_on_two_servers(redis: RedisServer, tmp_path: Path) -> None:
    store = SharedStore(tmp_path / "chat.db")
    one, two = (Server(name, redis.url(), store) for name in ("one", "two"))
    async with running(one, two):
        await one.enter("ann", listened_to=True)
        await two.enter("ben", listened_to=True)
        crowds = {s: [f"{s.name} {n}" for n in range(EACH - 1)] for s in (one, two)}
        for server, crowd in crowds.items():
            for at in range(0, len(crowd), 50):
                await asyncio.gather(*map(server.enter, crowd[at : at + 50]))
        everybody = {"ann", "ben", *crowds[one], *crowds[two]}
        for server, listener in ((one, "ann"), (two, "ben")):
            await until(lambda s=server: s.here() == everybody, "everybody is known")  # type: ignore[misc]
            joined = server.users(listener, "user:joined")
            assert sorted(joined) == sorted(set(joined)), "each is told once"
            assert everybody - {"ann", "ben"} <= set(joined)
            server.ears.of[listener].clear()

        # All subscriptions are cut: what is said meanwhile is lost, and all is told again.
        before = one.bus.whole, two.bus.whole
        async with Redis.from_url(redis.url()) as client:
            await client.client_kill_filter(_type="pubsub")
        gone = crowds[two][EACH // 2 :: 2]
        await asyncio.gather(*map(two.leave, gone))
        await until(
            lambda: (
                one.bus.whole > before[0]
                and two.bus.whole > before[1]
                and one.bus.healthy
                and two.bus.healthy
            ),
            "all is told again",
        )
        await one.enter("last of one")
        await two.enter("last of two")
        left = everybody.difference(gone) | {"last of one", "last of two"}
        for server, listener, last in ((one, "ann", "last of two"), (two, "ben", "last of one")):
            came = partial(server.users, listener, "user:joined")
            await until(lambda s=server: s.here() == left, "who has left is known")  # type: ignore[misc]
            await until(lambda x=last, came=came: x in came(), "who came is told of")  # type: ignore[misc]
            parted = partial(server.users, listener, "user:left")
            await until(lambda parted=parted: len(parted()) >= len(gone), "who has left is told of")  # type: ignore[misc]
            assert sorted(parted()) == sorted(gone)
            assert set(came()) == {"last of one", "last of two"}
            assert server.users(listener, "presence:changed") == []
            assert server.statuses() == {"online": len(left) - len(server.own())}

        # One of them ends: its people are offline, and told of once.
        one.ears.of["ann"].clear()
        others = two.own()
        await two.service.close()
        await until(lambda: one.statuses() == {"offline": len(others)}, "they are offline")
        shown = partial(one.users, "ann", "presence:changed")
        await until(lambda: len(shown()) >= len(others), "that they are is told")
        assert sorted(shown()) == sorted(others)
        assert one.users("ann", "user:left") == []
    await store.really_close()
