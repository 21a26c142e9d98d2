"""What the parts of the service share: the state of one server, and what it works with."""

from dataclasses import dataclass, field

from rejoinder.core.clock import Clock
from rejoinder.core.connections import Connection, Connections
from rejoinder.core.deleted import Deleted
from rejoinder.core.gate import Gate
from rejoinder.core.limits import Rate
from rejoinder.core.presence import Presence, best
from rejoinder.core.typing import Typing
from rejoinder.errors import NotFound, NotInRoom
from rejoinder.protocol import catalogue, constants, events
from rejoinder.protocol.events import PresenceStatus
from rejoinder.protocol.fields import iso, or_unset
from rejoinder.service.auth import Authorize
from rejoinder.service.changes import Changes
from rejoinder.service.delivery import Delivery
from rejoinder.service.items import Shown, Types
from rejoinder.service.room_state import RoomState
from rejoinder.service.rooms import Rooms
from rejoinder.service.sharing import Sharing
from rejoinder.service.telling import Telling
from rejoinder.stores.base import Store
from rejoinder.stores.records import GONE


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of everything; sizes in bytes, times in seconds."""

    content_bytes: int = constants.CONTENT_LIMIT_BYTES
    payload_bytes: int = constants.PAYLOAD_LIMIT_BYTES
    rooms_per_connection: int = 50
    sends: Rate = field(default_factory=lambda: Rate(10, 20))
    events: Rate = field(default_factory=lambda: Rate(50, 200))
    session_timeout: float = constants.SESSION_TIMEOUT_MS / 1000
    sweep_interval: float = constants.SESSION_SWEEP_MS / 1000
    typing_timeout: float = constants.TYPING_TIMEOUT_MS / 1000
    presence_grace: float = constants.PRESENCE_GRACE_MS / 1000


@dataclass(slots=True)
class Context:
    """One server's live state."""

    store: Store
    clock: Clock
    delivery: Delivery
    limits: Limits
    connections: Connections
    rooms: Rooms
    changes: Changes
    presence: Presence
    typing: Typing
    authorize: Authorize
    gate: Gate
    sharing: Sharing
    telling: Telling
    deleted: Deleted = field(default_factory=Deleted)

    def entered(self, connection: Connection, room_id: str) -> RoomState:
        """The room, if the connection is in it.

        Raises:
            NotInRoom: it is not.
            NotFound: the room was deleted.
        """
        state = self.rooms.get(room_id)
        if state is None or not state.people.has(connection.id):
            if room_id in self.deleted:
                raise NotFound(GONE)
            raise NotInRoom("You are not in this room. Enter it first.")
        return state

    def now_iso(self) -> str:
        """The time as it goes on the wire."""
        return iso(self.clock.wall_ms())

    def stop_typing(self, state: RoomState, user_id: str) -> None:
        """The user ceased to type, by saying so or by doing something else."""
        if self.typing.stop(state.id, user_id):
            self.delivery.send(
                state.people.connections(but=user_id),
                catalogue.USER_STOPPED_TYPING,
                events.UserTyping(room_id=state.id, user_id=user_id),
            )
            if state.listeners:
                self.sharing.say(state.listeners, Types(state.id, user_id, on=False))

    def announce_presence(self, user_id: str, status: PresenceStatus) -> int:
        """Tell those who share a room with the user how they are shown now; how many connections that are."""
        receivers: set[str] = set()
        everywhere = [status]
        last_seen = self.presence.last_seen(user_id)
        for room_id in self.rooms.whereabouts.of(user_id):
            state = self.rooms.get(room_id)
            if state is not None:
                receivers.update(state.people.connections(but=user_id))
                elsewhere = state.others.get(user_id)
                if elsewhere is not None:
                    everywhere.append(elsewhere.status)
                if state.listeners:
                    self.sharing.say(state.listeners, Shown(room_id, user_id, status, last_seen))
        if receivers:
            self.delivery.send(
                receivers,
                catalogue.PRESENCE_CHANGED,
                events.PresenceChanged(
                    user_id=user_id,
                    status=best(everywhere),
                    last_seen=or_unset(None if last_seen is None else iso(last_seen)),
                ),
            )
        return len(receivers)
