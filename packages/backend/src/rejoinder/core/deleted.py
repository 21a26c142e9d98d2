"""The rooms that were deleted a while ago, so that nobody has to be asked about them."""

from typing import Final

KEPT: Final = 10_000


class Deleted:
    """Ids of rooms that were deleted; the store knows of those that are forgotten here."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def __contains__(self, room_id: str) -> bool:
        return room_id in self._ids

    def add(self, room_id: str) -> None:
        """That one was deleted."""
        self._ids[room_id] = None
        if len(self._ids) > KEPT:
            del self._ids[next(iter(self._ids))]
