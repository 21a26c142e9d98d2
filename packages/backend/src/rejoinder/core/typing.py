"""Who types where. Typing ends by itself."""

from rejoinder.core.deadlines import Deadlines
from rejoinder.protocol.constants import TYPING_TIMEOUT_MS


class Typing:
    """Typists by (room, user)."""

    def __init__(self, timeout: float = TYPING_TIMEOUT_MS / 1000) -> None:
        self._deadlines: Deadlines[tuple[str, str]] = Deadlines(timeout)

    def start(self, room_id: str, user_id: str, now: float) -> None:
        """The user types, or still does."""
        self._deadlines.start((room_id, user_id), now)

    def stop(self, room_id: str, user_id: str) -> bool:
        """The user ceased to type; True if that is news."""
        return self._deadlines.cancel((room_id, user_id))

    def expire(self, now: float) -> list[tuple[str, str]]:
        """Those who have not been heard of for the timeout, as (room, user)."""
        return self._deadlines.expire(now)
