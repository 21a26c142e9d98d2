"""Who is online, away or offline, and what others may know of when they were last seen.

A user is online while any of their connections is in use, and away while all of them have said so. They are offline when
the last connection is gone and a grace has passed, so that a short reconnect makes nobody flicker.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from rejoinder.core.deadlines import Deadlines
from rejoinder.protocol.constants import PRESENCE_GRACE_MS, SESSION_TIMEOUT_MS
from rejoinder.protocol.events import ConnectedStatus, PresenceStatus

_RANK: Final[dict[PresenceStatus, int]] = {"offline": 0, "away": 1, "online": 2}


def best(statuses: Iterable[PresenceStatus]) -> PresenceStatus:
    """How somebody is shown who is shown so in several places; offline if they are nowhere."""
    return max(statuses, key=_RANK.__getitem__, default="offline")


@dataclass(slots=True)
class Shown:
    """How a user is shown; `last_seen` in milliseconds since the epoch."""

    status: PresenceStatus
    last_seen: int
    hides: bool | None = None
    """Whether others may not know `last_seen`; None while that is not known, and then they may not."""
    said: dict[str, ConnectedStatus | None] = field(default_factory=dict)
    """What each connection has said, None for one that has not said anything yet."""


@dataclass(frozen=True, slots=True)
class Change:
    """A user is shown so from now on."""

    user_id: str
    status: PresenceStatus


class Presence:
    """What is known of each user who is connected, or was until a few minutes ago."""

    def __init__(
        self, grace: float = PRESENCE_GRACE_MS / 1000, kept: float = SESSION_TIMEOUT_MS / 1000
    ) -> None:
        """`kept` is for how long it is known when somebody was last seen who is offline, in seconds as `grace` is."""
        self._shown: dict[str, Shown] = {}
        self._leaving: Deadlines[str] = Deadlines(grace)
        self._silent: Deadlines[tuple[str, str]] = Deadlines(grace)
        """Connections of users who were away, until it is clear that they say nothing."""
        self._offline: Deadlines[str] = Deadlines(kept)

    def status(self, user_id: str) -> PresenceStatus:
        """How the user is shown; offline if nothing is known."""
        shown = self._shown.get(user_id)
        return shown.status if shown else "offline"

    def last_seen(self, user_id: str) -> int | None:
        """When the user was last seen, as far as others may know."""
        shown = self._shown.get(user_id)
        return shown.last_seen if shown and shown.hides is False else None

    def users(self) -> list[str]:
        """All of whom something is known."""
        return list(self._shown)

    def connected(self, user_id: str, connection_id: str, now: float, wall_ms: int) -> bool:
        """A connection of the user opened; True if others are to be told."""
        self._leaving.cancel(user_id)
        self._offline.cancel(user_id)
        shown = self._shown.get(user_id)
        news = shown is None or shown.status == "offline"
        if shown is None:
            shown = self._shown[user_id] = Shown("online", wall_ms)
        if news:
            shown.status = "online"
        elif shown.status == "away":
            # They come back, perhaps without a look at it: it is for the client to say.
            self._silent.start((user_id, connection_id), now)
        shown.said[connection_id] = None
        shown.last_seen = wall_ms
        return news

    def disconnected(self, user_id: str, connection_id: str, now: float, wall_ms: int) -> bool:
        """A connection of the user is gone; True if others are to be told at once."""
        shown = self._shown.get(user_id)
        if shown is None or connection_id not in shown.said:
            return False
        del shown.said[connection_id]
        self._silent.cancel((user_id, connection_id))
        shown.last_seen = wall_ms
        if not shown.said:
            self._leaving.start(user_id, now)
            return False
        return self._settle(user_id, shown)

    def set(self, user_id: str, connection_id: str, status: ConnectedStatus, wall_ms: int) -> bool:
        """A connection asks for the user to be shown so; True if others are to be told."""
        shown = self._shown.get(user_id)
        if shown is None or connection_id not in shown.said:
            return False
        self._silent.cancel((user_id, connection_id))
        shown.said[connection_id], shown.last_seen = status, wall_ms
        return self._settle(user_id, shown)

    def hide(self, user_id: str, *, hides: bool) -> bool:
        """Whether others may not know when the user was last seen; True if that is news."""
        shown = self._shown.get(user_id)
        if shown is None or shown.hides == hides:
            return False
        shown.hides = hides
        return True

    def expire(self, now: float) -> list[Change]:
        """Those who are shown in another way from now on, because time has passed."""
        changes: list[Change] = []
        for user_id in self._leaving.expire(now):
            self._shown[user_id].status = "offline"
            self._offline.start(user_id, now)
            changes.append(Change(user_id, "offline"))
        for user_id, _ in self._silent.expire(now):
            if self._settle(user_id, self._shown[user_id]):
                changes.append(Change(user_id, "online"))
        for user_id in self._offline.expire(now):
            del self._shown[user_id]
        return changes

    def _settle(self, user_id: str, shown: Shown) -> bool:
        said = [
            status or ("away" if (user_id, connection_id) in self._silent else "online")
            for connection_id, status in shown.said.items()
        ]
        before, shown.status = shown.status, best(said)
        return shown.status != before
