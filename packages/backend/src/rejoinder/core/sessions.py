"""What is kept of a user who lost the connection, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """Where a user was when the connection ended; `disconnected_at` in milliseconds since the epoch."""

    user_id: str
    room_id: str | None
    character_id: str | None
    disconnected_at: int


class Sessions:
    """Kept sessions, the oldest first; beyond `limit` the oldest is dropped."""

    def __init__(self, timeout: float, limit: int = 100_000) -> None:
        self._timeout = timeout
        self._limit = limit
        self._kept: dict[str, tuple[Session, float]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, session: Session, now: float) -> None:
        """Keep a session from now on; an older one of the same user is forgotten."""
        self._kept.pop(session.user_id, None)
        self._kept[session.user_id] = (session, now + self._timeout)
        if len(self._kept) > self._limit:
            del self._kept[next(iter(self._kept))]

    def take(self, user_id: str, now: float) -> Session | None:
        """The user's session if it is not older than the timeout; it is given out once."""
        kept = self._kept.pop(user_id, None)
        return kept[0] if kept is not None and now < kept[1] else None

    def forget(self, user_id: str) -> None:
        """Drop the user's session."""
        self._kept.pop(user_id, None)

    def sweep(self, now: float) -> list[Session]:
        """Drop and return what has expired."""
        expired: list[Session] = []
        for session, deadline in self._kept.values():
            if deadline > now:
                break
            expired.append(session)
        for session in expired:
            del self._kept[session.user_id]
        return expired
