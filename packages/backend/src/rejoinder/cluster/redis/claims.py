"""The connections of one server, as all servers know of them through Redis."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Protocol

import msgspec

from rejoinder.cluster.base import Claim, Claimed
from rejoinder.cluster.redis import keys as names
from rejoinder.cluster.redis.keys import Keys
from rejoinder.cluster.redis.lane import Lane
from rejoinder.cluster.redis.resp import Command
from rejoinder.core.connections import ConnectionPolicy
from rejoinder.core.sessions import Session
from rejoinder.errors import Unavailable

RELEASES_MAX: Final = 100_000
WATCHED_MAX: Final = 100_000
UNTOLD_SECONDS: Final = 0.8
"""By then the server of a connection that was replaced has said that it knows."""


class Told(Protocol):
    """What is told of connections."""

    def replaced(self, connection_id: str) -> None:
        """One of this server has been replaced."""
        ...

    def untold(self, server: str, connection_ids: Sequence[str]) -> None:
        """That server has not said that it knows of the replacement of these."""
        ...


class Claims:
    """Claims and releases. What could not be released is released later."""

    def __init__(self, server_id: str, keys: Keys, session_ms: int, lane: Lane, told: Told) -> None:
        self._server_id = server_id
        self._keys = keys
        self._session_ms = session_ms
        self._lane = lane
        self._told = told
        self._held: dict[str, tuple[Claim, ConnectionPolicy]] = {}
        self._coming: set[str] = set()
        self._unreleased: dict[str, tuple[str, Session | None]] = {}
        self._watched: dict[str, tuple[str, float]] = {}
        """Connections of other servers that were replaced from here: of which server, and when."""
        self._looking: asyncio.Task[None] | None = None

    async def claim(self, claim: Claim, policy: ConnectionPolicy) -> Claimed:
        """Let a connection in.

        Raises:
            Unavailable: it is not known whether it is in.
        """
        self._coming.add(claim.connection_id)
        try:
            answer: Sequence[Any] = await self._lane.ask(self._claiming(claim, policy))
        except asyncio.CancelledError:
            self._lane.tell(self._releasing(claim.connection_id, claim.user_id, None))
            raise
        finally:
            self._coming.discard(claim.connection_id)
        since = int(answer[0])
        self._held[claim.connection_id] = replace(claim, since=since), policy
        self._watch(answer[3])
        return Claimed(since, _session(claim.user_id, answer[1], answer[2]))

    def moved(self, claim: Claim) -> None:
        """A connection is in another room, or has another character."""
        known = self._held.get(claim.connection_id)
        if known is not None:
            held = replace(claim, since=known[0].since)
            self._held[claim.connection_id] = held, known[1]
            self._lane.tell(self._claiming(held, known[1]))

    def release(self, connection_id: str, session: Session | None) -> None:
        """A connection has ended."""
        known = self._held.pop(connection_id, None)
        if known is None:
            return
        user_id = known[0].user_id
        answer = self._lane.ask(self._releasing(connection_id, user_id, session))

        def done(answer: "asyncio.Future[Any]") -> None:
            if not answer.cancelled() and answer.exception() is not None:
                self._unreleased[connection_id] = user_id, session
                if len(self._unreleased) > RELEASES_MAX:
                    del self._unreleased[next(iter(self._unreleased))]

        answer.add_done_callback(done)

    async def keep(self, session: Session) -> None:
        """Keep a session ahead of the end of its connection."""
        key = self._keys.session(session.user_id)
        with suppress(Unavailable):
            await self._lane.ask(("SET", key, _place(session), "PX", self._session_ms))

    async def connected(self, user_id: str) -> bool:
        """True if the user has a connection to a server that lives.

        Raises:
            Unavailable: that is not known.
        """
        keys = (self._keys.user(user_id), self._keys.servers)
        count: int = await self._lane.ask(self._lane.script("connected", keys, names.LOST_MS))
        return count > 0

    def replaced(self, connection_id: str) -> None:
        """A newer connection has taken the place of one of this server, which is heard on more than one way."""
        self._lane.tell(("SREM", self._keys.owed(self._server_id), connection_id))
        self.give_up(connection_id)

    def give_up(self, connection_id: str) -> None:
        """The same, where Redis knows that this server has been told."""
        if self._held.pop(connection_id, None) or connection_id in self._coming:
            self._told.replaced(connection_id)

    # --- after a failure, and from time to time ----------------------------------------------------

    def release_rest(self) -> None:
        """Release what could not be released."""
        unreleased, self._unreleased = self._unreleased, {}
        for connection_id, (user_id, session) in unreleased.items():
            self._lane.tell(self._releasing(connection_id, user_id, session))

    async def renew(self) -> None:
        """Have all that are here live on in Redis; those that have been replaced meanwhile end.

        Raises:
            Unavailable: not all have been told.
        """
        claiming = {key: self._claiming(*held) for key, held in self._held.items()}
        for connection_id, answer in await self._lane.ask_all(claiming):
            self._watch(answer[3])
            if answer[0] == b"0":
                self.give_up(connection_id)

    # --- whether the others know -------------------------------------------------------------------

    def _watch(self, replaced: Iterable[Sequence[bytes]]) -> None:
        for server, connection_id in replaced:
            self._watched[connection_id.decode()] = server.decode(), _now()
            if len(self._watched) > WATCHED_MAX:
                del self._watched[next(iter(self._watched))]

    def tick(self) -> None:
        """Look whether the servers of connections that were replaced know of it by now."""
        if not self._watched or (self._looking is not None and not self._looking.done()):
            return
        late = _now() - UNTOLD_SECONDS
        due = {key: server for key, (server, since) in self._watched.items() if since <= late}
        if due:
            self._looking = asyncio.create_task(self._look(due))

    async def _look(self, due: dict[str, str]) -> None:
        for connection_id in due:
            self._watched.pop(connection_id, None)
        asked: dict[str, Command] = {
            key: ("SISMEMBER", self._keys.owed(server), key) for key, server in due.items()
        }
        try:
            owed = [key for key, answer in await self._lane.ask_all(asked) if answer]
        except Unavailable:
            owed = list(due)
        untold: dict[str, list[str]] = {}
        for connection_id in owed:
            untold.setdefault(due[connection_id], []).append(connection_id)
        for server, connection_ids in untold.items():
            self._told.untold(server, connection_ids)

    async def stop(self) -> None:
        """Look at nothing any more."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    # --- commands ----------------------------------------------------------------------------------

    def _claiming(self, claim: Claim, policy: ConnectionPolicy) -> Command:
        keys = self._keys
        return self._lane.script(
            "claim",
            (keys.user(claim.user_id), keys.session(claim.user_id), keys.servers),
            claim.connection_id,
            self._server_id,
            claim.device_id,
            claim.since,
            claim.room_id or "",
            claim.character_id or "",
            policy,
            names.KEPT_MS,
            keys.channels,
            names.LOST_MS,
            keys.owed(""),
            names.FORGET_MS,
        )

    def _releasing(self, connection_id: str, user_id: str, session: Session | None) -> Command:
        place = "" if session is None else _place(session)
        keys = (self._keys.user(user_id), self._keys.session(user_id))
        return self._lane.script("release", keys, connection_id, place, self._session_ms)


def _place(session: Session) -> str:
    place = (session.room_id or "", session.character_id or "", session.disconnected_at)
    return msgspec.json.encode(place).decode()


def _session(user_id: str, kept: bytes, orphan: bytes) -> Session | None:
    raw = kept or orphan
    if not raw:
        return None
    room_id, character_id, disconnected_at = msgspec.json.decode(raw, type=tuple[str, str, int])
    return Session(user_id, room_id or None, character_id or None, disconnected_at)


def _now() -> float:
    return asyncio.get_running_loop().time()
