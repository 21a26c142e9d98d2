"""Every error that Rejoinder raises on purpose, each with its code.

    RejoinderError
    ├── ChatError              an answer to a client; `code` goes on the wire
    │   ├── InvalidPayload         invalid_payload
    │   ├── Unauthorized           unauthorized
    │   ├── Forbidden              forbidden
    │   ├── NotInRoom              not_in_room
    │   ├── NotFound               not_found
    │   ├── Conflict               conflict
    │   ├── TooLarge               too_large
    │   ├── RateLimited            rate_limited (with `retry_after_ms`)
    │   ├── Unavailable            unavailable
    │   ├── CharacterFailed        character_failed
    │   └── InternalError          internal
    └── ConfigurationError     for whoever starts the server; never sent to a client

The text of a `ChatError` is a sentence for a person: it says what to do and nothing of the inside.
This module imports nothing of the package.
"""

from typing import ClassVar, Literal

ErrorCode = Literal[
    "invalid_payload",
    "unauthorized",
    "forbidden",
    "not_in_room",
    "not_found",
    "conflict",
    "too_large",
    "rate_limited",
    "unavailable",
    "character_failed",
    "internal",
]


class RejoinderError(Exception):
    """The root of the tree."""


class ConfigurationError(RejoinderError):
    """A setting, a file or a port is not as it must be. The text says what to change."""


class ChatError(RejoinderError):
    """An answer to a client: `code` is one of the contract's section 5."""

    code: ClassVar[ErrorCode]


class InvalidPayload(ChatError):
    """The payload is not of the shape that the catalogue declares."""

    code = "invalid_payload"


class Unauthorized(ChatError):
    """No token, or one that is not valid (any more)."""

    code = "unauthorized"


class Forbidden(ChatError):
    """The user may not do this, whatever they send."""

    code = "forbidden"


class NotInRoom(ChatError):
    """The connection has not entered the room that the event names."""

    code = "not_in_room"


class NotFound(ChatError):
    """A message, room, character or event that does not exist."""

    code = "not_found"


class Conflict(ChatError):
    """The message id is taken, by another sender or with another content."""

    code = "conflict"


class TooLarge(ChatError):
    """Content or payload is over its limit in bytes."""

    code = "too_large"


class RateLimited(ChatError):
    """Too many in too short a time; `retry_after_ms` milliseconds from now it will be taken."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after_ms: int) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class Unavailable(ChatError):
    """A store, a bus or a queue cannot take it now; the same request may succeed later, where known in `retry_after_ms`."""

    code = "unavailable"

    def __init__(self, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class CharacterFailed(ChatError):
    """A character could not finish its answer."""

    code = "character_failed"


class InternalError(ChatError):
    """A defect of the server. What went wrong is in its log, not in this text."""

    code = "internal"
