"""Who asks, and for what: what all endpoints of the REST interface begin with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from rejoinder.core.limits import RateLimit
from rejoinder.core.users import User
from rejoinder.errors import (
    ChatError,
    Forbidden,
    InternalError,
    InvalidPayload,
    NotFound,
    RateLimited,
    Unauthorized,
)
from rejoinder.protocol.fields import Id
from rejoinder.service.auth import SIGN_IN, Authenticate, Handshake
from rejoinder.stores.base import Store
from rejoinder.stores.records import GONE, Position, Room
from rejoinder.web.answers import refuse

NUMBER_MAX: Final = 253_402_300_799_999
"""The last millisecond that has a date."""

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Access:
    """Knows users by their tokens, and rooms by their members."""

    store: Store
    authenticate: Authenticate

    async def user(self, request: Request) -> User:
        """Who asks.

        Raises:
            Unauthorized: nobody who is known.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        auth = {"token": token.strip()} if scheme.lower() == "bearer" else {}
        user = await self.authenticate(Handshake(auth, dict(request.headers), address(request)))
        if user is None:
            raise Unauthorized(SIGN_IN)
        return user

    async def member(self, request: Request) -> tuple[User, Room]:
        """Who asks, and the room of the path, which they belong to.

        Raises:
            Forbidden: they don't.
            NotFound: there is no such room, as far as its creator may know.
        """
        user, room_id = await self.user(request), path_id(request, "room_id")
        room = await self.store.room(room_id)
        if room is None:
            raise NotFound(GONE)
        if room.created_by != user.id and not await self.store.is_member(room_id, user.id):
            raise Forbidden("You are not a member of this room.")
        return user, room


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose errors are answers."""
    log = structlog.get_logger("rejoinder.api")

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ChatError as error:
            return refuse(error)
        except Exception:
            log.exception("a request could not be answered", path=request.url.path[:200])
            return refuse(InternalError("Something went wrong on the server. Try again."))

    return answered


def path_id(request: Request, name: str) -> str:
    """An id of the path.

    Raises:
        InvalidPayload: it is none.
    """
    try:
        return msgspec.convert(request.path_params[name], Id)
    except msgspec.ValidationError as error:
        raise InvalidPayload(f"{name}: {str(error)[:200]}") from error


def page_limit(request: Request, usual: int, most: int) -> int:
    """How many a page is to have, as the query's `limit` says it; what is above `most` counts as that.

    Raises:
        InvalidPayload: it is no number, or 0.
    """
    limit = _number(request.query_params.get("limit", str(usual)), "limit")
    if limit < 1:
        raise InvalidPayload("limit: 1 or more.")
    return min(limit, most)


def place(text: str, name: str) -> Position | None:
    """A place in an order, as the `next` of a page says it; None for nothing.

    Raises:
        InvalidPayload: it is none.
    """
    time, colon, id_ = text.partition(":")
    if not text:
        return None
    if not colon or not id_:
        raise InvalidPayload(f"{name}: take the `next` of the page before.")
    return _number(time, name), id_


def take(limit: RateLimit, user_id: str, now: float) -> None:
    """Count one more of what a user does.

    Raises:
        RateLimited: it was too much.
    """
    wait_ms = limit.take(user_id, now)
    if wait_ms:
        raise RateLimited("That was too much at once. Wait a moment.", wait_ms)


def address(request: Request) -> str:
    """Where the request comes from."""
    return request.client.host if request.client else ""


def _number(text: str, name: str) -> int:
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(NUMBER_MAX))
    if not digits or int(text) > NUMBER_MAX:
        raise InvalidPayload(f"{name} is no number that can be here.")
    return int(text)
