"""HTTP answers: payloads as JSON, errors with the status that fits their code."""

import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from rejoinder.errors import ChatError, ErrorCode, InvalidPayload, TooLarge
from rejoinder.protocol.fields import ClientPayload
from rejoinder.service.payloads import failure

B = TypeVar("B", bound=ClientPayload)
BODY_LIMIT: Final = 64 * 1024

STATUS: Final[Mapping[ErrorCode, int]] = MappingProxyType(
    {
        "invalid_payload": 400,
        "unauthorized": 401,
        "forbidden": 403,
        "not_in_room": 403,
        "not_found": 404,
        "conflict": 409,
        "too_large": 413,
        "rate_limited": 429,
        "unavailable": 503,
        "character_failed": 502,
        "internal": 500,
    }
)


def answer(body: Any, status: int = 200) -> Response:
    """A payload as JSON; never kept by a cache."""
    return Response(
        msgspec.json.encode(body),
        status,
        {"cache-control": "no-store"},
        media_type="application/json",
    )


def refuse(error: ChatError) -> Response:
    """An error as JSON, in the shape that acknowledgements have."""
    body = failure(error)
    response = answer(body, STATUS[error.code])
    if error.code == "unauthorized":
        response.headers["www-authenticate"] = "Bearer"
    if isinstance(body.retry_after_ms, int):
        response.headers["retry-after"] = str(-(-body.retry_after_ms // 1000))
    return response


def is_operator(request: Request, operator_token: str) -> bool:
    """True if the request has the operator's token; "" is nobody's."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    return bool(operator_token) and secrets.compare_digest(given.encode(), operator_token.encode())


async def body_of(request: Request, kind: type[B]) -> B:
    """The body of a request.

    Raises:
        TooLarge: it has more than 64 KiB.
        InvalidPayload: it is not JSON, or not of the declared shape.
    """
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > BODY_LIMIT:
            raise TooLarge(f"The request has more than {BODY_LIMIT} bytes.")
    try:
        return msgspec.json.decode(bytes(received), type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InvalidPayload(f"The request is not valid: {str(error)[:200]}") from error
