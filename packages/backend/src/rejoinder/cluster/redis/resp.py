"""What goes over a connection to Redis, in its protocol (RESP2): commands as bytes, and bytes as replies."""

from collections.abc import Iterable
from typing import Final

Command = tuple[str | bytes | int, ...]

REPLY_BYTES: Final = 16 * 1024 * 1024
"""No reply is longer: a batch is half a megabyte, and a beat is told of the connections of one server."""
DEPTH: Final = 8

_STATUS, _ERROR, _INTEGER, _BULK, _ARRAY = b"+-:$*"


class ErrorReply(Exception):
    """Redis has refused a command; the text begins with a code, as NOSCRIPT."""


class ProtocolError(ConnectionError):
    """What came is no reply: nobody knows any more what belongs to what."""


Reply = int | bytes | ErrorReply | list["Reply"] | None


def encode(commands: Iterable[Command]) -> bytes:
    """Commands, to be sent in one go."""
    parts: list[bytes] = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for part in command:
            # What is no text is refused long before; here it may not hold up what others have to say.
            raw = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
            parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


def refuse_errors(replies: Iterable[Reply]) -> None:
    """For commands of which each has to succeed.

    Raises:
        ErrorReply: one of them did not.
    """
    for reply in replies:
        if isinstance(reply, ErrorReply):
            raise reply


class _Unfinished(Exception):
    """The rest has not come yet; the reply has at least that many bytes."""

    def __init__(self, length: int) -> None:
        self.length = length


class Parser:
    """Bytes as they come, in pieces of any length; what is not whole yet is kept."""

    def __init__(self, reply_bytes: int = REPLY_BYTES) -> None:
        self._reply_bytes = reply_bytes
        self._pieces: list[bytes] = []
        self._kept = 0
        self._needed = 0

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are whole now.

        Raises:
            ProtocolError: these are none, or one that is too long.
        """
        if self._pieces:
            self._pieces.append(data)
            self._kept += len(data)
            if self._kept < self._needed:
                return []
            data = b"".join(self._pieces)
            self._pieces.clear()
        replies: list[Reply] = []
        at, end = 0, len(data)
        try:
            while at < end:
                reply, at = _parse(data, at, 0)
                replies.append(reply)
        except _Unfinished as unfinished:
            self._needed = unfinished.length - at
            self._kept = end - at
            if max(self._needed, self._kept) > self._reply_bytes:
                raise ProtocolError("a reply is too long") from None
            self._pieces.append(data[at:])
        except ValueError as error:
            raise ProtocolError("a reply has a length that is none") from error
        return replies


def _parse(data: bytes, at: int, depth: int) -> tuple[Reply, int]:
    """The reply that begins there, and where the next one does."""
    line = data.find(b"\r\n", at)
    if line < 0:
        raise _Unfinished(len(data) + 1)
    kind, after = data[at], line + 2
    if kind == _STATUS:
        return data[at + 1 : line], after
    if kind == _ERROR:
        return ErrorReply(data[at + 1 : line].decode(errors="replace")), after
    number = int(data[at + 1 : line]) if kind in (_INTEGER, _BULK, _ARRAY) else 0
    if kind == _INTEGER:
        return number, after
    if number < 0 and kind in (_BULK, _ARRAY):
        return None, after
    if kind == _BULK:
        end = after + number
        if len(data) < end + 2:
            raise _Unfinished(end + 2)
        return data[after:end], end + 2
    if kind != _ARRAY or depth == DEPTH:
        raise ProtocolError("what Redis has sent is no reply")
    replies: list[Reply] = []
    for _ in range(number):
        reply, after = _parse(data, after, depth + 1)
        replies.append(reply)
    return replies, after
