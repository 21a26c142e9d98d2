"""The picture of a card, as it may be shown: of a known kind by its first bytes, and without the card that is inside."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from rejoinder.characters.cards import png
from rejoinder.characters.cards.errors import UnusableCard
from rejoinder.characters.cards.files import PORTRAIT, CardFile

Kind = Literal["image/png", "image/jpeg", "image/webp"]
MAX_BYTES: Final = 8 << 20
MAX_SIDE: Final = 8192
# What a picture is made of; texts, times and what nobody knows are left out.
_SHOWN: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"}
)
_EMBEDDED: Final = (
    "embeded://",
    "embedded://",
)  # As the specification writes it, and as it is meant.


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and its kind."""

    kind: Kind
    content: bytes


def picture_of(file: CardFile) -> Picture | None:
    """The picture of a card; None if it has none that can be shown."""
    for content in _candidates(file):
        shown = _shown(content)
        if shown is not None:
            return shown
    return None


def _candidates(file: CardFile) -> list[bytes]:
    if file.picture:
        return [file.picture]
    paths = [*_icons(file.card.raw), PORTRAIT]
    paths += sorted(path for path in file.files if path.startswith("assets/icon/"))
    return [file.files[path] for path in dict.fromkeys(paths) if path in file.files]


def _icons(raw: Any) -> list[str]:
    """The paths of the icons that a card names, the main one first."""
    data = raw.get("data")
    assets = data.get("assets") if isinstance(data, dict) else None
    found: list[tuple[bool, str]] = []
    for asset in assets if isinstance(assets, list) else []:
        if isinstance(asset, dict) and asset.get("type") == "icon":
            uri = asset.get("uri")
            start = next((e for e in _EMBEDDED if isinstance(uri, str) and uri.startswith(e)), "")
            if start:
                found.append((asset.get("name") != "main", str(uri).removeprefix(start)))
    return [path for _, path in sorted(found)]


def _shown(content: bytes) -> Picture | None:
    if content.startswith(b"\xff\xd8\xff") and len(content) <= MAX_BYTES:
        return Picture("image/jpeg", content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP" and len(content) <= MAX_BYTES:
        return Picture("image/webp", content)
    if not content.startswith(png.SIGNATURE):
        return None
    try:
        parts = [chunk for chunk in png.chunks(content) if chunk.kind in _SHOWN]
    except UnusableCard:
        return None
    width, height = (int.from_bytes(parts[0].data[at : at + 4], "big") for at in (0, 4))
    bare = png.SIGNATURE + b"".join(part.encoded() for part in parts)
    # One pixel stands for no picture.
    is_picture = 1 < max(width, height) <= MAX_SIDE
    return Picture("image/png", bare) if is_picture and len(bare) <= MAX_BYTES else None
