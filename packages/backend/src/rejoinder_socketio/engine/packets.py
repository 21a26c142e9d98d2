"""Engine.IO v4 packets, the payloads of long polling, and messages as they go out.

A packet is a digit for its type and text; a binary message has no digit in a WebSocket frame, and in a payload it is `b`
and base64. Source: Engine.IO protocol, revision 4.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence
from typing import Final

from rejoinder_socketio.engine.frames import BINARY, TEXT, frame
from rejoinder_socketio.errors import ProtocolError

SEPARATOR: Final = b"\x1e"

# What a message of its own takes of memory while it waits, beside its bytes.
OVERHEAD: Final = 256

OPEN: Final = 0x30
CLOSE: Final = 0x31
PING: Final = 0x32
PONG: Final = 0x33
MESSAGE: Final = 0x34
UPGRADE: Final = 0x35
NOOP: Final = 0x36


class Outgoing:
    """What is sent to clients: made once, however many get it, and in the form of each transport only when asked for.

    Args:
        packet: a whole packet, its type first.
        attachments: binary messages that follow it.
    """

    __slots__ = ("_body", "_frames", "attachments", "packet")

    def __init__(self, packet: bytes, attachments: Sequence[bytes] = ()) -> None:
        self.packet = packet
        self.attachments = attachments
        self._frames: bytes | None = None
        self._body: bytes | None = None

    @property
    def frames(self) -> bytes:
        """It as WebSocket frames."""
        frames = self._frames
        if frames is None:
            frames = frame(TEXT, self.packet)
            if self.attachments:
                frames += b"".join(frame(BINARY, data) for data in self.attachments)
            self._frames = frames
        return frames

    @property
    def body(self) -> bytes:
        """It as a part of a payload."""
        if self._body is None:
            parts = [self.packet, *(b"b" + b64encode(data) for data in self.attachments)]
            self._body = SEPARATOR.join(parts)
        return self._body

    @property
    def messages(self) -> Sequence[str | bytes]:
        """It as WebSocket messages, for who makes the frames."""
        return [self.packet.decode(), *self.attachments]

    @property
    def size(self) -> int:
        """About how many bytes it is, over any transport."""
        return len(self.packet) + sum(map(len, self.attachments))


def binary(data: bytes) -> Outgoing:
    """A binary message by itself."""
    return _Binary(data)


class _Binary(Outgoing):
    """A binary message that no packet goes before."""

    __slots__ = ()

    @property
    def frames(self) -> bytes:
        return frame(BINARY, self.packet)

    @property
    def body(self) -> bytes:
        return b"b" + b64encode(self.packet)

    @property
    def messages(self) -> Sequence[str | bytes]:
        return [self.packet]


def split(body: bytes) -> Iterator[bytes | bytearray]:
    """The packets of a payload, one by one, since there may be very many; binary messages are bytearrays.

    Raises:
        ProtocolError: it is no payload.
    """
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise ProtocolError("a payload is not UTF-8") from error
    start = 0
    while (end := body.find(SEPARATOR, start)) >= 0:
        yield _unpacked(body[start:end])
        start = end + 1
    yield _unpacked(body[start:])


def _unpacked(part: bytes) -> bytes | bytearray:
    if not part.startswith(b"b"):
        return part
    try:
        return bytearray(b64decode(part[1:], validate=True))
    except Base64Error as error:
        raise ProtocolError("a binary message is not base64") from error
