"""A whole chat service in virtual time: a real store, recorded deliveries, characters that say what a test tells them."""

import asyncio
from collections import defaultdict
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from rejoinder.characters import CharacterInfo, Characters, Delta, EchoCharacter, Turn
from rejoinder.cluster.base import Peers
from rejoinder.cluster.local import LocalCluster
from rejoinder.core.branches import Choice
from rejoinder.core.connections import ConnectionPolicy
from rejoinder.core.users import User
from rejoinder.errors import Unavailable
from rejoinder.protocol import events
from rejoinder.protocol.catalogue import ServerEvent
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import ServerPayload
from rejoinder.service.auth import Handshake
from rejoinder.service.chat import ChatService
from rejoinder.service.context import Limits
from rejoinder.service.prompts import Prompts
from rejoinder.stores.records import (
    Debt,
    Draft,
    EndState,
    Entrance,
    InTurn,
    Outcome,
    Page,
    StoredPerson,
)
from rejoinder.stores.sqlite import SqliteStore
from rejoinder.testing import FakeClock, RecordingDelivery

T = TypeVar("T")
P = TypeVar("P", bound=ServerPayload)
TICK_SECONDS = 0.25

Fault = Literal["refuse", "hang", "refuse after it", "hang after it"]


async def _nothing() -> None:
    """Work that is done."""


class FaultyStore(SqliteStore):
    """The embedded store, with a disk that a test can break one operation at a time.

    `hang` holds the operation back until `release`; it is done then, whoever still waits for it. `hang after it` does it
    at once and holds back only the answer.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.faults: dict[str, Fault] = {}
        self.calls: list[str] = []
        self.in_flight = 0
        self._released = asyncio.Event()

    def release(self) -> None:
        """End all faults and let go of what hangs."""
        self.faults.clear()
        self._released.set()
        self._released = asyncio.Event()

    async def _faulty(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        self.calls.append(name)
        fault = self.faults.get(name)
        if fault == "refuse":
            raise Unavailable("The disk is broken.")
        if fault == "hang":
            await self._released.wait()
        result = await work()
        if fault == "refuse after it":
            raise Unavailable("The disk broke a moment too late.")
        if fault == "hang after it":
            await self._released.wait()
        return result

    async def append_all(self, drafts: Sequence[Draft]) -> list[Outcome]:
        return await self._faulty("append", lambda: SqliteStore.append_all(self, drafts))

    async def find(self, message_id: str) -> ChatMessage | None:
        return await self._faulty("find", lambda: SqliteStore.find(self, message_id))

    async def page_before(self, room_id: str, before: int | None, limit: int) -> Page:
        return await self._faulty(
            "page_before", lambda: SqliteStore.page_before(self, room_id, before, limit)
        )

    async def page_after(self, room_id: str, after: int, limit: int) -> Page:
        return await self._faulty(
            "page_after", lambda: SqliteStore.page_after(self, room_id, after, limit)
        )

    async def last_seq(self, room_id: str) -> int:
        return await self._faulty("last_seq", lambda: SqliteStore.last_seq(self, room_id))

    async def save_stream(
        self, message_id: str, content: str, lease_until: int | None = None
    ) -> bool:
        return await self._faulty(
            "save_stream",
            lambda: SqliteStore.save_stream(self, message_id, content, lease_until),
        )

    async def end_stream(self, message_id: str, content: str, state: EndState) -> bool:
        return await self._faulty(
            "end_stream", lambda: SqliteStore.end_stream(self, message_id, content, state)
        )

    async def unfinished(self, limit: int, now: int | None = None) -> list[ChatMessage]:
        return await self._faulty("unfinished", lambda: SqliteStore.unfinished(self, limit, now))

    async def interrupt(self, message_id: str, now: int | None = None) -> bool:
        return await self._faulty("interrupt", lambda: SqliteStore.interrupt(self, message_id, now))

    async def choose(self, room_id: str, choice: Choice) -> int:
        return await self._faulty("choose", lambda: SqliteStore.choose(self, room_id, choice))

    async def erase(self, room_id: str, message_ids: Sequence[str], deleted_at: int) -> int:
        return await self._faulty(
            "erase", lambda: SqliteStore.erase(self, room_id, message_ids, deleted_at)
        )

    async def people(self, user_ids: Collection[str]) -> Mapping[str, StoredPerson]:
        return await self._faulty("people", lambda: SqliteStore.people(self, user_ids))

    async def entrance(self, room_id: str, user_id: str) -> Entrance:
        """What is kept of people is a part of it, and may be what can't be found out."""
        found = await SqliteStore.entrance(self, room_id, user_id)
        try:
            await self._faulty("people", _nothing)
        except Unavailable:
            return replace(found, hides_last_seen=None)
        return found

    async def put_last_seen(self, seen: Mapping[str, int]) -> None:
        await self._faulty("put_last_seen", lambda: SqliteStore.put_last_seen(self, seen))

    async def owe(self, debt: Debt) -> None:
        await self._faulty("owe", lambda: SqliteStore.owe(self, debt))

    async def renew_debts(self, debts: Sequence[Debt], until: int) -> None:
        await self._faulty("renew_debts", lambda: SqliteStore.renew_debts(self, debts, until))

    async def owed(self, limit: int, now: int | None = None) -> list[Debt]:
        return await self._faulty("owed", lambda: SqliteStore.owed(self, limit, now))

    async def in_turn(self, room_id: str) -> InTurn:
        return await self._faulty("in_turn", lambda: SqliteStore.in_turn(self, room_id))

    async def _write(self, job: Callable[[Any], T]) -> T:
        return await self._counted(super()._write(job))

    async def _read(self, job: Callable[[Any], T]) -> T:
        return await self._counted(super()._read(job))

    async def _counted(self, work: Awaitable[T]) -> T:
        self.in_flight += 1
        try:
            return await work
        finally:
            self.in_flight -= 1


class Cluster(LocalCluster):
    """Of this server alone; a test may say what others say, and see what is said to them."""

    peers: Peers

    async def open(self, peers: Peers) -> None:
        self.peers = peers
        self.sent: list[tuple[frozenset[str], bytes]] = []
        await super().open(peers)

    def send(self, servers: Iterable[str], item: bytes) -> None:
        self.sent.append((frozenset(servers), item))


class Puppet:
    """A character that says what a test tells it to, in the order in which it is asked."""

    def __init__(self, character_id: str = "puppet", *, stubborn: bool = False) -> None:
        self.info = CharacterInfo(id=character_id, name="Puppet")
        self.turns: list[Turn] = []
        self.ended = 0
        self._stubborn = stubborn
        self._lines: defaultdict[int, asyncio.Queue[object]] = defaultdict(asyncio.Queue)

    def say(self, *lines: object, turn: int = -1) -> None:
        """Have it yield these; an exception is raised, and None ends the answer."""
        number = turn if turn >= 0 else max(len(self.turns) - 1, 0)
        for line in lines:
            self._lines[number].put_nowait(line)

    async def reply(self, turn: Turn) -> AsyncIterator[Delta]:
        number = len(self.turns)
        self.turns.append(turn)
        try:
            while True:
                line = await self._next(number)
                if line is None:
                    return
                if isinstance(line, Exception):
                    raise line
                yield line  # type: ignore[misc]
        finally:
            self.ended += 1

    async def _next(self, number: int) -> object:
        while True:
            try:
                return await self._lines[number].get()
            except asyncio.CancelledError:
                if not self._stubborn:
                    raise

    async def aclose(self) -> None:
        """Nothing is held."""


async def handled(
    service: ChatService,
    connection_id: str,
    event: str,
    arguments: Sequence[bytes],
    *,
    wants_ack: bool = True,
) -> ServerPayload:
    """Have a service do what an event asks for; the acknowledgement."""
    answer: asyncio.Future[ServerPayload] = asyncio.get_running_loop().create_future()

    def reply(payload: ServerPayload) -> None:
        if not answer.done():
            answer.set_result(payload)

    doing = service.requests.begin(connection_id, event, arguments, reply, wants_ack=wants_ack)
    if doing is not None:
        await doing
    return await answer


class Client:
    """One connection, as the gateway would carry it."""

    def __init__(self, world: "World", connection_id: str, user_id: str) -> None:
        self.world = world
        self.id = connection_id
        self.user_id = user_id

    async def call(self, event: str, *payload: object, wants_ack: bool = True) -> ServerPayload:
        """Send an event; its acknowledgement. Bytes are JSON already."""
        arguments = [
            each if isinstance(each, bytes) else msgspec.json.encode(each) for each in payload
        ]
        return await handled(self.world.service, self.id, event, arguments, wants_ack=wants_ack)

    async def refused(self, event: str, *payload: object) -> str:
        """Send an event that is to be refused; the code."""
        ack = await self.call(event, *payload)
        assert isinstance(ack, events.Failure), ack
        assert ack.error
        return ack.code

    async def join(
        self,
        room_id: str = "room",
        character_id: str | None = None,
        last: str | None = None,
        event: str = "room:join",
        revision: int = 0,
    ) -> events.RoomAck:
        """Enter a room."""
        entry = {
            "roomId": room_id,
            "characterId": character_id,
            "lastMessageId": last,
            "revision": revision,
        }
        ack = await self.call(event, {key: value for key, value in entry.items() if value})
        assert isinstance(ack, events.RoomAck), ack
        return ack

    async def send(
        self, content: str, room_id: str = "room", *, stream: bool = False, **fields: object
    ) -> events.MessageStored:
        """Send a message."""
        event = "message:send:stream" if stream else "message:send"
        ack = await self.call(event, {"roomId": room_id, "content": content, **fields})
        assert isinstance(ack, events.MessageStored), ack
        return ack

    async def ask(self, content: str, room_id: str = "room", **fields: object) -> str:
        """Send a message that the room's character answers; the message's id."""
        stored = await self.send(content, room_id, stream=True, **fields)
        await self.world.settle()
        return stored.message_id

    async def history(self, room_id: str = "room", **fields: object) -> events.HistoryAck:
        """A page of history."""
        ack = await self.call("messages:history", {"roomId": room_id, **fields})
        assert isinstance(ack, events.HistoryAck), ack
        return ack

    def heard(self, event: ServerEvent[P]) -> list[P]:
        """The payloads of one event so far."""
        return self.world.delivery.payloads(self.id, event)

    @property
    def names(self) -> list[str]:
        """The names of everything heard so far."""
        return self.world.delivery.names(self.id)

    def clear(self) -> None:
        """Forget what was heard."""
        self.world.delivery.clear(self.id)

    def drop(self) -> None:
        """Lose the connection."""
        self.world.service.ended(self.id, forced=False)


class World:
    """One server, its users and its time."""

    def __init__(
        self,
        store: FaultyStore,
        limits: Limits,
        policy: ConnectionPolicy,
        prompts: Prompts | None = None,
        cluster: "Cluster | None" = None,
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = FakeClock() if clock is None else clock
        self.delivery = RecordingDelivery()
        self.store = store
        self.puppet = Puppet()
        self.characters = Characters()
        self.characters.add(self.puppet)
        self.characters.add(EchoCharacter(sleep=self.clock.sleep))
        self.expires: dict[str, int] = {}
        self.forbidden: set[tuple[str, str]] = set()
        self._numbers = iter(range(1, 1_000_000))
        self._open: dict[str, Client] = {}
        self.cluster = cluster or Cluster(self.clock, limits.session_timeout, limits.sweep_interval)
        self.service = ChatService(
            store=self.store,
            characters=self.characters,
            delivery=self.delivery,
            clock=self.clock,
            authenticate=self._authenticate,
            authorize=self._authorize,
            limits=limits,
            policy=policy,
            cluster=self.cluster,
            prompts=prompts,
        )

    async def _authenticate(self, handshake: Handshake) -> User | None:
        token = handshake.auth.get("token")
        if not isinstance(token, str):
            return None
        return User(token, token.title(), self.expires.get(token))

    async def _authorize(self, user: User, room_id: str) -> bool:
        return (user.id, room_id) not in self.forbidden

    async def connect(self, user_id: str, **auth: object) -> Client:
        """Connect somebody."""
        client = await self.let_in(user_id, **auth)
        await self.settle()
        return client

    async def let_in(self, user_id: str, **auth: object) -> Client:
        """The same, while time may pass."""
        client = Client(self, f"{user_id}-{next(self._numbers)}", user_id)
        headers = {"accept-language": str(auth.pop("language", ""))}
        await self.service.connect(client.id, Handshake({"token": user_id, **auth}, headers))
        await self.service.opened(client.id)
        self._open[client.id] = client
        return client

    async def in_room(
        self, *user_ids: str, room_id: str = "room", character_id: str = "puppet"
    ) -> list[Client]:
        """Connect several and have them enter a room; nobody has heard anything yet."""
        clients = [await self.connect(user_id) for user_id in user_ids]
        for client in clients:
            await client.join(room_id, character_id)
        await self.settle()
        self.delivery.clear()
        return clients

    async def settle(self) -> None:
        """Let everything happen that can happen without time passing."""
        ready = vars(asyncio.get_running_loop())["_ready"]
        quiet = 0
        while quiet < 2:
            await asyncio.sleep(0)
            quiet = 0 if ready or self.store.in_flight else quiet + 1
        for connection_id in tuple(self._open):
            if self.delivery.closed(connection_id):
                del self._open[connection_id]
                self.service.ended(connection_id, forced=True)

    async def advance(self, seconds: float, step: float = TICK_SECONDS) -> None:
        """Let time pass, with the server's ticks."""
        await self.settle()
        while seconds > 1e-9:
            await self.clock.advance(min(step, seconds))
            seconds -= step
            await self.settle()
            self.service.tick()
            await self.settle()

    async def row(self, message_id: str) -> ChatMessage:
        """The stored row of a message."""
        found = await self.store.find(message_id)
        assert found is not None
        return found


@asynccontextmanager
async def running(
    folder: Path,
    *,
    limits: Limits | None = None,
    policy: ConnectionPolicy = "single",
    make_store: Callable[[Path], FaultyStore] = FaultyStore,
    prompts: Prompts | None = None,
) -> AsyncIterator[World]:
    """A world that runs within the block. The event loop's timers go by its clock, too."""
    loop = asyncio.get_running_loop()
    world = World(make_store(folder / "chat.db"), limits or Limits(), policy, prompts)
    await world.service.open()
    loop.time = world.clock.now  # type: ignore[method-assign]
    try:
        yield world
    finally:
        world.store.release()
        closing = asyncio.ensure_future(world.service.close())
        while not closing.done():
            await world.clock.advance(TICK_SECONDS)
        del loop.time
        await closing
