"""Who is connected, and which older connections a newer one replaces."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from rejoinder.core.quality import Line
from rejoinder.core.users import User

ConnectionPolicy = Literal["single", "per-device", "multi"]


@dataclass(slots=True)
class Connection:
    """One live connection. Times are milliseconds since the epoch."""

    id: str
    user: User
    connected_at: int
    last_activity: int
    locale: str = "en"
    device_id: str = ""
    rooms: dict[str, str | None] = field(default_factory=dict)
    """Each entered room with the character chosen there, the one entered last at the end."""
    background: set[str] = field(default_factory=set)
    """Those of the rooms that are not in view."""
    remembered: tuple[str, str | None] | None = None
    """The room and character of the session that was restored, until a room is entered."""
    line: Line | None = None
    """How good it is, once the client has said how long its round trips take."""

    @property
    def place(self) -> tuple[str, str | None] | None:
        """The room and character to remember: the ones entered last, of those in view."""
        for room_id, character_id in reversed(self.rooms.items()):
            if room_id not in self.background:
                return room_id, character_id
        return self.remembered

    def enter(self, room_id: str, character_id: str | None, *, background: bool) -> None:
        """It is in that room from now on, in view or not."""
        self.rooms.pop(room_id, None)
        self.rooms[room_id] = character_id
        if background:
            self.background.add(room_id)
        else:
            self.background.discard(room_id)
            self.remembered = None

    def leave(self, room_id: str) -> None:
        """It is not in that room any more."""
        self.rooms.pop(room_id, None)
        if room_id in self.background:
            self.background.discard(room_id)
        else:
            self.remembered = None


class Connections:
    """The live connections of one server."""

    def __init__(self, policy: ConnectionPolicy = "single") -> None:
        self._policy = policy
        self._by_id: dict[str, Connection] = {}
        self._by_user: dict[str, dict[str, Connection]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._by_id.values()))

    def get(self, connection_id: str) -> Connection | None:
        """The connection of that id, if it lives."""
        return self._by_id.get(connection_id)

    def of_user(self, user_id: str) -> tuple[Connection, ...]:
        """The user's live connections, the oldest first."""
        return tuple(self._by_user.get(user_id, {}).values())

    def add(self, connection: Connection) -> tuple[Connection, ...]:
        """Let a connection in; those that it replaces are taken out and returned."""
        replaced = tuple(
            older
            for older in self.of_user(connection.user.id)
            if self._policy == "single"
            or (self._policy == "per-device" and older.device_id == connection.device_id)
        )
        for older in replaced:
            self.remove(older.id)
        self._by_id[connection.id] = connection
        self._by_user.setdefault(connection.user.id, {})[connection.id] = connection
        return replaced

    def remove(self, connection_id: str) -> Connection | None:
        """Take a connection out; None if it was not there (any more)."""
        connection = self._by_id.pop(connection_id, None)
        if connection is not None:
            own = self._by_user[connection.user.id]
            del own[connection_id]
            if not own:
                del self._by_user[connection.user.id]
        return connection
