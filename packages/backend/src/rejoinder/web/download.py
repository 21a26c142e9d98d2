"""Files to be saved: their names, and the headers that keep a browser from doing anything else with them."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

NAME_LENGTH: Final = 80
_FORBIDDEN = re.compile(r'[/\\:*?"<>|%;]+')


def file_name(title: str, default: str) -> str:
    """A title as the name of a file, without its ending, that every system takes."""
    shown = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", title))
    plain = " ".join(_FORBIDDEN.sub(" ", shown).split())[:NAME_LENGTH].strip(" .")
    return plain or default


def attachment(name: str) -> dict[str, str]:
    """The headers of a file of that name: saved, not shown (RFC 6266), its name also in other scripts (RFC 8187)."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, dot, ending = ascii_only.rpartition(".")
    # Wide forms of what was taken out have become that again.
    plain = " ".join(_FORBIDDEN.sub(" ", stem).split()).strip(" .")
    fallback = f"{plain or 'file'}{dot}{ending}"
    return {
        "content-disposition": f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='')}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cache-control": "no-store",
    }
