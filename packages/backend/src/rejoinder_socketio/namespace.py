"""A namespace: its connections, its rooms, and whom an event is for."""

from collections.abc import Collection, Iterable
from typing import Any, Protocol

from rejoinder_socketio import packets
from rejoinder_socketio.connection import Connection, send_all
from rejoinder_socketio.handler import Handler


class Disconnects(Protocol):
    """What a namespace asks of its server."""

    def disconnect(self, connection: Connection, *, close: bool = False) -> None:
        """Disconnect it from its namespace, or, with `close`, end its whole session."""
        ...


class Namespace:
    """The connections of a namespace, and its rooms."""

    def __init__(self, name: str, handler: Handler, server: Disconnects) -> None:
        self.name = name
        self.handler = handler
        self.connections: dict[str, Connection] = {}
        self.rooms: dict[str, dict[Connection, None]] = {}
        self._server = server

    def join(self, connection: Connection, room: str) -> None:
        """Let a connection into a room."""
        connection.rooms.add(room)
        self.rooms.setdefault(room, {})[connection] = None

    def leave(self, connection: Connection, room: str) -> None:
        """Take it out."""
        connection.rooms.discard(room)
        members = self.rooms.get(room)
        if members is not None:
            members.pop(connection, None)
            if not members:
                del self.rooms[room]

    def disconnect(self, connection: Connection, *, close: bool) -> None:
        """Disconnect it."""
        self._server.disconnect(connection, close=close)


class Receivers:
    """Everybody in a room, to send to."""

    __slots__ = ("_namespace", "_room", "_without")

    def __init__(self, namespace: Namespace, room: str, without: Collection[Connection]) -> None:
        self._namespace = namespace
        self._room = room
        self._without = without

    def emit(self, name: str, *arguments: Any, volatile: bool = False) -> None:
        """Send an event to each; it is encoded once. A volatile one may be left out for those who do not keep up."""
        members: Iterable[Connection] = self._namespace.rooms.get(self._room, ())
        if self._without:
            members = [member for member in members if member not in self._without]
        message = packets.encode_event(self._namespace.name, name, arguments)
        # A member that is too slow leaves the room within the loop.
        send_all(tuple(members), message, volatile=volatile)
