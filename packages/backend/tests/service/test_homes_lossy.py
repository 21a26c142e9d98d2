"""Several servers, one busy room, and a bus that loses and delays: each message is stored once, in order, and acked."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, strategies as st

from rejoinder.characters.registry import Characters
from rejoinder.cluster.local import LocalCluster
from rejoinder.core.presence import Presence
from rejoinder.protocol.events import ChatMessage
from rejoinder.service import items
from rejoinder.service.changes import Changes
from rejoinder.service.room_state import RoomState
from rejoinder.service.rooms import Rooms
from rejoinder.service.sharing import Sharing
from rejoinder.service.storing import Outcome
from rejoinder.service.tasks import Tasks
from rejoinder.stores.records import Appended, Draft
from rejoinder.stores.sqlite import SqliteStore
from rejoinder.testing import FakeClock, RecordingDelivery

ROOM = "room"
SETTLED_SECONDS = 20.0
AGAIN = 0.2
"""How often one of the last messages is sent once more."""
DECODER = msgspec.json.Decoder(items.AnyItem)


@dataclass
class Bus:
    """Between each two servers what is said comes in order, later, or not at all; then the receiver is told so."""

    random: Random
    loses: float
    servers: "list[Server]" = field(default_factory=list)
    way: "dict[tuple[str, str], deque[bytes | None]]" = field(
        default_factory=lambda: defaultdict(deque)
    )

    def put(self, sender: str, receivers: Iterable[str], item: bytes) -> None:
        for receiver in receivers:
            lost = self.random.random() < self.loses
            self.way[sender, receiver].append(None if lost else item)

    def carry(self, share: float) -> None:
        """Bring some of what is under way."""
        for (sender, receiver), queue in tuple(self.way.items()):
            server = next(each for each in self.servers if each.name == receiver)
            while queue and self.random.random() < share:
                item = queue.popleft()
                if item is None:
                    server.rooms.look(server.state)
                else:
                    server.hear(sender, DECODER.decode(item))


class Cluster(LocalCluster):
    """Speaks over the bus."""

    bus: Bus
    alone = False

    def send(self, servers: Iterable[str], item: bytes) -> None:
        self.bus.put(self.server_id, servers, item)


class Server:
    """The rooms of one server."""

    def __init__(self, name: str, bus: Bus, store: SqliteStore, clock: FakeClock) -> None:
        self.name = name
        self.shown: list[tuple[int, str]] = []
        self.sent: list[str] = []
        self.acks: dict[int, tuple[str, Outcome]] = {}
        self.tries = 0
        cluster = Cluster(clock, 300)
        cluster.server_id, cluster.bus = name, bus
        self.tasks = Tasks()
        sharing = Sharing(cluster, Presence(5, 300), self.tasks)
        changes = Changes(store, RecordingDelivery(), Characters())
        self.rooms = Rooms(store, clock, self.tasks, self._show, sharing, changes)
        self.state: RoomState
        bus.servers.append(self)

    def _show(self, _state: RoomState, row: ChatMessage) -> None:
        self.shown.append((row.seq, row.id))

    async def enter(self) -> None:
        async with self.rooms.use(ROOM) as state:
            self.state = state
            # Somebody is in it, and in it there.
            state.in_use += 1
            state.listeners.update({"one", "two", "three"} - {self.name})

    def hear(self, sender: str, said: items.AnyItem) -> None:
        if isinstance(said, items.Row):
            self.rooms.arrived(self.state, said.row)
        elif isinstance(said, items.HandOn):
            self.rooms.add_for(sender, self.state, said)
        elif isinstance(said, items.Handed):
            self.rooms.homes.answered(self.state, said)

    def send_some(self, random: Random) -> None:
        """New ones, and one that was sent a moment ago."""
        for _ in range(random.choice((0, 0, 1, 2))):
            self.sent.append(f"{self.name} {len(self.sent)}")
            self._send(self.sent[-1])
        if self.sent and random.random() < AGAIN:
            self._send(random.choice(self.sent[-5:]))

    def _send(self, message_id: str) -> None:
        draft = Draft(message_id, ROOM, "user", self.name, message_id, "complete", 1)
        number = self.tries = self.tries + 1

        def done(outcome: Outcome) -> None:
            assert number not in self.acks
            self.acks[number] = message_id, outcome

        self.rooms.add(self.state, draft, self.rooms.show(self.state), done)


async def settle(store: SqliteStore, servers: list[Server]) -> None:
    """Let the store, which works on threads, answer."""
    asked = 0
    while asked < 3 or any(server.state.storing for server in servers):
        await store.last_seq(ROOM)
        asked += 1


async def play(seed: int, steps: int, loses: float, folder: Path) -> int:
    """Let servers send at the same time; how many messages were handed on."""
    random, clock = Random(seed), FakeClock()
    store = SqliteStore(folder / "chat.db")
    await store.open()
    loop = asyncio.get_running_loop()
    loop.time = clock.now  # type: ignore[method-assign]
    bus = Bus(random, loses)
    servers = [Server(name, bus, store, clock) for name in ("one", "two", "three")]
    handed = 0
    try:
        for server in servers:
            await server.enter()
        for _ in range(steps):
            for server in servers:
                server.send_some(random)
            later = random.choice((0, 0, 0.01, 0.3))
            if later:
                await settle(store, servers)
            handed += sum(
                item is not None and b'"HandOn"' in item for q in bus.way.values() for item in q
            )
            bus.carry(random.choice((0.2, 0.9)))
            await asyncio.sleep(0)
            await clock.advance(later)
            for server in servers:
                server.rooms.tick()
        bus.loses = 0
        for _ in range(round(SETTLED_SECONDS / 0.5)):
            bus.carry(1)
            await settle(store, servers)
            await clock.advance(0.5)
            for server in servers:
                server.rooms.tick()
        log = (await store.page_after(ROOM, 0, 10_000)).messages
        check(servers, log)
    finally:
        for server in servers:
            await server.tasks.close()
        del loop.time
        await store.close()
    return handed


def check(servers: list[Server], log: list[ChatMessage]) -> None:
    """Everything is in the log once, in the order of its sender, acked as it is there, and was shown once everywhere."""
    ids = [row.id for row in log]
    for server in servers:
        assert [each for each in ids if each.startswith(server.name + " ")] == server.sent
        assert server.shown == [(row.seq, row.id) for row in log]
        assert len(server.acks) == server.tries
        for message_id, outcome in server.acks.values():
            assert isinstance(outcome, Appended)
            assert outcome.message.seq == ids.index(message_id) + 1
    assert len(ids) == sum(len(server.sent) for server in servers)


@pytest.mark.timeout(300)
@given(
    seed=st.integers(0, 2**32),
    steps=st.integers(5, 40),
    loses=st.sampled_from((0.0, 0.05, 0.3)),
)
async def test_whatever_the_bus_loses_each_is_stored_once_in_order_and_acked(
    seed: int, steps: int, loses: float
) -> None:
    with TemporaryDirectory() as folder:
        await play(seed, steps, loses, Path(folder))


async def test_rows_are_handed_on_there(tmp_path: Path) -> None:
    assert await play(7, 40, 0.0, tmp_path) > 10
