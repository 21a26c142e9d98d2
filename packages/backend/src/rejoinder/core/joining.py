"""Chunks, and thoughts, for connections with a poor line: joined, so that there are fewer of them.

Each such connection gets chunks that follow each other by `index` and by `offset`, with the same text in all; only the pieces
are larger, and so the indexes count on more slowly until the next snapshot.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rejoinder.core.streams import Chunk


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk for one connection."""

    connection_id: str
    room_id: str
    message_id: str
    chunk: Chunk
    thought: bool = False
    """It is no part of the answer's text; its `offset` says nothing."""


Key = tuple[str, bool]
"""An answer, and whether it is what was thought before."""


@dataclass(slots=True)
class _Stream:
    room_id: str
    joined: int = 0
    """How far the connection's indexes are behind."""
    waiting: list[Chunk] = field(default_factory=list)


@dataclass(slots=True)
class _Line:
    slow: bool = True
    streams: dict[Key, _Stream] = field(default_factory=dict)


class Joining:
    """The connections whose chunks are not those of all. `lines` is empty while there are none."""

    def __init__(self) -> None:
        self.lines: dict[str, _Line] = {}

    def slow(self, connection_id: str) -> None:
        """Join the chunks of that connection from now on."""
        line = self.lines.get(connection_id)
        if line is None:
            self.lines[connection_id] = _Line()
        else:
            line.slow = True

    def fast(self, connection_id: str) -> list[Piece]:
        """Join them no more; what is to be sent for that."""
        line = self.lines.get(connection_id)
        if line is None:
            return []
        pieces = self._flush(connection_id, line)
        line.slow = False
        self._tidy(connection_id, line)
        return pieces

    def forget(self, connection_id: str) -> None:
        """The connection is gone."""
        self.lines.pop(connection_id, None)

    def take(
        self,
        connections: Iterable[str],
        room_id: str,
        message_id: str,
        chunk: Chunk,
        *,
        thought: bool = False,
    ) -> tuple[list[str], list[Piece]]:
        """Who gets a chunk as it is, and what the others get now."""
        key = (message_id, thought)
        plain: list[str] = []
        pieces: list[Piece] = []
        for connection_id in connections:
            line = self.lines.get(connection_id)
            stream = None if line is None else line.streams.get(key)
            if line is None or (stream is None and not line.slow):
                plain.append(connection_id)
                continue
            if stream is None:
                stream = line.streams[key] = _Stream(room_id)
            stream.waiting.append(chunk)
            if not line.slow:
                pieces += _flushed(connection_id, key, stream)
        return plain, pieces

    def due(self) -> list[Piece]:
        """Everything that waits; to be asked for a few times a second."""
        return [
            piece
            for connection_id, line in self.lines.items()
            for piece in self._flush(connection_id, line)
        ]

    def ended(self, message_id: str) -> list[Piece]:
        """An answer has ended; what is to be sent of it before that is said."""
        pieces: list[Piece] = []
        for connection_id, line in tuple(self.lines.items()):
            for key in ((message_id, True), (message_id, False)):
                stream = line.streams.pop(key, None)
                if stream is not None:
                    pieces += _flushed(connection_id, key, stream)
            self._tidy(connection_id, line)
        return pieces

    def told(self, connection_id: str, room_id: str) -> list[Piece]:
        """The connection is about to be told how far the answers of a room are; what is to be sent before."""
        line = self.lines.get(connection_id)
        return [] if line is None else self._flush(connection_id, line, room_id)

    def entered(self, connection_id: str, room_id: str) -> list[Piece]:
        """The same, where it is told the indexes too: from then on they are those of all again, but for thoughts."""
        line = self.lines.get(connection_id)
        if line is None:
            return []
        pieces = self._flush(connection_id, line, room_id)
        for key in [each for each, s in line.streams.items() if s.room_id == room_id]:
            _, thought = key
            if not thought:
                del line.streams[key]
        self._tidy(connection_id, line)
        return pieces

    def _flush(self, connection_id: str, line: _Line, room_id: str | None = None) -> list[Piece]:
        return [
            piece
            for key, stream in line.streams.items()
            if room_id is None or stream.room_id == room_id
            for piece in _flushed(connection_id, key, stream)
        ]

    def _tidy(self, connection_id: str, line: _Line) -> None:
        if line.slow:
            return
        for key in [each for each, stream in line.streams.items() if stream.joined == 0]:
            del line.streams[key]
        if not line.streams:
            del self.lines[connection_id]


def _flushed(connection_id: str, key: Key, stream: _Stream) -> list[Piece]:
    waiting = stream.waiting
    if not waiting:
        return []
    chunk = Chunk(
        waiting[0].index - stream.joined,
        waiting[0].offset,
        "".join(chunk.delta for chunk in waiting),
    )
    stream.joined += len(waiting) - 1
    stream.waiting = []
    message_id, thought = key
    return [Piece(connection_id, stream.room_id, message_id, chunk, thought)]
