"""News of very many people at once, told in portions, so that nothing else has to wait for all of it.

When a server dies with a thousand people in a room of two thousand, each of the others is to hear of each of them: a million
events, for which one turn of the event loop would take seconds. Meanwhile this server would miss its beats, and count as dead.
"""

from collections.abc import Callable, Hashable
from typing import Final

import structlog

from rejoinder.core.clock import Clock
from rejoinder.service.tasks import Tasks

AT_ONCE: Final = 10_000
"""So many events, each to one connection, go out in one portion."""
PAUSE_SECONDS: Final = 0.05

Tell = Callable[[], int]
"""Tells of something as it is by then; how many connections were told."""


class Telling:
    """What does not fit into a portion waits for the next one, in order; of the same thing it is told once."""

    def __init__(self, clock: Clock, tasks: Tasks) -> None:
        self._clock = clock
        self._tasks = tasks
        self._waiting: dict[Hashable, Tell] = {}
        self._left = AT_ONCE
        self._since = float("-inf")
        self._log = structlog.get_logger("rejoinder.telling")

    def __len__(self) -> int:
        return len(self._waiting)

    def tell(self, what: Hashable, tell: Tell) -> None:
        """Tell that, now or soon."""
        if self._waiting:
            self._waiting[what] = tell
            return
        now = self._clock.now()
        if now - self._since >= PAUSE_SECONDS:
            self._since, self._left = now, AT_ONCE
        if self._left > 0:
            self._left -= tell()
        else:
            self._waiting[what] = tell
            _ = self._tasks.start(self._tell_rest())

    async def _tell_rest(self) -> None:
        while self._waiting:
            await self._clock.sleep(PAUSE_SECONDS)
            self._since, self._left = self._clock.now(), AT_ONCE
            while self._waiting and self._left > 0:
                what = next(iter(self._waiting))
                try:
                    self._left -= self._waiting.pop(what)()
                except Exception:  # noqa: BLE001 - the others are to be told
                    self._log.exception("a portion could not be told")
