"""Who somebody is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """A person or program that may connect.

    `expires_at_ms` (milliseconds since the epoch) is when what they showed to get in ceases to be valid.
    """

    id: str
    name: str = ""
    expires_at_ms: int | None = None
