"""A set of keys that each run out after the same span."""

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Deadlines(Generic[K]):
    """Keys in the order in which they run out, so that looking for due ones costs only those."""

    def __init__(self, span: float) -> None:
        self._span = span
        self._due: dict[K, float] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._due

    def __len__(self) -> int:
        return len(self._due)

    def start(self, key: K, now: float) -> bool:
        """Let the key run out one span from now; False if it was running already."""
        fresh = self._due.pop(key, None) is None
        self._due[key] = now + self._span
        return fresh

    def cancel(self, key: K) -> bool:
        """Take the key out; False if it was not running."""
        return self._due.pop(key, None) is not None

    def expire(self, now: float) -> list[K]:
        """Take out and return the keys that have run out."""
        due: list[K] = []
        for key, deadline in self._due.items():
            if deadline > now:
                break
            due.append(key)
        for key in due:
            del self._due[key]
        return due
