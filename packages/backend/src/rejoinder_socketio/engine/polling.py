"""Long polling over ASGI: a GET waits for packets, a POST brings some."""

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final

from rejoinder_socketio.engine.holding import Holding
from rejoinder_socketio.engine.packets import OVERHEAD, SEPARATOR, Outgoing, split
from rejoinder_socketio.engine.pieces import SHORT, Pieces
from rejoinder_socketio.engine.requests import (
    LENGTH_REQUIRED,
    TIMED_OUT,
    TOO_LARGE,
    Rejection,
    Request,
    bad_request,
    cors_headers,
)
from rejoinder_socketio.engine.session import CloseReason, Phase, Session
from rejoinder_socketio.errors import ProtocolError

if TYPE_CHECKING:
    from rejoinder_socketio.asgi import Receive, Send
    from rejoinder_socketio.engine.server import EngineServer

# python-socketio's client drops a body of more packets than this.
PACKETS_PER_POLL: Final = 16
# Of a body with very many packets so many are taken before others have their turn.
PACKETS_PER_TURN: Final = 64
# A client waits for its GET to end before it upgrades.
UPGRADING_SECONDS: Final = 0.1

_CLOSE: Final = Outgoing(b"1")
_NOOP: Final = b"6"
# The client is to come back by itself, which that of python-socketio does not do after a packet that closes.
_LOST: Final = frozenset(
    {CloseReason.TRANSPORT_CLOSE, CloseReason.SHUTTING_DOWN, CloseReason.PING_TIMEOUT}
)


class PollingOutlet(Holding):
    """What waits for the next GET."""

    __slots__ = ("_closed", "_queue", "_size", "_waiter", "polled", "posted")

    congested = True

    def __init__(self) -> None:
        super().__init__()
        self._queue: deque[Outgoing] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self.polled = False
        self.posted = False

    @property
    def lingers(self) -> bool:
        """Whether it is closed, and holds what the client should still see."""
        return self._closed and bool(self._queue)

    def write(self, message: Outgoing) -> None:
        self._queue.append(message)
        self._size += message.size + OVERHEAD
        self.wake()

    def waiting(self) -> int:
        return self._size

    def retire(self) -> list[Outgoing]:
        messages = list(self._queue)
        self._end()
        return messages

    def close(self, reason: CloseReason) -> None:
        told = reason is CloseReason.SERVER_LEFT or (self.polled and reason not in _LOST)
        if told:
            self.write(_CLOSE)
        if told or reason is CloseReason.SHUTTING_DOWN:
            self._closed = True
            self.wake()
            self.resume_reading()
        else:
            self._end()

    def _end(self) -> None:
        self._queue.clear()
        self._size = 0
        self._closed = True
        self.wake()
        self.resume_reading()

    def wake(self) -> None:
        """Let the GET that waits look again."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def wait(self, session: Session) -> None:
        """Return when there is something to answer a GET with, or nothing will come."""
        while not self._queue and not self._closed:
            self._waiter = asyncio.get_running_loop().create_future()
            if session.phase is Phase.UPGRADING:
                await asyncio.wait((self._waiter,), timeout=UPGRADING_SECONDS)
                return
            await self._waiter

    def take(self) -> bytes:
        """The body for a GET."""
        parts: list[bytes] = []
        packets = 0
        while self._queue and (
            not parts or packets + 1 + len(self._queue[0].attachments) <= PACKETS_PER_POLL
        ):
            message = self._queue.popleft()
            self._size -= message.size + OVERHEAD
            packets += 1 + len(message.attachments)
            parts.append(message.body)
        return SEPARATOR.join(parts) if parts else _NOOP


async def poll(session: Session, outlet: PollingOutlet, receive: "Receive") -> bytes:
    """Wait for packets; the body for this GET.

    Raises:
        Rejection: another GET waits already; the session has ended.
        ConnectionResetError: the client has gone; the session has ended.
    """
    if outlet.polled:
        session.close(CloseReason.TRANSPORT_ERROR)
        raise bad_request()
    outlet.polled = True
    waiting = asyncio.ensure_future(outlet.wait(session))
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((waiting, gone), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            session.close(CloseReason.TRANSPORT_CLOSE)
            raise ConnectionResetError
        body = outlet.take()
        if not outlet.waiting():
            session.drained()
        return body
    finally:
        outlet.polled = False
        waiting.cancel()
        gone.cancel()


async def _gone(receive: "Receive") -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def take_post(
    server: "EngineServer",
    session: Session,
    outlet: PollingOutlet,
    request: Request,
    receive: "Receive",
) -> None:
    """Hand over the packets of a POST, and wait while the application has enough of them.

    Raises:
        Rejection: there was another POST under way, or this one can't be understood; the session has ended. Or it is
            too long, or takes too long.
        ConnectionResetError: the client has gone.
    """
    if outlet.posted:
        session.close(CloseReason.TRANSPORT_ERROR)
        raise bad_request()
    outlet.posted = True
    try:
        body = await read_body(server, request, receive, outlet)
        if len(body) >= SHORT:
            give_up = partial(session.close, CloseReason.UNFINISHED)
            server.unfinished.hold(outlet, len(body), give_up)
        else:
            server.unfinished.release(outlet)
        for number, packet in enumerate(split(body), 1):
            if session.phase is Phase.CLOSED:
                return
            if number % PACKETS_PER_TURN == 0:
                await asyncio.sleep(0)
            if isinstance(packet, bytearray):
                session.receive_binary(bytes(packet))
            else:
                session.receive_text(packet, server.now())
            await outlet.readable()
    except ProtocolError as error:
        session.close(CloseReason.PARSE_ERROR)
        raise bad_request() from error
    finally:
        server.unfinished.release(outlet)
        outlet.posted = False


async def read_body(
    server: "EngineServer", request: Request, receive: "Receive", holder: object
) -> bytes:
    """The body of a request; what is held of it is counted for `holder`.

    Raises:
        Rejection: it is too long, or does not say how long it is; it takes longer than a client may be silent, or others
            need the room.
        ConnectionResetError: the client has gone.
    """
    limit = server.options.max_payload
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()):
        raise Rejection(3, "Length required", LENGTH_REQUIRED)
    if len(length) > len(str(limit)) or int(length) > limit:
        raise Rejection(3, "Payload too large", TOO_LARGE)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        return message.get("body", b"")  # type: ignore[no-any-return]
    body = Pieces()
    try:
        seconds = server.options.ping_interval + server.options.ping_timeout
        async with asyncio.timeout(seconds) as deadline:

            def give_up() -> None:
                if not deadline.expired():
                    deadline.reschedule(0)

            while message["type"] != "http.disconnect":
                body.add(message.get("body", b""))
                if not message.get("more_body", False):
                    return body.take()
                server.unfinished.hold(holder, body.size, give_up)
                message = await receive()
    except TimeoutError:
        raise Rejection(3, "Request timeout", TIMED_OUT) from None
    raise ConnectionResetError


async def answer(
    request: Request,
    send: "Send",
    body: bytes,
    *,
    status: int = 200,
    kind: bytes = b"text/plain; charset=UTF-8",
    more: "list[tuple[bytes, bytes]] | None" = None,
) -> None:
    """Send an answer."""
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *cors_headers(request.headers),
        *(more or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
