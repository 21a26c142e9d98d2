"""What is followed by its id until it ends, and never again after that."""

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
ENDED_KEPT = 1000


class Following(Generic[T]):
    """Entries by their ids. One that has ended stays out, since what was read before its end may be told after it."""

    def __init__(self) -> None:
        self._entries: dict[str, T] = {}
        self._ended: dict[str, None] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._entries))

    def get(self, key: str) -> T | None:
        """The entry, if it is followed."""
        return self._entries.get(key)

    def values(self) -> list[T]:
        """All that are followed."""
        return list(self._entries.values())

    def has_ended(self, key: str) -> bool:
        """True if it was followed, or told of, and has ended."""
        return key in self._ended

    def begin(self, key: str, entry: T) -> None:
        """Follow it, unless it is followed or has ended."""
        if key not in self._ended:
            self._entries.setdefault(key, entry)

    def end(self, key: str) -> None:
        """It has ended."""
        self._entries.pop(key, None)
        self._ended[key] = None
        if len(self._ended) > ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
