"""Files that hold a card: JSON, PNG and CHARX."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rejoinder.characters.cards import charx, png, text
from rejoinder.characters.cards.errors import UnusableCard
from rejoinder.characters.cards.model import Card, card_of

Format = Literal["json", "png", "charx"]
FORMATS: tuple[Format, ...] = ("json", "png", "charx")

MAX_FILE_BYTES = charx.MAX_BYTES
PORTRAIT = "assets/icon/images/main.png"


@dataclass(frozen=True, slots=True)
class CardFile:
    """A card with what came along with it.

    Attributes:
        card: The card.
        format: How it came.
        picture: The PNG that it was in; b"" for none.
        files: What else was in its CHARX file, by path.
    """

    card: Card
    format: Format
    picture: bytes = field(default=b"", repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def read(content: bytes) -> CardFile:
    """The card in a file of any format, told apart by what is in it.

    Raises:
        UnusableCard: There is none that can be used.
    """
    if len(content) > MAX_FILE_BYTES:
        raise UnusableCard(f"The file is larger than {MAX_FILE_BYTES >> 20} MiB.")
    if content.startswith(png.SIGNATURE):
        card = card_of(text.parse(png.card_text(content)))
        return CardFile(card, "png", picture=content)
    if charx.is_zip(content):
        written, files = charx.unpack(content)
        return CardFile(card_of(text.parse(written)), "charx", files=files)
    return CardFile(card_of(text.parse(content)), "json")


def write(source: CardFile, wanted: Format) -> bytes:
    """The file of a card in a format; `left_out` says what that cannot hold."""
    written = text.write(source.card.raw)
    if wanted == "json":
        return written
    if wanted == "png":
        keyword = b"ccv3" if source.card.version == "3" else b"chara"
        return png.with_card(source.picture or _portrait(source) or png.blank(), keyword, written)
    files = dict(source.files)
    if source.picture:
        files.setdefault(PORTRAIT, source.picture)
    return charx.pack(written, files)


def left_out(source: CardFile, wanted: Format) -> str:
    """What of a card does not fit into a format, as a word; "" for nothing."""
    if wanted == "charx":
        return ""
    if source.files:
        return f"{len(source.files)} files"
    return "picture" if source.picture and wanted == "json" else ""


def _portrait(source: CardFile) -> bytes:
    content = source.files.get(PORTRAIT, b"")
    try:
        return content if any(png.chunks(content)) else b""
    except UnusableCard:
        return b""
