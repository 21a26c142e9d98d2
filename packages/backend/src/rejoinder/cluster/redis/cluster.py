"""The cluster over Redis.

Each server subscribes to one channel, its own; who has something to say to servers publishes it on theirs. So a server decodes
nothing that nobody on it listens to, all rooms share one publish, and the beat that a server sends to itself over its channel
tells truly whether it hears: there is no second subscription that could be deaf alone.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Final
from uuid import uuid4

import msgspec
import structlog

from rejoinder.cluster.base import Claim, Claimed, Peers
from rejoinder.cluster.redis import keys as names
from rejoinder.cluster.redis.address import Address
from rejoinder.cluster.redis.bus import Batch, Inbox, Outbox
from rejoinder.cluster.redis.claims import Claims
from rejoinder.cluster.redis.keys import Keys
from rejoinder.cluster.redis.lane import Lane
from rejoinder.cluster.redis.pipe import TIMEOUT
from rejoinder.cluster.redis.pulse import Pulse
from rejoinder.cluster.redis.resp import Command, ErrorReply
from rejoinder.cluster.redis.subscription import Subscription
from rejoinder.core.connections import ConnectionPolicy
from rejoinder.core.sessions import Session
from rejoinder.errors import ConfigurationError, Unavailable

START_SECONDS: Final = 5.0
REPLACED: Final = b"replaced "


class RedisCluster:
    """One server among those that share a Redis."""

    def __init__(self, url: str, session_timeout: float) -> None:
        """`url` is a redis:// or rediss:// address.

        Raises:
            ConfigurationError: it is none.
        """
        self.server_id = uuid4().hex
        address = _address(url)
        self._keys = Keys(address.database)
        self._outbox = Outbox(self.server_id)
        self._inbox = Inbox()
        self._lane = Lane(address, self._gather)
        self._claims = Claims(
            self.server_id, self._keys, round(session_timeout * 1000), self._lane, self
        )
        self._pulse = Pulse(self.server_id, self._keys, self._lane, self._outbox, self)
        channel = self._keys.channel(self.server_id)
        self._subscription = Subscription(address, channel, self._take, self._pulse.lost)
        self._peers: Peers | None = None
        self._rooms: set[str] = set()
        self._decoder = msgspec.json.Decoder(Batch)
        self._log = structlog.get_logger("rejoinder.cluster")

    @property
    def alone(self) -> bool:
        return False

    @property
    def healthy(self) -> bool:
        return self._pulse.healthy

    @property
    def doubted(self) -> bool:
        return self._pulse.doubted

    @property
    def commands(self) -> int:
        """How many Redis was given, for measurements."""
        return self._lane.commands

    # --- beginning and end -----------------------------------------------------------------------

    async def open(self, peers: Peers) -> None:
        self._peers = peers
        try:
            async with asyncio.timeout(START_SECONDS):
                # This says what is wrong: everything else only knows that there is no answer.
                await self._lane.open()
        except (ErrorReply, OSError) as error:
            await self._lane.close()
            raise ConfigurationError(
                f"The Redis of --redis can't be used ({_reason(error)}): start it, or change the address."
            ) from error
        self._subscription.begin()
        self._pulse.begin()
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                await self._pulse.reached.wait()

    async def close(self) -> None:
        if self._peers is None:
            return
        self._peers = None
        last = [self._lane.ask(command) for command in self._publishes()]
        goodbye = msgspec.json.encode(Batch(self.server_id, -1))
        last += [
            self._lane.ask(("PUBLISH", self._keys.channel(server), goodbye))
            for server in self._pulse.others()
        ]
        last.append(self._lane.ask(("ZREM", self._keys.servers, self.server_id)))
        last += [
            self._lane.ask(("SREM", self._keys.room(room), self.server_id)) for room in self._rooms
        ]
        await asyncio.wait(last, timeout=TIMEOUT)
        await self._pulse.stop()
        await self._claims.stop()
        await self._subscription.stop()
        await self._lane.close()

    # --- connections -----------------------------------------------------------------------------

    async def claim(self, claim: Claim, policy: ConnectionPolicy) -> Claimed:
        return await self._claims.claim(claim, policy)

    def moved(self, claim: Claim) -> None:
        self._claims.moved(claim)

    def release(self, connection_id: str, session: Session | None) -> None:
        self._claims.release(connection_id, session)

    async def keep(self, session: Session) -> None:
        await self._claims.keep(session)

    async def connected(self, user_id: str) -> bool:
        return await self._claims.connected(user_id)

    def replaced(self, connection_id: str) -> None:
        """One of this server has been replaced."""
        if self._peers is not None:
            self._peers.replaced(connection_id)

    def untold(self, server: str, connection_ids: Sequence[str]) -> None:
        """That server has not said that it knows of the replacement of these."""
        if self._peers is not None:
            self._peers.untold(server, connection_ids)

    # --- rooms and the bus -----------------------------------------------------------------------

    async def listen(self, room_id: str) -> Collection[str]:
        self._rooms.add(room_id)
        try:
            return await self._listening(room_id, "1")
        except Unavailable:
            self._pulse.stale = True
            return frozenset()

    def ignore(self, room_id: str) -> None:
        self._rooms.discard(room_id)
        self._lane.tell(("SREM", self._keys.room(room_id), self.server_id))

    async def servers(self) -> Collection[str]:
        if not self._pulse.healthy:
            raise Unavailable("The other servers can't be reached.")
        return frozenset(self._pulse.others())

    async def listeners(self, room_id: str) -> Collection[str]:
        return await self._listening(room_id, "0")

    async def _listening(self, room_id: str, how: str) -> Collection[str]:
        answer: Sequence[bytes] = await self._lane.ask(self._entering(room_id, how))
        return frozenset(server.decode() for server in answer)

    def _entering(self, room_id: str, how: str) -> Command:
        keys = (self._keys.room(room_id), self._keys.servers)
        return self._lane.script("listen", keys, self.server_id, how, names.KEPT_MS, names.LOST_MS)

    def send(self, servers: Iterable[str], item: bytes) -> None:
        self._outbox.put(servers, item)
        self._lane.news()

    def tick(self) -> None:
        self._claims.tick()

    def _gather(self) -> list[Command]:
        if not self._lane.up:
            self._outbox.lose()
            return []
        return self._publishes()

    def _publishes(self) -> list[Command]:
        return [
            ("PUBLISH", self._keys.channel(server), batch) for server, batch in self._outbox.take()
        ]

    # --- hearing ---------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        try:
            if data.startswith(REPLACED):
                self._claims.replaced(data[len(REPLACED) :].decode())
            elif self._peers is not None:
                self._take_batch(self._decoder.decode(data), self._peers)
        except Exception:  # noqa: BLE001 - the next may be taken in
            self._log.exception("what another server sent could not be taken in")

    def _take_batch(self, batch: Batch, peers: Peers) -> None:
        if batch.sender == self.server_id:
            self._pulse.heard()
        elif batch.number < 0:
            self._gone(batch.sender, ended=True)
        else:
            self._pulse.met(batch.sender)
            new, missed = self._inbox.take(batch)
            if missed:
                peers.missed(batch.sender)
            if not new:
                return
            for item in batch.items:
                try:
                    peers.heard(batch.sender, bytes(item))
                except Exception:  # noqa: BLE001 - the others are to be taken in
                    self._log.exception("an item of another server could not be taken in")

    def _gone(self, server: str, *, ended: bool) -> None:
        self._pulse.forget(server)
        self._outbox.forget(server)
        self._inbox.forget(server)
        if self._peers is not None:
            self._peers.gone(server, ended=ended)

    # --- what the beat keeps alive -----------------------------------------------------------------

    def give_up(self, connection_id: str) -> None:
        """A connection of this server has been replaced."""
        self._claims.give_up(connection_id)

    def lose(self, server: str) -> None:
        """Another server has not been heard of for several seconds."""
        self._gone(server, ended=False)

    def hear_anew(self) -> None:
        """The subscription is deaf."""
        self._subscription.begin()

    async def tell_again(self) -> None:
        """Say everything again that Redis or the others may not know, and hear what they have."""
        self._claims.release_rest()
        listeners = await self._renew()
        if self._peers is not None and not self._pulse.stale:
            for room_id, servers in listeners:
                self._peers.listening(room_id, [server.decode() for server in servers])
            self._peers.missed(None)

    async def renew(self) -> None:
        """Have everything that is here live on in Redis, and hear who else is there, should it not be known."""
        for room_id, servers in await self._renew():
            if self._peers is not None and room_id in self._rooms:
                self._peers.listed(room_id, [server.decode() for server in servers])

    async def _renew(self) -> list[tuple[str, Sequence[bytes]]]:
        """Who listens to the rooms."""
        self._pulse.renewed()
        try:
            await self._claims.renew()
            entering = {room: self._entering(room, "1") for room in self._rooms}
            return await self._lane.ask_all(entering)
        except Unavailable:
            self._pulse.stale = True
            return []


def _address(url: str) -> Address:
    try:
        return Address(url)
    except ValueError as error:
        raise ConfigurationError(
            "--redis takes the address of a Redis, as redis://host:6379/0 (rediss:// with TLS)."
        ) from error


def _reason(error: Exception) -> str:
    text = str(error).split("\n")[0][:200]
    return text or type(error).__name__
