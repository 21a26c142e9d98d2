"""Looking for what servers that are gone have left, as often as it is due."""

from collections.abc import Awaitable, Callable

from rejoinder.core.clock import Clock
from rejoinder.core.leases import Sweeps
from rejoinder.errors import Unavailable
from rejoinder.service.tasks import Tasks


class Sweeping:
    """Has somebody look again and again, one look at a time."""

    def __init__(self, clock: Clock, tasks: Tasks, look: Callable[[], Awaitable[None]]) -> None:
        """`look` may raise `Unavailable`: then it is looked again, and the living are given time."""
        self._clock = clock
        self._tasks = tasks
        self._look = look
        self._sweeps = Sweeps()

    def tick(self) -> None:
        """Have somebody look, if that is due."""
        if self._sweeps.begin(self._clock.now()):
            _ = self._tasks.start(self._sweep())

    def answered(self) -> bool:
        """The store has answered; True if what it lists as left behind may be ended."""
        return self._sweeps.answered(self._clock.now())

    async def _sweep(self) -> None:
        try:
            await self._look()
        except Unavailable:
            self._sweeps.failed()
        finally:
            self._sweeps.done()
