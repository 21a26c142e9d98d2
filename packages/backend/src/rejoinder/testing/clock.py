"""A clock whose time passes only when a test says so."""

import asyncio
import heapq
from itertools import count

ROUNDS = 20
"""How often the event loop may go round after a sleeper was woken, for it to come to its next wait."""


class FakeClock:
    """A `Clock` in virtual time: a timeout of five minutes costs microseconds.

        clock = FakeClock()
        waiting = asyncio.create_task(clock.sleep(300))
        await clock.advance(300)
        assert waiting.done()

    Args:
        wall_ms: The first wall-clock time, in milliseconds since the epoch.
        now: The first monotonic time, in seconds.
    """

    def __init__(self, wall_ms: int = 1_767_225_600_000, now: float = 1000.0) -> None:
        self._started = now
        self._now = now
        self._wall_ms = wall_ms
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def wall_ms(self) -> int:
        return self._wall_ms + round((self._now - self._started) * 1000)

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced so far; for no time at all, let others run once."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    @property
    def sleepers(self) -> int:
        """How many wait."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let time pass.

        Sleepers wake one after the other, in the order of their times and each at its own, so that one who sleeps
        again within the span wakes again.

        Raises:
            ValueError: the span is negative; monotonic time only goes forward.
        """
        if seconds < 0:
            raise ValueError("monotonic time only goes forward; for the wall clock use jump_wall")
        end = self._now + seconds
        await _let_others_run()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            if woken.done():
                continue
            self._now = due
            woken.set_result(None)
            await _let_others_run()
        self._now = end

    def jump_wall(self, milliseconds: int) -> None:
        """Set the wall clock forward or back, as an operator or NTP may do; the monotonic time stays."""
        self._wall_ms += milliseconds


async def _let_others_run() -> None:
    for _ in range(ROUNDS):
        await asyncio.sleep(0)
