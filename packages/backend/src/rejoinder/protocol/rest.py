"""The shapes of the HTTP interface under `/api`."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from rejoinder.protocol.constants import TITLE_LENGTH_MAX
from rejoinder.protocol.events import ChatMessage, DoubleTexting, Failure, Member, Role, TokenUsage
from rejoinder.protocol.fields import ClientPayload, Id, Position, ServerPayload, Timestamp

__all__ = [
    "AnswerPrompt",
    "CardImported",
    "CharacterSummary",
    "ConnectionPage",
    "ExportedRoom",
    "Failure",
    "GuestRequest",
    "GuestToken",
    "ListedConnection",
    "Match",
    "Me",
    "MeUpdate",
    "MemberList",
    "PromptPart",
    "RoomChange",
    "RoomCreate",
    "RoomList",
    "RoomSummary",
    "SearchHit",
    "SearchPage",
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
    card: (
        Annotated[
            Literal[True], Meta(description="it is a card, which can be exported and deleted")
        ]
        | UnsetType
    ) = UNSET
    picture: (
        Annotated[str, Meta(description="the address of its picture, from that of the server")]
        | UnsetType
    ) = UNSET
    prompts: (
        Annotated[
            Literal[False],
            Meta(description="it asks no model anything, so that there is no prompt to show"),
        ]
        | UnsetType
    ) = UNSET


class CardImported(ServerPayload, frozen=True):
    """`POST /api/characters`: the character of the card; with `fresh` false the same file was there already."""

    character: CharacterSummary
    fresh: bool


class RoomCreate(ClientPayload, frozen=True):
    """`POST /api/rooms`: a room of one's own; without an id the server makes one."""

    room_id: Id | UnsetType = UNSET
    character_id: Id | UnsetType = UNSET


class RoomChange(ClientPayload, frozen=True):
    """`PATCH /api/rooms/{roomId}`: what is to be different; `title` is one line.

    `doubleTexting` says what becomes of an answer when its user sends again meanwhile; with `default` that is left to the server.
    """

    title: Annotated[str, Meta(min_length=1, max_length=TITLE_LENGTH_MAX)] | UnsetType = UNSET
    double_texting: Literal["queue", "interrupt", "merge", "default"] | UnsetType = UNSET


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
    preview: (
        Annotated[
            ChatMessage,
            Meta(description="the last one on the branch that is chosen, where that is another"),
        ]
        | UnsetType
    ) = UNSET
    title: str | UnsetType = UNSET
    character_ids: list[Id] | UnsetType = UNSET
    double_texting: DoubleTexting | UnsetType = UNSET
    created_by: Annotated[Id, Meta(description="who may delete it")] | UnsetType = UNSET


class RoomList(ServerPayload, frozen=True):
    """`GET /api/rooms`: one's rooms, the one with the newest message first, at most a page of 100."""

    rooms: list[RoomSummary]
    has_more: bool


class MemberList(ServerPayload, frozen=True):
    """`GET /api/rooms/{roomId}/members?limit=&after=`: those who belong to a room, the oldest members first, up to 500.

    Where there are more, `next` is the `after` of the page behind it.
    """

    members: list[Member]
    has_more: bool | UnsetType = UNSET
    next: str | UnsetType = UNSET


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


class ListedConnection(ServerPayload, frozen=True):
    """A connection, as an operator sees it; `id` is the user's, `server` that of its server, where there are several."""

    id: Id
    socket_id: Id
    last_activity: Timestamp
    connected_at: Timestamp
    room_id: Id | UnsetType = UNSET
    character_id: Id | UnsetType = UNSET
    server: str | UnsetType = UNSET


class ConnectionPage(ServerPayload, frozen=True):
    """`GET /api/connections?limit=&after=&userId=&server=`: who is connected, on all servers, in the order of `socketId`.

    `next` is the `after` of the page behind it. With `complete` false there may be others: the servers of `missing` did not answer
    in time, or it is not known which there are.
    """

    connections: list[ListedConnection]
    has_more: bool
    complete: bool
    missing: list[str] | UnsetType = UNSET
    next: str | UnsetType = UNSET


class Match(ServerPayload, frozen=True):
    """A part of a text: where it begins, and before where it ends, in Unicode code points."""

    start: Position
    end: Position


class SearchHit(ServerPayload, frozen=True):
    """A message that a search has found, with the part of its text around the first match."""

    room_id: Id
    message_id: Id
    seq: Position
    role: Role
    sender_id: Id
    timestamp: Timestamp
    snippet: str
    offset: Annotated[
        int, Meta(ge=0, description="where `snippet` begins in the text, in Unicode code points")
    ]
    matches: Annotated[list[Match], Meta(description="within `snippet`")]
    title: Annotated[str, Meta(description="of the room")] | UnsetType = UNSET
    character_id: Annotated[Id, Meta(description="of the room")] | UnsetType = UNSET


class SearchPage(ServerPayload, frozen=True):
    """`GET /api/search?q=&limit=&before=`: what was found in one's own rooms, the newest first.

    `next` is the `before` of the page after it. With `complete` false there was too much to look through: there may be more.
    """

    hits: list[SearchHit]
    has_more: bool
    complete: bool
    next: str | UnsetType = UNSET


class ExportedRoom(ServerPayload, frozen=True):
    """`GET /api/rooms/{roomId}/export?format=json`: all of a room, its messages in their order.

    `characters` are those of the server, by their ids, with their names. Of deleted messages nothing is in it.
    """

    version: Annotated[int, Meta(description="of this shape: 1")]
    exported_at: Timestamp
    room_id: Id
    created_by: Id
    created_at: Timestamp
    characters: dict[str, str]
    members: list[Member]
    messages: list[ChatMessage]
    title: str | UnsetType = UNSET
    character_id: Id | UnsetType = UNSET


class ServerInfo(ServerPayload, frozen=True):
    """`GET /api/info`: what a page must know before anybody is signed in.

    `prompts` says that who asked for an answer may see what the model was asked.
    """

    version: str
    guests: bool
    content_limit_bytes: Position
    cards: Annotated[
        Literal["anyone", "operator", "nobody"],
        Meta(description="who may import, export and delete character cards"),
    ]
    prompts: bool | UnsetType = UNSET
