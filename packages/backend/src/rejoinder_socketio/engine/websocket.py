"""WebSockets over ASGI, wherever `TcpWebSockets` can't be given to the HTTP server."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from rejoinder_socketio.engine import frames
from rejoinder_socketio.engine.holding import Holding
from rejoinder_socketio.engine.packets import OVERHEAD, Outgoing
from rejoinder_socketio.engine.requests import Rejection, bad_request, check_origin, understood
from rejoinder_socketio.engine.session import CloseReason, Session
from rejoinder_socketio.errors import ProtocolError

if TYPE_CHECKING:
    from rejoinder_socketio.asgi import Message, Receive, Scope, Send
    from rejoinder_socketio.engine.server import EngineServer


class AsgiWebSocket(Holding):
    """One WebSocket; a task sends what is written."""

    __slots__ = ("_closing", "_queue", "_ready", "_size", "closed", "congested")

    def __init__(self) -> None:
        super().__init__()
        self._queue: deque[Outgoing] = deque()
        self._size = 0
        self._ready = asyncio.Event()
        self._closing: CloseReason | None = None
        self.closed = asyncio.Event()
        self.congested = True

    def write(self, message: Outgoing) -> None:
        self._queue.append(message)
        self._size += message.size + OVERHEAD
        self._ready.set()

    def waiting(self) -> int:
        return self._size

    def retire(self) -> list[Outgoing]:
        return []

    def close(self, reason: CloseReason) -> None:
        self._closing = self._closing or reason
        if reason is CloseReason.TOO_SLOW:
            self._queue.clear()
        self.closed.set()
        self._ready.set()
        self.resume_reading()

    async def run(self, send: "Send", session: Session) -> None:
        """Send what is written, until it is closed."""
        while True:
            while self._queue:
                message = self._queue.popleft()
                for data in message.messages:
                    kind = "text" if isinstance(data, str) else "bytes"
                    await send({"type": "websocket.send", kind: data})
                self._size -= message.size + OVERHEAD
            if session.outlet is self:
                session.drained()
            if self._queue:
                continue
            if self._closing is not None:
                await send({"type": "websocket.close", "code": frames.NORMAL})
                return
            self._ready.clear()
            await self._ready.wait()


async def serve(server: "EngineServer", scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Serve one WebSocket to its end."""
    await receive()
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    outlet = AsgiWebSocket()
    try:
        address = str((scope.get("client") or ("",))[0])
        request = understood("websocket", "GET", scope["query_string"], headers, address)
        check_origin(headers, server.options)
        known = server.find(request.session_id) if request.session_id else None
        if known is not None and not known.begin_upgrade(outlet):
            raise bad_request()
    except Rejection as rejection:
        await _refuse(scope, send, rejection)
        return
    try:
        await send({"type": "websocket.accept"})
    except BaseException:
        if known is not None:
            _end(known, outlet, CloseReason.TRANSPORT_CLOSE)
        raise
    if known is None:
        session = server.open(request, outlet)
    else:
        session = known
        server.upgrading(session, outlet)
    writing = asyncio.ensure_future(outlet.run(send, session))
    reading = asyncio.ensure_future(_read(server, session, outlet, receive))
    closed = asyncio.ensure_future(outlet.closed.wait())
    try:
        await asyncio.wait((reading, writing, closed), return_when=asyncio.FIRST_COMPLETED)
        if not writing.done():
            # Its client may not read; then it is not waited for much longer.
            await asyncio.wait((writing,), timeout=server.options.linger)
    finally:
        _end(session, outlet, CloseReason.TRANSPORT_CLOSE)
        closed.cancel()
        reading.cancel()
        writing.cancel()
        await asyncio.wait((reading, writing))
        for task in (reading, writing):
            if not task.cancelled():
                task.exception()


async def _read(
    server: "EngineServer", session: Session, outlet: AsgiWebSocket, receive: "Receive"
) -> None:
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            _end(session, outlet, CloseReason.TRANSPORT_CLOSE)
            return
        try:
            _take(server, session, outlet, message)
        except (ProtocolError, UnicodeEncodeError):
            _end(session, outlet, CloseReason.PARSE_ERROR)
        await outlet.readable()


def _take(
    server: "EngineServer", session: Session, outlet: AsgiWebSocket, message: "Message"
) -> None:
    text: str | None = message.get("text")
    packet: bytes = message["bytes"] if text is None else text.encode()
    if len(packet) > server.options.max_payload:
        raise ProtocolError("a message is too big")
    if session.outlet is not outlet:
        session.receive_probe(packet if text is not None else b"")
    elif text is not None:
        session.receive_text(packet, server.now())
    else:
        session.receive_binary(packet)


def _end(session: Session, outlet: AsgiWebSocket, reason: CloseReason) -> None:
    if session.outlet is outlet:
        session.close(reason)
    elif session.probe is outlet:
        session.drop_probe()


async def _refuse(scope: "Scope", send: "Send", rejection: Rejection) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    await send(
        {
            "type": "websocket.http.response.start",
            "status": rejection.status,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "websocket.http.response.body", "body": rejection.body})
