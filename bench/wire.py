"""A Socket.IO client as small as can be: packets by hand over picows, so that it costs less than any server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

T = TypeVar("T")

CALL_SECONDS = 60.0
READ_BUFFER = 4096


class Trouble(Exception):
    """A server did not do what it must, so that its figures are worth nothing."""


class Run:
    """What the connections of one run share: whether it still holds."""

    def __init__(self) -> None:
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, why: str) -> None:
        """End the run; the first reason counts."""
        if not self._broken.done():
            self._broken.set_exception(Trouble(why))

    async def go_on(self, seconds: float) -> None:
        """Let it run for that long.

        Raises:
            Trouble: the run has failed.
        """
        await asyncio.wait({self._broken}, timeout=seconds)
        if self._broken.done():
            self._broken.result()

    async def until(self, work: Awaitable[T], seconds: float, what: str) -> T:
        """Wait for that, and no longer.

        Raises:
            Trouble: the run has failed, or the time is over.
        """
        task = asyncio.ensure_future(work)
        both: set[asyncio.Future[Any]] = {task, self._broken}
        await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._broken.done():
            task.cancel()
            self._broken.result()
        if not task.done():
            task.cancel()
            raise Trouble(f"{what} took more than {seconds:g} s")
        return task.result()


class Connection(WSListener):
    """One client: connected with a token, its acks given to who waits, its events to `on_event` as bytes."""

    def __init__(self, run: Run, auth: bytes, on_event: Callable[[bytes], None]) -> None:
        self._run = run
        self._auth = auth
        self._on_event = on_event
        self._acks: dict[int, Callable[[bytes], None]] = {}
        self._last_id = 0
        self._leaving = False
        self._transport: WSTransport | None = None
        self._let_in: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, url: str) -> None:
        """Connect, and be let in."""
        address = f"ws{url.removeprefix('http')}/socket.io/?EIO=4&transport=websocket"
        await ws_connect(
            lambda: self,
            address,
            websocket_handshake_timeout=CALL_SECONDS,
            read_buffer_init_size=READ_BUFFER,
        )
        await self._run.until(self._let_in, CALL_SECONDS, "a connect")

    def close(self) -> None:
        """Go."""
        self._leaving = True
        if self._transport is not None:
            self._transport.disconnect()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        if not self._leaving:
            self._run.fail("the server closed a connection")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if self._leaving:
            return
        data = frame.get_payload_as_bytes()
        try:
            if data.startswith(b"42"):
                self._on_event(data)
            else:
                self._take(transport, data)
        except Exception as error:  # noqa: BLE001 - picows would only log it
            self._run.fail(f"{error!r} at {data[:200]!r}")

    def _take(self, transport: WSTransport, data: bytes) -> None:
        match data[:2]:
            case b"43":
                self._acks.pop(int(data[2 : data.index(b"[")]))(data)
            case b"2":
                transport.send(WSMsgType.TEXT, b"3")
            case b"0{":
                transport.send(WSMsgType.TEXT, b"40" + self._auth)
            case b"40":
                self._let_in.set_result(None)
            case _:
                self._run.fail(f"the server said {data[:200]!r}")

    def emit(self, event: str, payload: Mapping[str, Any], on_ack: Callable[[bytes], None]) -> None:
        """Send an event; `on_ack` gets the packet that acknowledges it."""
        if self._transport is None:
            raise Trouble("a client sends that is not connected")
        self._last_id += 1
        self._acks[self._last_id] = on_ack
        packet = b'42%d["%s",%s]' % (self._last_id, event.encode(), msgspec.json.encode(payload))
        self._transport.send(WSMsgType.TEXT, packet)

    async def call(self, event: str, payload: Mapping[str, Any]) -> None:
        """Send an event that must be acknowledged with success."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.emit(event, payload, answer.set_result)
        check_success(await self._run.until(answer, CALL_SECONDS, f"an ack of {event}"))


def check_success(ack: bytes) -> None:
    """See that an acknowledgement is a good one.

    Raises:
        Trouble: it is not.
    """
    if b'"success":true' not in ack:
        raise Trouble(f"a refusal: {ack[:200]!r}")
