"""WebSockets straight on the transport of an event loop.

What is written to a client within one turn of the loop goes out in one system call, which costs more than all the rest.
"""

import asyncio
from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from rejoinder_socketio.engine import frames
from rejoinder_socketio.engine.frames import FrameError, FrameReader
from rejoinder_socketio.engine.packets import Outgoing
from rejoinder_socketio.engine.requests import (
    Rejection,
    accept_key,
    bad_request,
    check_origin,
    understood,
)
from rejoinder_socketio.engine.session import CloseReason, Session
from rejoinder_socketio.errors import ProtocolError

if TYPE_CHECKING:
    from rejoinder_socketio.engine.server import EngineServer

# What is written within one turn of the loop is held back up to this; then the transport must say whether it can be sent.
TURN_BYTES: Final = 64 * 1024
# So many frames of one client are taken in one turn of the loop, so that a heap of small ones does not hold up the others;
# there is no heap in so few bytes.
TURN_FRAMES: Final = 64
FEW_BYTES: Final = 1024
# What each message costs beyond its bytes while it waits.
MESSAGE_BYTES: Final = 64
_CODES: Final = {
    CloseReason.SHUTTING_DOWN: frames.GOING_AWAY,
    CloseReason.PARSE_ERROR: frames.PROTOCOL_ERROR,
    CloseReason.FLOOD: frames.POLICY,
    CloseReason.TOO_SLOW: frames.POLICY,
    CloseReason.NOT_CONNECTED: frames.POLICY,
    CloseReason.CROWDED_OUT: frames.POLICY,
    CloseReason.UNFINISHED: frames.POLICY,
}
# Nothing more is read from who is closed for these, not even a goodbye.
_AT_ONCE: Final = frozenset(
    {
        CloseReason.PARSE_ERROR,
        CloseReason.FLOOD,
        CloseReason.CROWDED_OUT,
        CloseReason.NOT_CONNECTED,
        CloseReason.UNFINISHED,
    }
)


class Turn:
    """The WebSockets that were written to within this turn of the event loop."""

    __slots__ = ("_written",)

    def __init__(self) -> None:
        self._written: list[TcpWebSocket] = []

    def add(self, websocket: "TcpWebSocket") -> None:
        """Flush that one when the turn is over."""
        if not self._written:
            asyncio.get_running_loop().call_soon(self._flush)
        self._written.append(websocket)

    def _flush(self) -> None:
        written, self._written = self._written, []
        for websocket in written:
            websocket.flush()


class TcpWebSocket(asyncio.Protocol):
    """One WebSocket: the way in and the way out."""

    __slots__ = (
        "_closed",
        "_connections",
        "_counted",
        "_held",
        "_late",
        "_left",
        "_paused",
        "_reader",
        "_server",
        "_session",
        "_size",
        "_timer",
        "_transport",
        "_turn",
        "_written",
        "congested",
    )

    def __init__(
        self,
        server: "EngineServer",
        transport: asyncio.Transport,
        turn: Turn,
        connections: set[Any],
    ) -> None:
        self._server = server
        self._transport = transport
        self._turn = turn
        self._written: list[bytes] = []
        self._size = 0
        self._connections = connections
        self._reader = FrameReader(server.options.max_payload, server.options.max_fragments)
        self._session: Session | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._left: Iterator[tuple[int, bytes]] | None = None
        self._late = 0
        self._counted = False
        self._closed = False
        self._held = False
        self._paused = False
        self.congested = False
        connections.add(self)

    def begin(self, method: str, query: str, headers: dict[str, str], address: str) -> None:
        """Answer the handshake, and open a session or begin an upgrade."""
        server = self._server
        try:
            request = understood("websocket", method, query.encode("latin-1"), headers, address)
            check_origin(headers, server.options)
            accept = accept_key(headers)
            if request.session_id:
                session = server.find(request.session_id)
                if not session.begin_upgrade(self):
                    raise bad_request()
                self._accept(accept)
                server.upgrading(session, self)
                self._session = session
            else:
                self._accept(accept)
                self._session = server.open(request, self)
        except Rejection as rejection:
            self._refuse(rejection)

    def _accept(self, accept: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
        )

    def _refuse(self, rejection: Rejection) -> None:
        self._closed = self.congested = True
        self._transport.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%b"
            % (
                rejection.status,
                HTTPStatus(rejection.status).phrase.encode(),
                len(rejection.body),
                rejection.body,
            )
        )
        self._leave()

    # --- in --------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        session = self._session
        if session is None:
            return
        if len(data) > FEW_BYTES or self._left is not None:
            self._take_in_turns(data)
            return
        now = self._server.now()
        try:
            for opcode, payload in self._reader.receive(data):
                if opcode == frames.TEXT and session.outlet is self and not self._closed:
                    session.receive_text(payload, now)
                else:
                    self._other(session, opcode, payload, now)
        except ProtocolError:
            self._end(session, CloseReason.PARSE_ERROR)
        except FrameError as error:
            self._broken(session, error)
        if self._counted or self._reader.held:
            self._count()

    def _count(self, left: int = 0) -> None:
        """Say how much is held of what is not whole, and of what is left for the next turns."""
        size = self._reader.held + (left if self._left is not None else 0)
        unfinished = self._server.unfinished
        if size and self._session is not None:
            self._counted = True
            unfinished.hold(self, size, self._give_up)
        elif self._counted:
            self._counted = False
            unfinished.release(self)

    def _give_up(self) -> None:
        session, self._counted = self._session, False
        if session is not None:
            self._end(session, CloseReason.UNFINISHED)

    def _take_in_turns(self, data: bytes) -> None:
        frames_ = self._reader.receive(data)
        if self._left is None:
            self._left = frames_
            self._take_turn()
        else:
            self._left = chain(self._left, frames_)
        self._count(len(data))

    def _take_turn(self) -> None:
        """Take some of the frames that are left, the others in the next turn of the loop; meanwhile nothing is read."""
        session, left = self._session, self._left
        if session is None or left is None or self._stands():
            return
        now = self._server.now()
        try:
            for _ in range(TURN_FRAMES):
                item = next(left, None)
                if item is None:
                    self._left = None
                    break
                opcode, payload = item
                if opcode == frames.TEXT and session.outlet is self and not self._closed:
                    session.receive_text(payload, now)
                else:
                    self._other(session, opcode, payload, now)
                if self._stands():
                    return
        except ProtocolError:
            self._end(session, CloseReason.PARSE_ERROR)
        except FrameError as error:
            self._broken(session, error)
        if self._stands():
            return
        if self._left is None:
            self._count()
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _stands(self) -> bool:
        return self._held or self._session is None

    def _other(self, session: Session, opcode: int, payload: bytes, now: float) -> None:
        if self._closed:
            # Nothing that a closed client says is heard, but for its goodbye.
            if opcode == frames.CLOSE:
                self._leave()
        elif opcode == frames.TEXT:
            session.receive_probe(payload)
        elif opcode == frames.BINARY and session.outlet is self:
            session.receive_binary(payload)
        elif opcode == frames.BINARY:
            session.drop_probe()
        else:
            self._control(session, opcode, payload, now)

    def _control(self, session: Session, opcode: int, payload: bytes, now: float) -> None:
        session.count(now)
        if self._closed:
            return
        if opcode == frames.PING:
            pong = _Pong(payload)
            if session.outlet is self:
                session.send(pong)
            else:
                self.write(pong)
        elif opcode == frames.CLOSE:
            self._closed = self.congested = True
            self.flush()
            self._transport.write(frames.frame(frames.CLOSE, payload[:2]))
            self._end(session, CloseReason.TRANSPORT_CLOSE)
            self._leave()

    def _broken(self, session: Session, error: FrameError) -> None:
        if self._closed:
            self._transport.abort()
            return
        self.flush()
        self._transport.write(frames.close_frame(error.code))
        self._closed = self.congested = True
        self._end(session, CloseReason.PARSE_ERROR)
        self._leave()

    def _leave(self) -> None:
        """Read nothing more, and close when all is sent, or not taken in time."""
        self._session = self._left = None
        self._reader.drop()
        self._count()
        self._transport.close()
        self._abort_later()

    def _abort_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(
                self._server.options.linger, self._transport.abort
            )

    def _end(self, session: Session, reason: CloseReason) -> None:
        if session.outlet is self:
            session.close(reason)
        elif session.probe is self:
            session.drop_probe()

    def eof_received(self) -> bool:
        # The transport is closed then, but not before all is sent, and perhaps nobody takes it.
        self._abort_later()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = self.congested = True
        self._written.clear()
        self._connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        session, self._session = self._session, None
        self._left = None
        self._count()
        if session is not None:
            lost = CloseReason.TRANSPORT_CLOSE if exc is None else CloseReason.TRANSPORT_ERROR
            self._end(session, lost)

    def pause_writing(self) -> None:
        self._paused = self.congested = True

    def resume_writing(self) -> None:
        self._paused, self.congested = False, self._closed
        if self._session is not None:
            self._session.drained()
        self._late = 0

    def shutdown(self) -> None:
        """Uvicorn ends; it waits for the transport to close."""
        if self._session is not None:
            self._session.close(CloseReason.SHUTTING_DOWN)
        if self._paused:
            # Its client does not read, and would be waited for.
            self._transport.abort()
        else:
            self._transport.close()

    # --- out -------------------------------------------------------------------------------------

    def write(self, message: Outgoing) -> None:
        frames = message.frames
        if not self._written:
            self._turn.add(self)
        self._written.append(frames)
        self._size += len(frames)
        if self._size > TURN_BYTES:
            self.flush()
        if self._paused:
            self._late += MESSAGE_BYTES

    def flush(self) -> None:
        """Hand over to the transport what was written."""
        written = self._written
        if written:
            self._transport.write(written[0] if len(written) == 1 else b"".join(written))
            self._size = 0
            written.clear()

    def waiting(self) -> int:
        return self._transport.get_write_buffer_size() + self._size + self._late

    def retire(self) -> list[Outgoing]:
        return []

    def hold_reading(self) -> None:
        self._held = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        held, self._held = self._held, False
        if not held or self._transport.is_closing():
            return
        if self._left is None:
            self._transport.resume_reading()
        else:
            asyncio.get_running_loop().call_soon(self._take_turn)

    def close(self, reason: CloseReason) -> None:
        if self._closed:
            return
        self._closed = self.congested = True
        if reason is CloseReason.TOO_SLOW:
            self._written.clear()
            self._transport.abort()
            return
        self.flush()
        self._transport.write(frames.close_frame(_CODES.get(reason, frames.NORMAL)))
        if reason in _AT_ONCE:
            self._leave()
        else:
            self.resume_reading()
            self._abort_later()


class _Pong(Outgoing):
    """The answer to a ping frame."""

    __slots__ = ()

    @property
    def frames(self) -> bytes:
        return frames.frame(frames.PONG, self.packet)
