"""Titles of rooms: one line, made of what was said first."""

import re
import unicodedata
from typing import Final

from rejoinder.protocol.constants import TITLE_LENGTH_MAX

MADE_LENGTH: Final = 40
"""Characters of a title that is made of a message."""
LOOKED_AT: Final = 1000
WORD_SHARE: Final = 0.5
"""Where a word begins behind this part of the title, it is cut off before it."""

_JOINER = "\u200d"
_REGIONAL = range(0x1F1E6, 0x1F200)
_MODIFIERS = range(0x1F3FB, 0x1F400)
# What makes a heading, a list, a quotation or a fence of a line.
_MARKS = re.compile(r"^\s*(?:#{1,6}\s+|[-*+]\s+|>\s*|\d+[.)]\s+|`{3,}\w*)")


def cleaned(title: str) -> str:
    """The title as one line that can be shown, at most `TITLE_LENGTH_MAX` characters; "" if nothing is left."""
    shown = "".join(c if c.isprintable() or c == _JOINER else " " for c in title)
    return shortened(" ".join(shown.split()), TITLE_LENGTH_MAX)


def title_of(text: str) -> str:
    """A title made of a message: its first line, shortened; "" if there is nothing to be shown in it."""
    for line in text[:LOOKED_AT].splitlines():
        title = cleaned(_MARKS.sub("", line))
        if any(c.isalnum() or unicodedata.category(c).startswith("S") for c in title):
            return shortened(title, MADE_LENGTH)
    return ""


def shortened(text: str, length: int) -> str:
    """At most so many characters of a text, cut between words or, failing that, between what is seen as one character."""
    if len(text) <= length:
        return text
    end = length - 1
    while end > 0 and _goes_on(text, end):
        end -= 1
    space = text.rfind(" ", int(length * WORD_SHARE), end + 1)
    end = space if space > 0 else end
    return f"{text[:end].rstrip(' ,.;:')}…"


def _goes_on(text: str, place: int) -> bool:
    """True if what stands there belongs to what is before it."""
    after, before = text[place], text[place - 1]
    if _JOINER in (after, before) or unicodedata.category(after) in {"Mn", "Me", "Mc"}:
        return True
    if ord(after) in _MODIFIERS or "\u1160" <= after <= "\u11ff":
        return True
    if ord(after) in _REGIONAL and ord(before) in _REGIONAL:
        flags = 0
        while place - 1 - flags >= 0 and ord(text[place - 1 - flags]) in _REGIONAL:
            flags += 1
        return flags % 2 == 1
    return False
