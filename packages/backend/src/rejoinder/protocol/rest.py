"""The shapes of the HTTP interface under `/api`."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from rejoinder.protocol.events import ChatMessage, Failure, Member
from rejoinder.protocol.fields import ClientPayload, Id, Position, ServerPayload, Timestamp

__all__ = [
    "CharacterSummary",
    "Failure",
    "GuestRequest",
    "GuestToken",
    "MemberList",
    "RoomCreate",
    "RoomList",
    "RoomSummary",
    "ServerInfo",
]


class GuestRequest(ClientPayload, frozen=True):
    """`POST /api/guest`: a name to be called by."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]


class GuestToken(ServerPayload, frozen=True):
    """A token for `auth.token`, and whose it is."""

    token: str
    user_id: Id
    name: str


class CharacterSummary(ServerPayload, frozen=True):
    """One of `GET /api/characters`."""

    id: Id
    name: str
    description: str | UnsetType = UNSET
    greeting: str | UnsetType = UNSET


class RoomCreate(ClientPayload, frozen=True):
    """`POST /api/rooms`: a room of one's own; without an id the server makes one."""

    room_id: Id | UnsetType = UNSET
    character_id: Id | UnsetType = UNSET


class RoomSummary(ServerPayload, frozen=True):
    """A room in one's list."""

    room_id: Id
    created_at: Timestamp
    updated_at: Timestamp
    last_seq: Position
    read_seq: Position
    character_id: Id | UnsetType = UNSET
    last_message: ChatMessage | UnsetType = UNSET


class RoomList(ServerPayload, frozen=True):
    """`GET /api/rooms`: one's rooms, the one with the newest message first, at most a page of 100."""

    rooms: list[RoomSummary]
    has_more: bool


class MemberList(ServerPayload, frozen=True):
    """`GET /api/rooms/{roomId}/members`."""

    members: list[Member]


class ServerInfo(ServerPayload, frozen=True):
    """`GET /api/info`: what a page must know before anybody is signed in."""

    version: str
    guests: bool
    content_limit_bytes: Position
