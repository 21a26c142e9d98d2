"""The first bytes of a connection, without a network: what is a plain handshake is one, and all else is HTTP."""

import asyncio
from typing import Any

import pytest
import uvicorn
from tests.socket_io.by_hand import client_frame
from tests.socket_io.in_memory import settle, virtual
from tests.socket_io.test_polling import Hearing
from tests.socket_io.wire import KEY, MemoryTransport
from uvicorn.server import ServerState

from rejoinder_socketio import Options
from rejoinder_socketio.engine.arriving import Arriving
from rejoinder_socketio.engine.frames import TEXT
from rejoinder_socketio.engine.http import BoundedHttps
from rejoinder_socketio.engine.server import EngineServer
from rejoinder_socketio.engine.tcp import TcpWebSocket
from rejoinder_socketio.engine.upgrade import TcpWebSockets

TIMEOUT = 20.0
LINE = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"
PLAIN = (
    "Host: chat.example.org",
    "Upgrade: websocket",
    "Connection: keep-alive, Upgrade",
    f"Sec-WebSocket-Key: {KEY}",
    "Sec-WebSocket-Version: 13",
)
ACCEPTED = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def head(*more: str, line: str = LINE, headers: tuple[str, ...] = PLAIN) -> bytes:
    """A request's head."""
    return "\r\n".join((line, *headers, *more, "", "")).encode("latin-1")


class Wire(MemoryTransport):
    """The transport of a connection that has just been accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.current: Any = None

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.current = protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 5) if name == "peername" else default

    def _lose(self, error: Exception | None) -> None:
        asyncio.get_running_loop().call_soon(self.current.connection_lost, error)

    @property
    def answer(self) -> bytes:
        """All that was written."""
        return b"".join(self.written)


class Server:
    """Takes connections as uvicorn does."""

    def __init__(self, **settings: Any) -> None:
        self.told = Hearing()
        self.engine = EngineServer(Options(max_head=1000, head_timeout=TIMEOUT), self.told)
        websockets: Any = TcpWebSockets(self.engine)
        self.config = uvicorn.Config(self.engine, ws=websockets, lifespan="off", **settings)
        self.config.load()
        self.state = ServerState()
        self.connections: set[Any] = self.state.connections
        self._https = BoundedHttps(self.engine.options, self.engine.unfinished)

    def accept(self) -> Wire:
        """A new connection."""
        wire = Wire()
        wire.current = self._https(self.config, self.state, {})
        assert isinstance(wire.current, Arriving)
        wire.current.connection_made(wire)
        return wire

    async def given(self, *parts: bytes) -> Wire:
        """One on which these bytes have come in."""
        wire = self.accept()
        for part in parts:
            wire.current.data_received(part)
            await settle()
        return wire


@virtual
async def test_a_plain_handshake_is_taken_at_once() -> None:
    server = Server()
    wire = await server.given(head())
    assert isinstance(wire.current, TcpWebSocket)
    assert wire.answer.startswith(b"HTTP/1.1 101 ")
    assert ACCEPTED in wire.answer
    assert len(server.engine) == 1
    assert server.connections == {wire.current}
    await asyncio.sleep(2 * TIMEOUT)
    assert not wire.aborted, "its time was for the head"


@virtual
async def test_what_comes_with_the_head_is_heard() -> None:
    server = Server()
    await server.given(head() + client_frame(TEXT, b"4hello"))
    assert server.told.texts == [b"4hello"]


@pytest.mark.parametrize(
    "parts",
    [
        (head()[:30], head()[30:]),
        (head(headers=(*PLAIN[:1], "upgrade: WebSocket", "connection: UPGRADE", *PLAIN[3:])),),
        (head("X-Name: café"),),
        (head("X-Empty:"),),
        (head("Content-Length: 0"),),
        (head("X-Long: " + "x" * 700),),
    ],
)
@virtual
async def test_a_handshake_that_is_less_plain_is_one_all_the_same(parts: tuple[bytes, ...]) -> None:
    server = Server()
    wire = await server.given(*parts)
    assert ACCEPTED in wire.answer
    assert len(server.engine) == 1


@pytest.mark.parametrize(
    "request_head",
    [
        head(headers=PLAIN[:1]),
        head(line="GET / HTTP/1.1", headers=PLAIN[:1]),
        head(headers=(PLAIN[0], PLAIN[1], *PLAIN[3:])),
        head(headers=(PLAIN[0], *PLAIN[2:])),
        head(line="GET /socket.io/?EIO=4&transport=polling HTTP/1.1", headers=PLAIN[:1]),
        head("X-Bad name: x"),
        head("X-Bad: a\x00b"),
        head(" folded"),
        head("X-Long: " + "x" * 1000),
        b"\x16\x03\x01 no HTTP at all\r\n\r\n",
    ],
)
@virtual
async def test_everything_else_is_http(request_head: bytes) -> None:
    server = Server()
    wire = await server.given(request_head)
    assert b"HTTP/1.1 101" not in wire.answer
    assert not isinstance(wire.current, TcpWebSocket | Arriving)


@virtual
async def test_a_path_of_others_is_left_to_uvicorn() -> None:
    server = Server(root_path="/chat")
    wire = await server.given(head(line=LINE.replace("/socket.io/", "/chat/socket.io/")))
    assert ACCEPTED in wire.answer
    other = server.accept()
    other.current.data_received(head(line=LINE.replace("/socket.io/", "/other/")))
    assert not isinstance(other.current, TcpWebSocket)


@pytest.mark.parametrize("trusted", [False, True])
@virtual
async def test_the_address_is_the_client_s(trusted: bool) -> None:  # noqa: FBT001
    server = Server(forwarded_allow_ips="192.0.2.1" if trusted else "")
    await server.given(head("X-Forwarded-For: 198.51.100.7"))
    (session,) = server.engine._sessions.values()
    assert session.request.address == ("198.51.100.7" if trusted else "192.0.2.1")


@pytest.mark.parametrize("begun", [b"", b"GET /socket.io/ HTTP/1.1\r\nHost: "])
@virtual
async def test_a_head_has_its_time_from_the_beginning(begun: bytes) -> None:
    server = Server()
    wire = server.accept()
    await asyncio.sleep(TIMEOUT / 2)
    if begun:
        wire.current.data_received(begun)
    for aborted in (False, True):
        await asyncio.sleep(TIMEOUT / 2 - 1 if not aborted else 2)
        assert wire.aborted is aborted
    await settle()
    assert server.connections == set()


@virtual
async def test_who_has_not_said_anything_is_not_waited_for_at_the_end() -> None:
    server = Server()
    wire = server.accept()
    (connection,) = server.connections
    connection.shutdown()
    assert wire.is_closing()
    await settle()
    assert server.connections == set()
