"""A client in a namespace, and the events it sends."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from msgspec import Raw

from rejoinder_socketio import packets
from rejoinder_socketio.engine.packets import Outgoing
from rejoinder_socketio.engine.requests import Request
from rejoinder_socketio.engine.session import CloseReason, Session


class Home(Protocol):
    """What a connection asks of the namespace that it is in."""

    name: str

    def join(self, connection: "Connection", room: str) -> None:
        """Let it into a room."""
        ...

    def leave(self, connection: "Connection", room: str) -> None:
        """Take it out."""
        ...

    def disconnect(self, connection: "Connection", *, close: bool) -> None:
        """Disconnect it."""
        ...


class Event:
    """An event of a client."""

    __slots__ = ("_arguments", "_connection", "ack_id", "name", "raw", "size")

    def __init__(
        self, connection: "Connection", name: str, raw: list[Raw], ack_id: int | None, size: int = 0
    ) -> None:
        self._connection = connection
        self._arguments: list[Any] | None = None
        self.size = size
        self.name = name
        self.raw: Sequence[Raw] = raw
        self.ack_id = ack_id

    @property
    def binary(self) -> bool:
        """Whether it has attachments; then `raw` is empty."""
        return isinstance(self.raw, tuple)

    @property
    def arguments(self) -> list[Any]:
        """Its arguments; `raw` has each as JSON, for who decodes to a type of their own.

        Raises:
            Malformed: one of them can't be decoded.
        """
        if self._arguments is None:
            self._arguments = [packets.decode_json(bytes(raw)) for raw in self.raw]
        return self._arguments

    def restore(self, arguments: list[Any]) -> None:
        """Give it the arguments that its attachments are part of."""
        self._arguments = arguments
        self.raw = ()

    def ack(self, *arguments: Any) -> None:
        """Acknowledge it, if the client has asked for that."""
        if self.ack_id is not None:
            self._connection.ack(self.ack_id, *arguments)


class Broken:
    """An event that can't be decoded."""

    __slots__ = ("ack_id", "error")

    def __init__(self, ack_id: int | None, error: packets.Malformed) -> None:
        self.ack_id = ack_id
        self.error = error


Item = Event | Broken | CloseReason
"""What the application is told of in its turn."""


class Connection:
    """A client that is connected to a namespace. `state` is the application's."""

    __slots__ = (
        "_calls",
        "_early",
        "_early_size",
        "_last_call",
        "_namespace",
        "doing",
        "id",
        "is_open",
        "queue",
        "rooms",
        "session",
        "state",
    )

    def __init__(self, connection_id: str, namespace: Home, session: Session) -> None:
        self.id = connection_id
        self.session = session
        self.state: Any = None
        self.rooms: set[str] = set()
        self.is_open = False
        self.doing: object | None = None
        self.queue: deque[Item] = deque()
        self._namespace = namespace
        self._early: list[Outgoing] | None = []
        self._early_size = 0
        self._calls: dict[int, asyncio.Future[list[Any]]] | None = None
        self._last_call = 0

    @property
    def namespace(self) -> str:
        """The name of the namespace."""
        return self._namespace.name

    @property
    def is_gone(self) -> bool:
        """Whether it has ended; before it is let in it is neither open nor gone."""
        return not self.is_open and self._early is None

    @property
    def request(self) -> Request:
        """The request that began the session: its headers, and where it came from."""
        return self.session.request

    # --- sending ---------------------------------------------------------------------------------

    def emit(self, name: str, *arguments: Any, volatile: bool = False) -> None:
        """Send an event. A volatile one may be left out for a client that does not keep up."""
        self.send(packets.encode_event(self.namespace, name, arguments), volatile=volatile)

    def send(self, message: Outgoing, *, volatile: bool = False) -> None:
        """Send what is encoded already; a connection that is gone is passed over."""
        if self.is_open:
            self.session.send(message, volatile=volatile)
        elif self._early is not None:
            self._send_early(message)

    def _send_early(self, message: Outgoing) -> None:
        self._early_size += message.size
        if self._early is None or self._early_size > self.session.options.max_waiting:
            self.session.close(CloseReason.TOO_SLOW)
        else:
            self._early.append(message)

    def ack(self, ack_id: int, *arguments: Any) -> None:
        """Acknowledge an event of the client."""
        self.send(packets.encode_ack(self.namespace, ack_id, arguments))

    async def call(self, name: str, *arguments: Any, seconds: float = 60.0) -> list[Any]:
        """Send an event, and wait for the client's acknowledgement for so long: its arguments.

        Raises:
            TimeoutError: it has not come in time.
            ConnectionError: the client is gone.
        """
        if self.is_gone:
            raise ConnectionError("the client is gone")
        self._last_call += 1
        number = self._last_call
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        if self._calls is None:
            self._calls = {}
        self._calls[number] = answer
        try:
            self.send(packets.encode_event(self.namespace, name, arguments, number))
            async with asyncio.timeout(seconds):
                return await answer
        finally:
            if self._calls is not None:
                self._calls.pop(number, None)

    # --- rooms -----------------------------------------------------------------------------------

    def join(self, room: str) -> None:
        """Enter a room of the namespace; a connection that is gone enters none."""
        if not self.is_gone:
            self._namespace.join(self, room)

    def leave(self, room: str) -> None:
        """Leave it."""
        self._namespace.leave(self, room)

    # --- ending ----------------------------------------------------------------------------------

    def disconnect(self, *, close: bool = False) -> None:
        """Disconnect the client from the namespace, or, with `close`, end its whole session."""
        self._namespace.disconnect(self, close=close)

    # --- for the server --------------------------------------------------------------------------

    def opened(self, welcome: Outgoing) -> None:
        """The client is in: tell it, and send what has waited for that."""
        early, self._early = self._early, None
        self.is_open = True
        self.session.send(welcome)
        for message in early or ():
            self.session.send(message)

    def ended(self) -> None:
        """Nothing goes out any more."""
        self.is_open = False
        self._early = None
        calls, self._calls = self._calls, None
        for answer in (calls or {}).values():
            if not answer.done():
                answer.set_exception(ConnectionError("the client is gone"))

    def awaits(self, ack_id: int) -> bool:
        """Whether the client is asked for that acknowledgement."""
        return self._calls is not None and ack_id in self._calls

    def answered(self, ack_id: int, arguments: list[Any]) -> None:
        """The client has acknowledged an event; what was not asked for is passed over."""
        answer = self._calls.get(ack_id) if self._calls else None
        if answer is not None and not answer.done():
            answer.set_result(arguments)


def send_all(
    connections: Iterable[Connection], message: Outgoing, *, volatile: bool = False
) -> None:
    """Send to many what is encoded once; this is `Connection.send` in a loop, without its calls."""
    for connection in connections:
        if not connection.is_open:
            connection.send(message, volatile=volatile)
            continue
        session = connection.session
        outlet = session.outlet
        if outlet.congested:
            session.send(message, volatile=volatile)
        else:
            outlet.write(message)
