"""An application that notes what it is told, and the server that it is in."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.socket_io.in_memory import MemoryOutlet, request, settle

from rejoinder_socketio import (
    CloseReason,
    Connection,
    Event,
    Handler,
    Malformed,
    Options,
    ProtocolError,
    Server,
)
from rejoinder_socketio.engine.requests import Transport
from rejoinder_socketio.engine.session import Session

Step = Callable[..., Any]


def nothing(*_given: Any) -> None:
    """What an application does that does nothing."""


class Noting(Handler):
    """Notes every call, and then does what a test has set for it: a function, or a coroutine function."""

    def __init__(self) -> None:
        self.notes: list[Any] = []
        self.connections: list[Connection] = []
        self.connecting: Step = nothing
        self.opening: Step = nothing
        self.handling: Step = nothing
        self.leaving: Step = nothing
        self.refusing: Step | None = None
        self.slowing: Step = nothing

    async def on_connect(self, connection: Connection, auth: Any) -> None:
        self.connections.append(connection)
        self.notes.append(("connect", auth))
        doing = self.connecting(connection, auth)
        if doing is not None:
            await doing
            self.notes.append("connected")

    def on_open(self, connection: Connection) -> Any:
        self.notes.append("open")
        return self.opening(connection)

    def on_event(self, connection: Connection, event: Event) -> Any:
        self.notes.append(event.name)
        return self.handling(connection, event)

    def on_malformed(self, connection: Connection, ack_id: int | None, error: Malformed) -> None:
        self.notes.append((error.problem, ack_id))
        if self.refusing is None:
            super().on_malformed(connection, ack_id, error)
        else:
            self.refusing(connection)

    def on_drained(self, connection: Connection) -> None:
        self.notes.append("drained")

    def on_slow(self, connection: Connection) -> None:
        self.notes.append("slow")
        self.slowing(connection)

    def on_disconnect(self, connection: Connection, reason: CloseReason) -> Any:
        self.notes.append(reason)
        return self.leaving(connection, reason)


class Peer:
    """A client of a server, without anything between them."""

    def __init__(self, server: Server, transport: Transport, outlet: MemoryOutlet) -> None:
        self.outlet = outlet
        self.session: Session = server.engine.open(request(transport), outlet)
        outlet.take()
        outlet.taken.clear()

    def send(self, *packets: str | bytes) -> "Peer":
        """Send packets, text or binary, as a transport hands them over."""
        for packet in packets:
            try:
                if isinstance(packet, str):
                    now = asyncio.get_running_loop().time()
                    self.session.receive_text(packet.encode(), now)
                else:
                    self.session.receive_binary(packet)
            except ProtocolError:
                self.session.close(CloseReason.PARSE_ERROR)
        return self

    def heard(self) -> list[str | bytes]:
        """What was said to it since the last time, without the ids of connections."""
        outlet = self.outlet
        heard: list[str | bytes] = []
        outlet.take()
        for message in outlet.taken:
            text = message.packet.decode()
            heard.append(text.partition('{"sid":')[0] if text.startswith("40") else text)
            heard += message.attachments
        outlet.taken.clear()
        return heard

    @property
    def reason(self) -> Any:
        """Why its session has ended; None while it lives."""
        return self.outlet.reason


class World:
    """A server with an application in `/`, another one in `/custom`, and clients."""

    def __init__(self, **options: Any) -> None:
        self.app = Noting()
        self.custom = Noting()
        self.server = Server({"/": self.app, "/custom": self.custom}, Options(**options))

    def peer(self, transport: Transport = "websocket", *, room: int | None = 10**9) -> Peer:
        """Somebody new, who is not connected to a namespace."""
        return Peer(self.server, transport, MemoryOutlet(room))

    async def member(self, *, room: int | None = 10**9) -> Peer:
        """Somebody who is connected."""
        peer = self.peer(room=room).send("40")
        await settle()
        assert peer.heard() == ["40"]
        self.app.notes.clear()
        return peer

    @property
    def connection(self) -> Connection:
        """The newest connection to `/`."""
        return self.app.connections[-1]


class Gate:
    """Lets an application's coroutines through one by one."""

    def __init__(self, app: Noting) -> None:
        self._app = app
        self._waiting: list[asyncio.Future[None]] = []

    async def __call__(self, _connection: Connection, what: Any = None) -> None:
        """Wait here, and note that it is over."""
        gate = asyncio.get_running_loop().create_future()
        self._waiting.append(gate)
        await gate
        self._app.notes.append(f"{what.name} done" if isinstance(what, Event) else "done")

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def open(self, error: BaseException | None = None) -> None:
        """Let the first one through, or let it fail."""
        gate = self._waiting.pop(0)
        if isinstance(error, asyncio.CancelledError):
            gate.cancel()
        elif error is not None:
            gate.set_exception(error)
        else:
            gate.set_result(None)
        await settle()
