"""What clients have begun to send and not finished, all together: it has a bound, and who holds most goes first."""

from collections.abc import Callable

GiveUp = Callable[[], None]


class Unfinished:
    """Counts what is held for whom.

    Args:
        limit: bytes, of all together.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[object, tuple[int, GiveUp]] = {}
        self.size = 0

    def hold(self, holder: object, size: int, give_up: GiveUp) -> None:
        """So much is held for that holder now; `give_up` is called, at once or later, if it has to go."""
        self.release(holder)
        self._held[holder] = size, give_up
        self.size += size
        while self.size > self._limit:
            largest = max(self._held, key=self._size_of)
            _, end = self._held[largest]
            self.release(largest)
            end()

    def release(self, holder: object) -> None:
        """Nothing is held for it any more."""
        size, _ = self._held.pop(holder, (0, None))
        self.size -= size

    def _size_of(self, holder: object) -> int:
        return self._held[holder][0]
