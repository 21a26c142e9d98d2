"""Bytes that come in pieces."""

from typing import Final

# Pieces that are shorter are put together as they come; longer ones are not copied before they are taken.
SHORT: Final = 16 * 1024


class Pieces:
    """Keeps them until all are there; `size` is how many bytes there are."""

    __slots__ = ("_pieces", "size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def add(self, piece: bytes) -> None:
        """One more."""
        pieces = self._pieces
        if pieces and len(pieces[-1]) < SHORT:
            pieces[-1] += piece
        else:
            pieces.append(piece)
        self.size += len(piece)

    def take(self) -> bytes:
        """All of them; none is kept."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return whole
