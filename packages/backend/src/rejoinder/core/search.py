"""Full-text search without a dictionary: pairs of characters find the messages, a look at the text decides.

Korean attaches particles to its words, so a word is to be found wherever it stands in another one. Every two
neighbouring characters of a run of letters and digits are a pair, and a pair is a number below `PAIRS`. A message that has
all pairs of what is looked for may hold it; whether it does, its text says. Text is compared without regard to case, to
wide and narrow forms, and to whether a syllable is one character or several.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

PAIRS: Final = 46_649
"""A prime below 36³, so that three letters and digits are enough for one."""
SPREAD: Final = 40_503
QUERY_MAX: Final = 200
TERMS_MAX: Final = 10
SNIPPET_LENGTH: Final = 160
SNIPPET_BEFORE: Final = 40
SPANS_MAX: Final = 50

_RUNS = re.compile(r"\w+")

Span = tuple[int, int]
"""A part of a text: from where to before where, in code points."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: all `terms` are in the text; where there are `pairs`, it has all of them."""

    terms: tuple[str, ...]
    pairs: frozenset[int]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text around a match: where it begins in the text, and the matches in it, from its own beginning."""

    text: str
    offset: int
    matches: tuple[Span, ...]


def wanted(query: str) -> Wanted | None:
    """What a query looks for; None if there is nothing in it to look for."""
    terms = tuple(dict.fromkeys(folded(query[:QUERY_MAX]).split()))[:TERMS_MAX]
    if not terms:
        return None
    return Wanted(terms, frozenset(pair for term in terms for pair in pairs(term)))


def pairs(text: str) -> set[int]:
    """The pairs of a text, as numbers below `PAIRS`; different ones may share a number."""
    # Between two runs there is a zero, which is no letter and no digit.
    points = "\0".join(_RUNS.findall(folded(text))).encode("utf-32-le", "surrogatepass")
    numbers = memoryview(points).cast("I").tolist()
    return {(a * SPREAD + b) % PAIRS for a, b in pairwise(numbers) if a and b}


def matches(looked_for: Wanted, text: str) -> bool:
    """True if all that is looked for is in the text."""
    plain = folded(text)
    return all(term in plain for term in looked_for.terms)


def spans(looked_for: Wanted, text: str) -> list[Span]:
    """Where in the text what is looked for stands, in order, no two of them overlapping; the first `SPANS_MAX`."""
    plain, places = _fold(text)
    found = sorted(span for term in looked_for.terms for span in _all(term, plain))
    if places is not None:
        # A character that became several is in it as a whole.
        found = [
            (places[start], places[bisect_right(places, places[end - 1])]) for start, end in found
        ]
    joined: list[Span] = []
    for start, end in found:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined[:SPANS_MAX]


def snippet(looked_for: Wanted, text: str) -> Snippet:
    """The part of the text around the first match."""
    found = spans(looked_for, text)
    first = found[0][0] if found else 0
    start = max(0, min(first - SNIPPET_BEFORE, len(text) - SNIPPET_LENGTH))
    if 0 < start < first:
        # Not in the middle of a word, where there is a better place.
        space = text.find(" ", start - 1, first)
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + SNIPPET_LENGTH)
    inside = tuple((a - start, min(b, end) - start) for a, b in found if start <= a < end)
    return Snippet(text[start:end], start, inside)


def folded(text: str) -> str:
    """The text as it is compared."""
    return _fold(text)[0]


def _fold(text: str) -> tuple[str, Sequence[int] | None]:
    """The text as it is compared, and the place in the text of each of its characters, and of its end; None: the same."""
    if text.isascii():
        return text.lower(), None
    if unicodedata.is_normalized("NFKC", text):
        plain = text.casefold()
        if len(plain) == len(text):
            return plain, None
    parts: list[str] = []
    places: list[int] = []
    for start, cluster in _clusters(text):
        part = unicodedata.normalize("NFKC", cluster).casefold()
        parts.append(part)
        places.extend([start] * len(part))
    places.append(len(text))
    return "".join(parts), places


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not _goes_on(text[place]):
            yield start, text[start:place]
            start = place


def _goes_on(character: str) -> bool:
    return "\u1160" <= character <= "\u11ff" or unicodedata.combining(character) != 0


def _all(term: str, plain: str) -> Iterator[Span]:
    place = plain.find(term)
    for _ in range(SPANS_MAX):
        if place < 0:
            return
        yield place, place + len(term)
        place = plain.find(term, place + len(term))
