"""How good the line to a client is, after its round trips. The client judges by the same rule.

The numbers stand in protocol/fixtures/quality/cases.json as well, which the tests of both hold against theirs.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from rejoinder.protocol.constants import ACK_TIMEOUT_MS
from rejoinder.protocol.events import Quality

WINDOW: Final = 8
"""So many round trips are looked at."""
ENOUGH: Final = 3
"""With fewer, only those that are lost count: the first may be slow for many reasons."""
STEADY: Final = 3
"""A line must be better for so many round trips in a row before it counts as better."""
MARGIN: Final = 0.75
"""Better than before is what is below this part of a limit."""
LOST_MS: Final = ACK_TIMEOUT_MS
"""What took so long, or is not back at all, is lost."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where on a line is of that quality.

    `rtt` is the usual round trip and `jitter` how far others are from it, in milliseconds; `lost` counts those in the window.
    """

    rtt: float
    jitter: float
    lost: int


FAIR: Final = Bounds(300, 150, 1)
POOR: Final = Bounds(1000, 500, 2)
ORDER: Final[tuple[Quality, ...]] = ("good", "fair", "poor")


class Line:
    """The line to one client."""

    __slots__ = ("_better", "_trips", "quality")

    def __init__(self) -> None:
        self._trips: deque[float] = deque(maxlen=WINDOW)
        self._better = 0
        self.quality: Quality = "good"

    @property
    def known(self) -> bool:
        """Whether enough was heard to say how good it is."""
        return len(self._trips) >= ENOUGH or self.quality != "good"

    def heard(self, rtt: float) -> Quality:
        """Count in a round trip of so many milliseconds; the quality from now on."""
        self._trips.append(rtt)
        worst, best = self._verdict(1), self._verdict(MARGIN)
        if ORDER.index(worst) > ORDER.index(self.quality):
            self.quality, self._better = worst, 0
        elif ORDER.index(best) < ORDER.index(self.quality):
            self._better += 1
            if self._better >= STEADY:
                self.quality, self._better = best, 0
        else:
            self._better = 0
        return self.quality

    def _verdict(self, margin: float) -> Quality:
        back = [trip for trip in self._trips if trip < LOST_MS]
        lost = len(self._trips) - len(back)
        rtt = jitter = 0.0
        if len(self._trips) >= ENOUGH and back:
            rtt = _middle(back)
            jitter = _middle([abs(trip - rtt) for trip in back])
        if _reaches(POOR, rtt, jitter, lost, margin):
            return "poor"
        return "fair" if _reaches(FAIR, rtt, jitter, lost, margin) else "good"


def _reaches(bounds: Bounds, rtt: float, jitter: float, lost: int, margin: float) -> bool:
    return rtt >= bounds.rtt * margin or jitter >= bounds.jitter * margin or lost >= bounds.lost


def _middle(values: list[float]) -> float:
    """The median; of two in the middle the higher one."""
    return sorted(values)[len(values) // 2]
