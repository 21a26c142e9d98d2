"""A client's side of HTTP and WebSocket by hand, so that it can do what no client would."""

import asyncio
import json
import socket
from typing import Any, Self

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GONE = -1
"""In the place of a close code: the connection ended without one."""
PATH = "/socket.io/?EIO=4&transport="
SECONDS = 20.0


def frame(opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0) -> bytes:
    """A masked frame; the mask is of zeros, so that the payload stands as it is."""
    return head(opcode, len(payload), fin=fin, rsv=rsv) + payload


def head(opcode: int, size: int, *, fin: bool = True, rsv: int = 0) -> bytes:
    """What comes before the payload of a frame."""
    first = opcode | rsv | (0x80 if fin else 0)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 0x10000:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes((first,)) + length + bytes(4)


def text(packet: str | bytes) -> bytes:
    """A text frame."""
    return frame(TEXT, packet.encode() if isinstance(packet, str) else packet)


def handshake(query: str = "", more: str = "") -> bytes:
    """The request for a WebSocket."""
    return (
        f"GET {PATH}websocket{query} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Sec-WebSocket-Version: 13\r\n{more}\r\n"
    ).encode()


class Pipe:
    """A TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int, *, window: int | None = None) -> Self:
        """Connect; with `window`, a receive buffer of about that size."""
        if window is None:
            return cls(*await asyncio.open_connection("127.0.0.1", port))
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        plain.setblocking(False)  # noqa: FBT003
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=plain, limit=window))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.writer.transport.abort()

    async def send(self, data: bytes) -> bool:
        """Send it, and wait until it is on its way; False if the connection has ended."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            return False
        return not self.writer.transport.is_closing()

    async def response(self) -> tuple[int, dict[str, str], bytes]:
        """The next response: its status, headers and body."""
        async with asyncio.timeout(SECONDS):
            first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            headers = {
                name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
            }
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
            return int(first.split()[1]), headers, body

    async def ended(self, seconds: float = SECONDS) -> bytes:
        """Read until the server has ended the connection: what came before."""
        parts: list[bytes] = []
        async with asyncio.timeout(seconds):
            try:
                while part := await self.reader.read(65536):
                    parts.append(part)
            except ConnectionError:
                pass
        return b"".join(parts)


class WebSocket(Pipe):
    """A WebSocket."""

    session_id = ""
    headers: dict[str, str]

    @classmethod
    async def join(
        cls,
        port: int,
        connect: str | None = "40",
        *,
        window: int | None = None,
        query: str = "",
        more: str = "",
    ) -> Self:
        """Open a session, and connect to a namespace."""
        self = await cls.open(port, window=window)
        await self.send(handshake(query, more))
        status, self.headers, _ = await self.response()
        assert status == 101, status
        if query:
            return self
        opened = await self.packet()
        assert opened[:1] == b"0", opened
        self.session_id = json.loads(opened[1:])["sid"]
        if connect is not None:
            await self.send(text(connect))
            answer = await self.packet()
            assert answer.startswith(b"40"), answer
        return self

    async def frame(self) -> tuple[int, bytes]:
        """The next frame."""
        first, size = await self.reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.reader.readexactly(8), "big")
        return first & 0xF, await self.reader.readexactly(size)

    async def packet(self) -> bytes:
        """The next text that is no ping."""
        async with asyncio.timeout(SECONDS):
            while True:
                opcode, payload = await self.frame()
                if opcode == TEXT and payload == b"2":
                    self.writer.write(text("3"))
                elif opcode == TEXT:
                    return payload
                elif opcode == CLOSE:
                    raise ConnectionResetError(payload)

    async def code(self, seconds: float = SECONDS) -> int:
        """Read until the server has ended the connection: the code of its close frame."""
        code = GONE
        try:
            async with asyncio.timeout(seconds):
                while True:
                    opcode, payload = await self.frame()
                    if opcode == CLOSE:
                        code = int.from_bytes(payload[:2], "big")
        except (asyncio.IncompleteReadError, ConnectionError):
            return code

    async def call(self, number: int, *arguments: Any) -> Any:
        """Send an event; the arguments of its acknowledgement."""
        await self.send(text(f"42{number}{json.dumps(arguments)}"))
        start = b"43%d[" % number
        while not (packet := await self.packet()).startswith(start):
            pass
        return json.loads(packet[len(start) - 1 :])


def request(method: str, query: str, body: bytes = b"", more: str = "") -> bytes:
    """A long-polling request."""
    length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
    return (
        f"{method} {PATH}polling{query} HTTP/1.1\r\nHost: localhost\r\n{length}{more}\r\n".encode()
        + body
    )


class Polling(Pipe):
    """A polled session: one TCP connection, on which one request follows the other."""

    session_id = ""

    @classmethod
    async def join(cls, port: int, connect: str | None = "40") -> Self:
        """Open a session, and connect to a namespace."""
        self = await cls.open(port)
        await self.send(request("GET", ""))
        status, _, body = await self.response()
        assert status == 200, (status, body)
        self.session_id = json.loads(body[1:])["sid"]
        if connect is not None:
            assert await self.post(connect.encode()) == 200
            assert (await self.get()).startswith(b"40")
        return self

    async def post(self, body: bytes) -> int:
        """Bring packets; the status."""
        await self.send(request("POST", f"&sid={self.session_id}", body))
        return (await self.response())[0]

    async def get(self) -> bytes:
        """Wait for packets."""
        await self.send(request("GET", f"&sid={self.session_id}"))
        status, _, body = await self.response()
        assert status == 200, (status, body)
        return body
