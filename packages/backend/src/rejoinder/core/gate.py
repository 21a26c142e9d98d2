"""Removing somebody from a room while they are on their way into it.

Who may enter is asked before much else is read and written. A removal in between must win, however the two interleave.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Passage:
    """Somebody on their way into a room, within the block; `barred` once they are being removed from it."""

    __slots__ = ("_passages", "barred", "key")

    def __init__(self, key: tuple[str, str], passages: "set[Passage]", *, barred: bool) -> None:
        self.key = key
        self.barred = barred
        self._passages = passages

    def __enter__(self) -> Self:
        self._passages.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._passages.discard(self)


class Gate:
    """Who is on the way into which room, and who is being removed, each as (room, user)."""

    def __init__(self) -> None:
        self._passages: set[Passage] = set()
        self._closed: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._passages) + len(self._closed)

    def passing(self, room_id: str, user_id: str) -> Passage:
        """The user is on the way into the room; to be entered at once, before it is asked whether they may."""
        key = (room_id, user_id)
        return Passage(key, self._passages, barred=key in self._closed)

    def bar(self, room_id: str, user_id: str) -> None:
        """The user has been removed: whoever is on the way does not get in."""
        key = (room_id, user_id)
        for passage in self._passages:
            passage.barred = passage.barred or passage.key == key

    @contextmanager
    def closed(self, room_id: str, user_id: str) -> Iterator[None]:
        """The user is being removed: whoever is on the way, or sets out within the block, does not get in."""
        key = (room_id, user_id)
        self._closed[key] += 1
        self.bar(room_id, user_id)
        try:
            yield
        finally:
            self._closed[key] -= 1
            if not self._closed[key]:
                del self._closed[key]
