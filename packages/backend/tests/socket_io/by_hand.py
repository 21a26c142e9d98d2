"""Bytes as a client makes them, written without the code under test."""

import struct

FIN = 0x80
MASK = b"\x37\xfa\x21\x3d"


def length(size: int, form: int) -> bytes:
    """The masked length of a client's frame, in the form with so many further bytes."""
    if form == 0:
        return bytes([0x80 | size])
    return (
        struct.pack("!BH", 0x80 | 126, size) if form == 2 else struct.pack("!BQ", 0x80 | 127, size)
    )


def shortest(size: int) -> int:
    """The form that a length must have."""
    return 0 if size <= 125 else 2 if size <= 0xFFFF else 8


def client_frame(
    opcode: int, payload: bytes = b"", *, last: bool = True, mask: bytes = MASK, form: int = -1
) -> bytes:
    """A frame of a client."""
    form = shortest(len(payload)) if form < 0 else form
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    head = bytes([(FIN if last else 0) | opcode]) + length(len(payload), form) + mask
    return head + masked.to_bytes(len(payload), "big")


def server_frames(data: bytes) -> list[tuple[int, bytes]]:
    """The frames in what a server has sent: all are whole, and none is masked."""
    frames = []
    while data:
        opcode, size, start = data[0] & 0x0F, data[1], 2
        assert data[0] & 0xF0 == FIN
        assert size < 0x80, "a server masks nothing"
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        assert len(data) >= start + size, "cut short"
        frames.append((opcode, data[start : start + size]))
        data = data[start + size :]
    return frames
