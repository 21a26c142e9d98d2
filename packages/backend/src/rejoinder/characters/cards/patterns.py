"""Keys of a lorebook in a text: words as they stand, and patterns, which are a stranger's and get no more time than any text."""

import re
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

# For all keys of a turn. The worst single pattern takes about a third of it; real ones take a thousandth.
TURN_SECONDS = 0.25
MAX_PATTERN = 1000
MAX_TEXT = 4096

_LIBRARY = "re2"
_MAX_MEMORY = 1 << 20

_SLASHED = re.compile(r"/(.*)/([a-z]*)", re.DOTALL)


def mentions(text: str, key: str) -> bool:
    """Whether a text holds a key as a word.

    A letter of the Latin alphabet or a digit beside it makes it part of another word; letters of scripts that write
    particles onto their words do not.
    """
    place = text.find(key)
    while place >= 0:
        end = place + len(key)
        if not _joined(text[place - 1 : place], key[0]) and not _joined(
            key[-1], text[end : end + 1]
        ):
            return True
        place = text.find(key, place + 1)
    return False


def _joined(left: str, right: str) -> bool:
    both = left + right
    return len(both) > 1 and both.isascii() and both.isalnum()


class Patterns:
    """Searches with patterns, in the time that one turn has for all of its keys.

    RE2 runs them, in time that grows with the text and in bounded memory, whatever the pattern. It knows no look-around
    and no back-references: patterns with those are not found. Nor is any where the package google-re2 is missing.

    Args:
        clock: Tells the seconds; those that this thread computes, so that a busy machine changes nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._until = clock() + TURN_SECONDS

    def over(self) -> bool:
        """Whether the time is up."""
        return self._clock() >= self._until

    def matches(self, text: str, key: str, *, case_sensitive: bool) -> bool:
        """Whether a pattern is found; one that is none is not."""
        if self.over() or len(key) > MAX_PATTERN or find_spec(_LIBRARY) is None:
            return False
        flags = "" if case_sensitive else "i"
        if slashed := _SLASHED.fullmatch(key):
            key, flags = slashed[1], "".join(sorted(set(slashed[2]) & set("ims")))
        re2: Any = import_module(_LIBRARY)
        options = re2.Options()
        options.max_mem = _MAX_MEMORY
        options.log_errors = False
        try:
            pattern = re2.compile(f"(?{flags}){key}" if flags else key, options)
            return pattern.search(text[-MAX_TEXT:]) is not None
        except (re2.error, ValueError):
            return False
