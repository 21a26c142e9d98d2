"""HTTP with bounds, without a network."""

import asyncio
from typing import Any

import pytest
import uvicorn
from tests.socket_io.in_memory import settle, virtual
from uvicorn.server import ServerState

from rejoinder_socketio import Options
from rejoinder_socketio.engine.http import BoundedHttps
from rejoinder_socketio.engine.unfinished import Unfinished

MAX_HEAD = 1000
TIMEOUT = 20.0
LONG = b"x" * (2 * MAX_HEAD)


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.waiting = 0
        self.closed = self.aborted = False

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True


async def echo(_scope: Any, receive: Any, send: Any) -> None:
    """An app that answers with the length of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"<%d>" % size})


def protocol_on(transport: Transport) -> Any:
    """The protocol of a connection."""
    config = uvicorn.Config(echo, lifespan="off")
    config.load()
    options = Options(max_head=MAX_HEAD, head_timeout=TIMEOUT)
    make: Any = BoundedHttps(options, Unfinished(10**6))
    protocol = make(config, ServerState(), {})
    protocol.connection_made(transport)
    return protocol


async def answers(*parts: bytes) -> bytes:
    """What is answered to what comes in these parts."""
    transport = Transport()
    protocol = protocol_on(transport)
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


@virtual
async def test_who_takes_nothing_of_an_answer_is_not_waited_for() -> None:
    transport = Transport()
    protocol = protocol_on(transport)
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
    transport.waiting = 100_000
    protocol.pause_writing()
    for left in (90_000, 50_000, 10_000):
        await asyncio.sleep(TIMEOUT - 1)
        transport.waiting = left
        if left < 50_000:
            protocol.resume_writing()
    await asyncio.sleep(TIMEOUT - 1)
    assert not transport.aborted
    await asyncio.sleep(2)
    assert transport.aborted


@virtual
async def test_nor_who_takes_nothing_of_the_last_one() -> None:
    transport = Transport()
    protocol = protocol_on(transport)
    transport.waiting = 100
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await asyncio.sleep(TIMEOUT - 1)
    assert transport.closed
    assert not transport.aborted
    await asyncio.sleep(2)
    assert transport.aborted
