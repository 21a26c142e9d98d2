"""When an answer is saved and its lease renewed, and when it is looked for answers whose server is gone.

A server that dies renews nothing any more; another one ends its answers `LEASE_SECONDS + SWEEP_SECONDS` after that, at the
latest. Between two renewals there is time enough for a few that fail, and for clocks that differ by a few seconds.
"""

from math import inf
from typing import Final

LEASE_SECONDS: Final = 10.0
RENEW_SECONDS: Final = 3.0
SAVE_SECONDS: Final = 1.0
SWEEP_SECONDS: Final = 2.0
PARDON_SECONDS: Final = 6.0
"""How long nobody is taken for gone after a silence of the store: it has kept the living from renewing, too."""


class Keeping:
    """One answer: a save keeps its text and renews its lease. With new text it is due after a second, without after three."""

    def __init__(self, leased_at: float) -> None:
        self._tried_at = leased_at
        self._length = 0
        self._kept = True
        self._under_way = False

    def begin(self, now: float, length: int) -> bool:
        """True if the caller is to save the text of that length now; it must then say how that ended."""
        pending = length > self._length or not self._kept
        due = self._tried_at + (SAVE_SECONDS if pending else RENEW_SECONDS)
        if self._under_way or now < due:
            return False
        self._tried_at = now
        self._length = length
        self._under_way = True
        return True

    def ended(self, *, kept: bool) -> None:
        """The save that was begun is over; one that failed is tried again soon."""
        self._kept = kept
        self._under_way = False


class Sweeps:
    """One server: it looks again and again, one look at a time."""

    def __init__(self) -> None:
        self._next_at = -inf
        self._pardon_until = -inf
        self._silent = False
        self._under_way = False

    def begin(self, now: float) -> bool:
        """True if the caller is to look now; it must then say how that ended."""
        if self._under_way or now < self._next_at:
            return False
        self._under_way = True
        self._next_at = now + SWEEP_SECONDS
        return True

    def failed(self) -> None:
        """The store did not answer."""
        self._silent = True

    def answered(self, now: float) -> bool:
        """The store has answered; True if what it lists as left behind may be ended.

        After a silence that is so only when all who live had the time to renew.
        """
        if self._silent:
            self._silent = False
            self._pardon_until = now + PARDON_SECONDS
        return now >= self._pardon_until

    def done(self) -> None:
        """The look that was begun is over."""
        self._under_way = False
