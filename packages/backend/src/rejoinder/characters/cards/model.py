"""A character card, of any version, as one typed object beside the JSON that it was made from.

What is not understood is in `raw` as it came, so a card that is written again has lost nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from rejoinder.characters.cards.errors import UnusableCard

Version = Literal["1", "2", "3"]

MAX_NAME = 256
MAX_ENTRIES = 5000
MAX_KEYS = 20_000
_MAX_NUMBER = 1e15


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a lorebook; the names are the specification's."""

    keys: tuple[str, ...]
    content: str
    enabled: bool = True
    insertion_order: float = 0
    case_sensitive: bool = False
    use_regex: bool = False
    constant: bool = False
    selective: bool = False
    secondary_keys: tuple[str, ...] = ()
    priority: float | None = None
    position: Literal["before_char", "after_char"] = "before_char"


@dataclass(frozen=True, slots=True)
class Lorebook:
    """What a character knows of its world, by the words that bring it up."""

    entries: tuple[Entry, ...]
    scan_depth: int | None = None
    token_budget: int | None = None
    recursive_scanning: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A card."""

    version: Version
    name: str
    description: str = ""
    personality: str = ""
    scenario: str = ""
    first_mes: str = ""
    mes_example: str = ""
    creator_notes: str = ""
    system_prompt: str = ""
    post_history_instructions: str = ""
    alternate_greetings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    creator: str = ""
    character_version: str = ""
    nickname: str = ""
    book: Lorebook | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The whole JSON object."""


def card_of(raw: Mapping[str, Any]) -> Card:
    """The card that a JSON object is.

    Raises:
        UnusableCard: It is none.
    """
    version = _version(raw)
    fields = Fields(raw if version == "1" else raw.get("data"))
    name, nickname = fields.text("name").strip(), fields.text("nickname").strip()
    if not name or not any(map(str.isprintable, name)):
        raise UnusableCard("The card has no name.")
    if max(len(name), len(nickname)) > MAX_NAME:
        raise UnusableCard(f"The name on the card is longer than {MAX_NAME} characters.")
    book = fields.value("character_book")
    return Card(
        version=version,
        name=name,
        nickname=nickname,
        description=fields.text("description"),
        personality=fields.text("personality"),
        scenario=fields.text("scenario"),
        first_mes=fields.text("first_mes"),
        mes_example=fields.text("mes_example"),
        creator_notes=fields.text("creator_notes"),
        system_prompt=fields.text("system_prompt"),
        post_history_instructions=fields.text("post_history_instructions"),
        alternate_greetings=fields.texts("alternate_greetings"),
        tags=fields.texts("tags"),
        creator=fields.text("creator"),
        character_version=fields.text("character_version"),
        book=None if book is None else _book(book),
        raw=raw,
    )


class Fields:
    """Reads the fields of a JSON object. One that is missing or null is empty; one of another type is refused."""

    def __init__(self, value: object, place: str = "") -> None:
        if not isinstance(value, dict):
            raise UnusableCard(f"In the card, {place or 'data'} is no object.")
        self._values = cast("dict[str, Any]", value)
        self._place = place

    def value(self, name: str) -> Any:
        return self._values.get(name)

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(name, "text")
        return clean(value)

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, "a list of texts")
        return tuple(map(clean, value))

    def number(self, name: str) -> float | None:
        value = self._values.get(name)
        if value is None:
            return None
        # In JSON true is no number, in Python it is one.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, "a number")
        return max(-_MAX_NUMBER, min(value, _MAX_NUMBER))

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def _wrong(self, name: str, kind: str) -> UnusableCard:
        return UnusableCard(
            f"In the card, {self._place}{'.' if self._place else ''}{name} is not {kind}."
        )


def clean(text: str) -> str:
    """Valid Unicode: JSON may hold halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _version(raw: Mapping[str, Any]) -> Version:
    spec = raw.get("spec")
    if spec == "chara_card_v3":
        return "3"
    if spec == "chara_card_v2":
        return "2"
    if spec is None and "first_mes" in raw and "name" in raw:
        return "1"
    raise UnusableCard("This is no character card: it has no `spec` that is known.")


def _book(value: object) -> Lorebook:
    fields = Fields(value, "character_book")
    entries = fields.value("entries")
    if entries is None:
        entries = []
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise UnusableCard(f"The card's lorebook is no list of at most {MAX_ENTRIES} entries.")
    book = Lorebook(
        tuple(_entry(entry, index) for index, entry in enumerate(entries)),
        scan_depth=_whole(fields.number("scan_depth")),
        token_budget=_whole(fields.number("token_budget")),
        recursive_scanning=fields.flag("recursive_scanning"),
    )
    if sum(len(entry.keys) + len(entry.secondary_keys) for entry in book.entries) > MAX_KEYS:
        raise UnusableCard(f"The card's lorebook has more than {MAX_KEYS} keys.")
    return book


def _entry(value: object, index: int) -> Entry:
    fields = Fields(value, f"character_book.entries[{index}]")
    position = fields.value("position")
    return Entry(
        keys=fields.texts("keys"),
        content=fields.text("content"),
        enabled=fields.flag("enabled", default=True),
        insertion_order=fields.number("insertion_order") or 0,
        case_sensitive=fields.flag("case_sensitive"),
        use_regex=fields.flag("use_regex"),
        constant=fields.flag("constant"),
        selective=fields.flag("selective"),
        secondary_keys=fields.texts("secondary_keys"),
        priority=fields.number("priority"),
        # Other programs write numbers and names of their own here.
        position="after_char" if position == "after_char" else "before_char",
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else max(0, int(number))
