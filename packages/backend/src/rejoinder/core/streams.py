"""The text of a running generation: what is written, and what of it has been shown.

Deltas of the character are joined into chunks. A chunk's `index` counts from 0; its `offset` is where its text begins,
in Unicode code points.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Chunk:
    """The next piece to show. Nobody changes one; that it is not frozen makes it for half of the time."""

    index: int
    offset: int
    delta: str


class Thinking:
    """What a character thinks before it answers: shown in pieces, each once, and kept nowhere."""

    def __init__(self, limit: int) -> None:
        """`limit` is how many code points of it are shown."""
        self._left = limit
        self._waiting: list[str] = []
        self._index = 0

    def write(self, text: str) -> None:
        """Add what it thought."""
        text = text[: self._left]
        if text:
            self._left -= len(text)
            self._waiting.append(text)

    def take(self) -> tuple[int, str] | None:
        """The next piece to show, with its place among the pieces, which count from 0; None if there is nothing."""
        if not self._waiting:
            return None
        index, text = self._index, "".join(self._waiting)
        self._index += 1
        self._waiting.clear()
        return index, text


class StreamText:
    """Text that grows; `shown` is the part that went out in chunks."""

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._waiting: list[str] = []
        self._index = 0
        self._offset = 0
        self._length = 0

    @property
    def index(self) -> int:
        """The index that the next chunk will have."""
        return self._index

    @property
    def shown(self) -> str:
        """The text that viewers have by now."""
        if len(self._shown) > 1:
            self._shown = ["".join(self._shown)]
        return self._shown[0] if self._shown else ""

    @property
    def shown_length(self) -> int:
        """How many code points of it that are."""
        return self._offset

    @property
    def length(self) -> int:
        """Code points written, shown or not."""
        return self._length

    def write(self, delta: str) -> None:
        """Add what the character wrote."""
        if delta:
            self._waiting.append(delta)
            self._length += len(delta)

    def take_chunk(self) -> Chunk | None:
        """Everything written and not yet shown, as one chunk; None if there is nothing."""
        if not self._waiting:
            return None
        delta = "".join(self._waiting)
        self._waiting.clear()
        chunk = Chunk(self._index, self._offset, delta)
        self._shown.append(delta)
        self._index += 1
        self._offset += len(delta)
        return chunk
