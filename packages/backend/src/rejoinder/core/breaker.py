"""Whether it is worth asking something that did not answer.

A circuit breaker (Nygard, "Release It!"): after a failure by silence everybody is refused at once, but for one at a time
who tries whether it answers again. So a hung database costs one wait, and not one for each that waits behind it.
"""


class Breaker:
    """`patience`: seconds of silence that count as one; `pause`: seconds until somebody may try again."""

    def __init__(self, patience: float = 2.0, pause: float = 1.0) -> None:
        self._patience = patience
        self._pause = pause
        self._try_at: float | None = None
        self._trying = False

    def admits(self, now: float) -> bool:
        """True if the caller may ask now; it must then say how that ended."""
        if self._try_at is None:
            return True
        if self._trying or now < self._try_at:
            return False
        self._trying = True
        return True

    def answered(self) -> None:
        """There was an answer."""
        self._try_at = None
        self._trying = False

    def left(self) -> None:
        """The caller went without an answer of its own: it may not have asked at all."""
        self._trying = False

    def failed(self, since: float, now: float) -> None:
        """There was none to what was asked at `since`; a quick refusal is an answer, too."""
        self._trying = False
        if self._try_at is not None or now - since >= self._patience:
            self._try_at = now + self._pause
