"""The cluster over Redis.

Each server subscribes to one channel, its own; who has something to say to servers publishes it on theirs. So a server decodes
nothing that nobody on it listens to, all rooms share one publish, and the beat that a server sends to itself over its channel
tells truly whether it hears: there is no second subscription that could be deaf alone.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import msgspec
import structlog
from redis.asyncio import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from rejoinder.cluster.base import Claim, Claimed, Peers
from rejoinder.cluster.redis import keys as names
from rejoinder.cluster.redis.bus import Batch, Inbox, Outbox
from rejoinder.cluster.redis.keys import Keys
from rejoinder.cluster.redis.lane import TIMEOUT, Command, Lane
from rejoinder.core.connections import ConnectionPolicy
from rejoinder.core.sessions import Session
from rejoinder.errors import ConfigurationError, Unavailable

BEAT_SECONDS: Final = 1.0
DEAF_SECONDS: Final = 2.5
START_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 0.3
OWED_MAX: Final = 100_000
SLICE: Final = 500
REPLACED: Final = b"replaced "


class RedisCluster:
    """One server among those that share a Redis."""

    def __init__(self, url: str, session_timeout: float) -> None:
        """`url` is a redis:// or rediss:// address.

        Raises:
            ConfigurationError: it is none.
        """
        self.server_id = uuid4().hex
        try:
            self._client: Redis = Redis.from_url(
                url,
                socket_timeout=None,
                socket_connect_timeout=TIMEOUT,
                retry=Retry(NoBackoff(), 0),
                health_check_interval=0,
            )
            database = int(self._client.connection_pool.connection_kwargs.get("db", 0) or 0)
        except ValueError as error:
            raise ConfigurationError(
                "--redis takes the address of a Redis, as redis://host:6379/0 (rediss:// with TLS)."
            ) from error
        self._keys = Keys(database)
        self._session_ms = round(session_timeout * 1000)
        self._outbox = Outbox(self.server_id)
        self._inbox = Inbox()
        self._lane = Lane(self._client, self._gather)
        self._peers: Peers | None = None
        self._tasks: list[asyncio.Task[Any]] = []
        self._hearing: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[Any] | None = None
        self._claims: dict[str, tuple[Claim, ConnectionPolicy]] = {}
        self._rooms: set[str] = set()
        self._owed: dict[str, tuple[str, Session | None]] = {}
        self._beaten = self._heard = float("-inf")
        self._deaf_since = self._steady_since = 0.0
        self._stale = False
        self._healthy = False
        self._reached = asyncio.Event()
        self._seen: dict[str, float] = {}
        self._decoder = msgspec.json.Decoder(Batch)
        self._told_at = 0.0
        self._log = structlog.get_logger("rejoinder.cluster")

    @property
    def alone(self) -> bool:
        return False

    @property
    def healthy(self) -> bool:
        return self._healthy

    @property
    def commands(self) -> int:
        """How many Redis was given, for measurements."""
        return self._lane.commands

    # --- beginning and end -----------------------------------------------------------------------

    async def open(self, peers: Peers) -> None:
        self._peers = peers
        try:
            async with asyncio.timeout(START_SECONDS):
                # Its own way to say what is wrong: everything else only knows that there is no answer.
                await self._client.ping()  # type: ignore[misc,unused-ignore]
        except (RedisError, OSError, TimeoutError) as error:
            await self._client.aclose()
            raise ConfigurationError(
                f"The Redis of --redis can't be used ({_reason(error)}): start it, or change the address."
            ) from error
        self._deaf_since = self._now()
        self._hearing = asyncio.create_task(self._hear())
        self._tasks = [asyncio.create_task(self._lane.run()), asyncio.create_task(self._beat())]
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                await self._reached.wait()

    async def close(self) -> None:
        if self._peers is None:
            return
        self._peers = None
        self._outbox.take()
        goodbye = msgspec.json.encode(Batch(self.server_id, -1))
        last = [
            self._lane.ask(("PUBLISH", self._keys.channel(server), goodbye))
            for server in self._seen
            if server != self.server_id
        ]
        last.append(self._lane.ask(("ZREM", self._keys.servers, self.server_id)))
        last += [
            self._lane.ask(("SREM", self._keys.room(room), self.server_id)) for room in self._rooms
        ]
        await asyncio.wait(last, timeout=TIMEOUT)
        for task in filter(None, (*self._tasks, self._hearing, self._telling)):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        with suppress(RedisError, OSError):
            await self._client.aclose()

    # --- connections -----------------------------------------------------------------------------

    async def claim(self, claim: Claim, policy: ConnectionPolicy) -> Claimed:
        try:
            answer: Sequence[bytes] = await self._lane.ask(self._claiming(claim, policy))
        except asyncio.CancelledError:
            self._lane.tell(self._releasing(claim.connection_id, claim.user_id, None))
            raise
        since = int(answer[0])
        self._claims[claim.connection_id] = replace(claim, since=since), policy
        return Claimed(since, _session(claim.user_id, answer[1], answer[2]))

    def moved(self, claim: Claim) -> None:
        known = self._claims.get(claim.connection_id)
        if known is not None:
            held = replace(claim, since=known[0].since)
            self._claims[claim.connection_id] = held, known[1]
            self._lane.tell(self._claiming(held, known[1]))

    def release(self, connection_id: str, session: Session | None) -> None:
        known = self._claims.pop(connection_id, None)
        if known is None:
            return
        user_id = known[0].user_id
        answer = self._lane.ask(self._releasing(connection_id, user_id, session))

        def done(answer: "asyncio.Future[Any]") -> None:
            if not answer.cancelled() and answer.exception() is not None:
                self._owed[connection_id] = user_id, session
                if len(self._owed) > OWED_MAX:
                    del self._owed[next(iter(self._owed))]

        answer.add_done_callback(done)

    async def keep(self, session: Session) -> None:
        key = self._keys.session(session.user_id)
        with suppress(Unavailable):
            await self._lane.ask(("SET", key, _place(session), "PX", self._session_ms))

    async def connected(self, user_id: str) -> bool:
        keys = (self._keys.user(user_id), self._keys.servers)
        count: int = await self._lane.ask(self._lane.script("connected", keys, names.LOST_MS))
        return count > 0

    def _claiming(self, claim: Claim, policy: ConnectionPolicy) -> Command:
        keys = self._keys
        return self._lane.script(
            "claim",
            (keys.user(claim.user_id), keys.session(claim.user_id), keys.servers),
            claim.connection_id,
            self.server_id,
            claim.device_id,
            claim.since,
            claim.room_id or "",
            claim.character_id or "",
            policy,
            names.KEPT_MS,
            keys.channels,
            names.LOST_MS,
        )

    def _releasing(self, connection_id: str, user_id: str, session: Session | None) -> Command:
        place = "" if session is None else _place(session)
        keys = (self._keys.user(user_id), self._keys.session(user_id))
        return self._lane.script("release", keys, connection_id, place, self._session_ms)

    # --- rooms and the bus -----------------------------------------------------------------------

    async def listen(self, room_id: str) -> Collection[str]:
        self._rooms.add(room_id)
        try:
            return await self._listening(room_id, "1")
        except Unavailable:
            self._stale = True
            return frozenset()

    def ignore(self, room_id: str) -> None:
        self._rooms.discard(room_id)
        self._lane.tell(("SREM", self._keys.room(room_id), self.server_id))

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
        """The beat does what there is to do."""

    def _gather(self) -> list[Command]:
        if not self._lane.up:
            self._outbox.lose()
            return []
        return self._publishing(self._outbox.take())

    def _publishing(self, batches: Iterable[tuple[str, bytes]]) -> list[Command]:
        return [("PUBLISH", self._keys.channel(server), batch) for server, batch in batches]

    # --- hearing ---------------------------------------------------------------------------------

    async def _hear(self) -> None:
        while True:
            try:
                async with self._client.pubsub() as pubsub:
                    await pubsub.subscribe(self._keys.channel(self.server_id))
                    # What was sent before is lost.
                    self._stale = True
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            self._take(message["data"])
            except (RedisError, OSError, TimeoutError):
                self._log.debug("the subscription was lost")
            self._stale = True
            self._heard = float("-inf")
            await asyncio.sleep(AGAIN_SECONDS)

    def _take(self, data: bytes) -> None:
        try:
            if data.startswith(REPLACED):
                self._replaced(data[len(REPLACED) :].decode())
            elif self._peers is not None:
                self._take_batch(self._decoder.decode(data), self._peers)
        except Exception:  # noqa: BLE001 - the next may be taken in
            self._log.exception("what another server sent could not be taken in")

    def _take_batch(self, batch: Batch, peers: Peers) -> None:
        if batch.sender == self.server_id:
            self._heard = self._now()
        elif batch.number < 0:
            self._gone(batch.sender, ended=True)
        else:
            self._seen[batch.sender] = self._now()
            new, missed = self._inbox.take(batch)
            if missed:
                peers.missed(batch.sender)
            if not new:
                return
            for item in batch.items:
                peers.heard(batch.sender, bytes(item))

    def _gone(self, server: str, *, ended: bool) -> None:
        self._seen.pop(server, None)
        self._outbox.forget(server)
        self._inbox.forget(server)
        if self._peers is not None:
            self._peers.gone(server, ended=ended)

    # --- beating ---------------------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            try:
                await self._beat_once()
            except Unavailable:
                self._log.debug("a beat was not answered")
            except Exception:  # noqa: BLE001 - the next one may succeed
                self._log.exception("a beat failed")
            self._judge()
            await asyncio.sleep(BEAT_SECONDS if self._healthy else AGAIN_SECONDS)

    async def _beat_once(self) -> None:
        beat = self._lane.script(
            "beat", (self._keys.servers,), self.server_id, names.LOST_MS, names.FORGET_MS
        )
        before, alive = await self._lane.ask(beat, probe=True)
        now = self._now()
        if before < 0 or before > names.LOST_MS:
            # The others have taken this server for gone, or Redis has forgotten it.
            self._stale = True
        if now - self._beaten > DEAF_SECONDS:
            self._steady_since = now
        self._beaten = now
        for server, age in alive:
            seen = self._seen.get(server.decode(), now - age / 1000)
            self._seen[server.decode()] = max(seen, now - age / 1000)
        lost = names.LOST_MS / 1000
        if now - self._steady_since > lost:
            # Before that a Redis that was started anew may not know of all that live.
            for server, seen in tuple(self._seen.items()):
                if now - seen > lost:
                    self._gone(server, ended=False)
        for command in self._publishing(self._outbox.beats()):
            self._lane.tell(command)
        # Its own beat comes back before it is asked whether it did.
        await self._lane.ask(("PING",))
        await asyncio.sleep(0)

    def _judge(self) -> None:
        now = self._now()
        hears = now - self._heard <= DEAF_SECONDS
        if hears or not self._lane.up:
            self._deaf_since = now
        elif now - self._deaf_since > DEAF_SECONDS and self._hearing is not None:
            self._log.warning("the subscription is deaf; it is made anew")
            self._deaf_since = now
            self._hearing.cancel()
            self._hearing = asyncio.create_task(self._hear())
        reached = hears and self._lane.up and now - self._beaten <= DEAF_SECONDS
        if not reached:
            self._stale = True
        elif self._telling is None or self._telling.done():
            if self._stale:
                self._telling = asyncio.create_task(self._tell_again())
            elif now - self._told_at >= names.RENEW_SECONDS:
                self._telling = asyncio.create_task(self._renew())
        self._is(reached and not self._stale)

    def _is(self, healthy: bool) -> None:  # noqa: FBT001 - as an adjective
        if healthy != self._healthy:
            if healthy:
                self._log.info("the cluster is reached")
            else:
                self._log.warning("the cluster is out of reach")
        self._healthy = healthy
        if healthy:
            self._reached.set()

    async def _tell_again(self) -> None:
        """Say everything again that Redis or the others may not know, and hear what they have."""
        self._stale = False
        owed, self._owed = self._owed, {}
        for connection_id, (user_id, session) in owed.items():
            self._lane.tell(self._releasing(connection_id, user_id, session))
        listeners = await self._renew()
        if self._peers is not None and not self._stale:
            for room_id, servers in listeners:
                self._peers.listening(room_id, [server.decode() for server in servers])
            self._peers.missed(None)
        self._is(not self._stale)

    async def _renew(self) -> list[tuple[str, Sequence[bytes]]]:
        """Have everything that is here live on in Redis; who listens to the rooms."""
        self._told_at = self._now()
        try:
            connections = {key: self._claiming(*known) for key, known in self._claims.items()}
            for connection_id, answer in await self._ask_all(connections):
                if answer[0] == b"0":
                    self._replaced(connection_id)
            return await self._ask_all({room: self._entering(room, "1") for room in self._rooms})
        except Unavailable:
            self._stale = True
            return []

    async def _ask_all(self, commands: dict[str, Command]) -> list[tuple[str, Sequence[bytes]]]:
        answers: list[tuple[str, Sequence[bytes]]] = []
        waiting = list(commands.items())
        for at in range(0, len(waiting), SLICE):
            part = waiting[at : at + SLICE]
            replies = await asyncio.gather(*(self._lane.ask(command) for _, command in part))
            answers += [(key, reply) for (key, _), reply in zip(part, replies, strict=True)]
        return answers

    def _replaced(self, connection_id: str) -> None:
        self._claims.pop(connection_id, None)
        if self._peers is not None:
            self._peers.replaced(connection_id)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _place(session: Session) -> str:
    place = (session.room_id or "", session.character_id or "", session.disconnected_at)
    return msgspec.json.encode(place).decode()


def _session(user_id: str, kept: bytes, orphan: bytes) -> Session | None:
    raw = kept or orphan
    if not raw:
        return None
    room_id, character_id, disconnected_at = msgspec.json.decode(raw, type=tuple[str, str, int])
    return Session(user_id, room_id or None, character_id or None, disconnected_at)


def _reason(error: Exception) -> str:
    text = str(error).split("\n")[0][:200]
    return text or type(error).__name__
