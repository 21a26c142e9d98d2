"""Who is online, away or offline.

A user is offline when the last connection is gone and a grace has passed, so that a short reconnect makes
nobody flicker; otherwise they are what they last asked to be shown as.
"""

from dataclasses import dataclass

from rejoinder.core.deadlines import Deadlines
from rejoinder.protocol.constants import PRESENCE_GRACE_MS
from rejoinder.protocol.events import ConnectedStatus, PresenceStatus


@dataclass(slots=True)
class Shown:
    """How a user is shown; `last_seen` in milliseconds since the epoch."""

    status: PresenceStatus
    last_seen: int


class Presence:
    """What is known of each user who is online, or was until a moment ago."""

    def __init__(self, grace: float = PRESENCE_GRACE_MS / 1000) -> None:
        self._shown: dict[str, Shown] = {}
        self._leaving: Deadlines[str] = Deadlines(grace)

    def status(self, user_id: str) -> PresenceStatus:
        """How the user is shown; offline if nothing is known."""
        shown = self._shown.get(user_id)
        return shown.status if shown else "offline"

    def last_seen(self, user_id: str) -> int | None:
        """When the user was last seen; None if nothing is known."""
        shown = self._shown.get(user_id)
        return shown.last_seen if shown else None

    def connected(self, user_id: str, wall_ms: int) -> bool:
        """A connection of the user opened; True if others are to be told."""
        self._leaving.cancel(user_id)
        shown = self._shown.get(user_id)
        if shown is None:
            self._shown[user_id] = Shown("online", wall_ms)
            return True
        shown.last_seen = wall_ms
        return False

    def disconnected(self, user_id: str, now: float, wall_ms: int) -> None:
        """The last connection of the user is gone."""
        if user_id in self._shown:
            self._shown[user_id].last_seen = wall_ms
            self._leaving.start(user_id, now)

    def set(self, user_id: str, status: ConnectedStatus, wall_ms: int) -> bool:
        """The user asks to be shown so; True if others are to be told."""
        shown = self._shown.get(user_id)
        if shown is None:
            return False
        news = shown.status != status
        shown.status, shown.last_seen = status, wall_ms
        return news

    def expire(self, now: float) -> list[tuple[str, int]]:
        """Those who are offline from now on, each with when they were last seen."""
        return [
            (user_id, self._shown.pop(user_id).last_seen) for user_id in self._leaving.expire(now)
        ]
