"""Which entries of a lorebook a turn brings up."""

from collections.abc import Sequence
from dataclasses import dataclass

from rejoinder.characters.cards.model import Entry, Lorebook
from rejoinder.characters.cards.patterns import Patterns, mentions

DEFAULT_DEPTH = 10
MAX_ROUNDS = 4
MAX_SCANNED = 32_768


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that is brought up, with its text less its decorators, and where in the prompt it belongs."""

    entry: Entry
    text: str
    place: str
    """`before_char`, `after_char`, `before_desc`, `after_desc`, `personality` or `scenario`."""

    @property
    def rank(self) -> float:
        """Whoever has a lower one goes first when there is no room."""
        priority = self.entry.priority
        return self.entry.insertion_order if priority is None else priority


def brought_up(book: Lorebook, said: Sequence[str], patterns: Patterns) -> list[Found]:
    """The entries that are brought up by what was said, oldest first; in the order in which they are inserted.

    A book that takes more time than a turn has is read as far as it goes.
    """
    found: dict[int, Found] = {}
    spoken = [text[-MAX_SCANNED:] for text in said]
    entries = [
        (index, entry, *_decorated(entry.content))
        for index, entry in enumerate(book.entries)
        if entry.enabled
    ]
    told: list[str] = []
    for _ in range(MAX_ROUNDS if book.recursive_scanning else 1):
        fresh: list[str] = []
        for index, entry, decorators, text in entries:
            if index in found or not text.strip() or patterns.over():
                continue
            depth = _depth(decorators, book)
            scanned = _joined([*(spoken[-depth:] if depth else ()), *told])
            if _is_brought_up(entry, decorators, scanned, patterns):
                place = decorators.get("position", "")
                found[index] = Found(entry, text, place if place in PLACES else entry.position)
                fresh.append(text)
        if not fresh:
            break
        told += fresh
    # Those with the same number stay in the order of the book.
    return [
        found[index]
        for index in sorted(found, key=lambda index: (found[index].entry.insertion_order, index))
    ]


PLACES = frozenset({"before_desc", "after_desc", "personality", "scenario"})
_KNOWN = frozenset(
    {"activate", "dont_activate", "scan_depth", "additional_keys", "exclude_keys", "position"}
)


def _decorated(content: str) -> tuple[dict[str, str], str]:
    """The decorators at the beginning of a text, those that are known, and the rest of it.

    One with a third @ stands for the one before it, where that is not known.
    """
    lines = content.lstrip().split("\n")
    decorators: dict[str, str] = {}
    settled = True
    count = 0
    for line in lines:
        if not line.startswith("@@"):
            break
        count += 1
        name, _, value = line.removeprefix("@@").removeprefix("@").strip().partition(" ")
        if line.startswith("@@@") and settled:
            continue
        settled = name in _KNOWN
        if settled:
            decorators.setdefault(name, value.strip())
    return decorators, "\n".join(lines[count:]).strip("\n") if count else content


def _depth(decorators: dict[str, str], book: Lorebook) -> int:
    given = decorators.get("scan_depth", "")
    if given.isascii() and given.isdigit():
        return min(int(given[:6]), 1000)
    return DEFAULT_DEPTH if book.scan_depth is None else min(book.scan_depth, 1000)


def _joined(texts: Sequence[str]) -> str:
    return "\n".join(texts)[-MAX_SCANNED:]


def _is_brought_up(entry: Entry, decorators: dict[str, str], text: str, patterns: Patterns) -> bool:
    if "activate" in decorators:
        return True
    if "dont_activate" in decorators:
        return False
    if entry.use_regex:
        return any(
            patterns.matches(text, key, case_sensitive=entry.case_sensitive) for key in entry.keys
        )

    def any_of(keys: Sequence[str]) -> bool:
        return any(mentions(scanned, key) for key in map(folded, keys) if key)

    def folded(key: str) -> str:
        key = key.strip()
        return key if entry.case_sensitive else key.casefold()

    scanned = text if entry.case_sensitive else text.casefold()
    if any_of(_listed(decorators.get("exclude_keys", ""))):
        return False
    if entry.constant:
        return True
    wanted = [entry.keys]
    if entry.selective and entry.secondary_keys:
        wanted.append(entry.secondary_keys)
    if "additional_keys" in decorators:
        wanted.append(_listed(decorators["additional_keys"]))
    return all(map(any_of, wanted))


def _listed(value: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, value.split(","))))
