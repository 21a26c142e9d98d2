"""What the REST interface does with a whole room: its title, its export, its end; and the search over one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from rejoinder.characters.registry import Characters
from rejoinder.core.clock import Clock
from rejoinder.core.limits import RateLimit
from rejoinder.core.search import QUERY_MAX, Wanted, snippet, wanted
from rejoinder.errors import Forbidden, InvalidPayload
from rejoinder.protocol import events, rest
from rejoinder.protocol.events import ChatMessage, DoubleTexting
from rejoinder.protocol.fields import epoch_ms, given, or_unset
from rejoinder.service.deletion import Deletion
from rejoinder.service.rules import Rules
from rejoinder.service.titles import Titles
from rejoinder.stores.base import Store
from rejoinder.stores.records import Position, Room, StoredMember
from rejoinder.web.access import Access, guarded, page_limit, path_id, place, take
from rejoinder.web.answers import answer, body_of
from rejoinder.web.download import attachment, file_name
from rejoinder.web.export import Exported, as_json, markdown

HITS = 20
HITS_MAX = 50
MEMBERS_MAX = 10_000
MEMBERS_STEP = 500
POLICIES: Mapping[str, DoubleTexting] = {each: each for each in get_args(DoubleTexting)}
ENDINGS = {"markdown": ("md", "text/markdown; charset=utf-8"), "json": ("json", "application/json")}


@dataclass(frozen=True, slots=True)
class RoomParts:
    """What these endpoints speak for."""

    store: Store
    characters: Characters
    clock: Clock
    access: Access
    titles: Titles
    deletion: Deletion
    rules: Rules
    searches: RateLimit
    changes: RateLimit
    """Of what others are told, on every server."""


class RoomEndpoints:
    """The endpoints."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts

    def routes(self) -> list[BaseRoute]:
        """The routes, without the `/api` before them."""
        room = "/rooms/{room_id}"
        return [
            Route("/search", guarded(self.search)),
            Route(room, guarded(self.change), methods=["PATCH"]),
            Route(room, guarded(self.delete), methods=["DELETE"]),
            Route(
                f"{room}/characters/{{character_id}}", guarded(self.add_character), methods=["PUT"]
            ),
            Route(
                f"{room}/characters/{{character_id}}",
                guarded(self.remove_character),
                methods=["DELETE"],
            ),
            Route(f"{room}/export", guarded(self.export)),
        ]

    async def change(self, request: Request) -> Response:
        """`PATCH /api/rooms/{roomId}`: a member gives the room another title, or another rule for who sends again."""
        room = await self._to_change(request)
        change = await body_of(request, rest.RoomChange)
        title, policy = given(change.title), given(change.double_texting)
        if title is None and policy is None:
            raise InvalidPayload("Say what is to be different: `title` or `doubleTexting`.")
        updated: events.RoomUpdated | events.RoomChanged | None = None
        if title is not None:
            # First, since a title may turn out to be none: then nothing is to be different.
            shown = await self._p.titles.rename(room.id, title)
            updated = events.RoomUpdated(room_id=room.id, title=shown)
        if policy is not None:
            changed = await self._p.rules.set_double_texting(room.id, POLICIES.get(policy))
            updated = updated or changed
        return answer(updated)

    async def add_character(self, request: Request) -> Response:
        """`PUT /api/rooms/{roomId}/characters/{characterId}`: a member brings a character in."""
        room = await self._to_change(request)
        return answer(await self._p.rules.add(room.id, path_id(request, "character_id")))

    async def remove_character(self, request: Request) -> Response:
        """`DELETE /api/rooms/{roomId}/characters/{characterId}`: a member takes one out."""
        room = await self._to_change(request)
        return answer(await self._p.rules.remove(room.id, path_id(request, "character_id")))

    async def _to_change(self, request: Request) -> Room:
        """The room that a member wants to be different, unless they want that too often."""
        user, room = await self._p.access.member(request)
        take(self._p.changes, user.id, self._p.clock.now())
        return room

    async def delete(self, request: Request) -> Response:
        """`DELETE /api/rooms/{roomId}`: its creator deletes it for good."""
        user, room = await self._p.access.member(request)
        if room.created_by != user.id:
            raise Forbidden("Only who made the room can delete it. You can leave it.")
        await self._p.deletion.delete(room.id)
        return answer(events.Ack(success=True))

    async def export(self, request: Request) -> Response:
        """`GET /api/rooms/{roomId}/export?format=markdown|json`: the room as a file."""
        wanted_format = request.query_params.get("format", "markdown")
        if wanted_format not in ENDINGS:
            raise InvalidPayload("Choose the format `markdown` or `json`.")
        _, room = await self._p.access.member(request)
        at = self._p.clock.wall_ms()
        exported = Exported(
            room=room,
            members=await self._everybody(room.id),
            characters={info.id: info.name for info in self._p.characters.list()},
            last_seq=await self._p.store.last_seq(room.id),
            at=at,
        )
        ending, kind = ENDINGS[wanted_format]
        day = datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
        name = f"{file_name(room.title or '', 'room')} {day}.{ending}"
        write = markdown if wanted_format == "markdown" else as_json
        return StreamingResponse(
            write(self._p.store, exported), media_type=kind, headers=attachment(name)
        )

    async def _everybody(self, room_id: str) -> list[StoredMember]:
        """The members, as far as they are exported."""
        members: list[StoredMember] = []
        while len(members) < MEMBERS_MAX:
            after = (members[-1].joined_at, members[-1].user_id) if members else None
            page = await self._p.store.members(room_id, MEMBERS_STEP, after)
            members += page
            if len(page) < MEMBERS_STEP:
                break
        return members

    async def search(self, request: Request) -> Response:
        """`GET /api/search?q=&limit=&before=`: what was said in one's own rooms."""
        user = await self._p.access.user(request)
        take(self._p.searches, user.id, self._p.clock.now())
        query, limit, before = _asked(request)
        found = await self._p.store.search(user.id, query, limit, before)
        rooms: dict[str, Room | None] = {}
        for message in found.messages:
            if message.room_id not in rooms:
                rooms[message.room_id] = await self._p.store.room(message.room_id)
        hits = [
            _hit(query, message, room)
            for message in found.messages
            if (room := rooms[message.room_id]) is not None
        ]
        last = found.messages[-1] if found.has_more else None
        return answer(
            rest.SearchPage(
                hits=hits,
                has_more=found.has_more,
                complete=found.complete,
                next=UNSET if last is None else f"{epoch_ms(last.timestamp)}:{last.id}",
            )
        )


def _asked(request: Request) -> tuple[Wanted, int, Position | None]:
    text = request.query_params.get("q", "")
    if len(text) > QUERY_MAX:
        raise InvalidPayload(f"Search for {QUERY_MAX} characters at most.")
    query = wanted(text)
    if query is None:
        raise InvalidPayload("Enter what to search for.")
    limit = page_limit(request, HITS, HITS_MAX)
    return query, limit, place(request.query_params.get("before", ""), "before")


def _hit(query: Wanted, message: ChatMessage, room: Room) -> rest.SearchHit:
    shown = snippet(query, message.content)
    return rest.SearchHit(
        room_id=message.room_id,
        message_id=message.id,
        seq=message.seq,
        role=message.role,
        sender_id=message.sender_id,
        timestamp=message.timestamp,
        snippet=shown.text,
        offset=shown.offset,
        matches=[rest.Match(start=start, end=end) for start, end in shown.matches],
        title=or_unset(room.title),
        character_id=or_unset(room.character_id),
    )
