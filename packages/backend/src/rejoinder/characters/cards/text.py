"""A card as JSON text."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from rejoinder.characters.cards.errors import UnusableCard

MAX_BYTES = 2 << 20
MAX_DEPTH = 64


def parse(content: bytes) -> dict[str, Any]:
    """The JSON object in it.

    Raises:
        UnusableCard: It is none, too large, or nested too deep.
    """
    if len(content) > MAX_BYTES:
        raise UnusableCard(f"The text of the card is larger than {MAX_BYTES >> 20} MiB.")
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise UnusableCard("The text of the card is nested too deep.") from None
    except ValueError:
        raise UnusableCard("The file is no character card: its text is no JSON.") from None
    if not isinstance(value, dict):
        raise UnusableCard("The file is no character card: its text is no JSON object.")
    _check_depth(value)
    return value


def write(raw: Mapping[str, Any]) -> bytes:
    """The JSON text of an object, as people can read it."""
    try:
        return json.dumps(raw, ensure_ascii=False, indent=2).encode()
    except UnicodeEncodeError:
        # Halves of characters, which UTF-8 cannot hold, but JSON can.
        return json.dumps(raw, indent=2).encode()


def _refuse(_name: str) -> NoReturn:
    raise ValueError


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError
    return number


def _check_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return
        level = inner
    raise UnusableCard("The text of the card is nested too deep.")
