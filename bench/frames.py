"""The client's half of WebSocket, by hand: it costs less than a library that is made for more."""

from typing import Final

TEXT: Final = 0x81
CLOSE: Final = 0x88
PING: Final = 0x89
PONG: Final = 0x8A

_SHORT = 126
_MASK_BIT = 0x80

# All four bytes of the key alike, so that to mask is to translate, in one call. For who unmasks it is a key like any other.
_KEY_BYTE = 0x5A
_KEY = bytes([_KEY_BYTE]) * 4
_MASKED = bytes(byte ^ _KEY_BYTE for byte in range(256))


def upgrade(host: str, port: int, path: str) -> bytes:
    """The request that opens a WebSocket."""
    # A fixed key: who answers is not in doubt here.
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    )
    return "\r\n".join((*lines, "", "")).encode()


def frame(payload: bytes, first: int = TEXT) -> bytes:
    """A masked frame; of at most 65,535 bytes, since no client sends more here."""
    size = len(payload)
    if size < _SHORT:
        return b"%c%c%b%b" % (first, _MASK_BIT | size, _KEY, payload.translate(_MASKED))
    head = b"%c%c%b" % (first, _MASK_BIT | _SHORT, size.to_bytes(2, "big"))
    return head + _KEY + payload.translate(_MASKED)


def bounds(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at that place begins and ends; None where it is not whole yet."""
    there = len(data) - at
    if there < 2:  # noqa: PLR2004 - the size of the smallest head
        return None
    size, begin = data[at + 1], at + 2
    if size >= _SHORT:
        width = 2 if size == _SHORT else 8
        if there < 2 + width:
            return None
        begin += width
        size = int.from_bytes(data[at + 2 : begin], "big")
    return (begin, begin + size) if begin + size <= len(data) else None
