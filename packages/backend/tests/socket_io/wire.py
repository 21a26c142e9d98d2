"""A transport without a network, and a WebSocket on it."""

import asyncio
from typing import Any

from tests.socket_io.by_hand import client_frame, server_frames

from rejoinder_socketio.engine.frames import BINARY, CLOSE, TEXT
from rejoinder_socketio.engine.server import EngineServer
from rejoinder_socketio.engine.tcp import TcpWebSocket, Turn

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HEADERS = {"sec-websocket-key": KEY, "sec-websocket-version": "13"}
WEBSOCKET = "EIO=4&transport=websocket"


class MemoryTransport(asyncio.Transport):
    """Keeps what is written; with `blocked` it does not go out."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: TcpWebSocket | None = None
        self.written: list[bytes] = []
        self.blocked = False
        self.aborted = False
        self.reading = True
        self._buffer = bytearray()
        self._closing = False

    def write(self, data: Any) -> None:
        assert not self.aborted
        self.written.append(bytes(data))
        if self.blocked:
            self._buffer += data
            if self.protocol is not None:
                self.protocol.pause_writing()

    def unblock(self) -> None:
        """The client reads again."""
        self.blocked = False
        self._buffer.clear()
        assert self.protocol is not None
        self.protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        return len(self._buffer)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            if not self._buffer:
                self._lose(None)

    def abort(self) -> None:
        if not self.aborted:
            lost = self._closing and not self._buffer
            self._closing = self.aborted = True
            if not lost:
                self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        assert self.protocol is not None
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, error)


class Wire:
    """A client at the other end of a `TcpWebSocket`."""

    def __init__(self, server: EngineServer) -> None:
        self.transport = MemoryTransport()
        self.connections: set[Any] = set()
        self.end = TcpWebSocket(server, self.transport, Turn(), self.connections)
        self.transport.protocol = self.end

    def begin(self, query: str = WEBSOCKET, headers: dict[str, str] | None = None) -> bytes:
        """Ask for a WebSocket; the answer as it is written."""
        self.end.begin("GET", query, HEADERS if headers is None else headers, "192.0.2.1")
        return self.transport.written.pop(0)

    def give(self, data: bytes) -> None:
        """Bytes come in, if any are read."""
        if self.transport.reading and not self.transport.is_closing():
            self.end.data_received(data)

    def say(self, *messages: str | bytes) -> None:
        """The client sends messages."""
        for message in messages:
            if isinstance(message, str):
                self.give(client_frame(TEXT, message.encode()))
            else:
                self.give(client_frame(BINARY, message))

    def frames(self) -> list[tuple[int, bytes]]:
        """The frames since the last time."""
        data = b"".join(self.transport.written)
        self.transport.written.clear()
        return server_frames(data)

    def heard(self) -> list[str | bytes | int]:
        """The same as messages; of a close frame the code."""
        return [
            payload.decode()
            if opcode == TEXT
            else int.from_bytes(payload[:2], "big")
            if opcode == CLOSE
            else payload
            for opcode, payload in self.frames()
        ]
