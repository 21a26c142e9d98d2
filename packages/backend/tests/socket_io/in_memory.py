"""Stand-ins for the ends of a session, and time that passes as soon as nobody has anything to do."""

import asyncio
import functools
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

from rejoinder_socketio.engine.packets import Outgoing
from rejoinder_socketio.engine.requests import Request, Transport
from rejoinder_socketio.engine.session import CloseReason, Session

P = ParamSpec("P")
START = 1000.0


def request(transport: Transport = "websocket") -> Request:
    """A request for a new session."""
    return Request(transport, "", {}, "192.0.2.1")


class MemoryOutlet:
    """A transport that keeps what is written until it is taken.

    Args:
        room: so many bytes are on their way at once; more makes it congested. None: it always is, as for long polling.
    """

    def __init__(self, room: int | None = None) -> None:
        self.queue: deque[Outgoing] = deque()
        self.taken: list[Outgoing] = []
        self.reason: CloseReason | None = None
        self.retired = False
        self.held: Any = False
        self.holds = 0
        self._room = room

    @property
    def congested(self) -> bool:
        return self._room is None or self.reason is not None or self.waiting() > self._room

    @congested.setter
    def congested(self, _value: bool) -> None:
        raise AssertionError("only an outlet itself says whether it is congested")

    @property
    def packets(self) -> list[bytes]:
        """All packets that were written."""
        return [message.packet for message in (*self.taken, *self.queue)]

    def take(self, number: int = 1_000_000) -> list[bytes]:
        """Let the client have so many."""
        taken = [self.queue.popleft() for _ in range(min(number, len(self.queue)))]
        self.taken += taken
        return [message.packet for message in taken]

    def write(self, message: Outgoing) -> None:
        assert self.reason is None, "written to after its end"
        assert not self.retired, "written to after another took over"
        self.queue.append(message)

    def waiting(self) -> int:
        return sum(message.size for message in self.queue)

    def retire(self) -> list[Outgoing]:
        assert not self.retired
        self.retired = True
        left = list(self.queue)
        self.queue.clear()
        return left

    def hold_reading(self) -> None:
        assert self.reason is None, "held after its end"
        self.held = True
        self.holds += 1

    def resume_reading(self) -> None:
        self.held = False

    def close(self, reason: CloseReason) -> None:
        assert self.reason is None, "closed twice"
        self.reason = reason


class Told:
    """A session's handler that notes what it is told."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.binaries: list[bytes] = []
        self.drained = 0
        self.slow = 0
        self.reasons: list[CloseReason] = []
        self.forgotten = 0

    def on_text(self, session: Session, packet: bytes) -> None:
        assert not self.reasons, "a text after the end"
        self.texts.append(packet)

    def on_binary(self, session: Session, data: bytes) -> None:
        assert not self.reasons, "a binary message after the end"
        self.binaries.append(data)

    def on_close(self, session: Session, reason: CloseReason) -> None:
        assert self.forgotten == 1, "told before the server has forgotten it"
        self.reasons.append(reason)

    def on_drained(self, session: Session) -> None:
        assert not self.reasons, "drained after the end"
        self.drained += 1

    def on_slow(self, session: Session) -> None:
        assert not self.reasons, "slow after the end"
        self.slow += 1

    def forget(self, _session: Session) -> None:
        """What a server does first when a session ends."""
        self.forgotten += 1


class _Selector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits, and nothing will ever happen"
        self.skipped += max(timeout, 0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer when nothing else is left to do."""

    def __init__(self) -> None:
        self._skips = _Selector()
        super().__init__(self._skips)

    def time(self) -> float:
        return START + self._skips.skipped


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in virtual time; one in which everybody waits for ever fails at once."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


async def settle() -> None:
    """Let everything run that can without time passing."""
    for _ in range(10):
        await asyncio.sleep(0)
