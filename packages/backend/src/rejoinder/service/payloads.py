"""What clients send, from JSON to the types of the catalogue; and refusals as what they are answered with."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from rejoinder.errors import ChatError, InvalidPayload, RateLimited, TooLarge, Unavailable
from rejoinder.protocol import events
from rejoinder.protocol.catalogue import ClientEvent
from rejoinder.protocol.fields import or_unset

Json = bytes | Raw
NESTING_MAX = 64
"""How many lists and objects of a payload may lie in one another."""


def decode(event: ClientEvent, arguments: Sequence[Json], limit: int) -> Any:
    """The payload of an event, whose arguments are JSON each.

    Raises:
        TooLarge: it has more than `limit` bytes.
        InvalidPayload: it is not what the catalogue declares.
    """
    if len(arguments) > 1:
        raise InvalidPayload(f"{event.name} takes one payload.")
    if not arguments and not event.payload_optional:
        raise InvalidPayload(f"{event.name} needs a payload.")
    given_payload = arguments[0] if arguments else b"{}"
    try:
        _check_size(given_payload, limit)
        payload = event.decoder.decode(given_payload)
        for name in event.numeric:
            value = getattr(payload, name)
            if value is not UNSET:
                _check_value(event.name, value)
    except msgspec.ValidationError as error:
        raise InvalidPayload(f"{event.name}: {str(error)[:200]}") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidPayload(f"{event.name}: the payload is not plain JSON.") from error
    return payload


def _check_size(payload: Json, limit: int) -> None:
    if len(memoryview(payload)) > limit:
        # What counts is its shortest form: some clients escape every letter that is not ASCII.
        size = len(msgspec.json.encode(msgspec.json.decode(payload)))
        if size > limit:
            raise TooLarge(f"The payload has {size} bytes, and {limit} are allowed.")


def _check_value(event_name: str, value: object) -> None:
    if _is_wide(value):
        raise InvalidPayload(f"{event_name}: a number has more than 64 bits.")
    if _is_deep(value):
        raise InvalidPayload(f"{event_name}: more than {NESTING_MAX} values lie in one another.")


def _is_deep(value: object) -> bool:
    """True if lists and objects are nested so deep that they may be read here, and not be written or read where they go."""
    outer = [value] if isinstance(value, dict | list) else []
    for _ in range(NESTING_MAX):
        if not outer:
            return False
        outer = [
            inner
            for each in outer
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
    return bool(outer)


def _is_wide(value: object) -> bool:
    """True if an integer is in it that clients of some languages can't read, so that they could enter no room with it."""
    if isinstance(value, float):
        # As an integer it was no shorter before it became this field's type.
        return not -(2.0**63) <= value < 2.0**63
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, int) and not -(2**63) <= each < 2**63:
            return True
    return False


def failure(error: ChatError) -> events.Failure:
    """An error as an acknowledgement."""
    retry = error.retry_after_ms if isinstance(error, RateLimited | Unavailable) else None
    return events.Failure(
        success=False, error=str(error), code=error.code, retry_after_ms=or_unset(retry)
    )
