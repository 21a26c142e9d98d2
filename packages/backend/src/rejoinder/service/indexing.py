"""Has the store put into the index of its search what was said, behind the log and out of everybody's way."""

from collections.abc import Sequence

import structlog

from rejoinder.core.clock import Clock
from rejoinder.errors import ChatError
from rejoinder.service.rooms import Rooms
from rejoinder.service.tasks import Tasks
from rejoinder.stores.base import Store

INTERVAL = 1.0
AGAIN_SECONDS = 5.0
"""When rooms are looked at again whose index waits for an answer to end."""
ROWS = 100
"""Of one step, which others wait for: they share the writer with it."""
ROOMS = 200
WAITING_MAX = 20_000
OLD_ROOMS = 100


class Indexing:
    """One step at a time, and between two of them as long a pause as the last one took."""

    def __init__(self, store: Store, clock: Clock, rooms: Rooms, tasks: Tasks) -> None:
        self._store = store
        self._clock = clock
        self._rooms = rooms
        self._tasks = tasks
        self._waiting: dict[str, None] = {}
        self._later: dict[str, None] = {}
        self._again_at = 0.0
        self._at = 0.0
        self._runs = False
        self._behind = False
        self._old: str | None = ""
        """How far the rooms are looked through that were there before this server; None when that is done."""
        self._log = structlog.get_logger("rejoinder.indexing")

    def tick(self) -> None:
        """Take what is new, and begin if there is something to do."""
        now = self._clock.now()
        if now < self._at:
            return
        self._at = now + INTERVAL
        for state in self._rooms.all():
            if state.unindexed and len(self._waiting) < WAITING_MAX:
                state.unindexed = False
                self._waiting[state.id] = None
        if now >= self._again_at:
            self._again_at = now + AGAIN_SECONDS
            self._waiting.update(self._later)
            self._later = {}
        if (self._waiting or self._old is not None) and not self._runs:
            self._runs = True
            _ = self._tasks.start(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                rooms = list(self._waiting)[:ROOMS]
                for room_id in rooms:
                    del self._waiting[room_id]
                await self._step(rooms)
            if self._old is not None:
                rooms = list(await self._store.unindexed(self._old, OLD_ROOMS))
                self._old = rooms[-1] if rooms else None
                self._waiting.update(dict.fromkeys(rooms))
            self._behind = False
        except ChatError as error:
            if not self._behind:
                self._log.warning("the index of the search is behind", code=error.code)
            self._behind = True
        finally:
            self._runs = False

    async def _step(self, rooms: Sequence[str]) -> None:
        begun = self._clock.now()
        try:
            done = await self._store.index(rooms, ROWS, self._clock.wall_ms())
        except Exception:
            self._later.update(dict.fromkeys(rooms))
            raise
        (self._waiting if done.rows else self._later).update(dict.fromkeys(done.left))
        await self._clock.sleep(self._clock.now() - begun)
