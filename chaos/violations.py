"""What can be wrong, column by column."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

Column = Literal[
    "missing",
    "doubled",
    "order",
    "hole",
    "text",
    "no end",
    "two ends",
    "late end",
    "streaming",
    "generations",
    "no answer",
    "unanswered",
    "refused",
    "connections",
]
COLUMNS: tuple[Column, ...] = get_args(Column)
MEANING: dict[Column, str] = {
    "missing": "acknowledged and not stored",
    "doubled": "stored twice, or shown twice to one client as new",
    "order": "shown or stored in another order than `seq`, or than what was acknowledged before",
    "hole": "a viewer lacks a row, and was not told; or the log does",
    "text": "a text at a viewer, or put together from chunks, is not the stored one, or not what was said",
    "no end": "an answer that a viewer followed never ended",
    "two ends": "an answer ended twice for a viewer",
    "late end": "what a server left when it was killed was not ended 15 s later, with a server and the database there",
    "streaming": "a row is `streaming` after everything is over",
    "generations": "more answers to a message than were asked for",
    "no answer": "a question, or another answer to one, was acknowledged, and there is no answer, not even an empty one",
    "unanswered": "a message was neither acknowledged nor refused in the end",
    "refused": "a message was refused for good, and is stored",
    "connections": "a user had two connections for more than 2 s",
}


@dataclass(frozen=True)
class Violation:
    """One thing that must not be."""

    column: Column
    says: str
    t: float = 0.0
    viewer: tuple[str, str] | None = None
    """Of a hole: the client, and the room."""


Violations = Iterator[Violation]
