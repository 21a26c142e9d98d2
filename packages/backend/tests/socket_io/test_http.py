"""HTTP with bounds, without a network."""

import asyncio
from typing import Any

import pytest
import uvicorn
from tests.socket_io.in_memory import settle
from uvicorn.server import ServerState

from rejoinder_socketio import Options
from rejoinder_socketio.engine.http import BoundedHttps
from rejoinder_socketio.engine.unfinished import Unfinished

MAX_HEAD = 1000
LONG = b"x" * (2 * MAX_HEAD)


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


async def echo(_scope: Any, receive: Any, send: Any) -> None:
    """An app that answers with the length of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"<%d>" % size})


async def answers(*parts: bytes) -> bytes:
    """What is answered to what comes in these parts."""
    config = uvicorn.Config(echo, lifespan="off")
    config.load()
    make: Any = BoundedHttps(Options(max_head=MAX_HEAD), Unfinished(10**6))
    transport = Transport()
    protocol = make(config, ServerState(), {})
    protocol.connection_made(transport)
    for part in parts:
        protocol.data_received(part)
        await settle()
    protocol.connection_lost(None)
    return transport.written


@pytest.mark.parametrize("at", [1, 10, 30])
async def test_a_head_may_come_with_the_long_body_before_it(at: int) -> None:
    post = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(LONG), LONG)
    get = b"GET /b HTTP/1.1\r\nHost: example.org\r\n\r\n"
    answer = await answers(post + get[:at], get[at:])
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(b"<2000>") == answer.count(b"<0>") == 1


@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
@pytest.mark.parametrize("at", [50, MAX_HEAD, len(LONG)])
async def test_a_head_that_is_too_long_is_refused(before: bytes, at: int) -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + LONG
    answer = await answers(before, head[:at], head[at:])
    assert answer.count(b"HTTP/1.1 400 Bad Request") == 1
