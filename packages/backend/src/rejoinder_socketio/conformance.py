"""What the official test suites of both protocols are pointed at: `python -m rejoinder_socketio.conformance --port 3000`.

Under `/socket.io/` a server that answers by echoes, under `/engine.io/` an Engine.IO echo; ping 300/200 ms, any origin.
"""

import argparse
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal

import uvicorn

from rejoinder_socketio.connection import Connection, Event
from rejoinder_socketio.engine.packets import Outgoing, binary
from rejoinder_socketio.engine.server import EngineServer
from rejoinder_socketio.engine.session import CloseReason, Session
from rejoinder_socketio.engine.upgrade import TcpWebSockets
from rejoinder_socketio.handler import Handler
from rejoinder_socketio.options import Options
from rejoinder_socketio.server import Server

if TYPE_CHECKING:
    from rejoinder_socketio.asgi import Receive, Scope, Send

Loop = Literal["auto", "asyncio", "uvloop"]

BACKLOG: Final = 2048
_ASKED: Final[dict[str, Any]] = {
    "origins": ["*"],
    "ping_interval": 0.3,
    "ping_timeout": 0.2,
    "connect_timeout": 1.0,
    "max_payload": 1_000_000,
}


class EchoHandler(Handler):
    """Answers everything by what it was given."""

    async def on_connect(self, connection: Connection, auth: Any) -> None:
        connection.state = auth

    def on_open(self, connection: Connection) -> None:
        connection.emit("auth", connection.state)

    def on_event(self, connection: Connection, event: Event) -> None:
        if event.name == "message":
            connection.emit("message-back", *event.arguments)
        elif event.name == "message-with-ack":
            event.ack(*event.arguments)


class EngineEcho:
    """Sends every message back."""

    def on_text(self, session: Session, packet: bytes) -> None:
        session.send(Outgoing(packet))

    def on_binary(self, session: Session, data: bytes) -> None:
        session.send(binary(data))

    def on_close(self, session: Session, reason: CloseReason) -> None:
        pass

    def on_drained(self, session: Session) -> None:
        pass

    def on_slow(self, session: Session) -> None:
        pass


class Conformance:
    """Both servers, one ASGI app; a WebSocket goes the way that `straight` says."""

    def __init__(self, *, straight: bool, ping_timeout: float) -> None:
        asked = {**_ASKED, "ping_timeout": ping_timeout}
        self._socket_io = Server(dict.fromkeys(("/", "/custom"), EchoHandler()), Options(**asked))
        never = Options(**{**asked, "path": "/engine.io/", "connect_timeout": 1e9})
        self._engine_io = EngineServer(never, EngineEcho())
        self._straight = straight

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        await (self._engine_io if scope["path"].startswith("/engine.io/") else self._socket_io)(
            scope, receive, send
        )

    def serve(self, port: int, loop: Loop = "auto", *, bounded: bool = True) -> None:
        """Serve on this machine until SIGTERM, and say where; with `bounded` over our own way in."""
        listeners = _listen(port)
        config = uvicorn.Config(
            self,
            http=self._socket_io.http_protocol if bounded else "auto",  # type: ignore[arg-type]
            ws=TcpWebSockets(self._socket_io.engine, self._engine_io) if self._straight else "auto",  # type: ignore[arg-type]
            ws_per_message_deflate=False,
            loop=loop,
            lifespan="off",
            log_level="warning",
            access_log=False,
        )
        print(f"ready: http://127.0.0.1:{listeners[0].getsockname()[1]}", flush=True)  # noqa: T201
        uvicorn.Server(config).run(sockets=listeners)


def _listen(port: int) -> list[socket.socket]:
    """Sockets at both addresses that `localhost` may stand for; the second one only where there is IPv6."""
    listeners = [socket.create_server(("127.0.0.1", port), backlog=BACKLOG)]
    taken = listeners[0].getsockname()[1]
    with suppress(OSError):
        listeners.append(
            socket.create_server(("::1", taken), family=socket.AF_INET6, backlog=BACKLOG)
        )
    for listener in listeners:
        # asyncio does this only for sockets that name their protocol; the answers to polls would wait 40 ms each.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listeners


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="The server that the official suites test.")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--asgi", action="store_true", help="WebSockets over ASGI, too")
    parser.add_argument("--http", action="store_true", help="with uvicorn's HTTP as it is")
    parser.add_argument("--loop", choices=["auto", "asyncio", "uvloop"], default="auto")
    parser.add_argument("--ping-timeout", type=float, default=_ASKED["ping_timeout"])
    given = parser.parse_args()
    Conformance(straight=not given.asgi, ping_timeout=given.ping_timeout).serve(
        given.port, given.loop, bounded=not given.http
    )


if __name__ == "__main__":
    main()
