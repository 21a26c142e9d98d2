"""When users were last seen, on its way to the store: rarely, and many together."""

from rejoinder.core.deadlines import Deadlines

GATHER_SECONDS = 5.0
RENEW_SECONDS = 600.0
BATCH = 1_000
WAITING_MAX = 100_000


class LastSeen:
    """What is to be stored. Times are milliseconds since the epoch.

    It is stored when somebody comes, when they go, and every ten minutes in between: so far it may lag after a server
    was killed.
    """

    def __init__(self, gather: float = GATHER_SECONDS, renew: float = RENEW_SECONDS) -> None:
        self._gather = gather
        self._renewing: Deadlines[str] = Deadlines(renew)
        self._waiting: dict[str, int] = {}
        self._next = 0.0

    def came(self, user_id: str, now: float, wall_ms: int) -> None:
        """The user is here."""
        self._renewing.start(user_id, now)
        self._note(user_id, wall_ms)

    def left(self, user_id: str, wall_ms: int) -> None:
        """The user is not here any more."""
        self._renewing.cancel(user_id)
        self._note(user_id, wall_ms)

    def due(self, now: float, wall_ms: int) -> dict[str, int]:
        """What is to be stored now; nothing if it is not time yet."""
        if now < self._next:
            return {}
        for user_id in self._renewing.expire(now):
            self.came(user_id, now, wall_ms)
        batch = self.take()
        if batch:
            self._next = now + self._gather
        return batch

    def take(self) -> dict[str, int]:
        """What is to be stored, whether it is time or not; at most a batch."""
        users = list(self._waiting)[:BATCH]
        return {user_id: self._waiting.pop(user_id) for user_id in users}

    def give_back(self, batch: dict[str, int]) -> None:
        """That could not be stored."""
        for user_id, wall_ms in batch.items():
            self._note(user_id, wall_ms)

    def _note(self, user_id: str, wall_ms: int) -> None:
        if user_id in self._waiting or len(self._waiting) < WAITING_MAX:
            self._waiting[user_id] = max(wall_ms, self._waiting.get(user_id, 0))
