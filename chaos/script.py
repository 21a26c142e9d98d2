"""What people write and what the character answers, both known from the message, so that a wrong text can be told."""

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

CHARACTER = "script"
WORDS = (
    "가나다 ",
    "plain ",
    "👩‍👩‍👧 ",
    "naïve ",
    "🇰🇷",
    "\n",
    '"quoted" ',
    "𝒳 ",
    "한국어 ",
    "e\u0301 ",
)
_ORDER = re.compile(r"\bsay (\d{1,4}) (\d{1,4})( fail)?$")


class Plan(NamedTuple):
    """An answer: its pieces, the seconds between any two, and whether it fails at the end."""

    pieces: tuple[str, ...]
    pause: float
    fails: bool

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def remark(message_id: str, number: int) -> str:
    """Something that is said once only."""
    return f"{message_id} {''.join(_words(message_id, 1 + number % 9))}".strip()


def order(message_id: str, pieces: int, pause_ms: int, *, fails: bool = False) -> str:
    """A question, and how it is to be answered."""
    return f"{message_id} say {pieces} {pause_ms}{' fail' if fails else ''}"


def answer(question: str) -> Plan:
    """What the character says to that, every time."""
    found = _ORDER.search(question)
    pieces, pause_ms = (int(found[1]), int(found[2])) if found else (5, 20)
    fails = bool(found and found[3])
    return Plan(tuple(_words(question, pieces)), pause_ms / 1000, fails)


def _words(key: str, count: int) -> Iterator[str]:
    state = zlib.crc32(key.encode())
    for number in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        yield f"{number}:{WORDS[(state >> 16) % len(WORDS)]}"
