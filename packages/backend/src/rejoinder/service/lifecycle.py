"""Connections from their handshake to their end: who they are, whom they replace, what is kept of them."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from rejoinder.cluster.base import Claim, Claimed
from rejoinder.core.connections import Connection, ConnectionPolicy
from rejoinder.core.sessions import Session
from rejoinder.errors import InvalidPayload, Unauthorized, Unavailable
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import PresenceStatus
from rejoinder.protocol.fields import given, iso, or_unset
from rejoinder.service.auth import SIGN_IN, Authenticate, Handshake
from rejoinder.service.context import Context
from rejoinder.service.entering import Entering
from rejoinder.service.seen import Seen
from rejoinder.service.texts import REPLACED, locale_of


@dataclass(frozen=True, slots=True)
class Welcome:
    """What is to be said to a connection once it is open."""

    session: Session | None
    reconnection: events.ReconnectionData


class Lifecycle:
    """Opens and ends connections."""

    def __init__(
        self,
        context: Context,
        entering: Entering,
        seen: Seen,
        authenticate: Authenticate,
        locale: str,
        policy: ConnectionPolicy,
    ) -> None:
        self._c = context
        self._entering = entering
        self._seen = seen
        self._authenticate = authenticate
        self._locale = locale
        self._policy = policy
        self._claiming: set[str] = set()
        """Connections on their way in."""
        self._overtaken: set[str] = set()
        """Those among them that have been replaced by then; they are told when they are open."""
        self._welcomes: dict[str, Welcome] = {}
        self._expiries: list[tuple[int, str]] = []
        self._sweep_at = context.clock.now() + context.limits.sweep_interval

    async def connect(self, connection_id: str, handshake: Handshake) -> None:
        """Let a connection in; those that it replaces are told and closed.

        Raises:
            Unauthorized: there is no valid token.
            InvalidPayload: `auth` is not of its shape.
        """
        user = await self._authenticate(handshake)
        if user is None:
            raise Unauthorized(SIGN_IN)
        reconnection = _reconnection(handshake.auth)
        wall_ms = self._c.clock.wall_ms()
        connection = Connection(
            id=connection_id,
            user=user,
            connected_at=wall_ms,
            last_activity=wall_ms,
            locale=locale_of(_wanted_locale(handshake), self._locale),
            device_id=_text(handshake.auth, "deviceId"),
        )
        self._claiming.add(connection_id)
        try:
            session = (await self._claim(connection)).session
        finally:
            self._claiming.discard(connection_id)
        for older in self._c.connections.add(connection):
            self._replace(older)
        if session is not None and session.room_id is not None:
            connection.remembered = (session.room_id, session.character_id)
        self._welcomes[connection_id] = Welcome(session, reconnection)
        if user.expires_at_ms is not None:
            heapq.heappush(self._expiries, (user.expires_at_ms, connection_id))
        self._seen.came(user.id)
        if self._c.presence.connected(user.id, connection_id, self._c.clock.now(), wall_ms):
            self._c.announce_presence(user.id, "online")

    async def _claim(self, connection: Connection) -> Claimed:
        claim = Claim(connection.id, connection.user.id, connection.device_id)
        try:
            return await self._c.sharing.cluster.claim(claim, self._policy)
        except Unavailable:
            if self._policy != "multi":
                raise
            # Nobody has to be replaced, so nobody has to be asked.
            return Claimed(0, None)

    def replaced(self, connection_id: str) -> None:
        """A newer connection, wherever it is, has taken the place of one."""
        if connection_id in self._claiming:
            self._overtaken.add(connection_id)
            return
        connection = self._c.connections.remove(connection_id)
        if connection is not None:
            self._replace(connection)

    async def opened(self, connection_id: str) -> None:
        """The client has heard that it is connected: tell it of its session, and take it back where it was."""
        connection = self._c.connections.get(connection_id)
        welcome = self._welcomes.pop(connection_id, None)
        if connection_id in self._overtaken:
            self._overtaken.discard(connection_id)
            self.replaced(connection_id)
            return
        if connection is None or welcome is None:
            return
        if welcome.session is not None:
            await self._restore(connection, welcome.session)
        room_id = given(welcome.reconnection.room_id)
        if room_id is not None:
            entry = events.RoomEntry(
                room_id=room_id,
                character_id=welcome.reconnection.character_id,
                last_message_id=welcome.reconnection.last_message_id,
            )
            await self.rejoin(connection, entry)

    async def rejoin(self, connection: Connection, entry: events.RoomEntry) -> events.RoomAck:
        """Enter a room again: the same snapshot comes as `room:rejoined`."""
        snapshot = await self._entering.enter(connection, entry, "rejoin")
        fields = {name: getattr(snapshot, name) for name in events.RoomSnapshot.__struct_fields__}
        self._c.delivery.send(
            (connection.id,), catalogue.ROOM_REJOINED, events.RoomSnapshot(**fields)
        )
        return snapshot

    async def leaving(self, connection_ids: Iterable[str]) -> None:
        """These connections are about to be ended, and their users to come back to another server at once."""
        for connection_id in connection_ids:
            connection = self._c.connections.get(connection_id)
            if connection is not None:
                await self._c.sharing.cluster.keep(self._session(connection))

    def _session(self, connection: Connection) -> Session:
        room_id, character_id = connection.place or (None, None)
        return Session(connection.user.id, room_id, character_id, self._c.clock.wall_ms())

    def ended(self, connection_id: str, *, forced: bool) -> None:
        """A connection is gone; unless the server forced that, its session is kept."""
        connection = self._c.connections.remove(connection_id)
        self._c.rooms.joining.forget(connection_id)
        self._welcomes.pop(connection_id, None)
        self._overtaken.discard(connection_id)
        if connection is None:
            self._c.sharing.cluster.release(connection_id, None)
            return
        self._let_go(
            connection, self._c.limits.presence_grace if forced else self._c.limits.session_timeout
        )
        session = None if forced else self._session(connection)
        self._c.sharing.cluster.release(connection_id, session)

    def tick(self) -> None:
        """Do what is due: expired tokens and sessions, people who have been absent for too long, presence."""
        now = self._c.clock.now()
        self._expire_tokens()
        if now >= self._sweep_at:
            self._forget_expiries()
            self._sweep_at = now + self._c.limits.sweep_interval
        for room_id in self._c.rooms.whereabouts.due(now):
            state = self._c.rooms.get(room_id)
            if state is not None:
                for user_id in state.people.expire(now):
                    self._tell_left(room_id, user_id)
        for change in self._c.presence.expire(now):
            if change.status == "offline" and not self._c.sharing.cluster.alone:
                _ = self._c.sharing.tasks.start(self._is_offline(change.user_id))
            else:
                self._tell_shown(change.user_id, change.status)

    # --- parts -----------------------------------------------------------------------------------

    async def _is_offline(self, user_id: str) -> None:
        """Tell so, unless the user is connected to another server, or here again."""
        try:
            elsewhere = await self._c.sharing.cluster.connected(user_id)
        except Unavailable:
            elsewhere = False
        if not elsewhere and self._c.presence.status(user_id) == "offline":
            self._tell_shown(user_id, "offline")

    # Of very many at once it is told in portions, and then only if it is still so.

    def _tell_left(self, room_id: str, user_id: str) -> None:
        def tell() -> int:
            state = self._c.rooms.get(room_id)
            if state is None or user_id in state.people:
                return 0
            self._entering.announce_left(state, user_id)
            return len(state.people.connections())

        self._c.telling.tell(("left here", room_id, user_id), tell)

    def _tell_shown(self, user_id: str, status: PresenceStatus) -> None:
        def tell() -> int:
            if self._c.presence.status(user_id) != status:
                return 0
            return self._c.announce_presence(user_id, status)

        self._c.telling.tell(("shown here", user_id), tell)

    def _replace(self, older: Connection) -> None:
        self._welcomes.pop(older.id, None)
        self._let_go(older, self._c.limits.presence_grace)
        self._c.delivery.send(
            (older.id,),
            catalogue.CONNECTION_REPLACED,
            events.ConnectionReplaced(message=REPLACED[older.locale], timestamp=self._c.now_iso()),
        )
        self._c.delivery.close(older.id)

    def _let_go(self, connection: Connection, absence: float) -> None:
        user_id, now = connection.user.id, self._c.clock.now()
        for room_id in connection.rooms:
            state = self._c.rooms.get(room_id)
            if state is not None:
                state.people.lose(connection.id, now + absence)
                self._c.stop_typing(state, user_id)
        if self._c.presence.disconnected(user_id, connection.id, now, self._c.clock.wall_ms()):
            self._c.announce_presence(user_id, self._c.presence.status(user_id))
        self._seen.left(user_id)

    async def _restore(self, connection: Connection, session: Session) -> None:
        room_id = session.room_id
        can_reconnect = room_id is None or await self._c.authorize(connection.user, room_id)
        self._c.delivery.send(
            (connection.id,),
            catalogue.SESSION_RESTORED,
            events.SessionRestored(
                disconnected_at=iso(session.disconnected_at),
                can_reconnect=can_reconnect,
                previous_room_id=or_unset(room_id),
                previous_character_id=or_unset(session.character_id),
            ),
        )

    def _expire_tokens(self) -> None:
        wall_ms = self._c.clock.wall_ms()
        while self._expiries and self._expiries[0][0] <= wall_ms:
            _, connection_id = heapq.heappop(self._expiries)
            if self._c.connections.get(connection_id) is not None:
                self._c.delivery.send(
                    (connection_id,),
                    catalogue.AUTH_REQUIRED,
                    events.AuthRequired(reason="token_expired"),
                )
                self._c.delivery.close(connection_id)

    def _forget_expiries(self) -> None:
        """Let go of those whose connection is gone: a token may be valid for months after it."""
        live = self._c.connections
        self._expiries = [each for each in self._expiries if live.get(each[1]) is not None]
        heapq.heapify(self._expiries)


def _reconnection(auth: Mapping[str, Any]) -> events.ReconnectionData:
    try:
        return msgspec.convert(auth.get("reconnection", {}), events.ReconnectionData)
    except msgspec.ValidationError as error:
        raise InvalidPayload(f"auth.reconnection is not valid: {str(error)[:200]}") from error


def _wanted_locale(handshake: Handshake) -> str:
    return _text(handshake.auth, "locale") or handshake.headers.get("accept-language", "")


def _text(auth: Mapping[str, Any], key: str) -> str:
    value = auth.get(key)
    return value[:200] if isinstance(value, str) else ""
