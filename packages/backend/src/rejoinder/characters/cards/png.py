"""A card inside a PNG: in a `tEXt` chunk, in base64. The picture itself is never decoded."""

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from rejoinder.characters.cards.errors import UnusableCard

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_BYTES = 32 << 20
MAX_CHUNKS = 100_000
MAX_PIXELS = 100_000_000
# The newer one first: a file with both holds the older one for programs that know no better.
KEYWORDS = (b"ccv3", b"chara")

_HEADER = struct.Struct(">II5B")
_LENGTH = struct.Struct(">I")
_AROUND = 12


class Chunk(NamedTuple):
    """A part of a PNG."""

    kind: bytes
    data: bytes

    def encoded(self) -> bytes:
        """As it stands in the file."""
        checksum = zlib.crc32(self.data, zlib.crc32(self.kind))
        return _LENGTH.pack(len(self.data)) + self.kind + self.data + _LENGTH.pack(checksum)


def card_text(content: bytes) -> bytes:
    """The JSON text of the card in a PNG.

    Raises:
        UnusableCard: There is none, or the file is damaged.
    """
    found: dict[bytes, bytes] = {}
    for chunk in chunks(content):
        keyword, separator, text = chunk.data.partition(b"\0")
        if chunk.kind == b"tEXt" and separator and keyword in KEYWORDS:
            found.setdefault(keyword, text)
    for keyword in KEYWORDS:
        if keyword in found:
            try:
                return base64.b64decode(found[keyword].translate(None, b" \t\r\n"), validate=True)
            except (binascii.Error, ValueError):
                raise UnusableCard("The card in the picture is damaged.") from None
    raise UnusableCard("The picture holds no character card.")


def chunks(content: bytes) -> Iterator[Chunk]:
    """The parts of a PNG, from its header to its end. What is behind that is left out.

    Raises:
        UnusableCard: It is none, damaged, or too large.
    """
    if len(content) > MAX_BYTES:
        raise UnusableCard(f"The picture is larger than {MAX_BYTES >> 20} MiB.")
    if not content.startswith(SIGNATURE):
        raise UnusableCard("The file is no PNG picture.")
    place = len(SIGNATURE)
    for number in range(MAX_CHUNKS):
        if len(content) - place < _AROUND:
            break
        (length,) = _LENGTH.unpack_from(content, place)
        end = place + 8 + length
        if end + 4 > len(content):
            break
        chunk = Chunk(content[place + 4 : place + 8], content[place + 8 : end])
        if chunk.encoded()[-4:] != content[end : end + 4]:
            break
        if (number == 0) != (chunk.kind == b"IHDR") or (number == 0 and not _is_header(chunk.data)):
            break
        yield chunk
        if chunk.kind == b"IEND":
            return
        place = end + 4
    raise UnusableCard("The picture is damaged.")


def with_card(content: bytes, keyword: bytes, text: bytes) -> bytes:
    """The picture with this card in it and no other."""
    card = Chunk(b"tEXt", keyword + b"\0" + base64.b64encode(text))
    parts = [SIGNATURE]
    for chunk in chunks(content):
        if chunk.kind == b"tEXt" and chunk.data.partition(b"\0")[0] in KEYWORDS:
            continue
        if chunk.kind == b"IEND":
            parts.append(card.encoded())
        parts.append(chunk.encoded())
    return b"".join(parts)


def blank() -> bytes:
    """A picture for a card that has none: one grey pixel."""
    parts = (
        Chunk(b"IHDR", _HEADER.pack(1, 1, 8, 0, 0, 0, 0)),
        Chunk(b"IDAT", zlib.compress(b"\0\x80")),
        Chunk(b"IEND", b""),
    )
    return SIGNATURE + b"".join(part.encoded() for part in parts)


def _is_header(data: bytes) -> bool:
    if len(data) != _HEADER.size:
        return False
    width, height = map(int, _HEADER.unpack(data)[:2])
    return 0 < width * height <= MAX_PIXELS
