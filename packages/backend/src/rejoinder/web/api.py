"""The REST interface under `/api`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import uuid4

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from rejoinder.characters.registry import Characters
from rejoinder.core.clock import Clock
from rejoinder.core.gate import Gate, Passage
from rejoinder.core.limits import RateLimit
from rejoinder.core.users import User
from rejoinder.errors import (
    Forbidden,
    InvalidPayload,
    NotFound,
    RateLimited,
)
from rejoinder.protocol import events, rest
from rejoinder.protocol.fields import given, iso, or_unset
from rejoinder.service.auth import Authenticate, Authorize, Tokens, clean_name
from rejoinder.service.entering import NOT_ALLOWED, check_open
from rejoinder.service.prompts import Prompts
from rejoinder.stores.base import Store
from rejoinder.stores.records import GONE, RoomOverview, StoredMember
from rejoinder.web.access import Access, address, guarded, page_limit, path_id, place, take
from rejoinder.web.answers import answer, body_of, is_operator
from rejoinder.web.cards import Cards

PAGE = 100
MEMBERS_PAGE = 500
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class ApiParts:
    """What the interface speaks for."""

    version: str
    store: Store
    characters: Characters
    clock: Clock
    tokens: Tokens | None
    """Who signs tokens for guests; None where there are none."""
    guest_limit: RateLimit
    authenticate: Authenticate
    authorize: Authorize
    gate: Gate
    expel: Callable[[str, str], None]
    """Puts somebody (the second) out of a room (the first)."""
    members: Callable[[str, Sequence[StoredMember]], Awaitable[list[events.Member]]]
    """Members of a room as others may see them."""
    hide_last_seen: Callable[..., Awaitable[None]]
    changes: RateLimit
    """Of what others are told, on every server."""
    content_limit: int
    prompts: Prompts | None
    """What models were asked; None where nobody may see it."""
    asker_sees_prompts: bool
    """Whether who asked for an answer may see that; if not, only the operator may."""
    operator_token: str
    cards: Cards
    more: Sequence[BaseRoute] = ()
    """The routes of others under `/api`."""


class Api:
    """The endpoints."""

    def __init__(self, parts: ApiParts) -> None:
        self._p = parts
        self._access = Access(parts.store, parts.authenticate)

    def routes(self) -> list[BaseRoute]:
        """The routes, without the `/api` before them."""
        room, member = "/rooms/{room_id}", "/rooms/{room_id}/members/{user_id}"
        return [
            Route("/info", guarded(self.info)),
            Route("/guest", guarded(self.guest), methods=["POST"]),
            Route("/me", guarded(self.me)),
            Route("/me", guarded(self.change_me), methods=["PUT"]),
            Route("/characters", guarded(self.characters)),
            Route("/rooms", guarded(self.rooms)),
            Route("/rooms", guarded(self.create_room), methods=["POST"]),
            Route(f"{room}/messages/{{message_id}}/prompt", guarded(self.prompt)),
            Route(f"{room}/members", guarded(self.members)),
            Route(member, guarded(self.add_member), methods=["PUT"]),
            Route(member, guarded(self.remove_member), methods=["DELETE"]),
            *self._p.more,
            # Any method, so that a wrong one for an address above is told in the same shape, too.
            Route("/{rest:path}", guarded(self.nothing), methods=METHODS),
        ]

    async def nothing(self, _request: Request) -> Response:
        """Any other path."""
        raise NotFound("There is no such address.")

    async def info(self, _request: Request) -> Response:
        """`GET /api/info`."""
        return answer(
            rest.ServerInfo(
                version=self._p.version,
                guests=self._p.tokens is not None,
                content_limit_bytes=self._p.content_limit,
                cards=self._p.cards.policy,
                prompts=True if self._p.asker_sees_prompts else UNSET,
            )
        )

    async def guest(self, request: Request) -> Response:
        """`POST /api/guest`: a token for a new guest."""
        if self._p.tokens is None:
            raise Forbidden("This server takes no guests. Sign in.")
        wait_ms = self._p.guest_limit.take(address(request), self._p.clock.now())
        if wait_ms:
            raise RateLimited("Too many guests from one address. Wait a moment.", wait_ms)
        name = clean_name((await body_of(request, rest.GuestRequest)).name)
        if not name:
            raise InvalidPayload("Enter a name that can be read.")
        token, user = self._p.tokens.issue_guest(name)
        return answer(rest.GuestToken(token=token, user_id=user.id, name=name))

    async def me(self, request: Request) -> Response:
        """`GET /api/me`."""
        user = await self._user(request)
        person = (await self._p.store.people((user.id,))).get(user.id)
        hides = person is not None and person.hides_last_seen
        return answer(rest.Me(user_id=user.id, hide_last_seen=hides))

    async def change_me(self, request: Request) -> Response:
        """`PUT /api/me`."""
        user = await self._user(request)
        hides = given((await body_of(request, rest.MeUpdate)).hide_last_seen)
        if hides is not None:
            take(self._p.changes, user.id, self._p.clock.now())
            await self._p.hide_last_seen(user.id, hides=hides)
        return await self.me(request)

    async def characters(self, _request: Request) -> Response:
        """`GET /api/characters`."""
        return answer(await self._p.cards.summaries())

    async def rooms(self, request: Request) -> Response:
        """`GET /api/rooms`: one's own."""
        user = await self._user(request)
        overviews, has_more = await self._p.store.rooms_of(user.id, PAGE)
        return answer(rest.RoomList(rooms=list(map(_summary, overviews)), has_more=has_more))

    async def create_room(self, request: Request) -> Response:
        """`POST /api/rooms`."""
        user = await self._user(request)
        wanted = await body_of(request, rest.RoomCreate)
        room_id, character_id = given(wanted.room_id) or uuid4().hex, given(wanted.character_id)
        if character_id is not None and self._p.characters.get(character_id) is None:
            raise NotFound("There is no such character. Choose another one.")
        with self._p.gate.passing(room_id, user.id) as passage:
            return await self._make_room(user, room_id, character_id, passage)

    async def _make_room(
        self, user: User, room_id: str, character_id: str | None, passage: Passage
    ) -> Response:
        removal = (await self._p.store.membership(room_id, user.id)).removal
        if not await self._p.authorize(user, room_id):
            raise Forbidden(NOT_ALLOWED)
        wall_ms = self._p.clock.wall_ms()
        room = await self._p.store.create_room(room_id, user.id, wall_ms, character_id)
        if not room.created and not await self._p.authorize(user, room_id):
            raise Forbidden(NOT_ALLOWED)
        check_open(passage)
        member = StoredMember(user.id, user.name, wall_ms)
        if not await self._p.store.add_member(room_id, member, removal):
            raise Forbidden(NOT_ALLOWED)
        overview = RoomOverview(
            room, room.created_at, await self._p.store.last_seq(room_id), 0, None
        )
        return answer(_summary(overview), 201 if room.created else 200)

    async def prompt(self, request: Request) -> Response:
        """`GET /api/rooms/{roomId}/messages/{messageId}/prompt`: what a model was asked, for who asked for the answer."""
        if self._p.prompts is None:
            raise Forbidden("This server shows nobody what its models are asked.")
        room_id, message_id = path_id(request, "room_id"), path_id(request, "message_id")
        operator = is_operator(request, self._p.operator_token)
        user_id = "" if operator else (await self._user(request)).id
        if not operator:
            room_id = await self._room(request)
        kept = self._p.prompts.find(message_id)
        if not operator and not self._p.asker_sees_prompts:
            raise Forbidden("Only the operator of this server may see what its models are asked.")
        if kept is None or kept.room_id != room_id:
            raise NotFound(
                "What was asked for this answer is not kept here (any more): a server keeps that of the newest answers "
                "that it wrote itself, until it starts again."
            )
        if not operator and kept.asked_by != user_id:
            raise Forbidden("Only who asked for this answer may see what its model was asked.")
        usage = kept.usage
        return answer(
            rest.AnswerPrompt(
                messages=[rest.PromptPart(**each) for each in kept.prompt.messages],
                model=or_unset(kept.prompt.model or None),
                usage=UNSET
                if usage is None
                else events.TokenUsage(
                    prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens
                ),
            )
        )

    async def members(self, request: Request) -> Response:
        """`GET /api/rooms/{roomId}/members`."""
        room_id = await self._room(request)
        limit = page_limit(request, MEMBERS_PAGE, MEMBERS_PAGE)
        after = place(request.query_params.get("after", ""), "after")
        members = await self._p.store.members(room_id, limit + 1, after)
        more, members = len(members) > limit, members[:limit]
        return answer(
            rest.MemberList(
                members=await self._p.members(room_id, members),
                has_more=more or UNSET,
                next=f"{members[-1].joined_at}:{members[-1].user_id}" if more else UNSET,
            )
        )

    async def add_member(self, request: Request) -> Response:
        """`PUT /api/rooms/{roomId}/members/{userId}`: a member adds somebody."""
        user, user_id = await self._user(request), path_id(request, "user_id")
        room_id, removal = path_id(request, "room_id"), None
        with self._p.gate.passing(room_id, user.id) as passage:
            if user.id == user_id:
                # Who is being removed must not bring themselves back.
                removal = (await self._p.store.membership(room_id, user_id)).removal
            room_id = await self._room(request)
            check_open(passage)
            member = StoredMember(user_id, "", self._p.clock.wall_ms())
            if not await self._p.store.add_member(room_id, member, removal):
                raise Forbidden(NOT_ALLOWED)
        return answer(events.Ack(success=True))

    async def remove_member(self, request: Request) -> Response:
        """`DELETE /api/rooms/{roomId}/members/{userId}`: one leaves for good, or the room's creator removes somebody."""
        user, room_id, user_id = (
            await self._user(request),
            await self._room(request),
            path_id(request, "user_id"),
        )
        room = await self._p.store.room(room_id)
        if user.id != user_id and (room is None or room.created_by != user.id):
            raise Forbidden("Only who made the room can remove others from it.")
        with self._p.gate.closed(room_id, user_id):
            removed = await self._p.store.remove_member(room_id, user_id)
        if not removed:
            raise NotFound("They are not a member of this room.")
        self._p.expel(room_id, user_id)
        return answer(events.Ack(success=True))

    async def _user(self, request: Request) -> User:
        return await self._access.user(request)

    async def _room(self, request: Request) -> str:
        """The room of the path, for those who belong to it."""
        user, room_id = await self._user(request), path_id(request, "room_id")
        if not await self._p.store.is_member(room_id, user.id):
            raise Forbidden("You are not a member of this room.")
        if await self._p.store.room(room_id) is None:
            raise NotFound(GONE)  # Its members are still to be taken away.
        return room_id


def _summary(overview: RoomOverview) -> rest.RoomSummary:
    return rest.RoomSummary(
        room_id=overview.room.id,
        created_at=iso(overview.room.created_at),
        updated_at=iso(overview.updated_at),
        last_seq=overview.last_seq,
        read_seq=overview.read_seq,
        character_id=or_unset(overview.room.character_id),
        title=or_unset(overview.room.title),
        character_ids=list(overview.room.characters) or UNSET,
        double_texting=or_unset(cast("events.DoubleTexting | None", overview.room.double_texting)),
        created_by=overview.room.created_by,
        last_message=or_unset(overview.last_message),
        preview=or_unset(overview.preview),
        unread=overview.unread,
    )
