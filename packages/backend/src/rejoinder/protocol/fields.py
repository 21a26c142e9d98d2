"""The building blocks of payloads: base structs, ids and times."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from rejoinder.protocol.constants import ID_LENGTH_MAX

T = TypeVar("T")

# In Python `$` also matches before a final newline, hence the lookahead; ECMAScript reads both alike.
ID_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$(?!\n)"

Id = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=ID_LENGTH_MAX,
        pattern=ID_PATTERN,
        description="1 to 128 characters, none of them a control character",
    ),
]
Timestamp = Annotated[str, Meta(description="ISO 8601, UTC, with milliseconds")]
Position = Annotated[int, Meta(ge=0)]


class ClientPayload(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"
):
    """What a client sends. Unknown fields are refused, so that a misspelt one is noticed."""


class ServerPayload(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the server sends. A field that is `UNSET` is left out; nothing is ever sent as null."""


def iso(epoch_ms: int) -> str:
    """Milliseconds since the epoch as ISO 8601 in UTC: `2026-01-31T09:05:00.042Z`."""
    seconds, ms = divmod(epoch_ms, 1000)
    return f"{_second(seconds)}.{ms:03d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def epoch_ms(timestamp: str) -> int:
    """What `iso` made, back in milliseconds since the epoch."""
    return round(datetime.fromisoformat(timestamp).timestamp() * 1000)


def given(value: T | UnsetType) -> T | None:
    """The value, or None where the field was absent."""
    return None if value is UNSET else value


def or_unset(value: T | None) -> T | UnsetType:
    """The value, or `UNSET` (left out on the wire) for None."""
    return UNSET if value is None else value
