"""A Socket.IO client as small as can be: packets by hand over plain bytes, so that it costs less than any server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

import frames

T = TypeVar("T")

PATH = "/socket.io/?EIO=4&transport=websocket"
_END_OF_HEAD = b"\r\n\r\n"


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

    def notice(self, done: "asyncio.Future[Any]") -> None:
        """End the run where that has failed."""
        if not done.cancelled() and (error := done.exception()) is not None:
            self.fail(str(error) or repr(error))

    async def go_on(self, seconds: float) -> None:
        """Let it run for that long.

        Raises:
            Trouble: the run has failed.
        """
        await asyncio.wait({self._broken}, timeout=seconds)
        self._raise_if_broken()

    async def until(self, work: Awaitable[T], seconds: float, what: str) -> T:
        """Wait for that, and no longer.

        Raises:
            Trouble: the run has failed, or the time is over.
        """
        task = asyncio.ensure_future(work)
        both: set[asyncio.Future[Any]] = {task, self._broken}
        await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            # What failed in it is nearer to the cause than that a connection has failed, too.
            result = task.result()
            self._raise_if_broken()
            return result
        task.cancel()
        self._raise_if_broken()
        raise Trouble(f"{what} took more than {seconds:g} s")

    def _raise_if_broken(self) -> None:
        if self._broken.done():
            self._broken.result()


class Listener:
    """One who hears what a connection is told, and here pays no heed to it."""

    def recognise(self, _data: bytes, at: int) -> int:
        """Take the frames from that place on that are known already; where the first other one begins."""
        return at

    def hear(self, event: bytes, frame: bytes) -> None:
        """Take an event, and the frame that it came in."""


class Connection(asyncio.Protocol):
    """One client: connected with a token, its acks given to who waits, its events to its listener as bytes.

    What waits for it without end is ended by `Run`.
    """

    def __init__(self, run: Run, auth: bytes, listener: Listener) -> None:
        self._run = run
        self._auth = auth
        self._listener = listener
        self._acks: dict[int, Callable[[bytes], None]] = {}
        self._last_id = 0
        self._leaving = False
        self._upgraded = False
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self._let_in: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, url: str) -> None:
        """Connect, and be let in."""
        at = urlsplit(url)
        host, port = at.hostname or "", at.port or 0
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, host, port)
        transport.write(frames.upgrade(host, port, PATH))
        await self._let_in

    def close(self) -> None:
        """Go."""
        self._leaving = True
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # a transport of TCP is one

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._leaving:
            self._run.fail("the server closed a connection")

    def data_received(self, data: bytes) -> None:
        if self._leaving:
            return
        if self._rest:
            data, self._rest = self._rest + data, b""
        at = 0
        try:
            if not self._upgraded:
                at = self._upgrade(data)
            end = len(data)
            if self._upgraded:
                at = self._listener.recognise(data, at)
            while at < end and self._upgraded and not self._leaving:
                found = frames.bounds(data, at)
                if found is None:
                    break
                self._take(data, at, *found)
                at = self._listener.recognise(data, found[1])
        except Exception as error:  # noqa: BLE001 - the event loop would only log it
            self._run.fail(f"{error!r} at {data[at : at + 200]!r}")
        if at < len(data):
            self._rest = data[at:]

    def _upgrade(self, data: bytes) -> int:
        end = data.find(_END_OF_HEAD)
        if end < 0:
            return 0
        if not data.startswith(b"HTTP/1.1 101"):
            raise Trouble("no WebSocket was opened")
        self._upgraded = True
        return end + len(_END_OF_HEAD)

    def _take(self, data: bytes, at: int, begin: int, end: int) -> None:
        match data[at]:
            case frames.TEXT:
                packet = data[begin:end]
                if packet.startswith(b"42"):
                    self._listener.hear(packet, data[at:end])
                else:
                    self._take_packet(packet)
            case frames.PING:
                self._send(data[begin:end], frames.PONG)
            case kind:
                self._run.fail(f"the server sent a frame {kind:#x}: {data[begin:end][:200]!r}")

    def _take_packet(self, packet: bytes) -> None:
        match packet[:2]:
            case b"43":
                self._acks.pop(int(packet[2 : packet.index(b"[")]))(packet)
            case b"2":
                self._send(b"3")
            case b"0{":
                self._send(b"40" + self._auth)
            case b"40":
                settle(self._let_in, None)
            case _:
                self._run.fail(f"the server said {packet[:200]!r}")

    def _send(self, payload: bytes, kind: int = frames.TEXT) -> None:
        if self._transport is None:
            raise Trouble("a client sends that is not connected")
        self._transport.write(frames.frame(payload, kind))

    def send_event(self, event: bytes, on_ack: Callable[[bytes], None]) -> None:
        """Send an event, as the JSON of its name and payload; `on_ack` gets the packet that acknowledges it."""
        self._last_id += 1
        self._acks[self._last_id] = on_ack
        self._send(b"42%d%b" % (self._last_id, event))

    def emit(self, event: str, payload: Mapping[str, Any], on_ack: Callable[[bytes], None]) -> None:
        """Send an event; `on_ack` gets the packet that acknowledges it."""
        self.send_event(msgspec.json.encode([event, payload]), on_ack)

    async def call(self, event: str, payload: Mapping[str, Any]) -> bytes:
        """Send an event that must be acknowledged with success; the acknowledgement."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.emit(event, payload, lambda ack: settle(answer, ack))
        ack = await answer
        check_success(ack)
        return ack


def settle(future: "asyncio.Future[T]", result: T) -> None:
    """Give that to who waits, if they still do."""
    if not future.done():
        future.set_result(result)


def check_success(ack: bytes) -> None:
    """See that an acknowledgement is a good one.

    Raises:
        Trouble: it is not.
    """
    if b'"success":true' not in ack:
        raise Trouble(f"a refusal: {ack[:200]!r}")
