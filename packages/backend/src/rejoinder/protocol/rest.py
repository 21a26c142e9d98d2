"""The shapes of the HTTP interface under `/api`."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from rejoinder.protocol.events import ChatMessage, Failure, Member, TokenUsage
from rejoinder.protocol.fields import ClientPayload, Id, Position, ServerPayload, Timestamp

__all__ = [
    "AnswerPrompt",
    "CharacterSummary",
    "Failure",
    "GuestRequest",
    "GuestToken",
    "Me",
    "MeUpdate",
    "MemberList",
    "PromptPart",
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
    unread: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="messages of others after `readSeq`; 100 stands for that and more",
        ),
    ]
    character_id: Id | UnsetType = UNSET
    last_message: ChatMessage | UnsetType = UNSET


class RoomList(ServerPayload, frozen=True):
    """`GET /api/rooms`: one's rooms, the one with the newest message first, at most a page of 100."""

    rooms: list[RoomSummary]
    has_more: bool


class MemberList(ServerPayload, frozen=True):
    """`GET /api/rooms/{roomId}/members`."""

    members: list[Member]


class PromptPart(ServerPayload, frozen=True):
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


class AnswerPrompt(ServerPayload, frozen=True):
    """`GET /api/rooms/{roomId}/messages/{messageId}/prompt`: what a model was really asked for an answer.

    `model` is its name, `usage` what the answer cost, where these are known.
    """

    messages: list[PromptPart]
    model: str | UnsetType = UNSET
    usage: TokenUsage | UnsetType = UNSET


class Me(ServerPayload, frozen=True):
    """`GET /api/me`: oneself."""

    user_id: Id
    hide_last_seen: Annotated[
        bool, Meta(description="whether others may not know when one was last seen")
    ]


class MeUpdate(ClientPayload, frozen=True):
    """`PUT /api/me`: what is to be different from now on."""

    hide_last_seen: bool | UnsetType = UNSET


class ServerInfo(ServerPayload, frozen=True):
    """`GET /api/info`: what a page must know before anybody is signed in.

    `prompts` says that who asked for an answer may see what the model was asked.
    """

    version: str
    guests: bool
    content_limit_bytes: Position
    prompts: bool | UnsetType = UNSET
