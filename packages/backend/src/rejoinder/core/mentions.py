"""Whom a text speaks to by name, and whose turn it is where it speaks to nobody. Pure."""

import re
from collections.abc import Mapping, Sequence


def mentioned(text: str, names: Mapping[str, str]) -> str | None:
    """The id of whom the text names first as `@name` or `@id`; of several names that fit there, the longest.

    `names` are the names of those who may be meant, by their ids. Upper and lower case are alike. A name in Latin letters ends
    where the word does; behind another one a particle may follow.
    """
    found: tuple[int, int, str] | None = None
    for id_, name in names.items():
        for called in {name, id_}:
            if not called:
                continue
            end = r"(?!\w)" if called[-1].isascii() else ""
            match = re.search(rf"(?<![\w@])@{re.escape(called)}{end}", text, re.IGNORECASE)
            if match is None:
                continue
            place = (match.start(), -len(called), id_)
            if found is None or place < found:
                found = place
    return None if found is None else found[2]


def next_in_turn(characters: Sequence[str], last: str | None) -> str | None:
    """Who comes after the one who spoke last; the first where that one is not among them, None where there is nobody."""
    if not characters:
        return None
    place = characters.index(last) + 1 if last in characters else 0
    return characters[place % len(characters)]
