"""One Engine.IO session, without I/O: packets in, messages and packets out, and what is due when.

What a packet means depends on the phase:

| phase | message | pong | close | 2probe | upgrade | anything else |
|---|---|---|---|---|---|---|
| POLLING | delivered | counts | ends it | | | protocol error |
| UPGRADING, on the old transport | delivered | counts | ends it | | | protocol error |
| UPGRADING, on the new one | | | | answered once | WEBSOCKET | the new one is dropped |
| WEBSOCKET | delivered | counts | ends it | | | protocol error |
| CLOSED | | | | | | nothing is heard |

Source: Engine.IO protocol, revision 4. Times are monotonic seconds.
"""

from asyncio import TimerHandle
from collections.abc import Callable, Mapping
from enum import Enum, StrEnum, auto
from typing import Any, Final, Protocol

from rejoinder_socketio.engine import packets
from rejoinder_socketio.engine.packets import Outgoing
from rejoinder_socketio.engine.requests import Request
from rejoinder_socketio.errors import ProtocolError
from rejoinder_socketio.options import Options

# A tick that comes so late was held up: the process was stopped, or busy. What clients sent meanwhile is not read yet.
LATE_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 2.0
CONTROL_BURST: Final = 10.0

_PING: Final = Outgoing(b"2")
_PROBE: Final = b"2probe"
_PROBED: Final = Outgoing(b"3probe")
_UPGRADE: Final = b"5"


class Phase(Enum):
    """Where a session is."""

    # It is looked up with every packet, and that of `Enum` is written in Python.
    __hash__ = object.__hash__

    POLLING = auto()
    UPGRADING = auto()
    WEBSOCKET = auto()
    CLOSED = auto()


class CloseReason(StrEnum):
    """Why a session, or a connection on it, has ended; the names are those of Socket.IO where it has one."""

    TRANSPORT_CLOSE = "transport close"
    TRANSPORT_ERROR = "transport error"
    PING_TIMEOUT = "ping timeout"
    PARSE_ERROR = "parse error"
    CLIENT_LEFT = "client namespace disconnect"
    SERVER_LEFT = "server namespace disconnect"
    SHUTTING_DOWN = "server shutting down"
    NOT_CONNECTED = "connect timeout"
    CROWDED_OUT = "too many sessions without a namespace"
    TOO_SLOW = "too slow"
    FLOOD = "too many control packets"
    UNFINISHED = "too much that was not finished"


class Outlet(Protocol):
    """The way to a client over one transport."""

    congested: bool
    """Whether something may wait in it; while it is False, what is written is on its way."""

    def write(self, message: Outgoing) -> None:
        """Send that, after all that was written before."""
        ...

    def waiting(self) -> int:
        """Bytes that the network has not taken yet."""
        ...

    def retire(self) -> list[Outgoing]:
        """Another transport takes over: what was written and has not gone out."""
        ...

    def hold_reading(self) -> None:
        """Take nothing more from the client for now."""
        ...

    def resume_reading(self) -> None:
        """Go on reading."""
        ...

    def close(self, reason: CloseReason) -> None:
        """Send what was written, then end."""
        ...


class SessionHandler(Protocol):
    """Who is told of what happens on a session."""

    def on_text(self, session: "Session", packet: bytes) -> None:
        """A text message; `packet` is the whole packet, its type first.

        Raises:
            ProtocolError: it can't be understood; the session ends.
        """
        ...

    def on_binary(self, session: "Session", data: bytes) -> None:
        """A binary message.

        Raises:
            ProtocolError: it can't be understood; the session ends.
        """
        ...

    def on_close(self, session: "Session", reason: CloseReason) -> None:
        """The session has ended; nothing comes after this."""
        ...

    def on_drained(self, session: "Session") -> None:
        """The client reads again, after volatile messages were left out for it."""
        ...

    def on_slow(self, session: "Session") -> None:
        """The client does not read: half of what may wait for it waits."""
        ...


class Step(Enum):
    """What a packet does."""

    DELIVER = auto()
    COUNT = auto()
    END = auto()


_HEARD: Final[Mapping[int, Step]] = {
    packets.MESSAGE: Step.DELIVER,
    packets.PONG: Step.COUNT,
    packets.CLOSE: Step.END,
}
STEPS: Final[Mapping[Phase, Mapping[int, Step]]] = {
    Phase.POLLING: _HEARD,
    Phase.UPGRADING: _HEARD,
    Phase.WEBSOCKET: _HEARD,
    Phase.CLOSED: {},
}


class Session:
    """A client as Engine.IO sees it.

    `state` is the application's, `timer` the server's. `deadline` is when `tick` is to be called; it may move to later at any time.

    Args:
        forget: called with the session when it has ended, before its handler is told.
    """

    __slots__ = (
        "_allowance",
        "_allowed_at",
        "_awaiting_pong",
        "_forget",
        "_handler",
        "_missed",
        "_ping_at",
        "_probed",
        "_slow",
        "claim_by",
        "id",
        "options",
        "outlet",
        "phase",
        "probe",
        "probe_timer",
        "request",
        "state",
        "timer",
    )

    def __init__(
        self,
        session_id: str,
        request: Request,
        options: Options,
        handler: SessionHandler,
        outlet: Outlet,
        now: float,
        forget: Callable[["Session"], None],
    ) -> None:
        self.id = session_id
        self.request = request
        self.outlet = outlet
        self.phase = Phase.WEBSOCKET if request.transport == "websocket" else Phase.POLLING
        self.probe: Outlet | None = None
        self.probe_timer: TimerHandle | None = None
        self.state: Any = None
        self.timer: TimerHandle | None = None
        self.claim_by: float | None = now + options.connect_timeout
        self.options = options
        self._handler = handler
        self._forget = forget
        self._ping_at = now + options.ping_interval
        self._awaiting_pong = False
        self._probed = False
        self._slow = False
        self._missed = False
        self._allowance = CONTROL_BURST * options.control_rate
        self._allowed_at = now

    @property
    def deadline(self) -> float:
        """When something is due at the latest."""
        return self._ping_at if self.claim_by is None else min(self._ping_at, self.claim_by)

    # --- in --------------------------------------------------------------------------------------

    def receive_text(self, packet: bytes, now: float) -> None:
        """A text packet, from the transport that is in use.

        Raises:
            ProtocolError: it can't be understood; the session is to be closed.
        """
        step = STEPS[self.phase].get(packet[0]) if packet else None
        if step is Step.DELIVER:
            self._handler.on_text(self, packet)
        elif step is Step.COUNT:
            self.count(now)
            if self.phase is not Phase.CLOSED:
                self._awaiting_pong = False
                self._ping_at = now + self.options.ping_interval
        elif step is Step.END:
            self.close(CloseReason.TRANSPORT_CLOSE)
        elif self.phase is not Phase.CLOSED:
            raise ProtocolError("a packet that can't be here")

    def receive_binary(self, data: bytes) -> None:
        """A binary message, from the transport that is in use.

        Raises:
            ProtocolError: it can't be understood; the session is to be closed.
        """
        if self.phase is not Phase.CLOSED:
            self._handler.on_binary(self, data)

    def receive_probe(self, packet: bytes) -> None:
        """A text packet from the WebSocket that is to take over."""
        if self.phase is not Phase.UPGRADING or self.probe is None:
            return
        if packet == _PROBE and not self._probed:
            self._probed = True
            self.probe.write(_PROBED)
        elif packet == _UPGRADE:
            self._take_over(self.probe)
        else:
            self.drop_probe()

    def count(self, now: float) -> None:
        """A control packet, or a control frame, has come in; a flood of them ends the session."""
        rate = self.options.control_rate
        gained = (now - self._allowed_at) * rate
        self._allowed_at = now
        self._allowance = min(self._allowance + gained, CONTROL_BURST * rate) - 1
        if self._allowance < 0:
            self.close(CloseReason.FLOOD)

    # --- out -------------------------------------------------------------------------------------

    def send(self, message: Outgoing, *, volatile: bool = False) -> None:
        """Send a message; what waits for a client that does not read has a bound."""
        outlet = self.outlet
        if not outlet.congested:
            outlet.write(message)
        elif self.phase is not Phase.CLOSED:
            self._send_slowly(outlet, message, volatile=volatile)

    def _send_slowly(self, outlet: Outlet, message: Outgoing, *, volatile: bool) -> None:
        limit = self.options.max_waiting
        waiting = outlet.waiting()
        after = waiting + message.size
        if waiting < limit // 4:
            # It keeps up: it is sent whatever it is, even if that alone is more than the limit.
            self.drained()
        elif volatile:
            self._missed = True
            return
        elif after > limit:
            self.close(CloseReason.TOO_SLOW)
            return
        outlet.write(message)
        if after >= limit // 2 and not self._slow:
            self._slow = True
            self._handler.on_slow(self)

    def drained(self) -> None:
        """What waited for the client has gone out."""
        self._slow = False
        if self._missed and self.phase is not Phase.CLOSED:
            self._missed = False
            self._handler.on_drained(self)

    # --- time ------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self.phase is Phase.CLOSED:
            return
        if self.claim_by is not None and now >= self.claim_by:
            self.close(CloseReason.NOT_CONNECTED)
            return
        if now < self._ping_at:
            return
        if not self._awaiting_pong:
            self._awaiting_pong = True
            self._ping_at = now + self.options.ping_timeout
            self.send(_PING)
        elif now - self._ping_at > LATE_SECONDS:
            self._ping_at = now + min(GRACE_SECONDS, self.options.ping_timeout)
        else:
            self.close(CloseReason.PING_TIMEOUT)

    # --- phases ----------------------------------------------------------------------------------

    def begin_upgrade(self, probe: Outlet) -> bool:
        """Let a WebSocket try to take over; False if it can't."""
        if self.phase is not Phase.POLLING:
            return False
        self.phase = Phase.UPGRADING
        self.probe, self._probed = probe, False
        return True

    def drop_probe(self) -> None:
        """The WebSocket has not taken over; the session goes on as it was."""
        probe = self._end_probe()
        if self.phase is Phase.UPGRADING:
            self.phase = Phase.POLLING
        if probe is not None:
            probe.close(CloseReason.TRANSPORT_CLOSE)

    def _end_probe(self) -> Outlet | None:
        """There is no WebSocket any more that is to take over: the one that was."""
        probe, self.probe = self.probe, None
        timer, self.probe_timer = self.probe_timer, None
        if timer is not None:
            timer.cancel()
        return probe

    def _take_over(self, probe: Outlet) -> None:
        polling = self.outlet
        self._end_probe()
        self.phase, self.outlet = Phase.WEBSOCKET, probe
        for message in polling.retire():
            probe.write(message)

    def close(self, reason: CloseReason) -> None:
        """End it, for that reason; a second call does nothing."""
        if self.phase is Phase.CLOSED:
            return
        probe = self._end_probe()
        self.phase = Phase.CLOSED
        self.outlet.close(reason)
        if probe is not None:
            probe.close(reason)
        self._forget(self)
        self._handler.on_close(self, reason)
