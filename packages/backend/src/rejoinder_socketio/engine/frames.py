"""WebSocket frames as a server reads and writes them, without I/O. Source: RFC 6455, section 5.

Written for short messages: a frame of a client costs about half of what the quickest library takes for it.
"""

from collections.abc import Iterator
from struct import pack
from typing import Final

from rejoinder_socketio.engine.pieces import Pieces

try:
    from websockets.speedups import apply_mask
except ImportError:  # It has no compiled part on this platform.
    from websockets.utils import apply_mask

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
INVALID_TEXT: Final = 1007
POLICY: Final = 1008
TOO_BIG: Final = 1009

_FIN: Final = 0x80
_TEXT: Final = _FIN | TEXT
_BINARY: Final = _FIN | BINARY
_HEAD: Final = 2
_CONTROL: Final = 0x08
_CONTROL_MAX: Final = 125
_SHORT: Final = 126
_LONG: Final = 127
_TWO_BYTES: Final = 0x10000
# Those that RFC 6455 and its registry have given a meaning in a frame, and those that applications may give one.
_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


class FrameError(Exception):
    """The peer has broken the protocol; `code` is that of the close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole frame of a server."""
    size = len(payload)
    if size < _SHORT:
        return bytes((_FIN | opcode, size)) + payload
    if size < _TWO_BYTES:
        return pack("!BBH", _FIN | opcode, _SHORT, size) + payload
    return pack("!BBQ", _FIN | opcode, _LONG, size) + payload


def close_frame(code: int) -> bytes:
    """A close frame."""
    return frame(CLOSE, pack("!H", code))


class FrameReader:
    """Takes bytes of a client as they come, and gives whole messages and control frames.

    Args:
        limit: bytes of a message, whether in one frame or in several.
        fragments: the number of frames a message may be in.

    `held` is how many bytes have come in of what is not whole yet.
    """

    __slots__ = (
        "_fragments",
        "_kind",
        "_limit",
        "_max_fragments",
        "_message",
        "_needed",
        "_partial",
        "held",
    )

    def __init__(self, limit: int, fragments: int) -> None:
        self._limit = limit
        self._max_fragments = fragments
        self._partial: Pieces | None = None
        self._needed = 0
        self._message: Pieces | None = None
        self._kind = 0
        self._fragments = 0
        self.held = 0

    def receive(self, data: bytes) -> Iterator[tuple[int, bytes]]:  # noqa: C901 - one loop is what makes it quick
        """The opcode and payload of each message, and of each control frame between them.

        Raises:
            FrameError: the client has broken the protocol or a limit; nothing more must be read from it.
        """
        if self._partial is not None:
            self._partial.add(data)
            self.held += len(data)
            if self._partial.size < self._needed:
                return
            data, self._partial = self._partial.take(), None
            self.held -= len(data)
        position, end, needed = 0, len(data), _HEAD
        while end - position >= _HEAD:
            first, size = data[position], data[position + 1] - 0x80
            if size < 0:
                raise FrameError(PROTOCOL_ERROR, "a frame of a client is not masked")
            start = position + 6
            if size >= _SHORT:
                start += 2 if size == _SHORT else 8
                if end < start:
                    needed = start - position
                    break
                size = self._size(data[position + 2 : start - 4])
            if size > self._limit:
                raise FrameError(TOO_BIG, "a frame is too big")
            stop = start + size
            if stop > end:
                needed = stop - position
                break
            payload = apply_mask(data[start:stop], data[start - 4 : start])
            position, needed = stop, _HEAD
            if first == _TEXT and self._message is None:
                yield TEXT, _checked(payload)
            elif first == _BINARY and self._message is None:
                yield BINARY, payload
            else:
                yield from self._other(first, payload)
        if position < end:
            self._partial, self._needed = Pieces(), needed
            self._partial.add(data[position:])
            self.held += end - position

    def drop(self) -> None:
        """Forget what is held; nothing more is read."""
        self._partial = self._message = None
        self.held = 0

    @staticmethod
    def _size(encoded: bytes) -> int:
        size = int.from_bytes(encoded, "big")
        if size < (_SHORT if len(encoded) == _HEAD else _TWO_BYTES):
            raise FrameError(PROTOCOL_ERROR, "the length of a frame is not in its shortest form")
        return size

    def _other(self, first: int, payload: bytes) -> Iterator[tuple[int, bytes]]:
        opcode, last = first & 0x0F, first & _FIN
        if first & 0x70:
            raise FrameError(PROTOCOL_ERROR, "a frame uses an extension")
        if opcode & _CONTROL:
            if not last or len(payload) > _CONTROL_MAX or opcode > PONG:
                raise FrameError(PROTOCOL_ERROR, "no control frame")
            if opcode == CLOSE and payload:
                _check_close(payload)
            yield opcode, payload
            return
        if opcode > BINARY or (opcode == CONTINUATION) is (self._message is None):
            raise FrameError(PROTOCOL_ERROR, "a frame that can't be here")
        if self._message is None:
            self._message, self._kind, self._fragments = Pieces(), opcode, 0
        self._fragments += 1
        if self._fragments > self._max_fragments:
            raise FrameError(POLICY, "a message is in too many frames")
        if self._message.size + len(payload) > self._limit:
            raise FrameError(TOO_BIG, "a message is too big")
        self._message.add(payload)
        self.held += len(payload)
        if last:
            whole, self._message = self._message.take(), None
            self.held -= len(whole)
            yield self._kind, _checked(whole) if self._kind == TEXT else whole


def _checked(text: bytes) -> bytes:
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise FrameError(INVALID_TEXT, "a text is not UTF-8") from error
    return text


def _check_close(payload: bytes) -> None:
    if int.from_bytes(payload[:_HEAD], "big") not in _CODES:
        raise FrameError(PROTOCOL_ERROR, "a close frame with a code that can't be in one")
    _checked(payload[_HEAD:])
