"""A card inside a CHARX file: a zip with `card.json` and what belongs to it. Nothing of it is unpacked to a disk."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from rejoinder.characters.cards import text
from rejoinder.characters.cards.errors import UnusableCard

MAX_BYTES = 64 << 20
MAX_OPEN_BYTES = 128 << 20
MAX_FILES = 1000
MAX_PATH = 512
CARD = "card.json"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


def is_zip(content: bytes) -> bool:
    """Whether it is a zip, by its first bytes. Some are hidden behind a JPEG."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xff\xd8\xff"))


def unpack(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """The text of the card, and the other files by their paths.

    Raises:
        UnusableCard: It is none, damaged, encrypted, or opens to more than there may be.
    """
    if len(content) > MAX_BYTES:
        raise UnusableCard(f"The file is larger than {MAX_BYTES >> 20} MiB.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read(archive)
    except UnusableCard:
        raise
    # The library raises a dozen different errors for damaged files.
    except Exception:  # noqa: BLE001 - zipfile raises whatever a damaged file leads it to
        raise UnusableCard("The file is no CHARX file, or is damaged.") from None


def pack(card: bytes, files: Mapping[str, bytes]) -> bytes:
    """A CHARX file; the same content gives the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in {CARD: card, **files}.items():
            info = zipfile.ZipInfo(path)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return packed.getvalue()


def _read(archive: zipfile.ZipFile) -> tuple[bytes, dict[str, bytes]]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_FILES:
        raise UnusableCard(f"The file has more than {MAX_FILES} files in it.")
    left = MAX_OPEN_BYTES
    found: dict[str, bytes] = {}
    # The card first, so that what is wrong with it is told before anything else is opened.
    for entry in sorted(entries, key=lambda entry: entry.filename != CARD):
        path = entry.filename
        if entry.flag_bits & _ENCRYPTED:
            raise UnusableCard("The file is encrypted.")
        if entry.compress_type not in _METHODS:
            raise UnusableCard("The file is compressed in a way that is not known.")
        if not _is_safe(path) or path in found:
            raise UnusableCard("The file has paths in it that it must not have.")
        most = min(left, text.MAX_BYTES if path == CARD else left)
        # What it says about its size need not be true.
        with archive.open(entry) as file:
            found[path] = file.read(most + 1)
        if len(found[path]) > most:
            raise UnusableCard("The file opens to more than a card may have.")
        left -= len(found[path])
    if CARD not in found:
        raise UnusableCard(f"The file holds no character card: {CARD} is missing.")
    return found.pop(CARD), found


def _is_safe(path: str) -> bool:
    parts = PurePosixPath(path)
    plain = path.isprintable() and "\\" not in path and ":" not in path
    return plain and len(path) <= MAX_PATH and not parts.is_absolute() and ".." not in parts.parts
