"""Character cards (V1, V2, V3) as characters. A card is a stranger's file: read without trust, and never run."""

from rejoinder.characters.cards.errors import UnusableCard
from rejoinder.characters.cards.files import CardFile, Format, left_out, read, write
from rejoinder.characters.cards.library import Library
from rejoinder.characters.cards.model import Card
from rejoinder.characters.cards.persona import CardPersona

__all__ = [
    "Card",
    "CardFile",
    "CardPersona",
    "Format",
    "Library",
    "UnusableCard",
    "left_out",
    "read",
    "write",
]
