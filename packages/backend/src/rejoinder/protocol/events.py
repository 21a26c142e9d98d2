"""The payloads of all events and acknowledgements (the contract's sections 2 to 4).

Field names are snake_case here and camelCase on the wire. An optional field is `UNSET` when absent, never null.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from rejoinder.errors import ErrorCode
from rejoinder.protocol.constants import HISTORY_LIMIT
from rejoinder.protocol.fields import ClientPayload, Id, Position, ServerPayload, Timestamp

Role = Literal["user", "character"]
MessageState = Literal["streaming", "complete", "stopped", "failed", "interrupted"]
ConnectedStatus = Literal["online", "away"]
PresenceStatus = Literal["online", "away", "offline"]
Quality = Literal["good", "fair", "poor"]
ResyncReason = Literal["gap", "slow", "restart", "removed"]
DoubleTexting = Literal["queue", "interrupt", "merge"]
AuthReason = Literal["token_expired", "token_revoked"]

Metadata = Annotated[
    dict[str, Any], Meta(description="the application's own; stored and sent as it is")
]

ParentSeq = Annotated[
    int,
    Meta(
        ge=0,
        description="the `seq` of the message that it follows, where that is not the one before it; 0: none",
    ),
]
VariantOf = Annotated[Id, Meta(description="the message that it was asked for beside")]

# --- shared shapes -------------------------------------------------------------------------------


class ChatMessage(ServerPayload, frozen=True):
    """One row of a room's log."""

    id: Id
    room_id: Id
    seq: Annotated[int, Meta(ge=1, description="1, 2, 3 … within its room")]
    role: Role
    sender_id: Id
    content: str
    state: MessageState
    timestamp: Timestamp
    character_id: Id | UnsetType = UNSET
    reply_to: Id | UnsetType = UNSET
    edited_at: Timestamp | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    parent_seq: ParentSeq | UnsetType = UNSET
    variant_of: VariantOf | UnsetType = UNSET
    deleted_at: Annotated[Timestamp, Meta(description="its text is gone for good")] | UnsetType = (
        UNSET
    )


class Member(ServerPayload, frozen=True):
    """Somebody who is in a room, or a member of it."""

    user_id: Id
    status: PresenceStatus
    name: str | UnsetType = UNSET
    last_seen: Timestamp | UnsetType = UNSET


Reader = Annotated[
    Id,
    Meta(description="the character that has read it; `userId` is then who wrote the message"),
]


class ReadMarker(ServerPayload, frozen=True):
    """How far a user, or a character, has read a room."""

    user_id: Id
    message_id: Id
    seq: Position
    timestamp: Timestamp
    character_id: Reader | UnsetType = UNSET


class RunningStream(ServerPayload, frozen=True):
    """A generation that runs: its text so far, and the index that its next chunk will have."""

    message_id: Id
    character_id: Id
    reply_to: Id
    seq: Position
    timestamp: Timestamp
    content: str
    index: Position
    parent_seq: ParentSeq | UnsetType = UNSET
    variant_of: VariantOf | UnsetType = UNSET


class DeletedMessage(ServerPayload, frozen=True):
    """A message whose text is gone for good."""

    message_id: Id
    timestamp: Timestamp


class TokenUsage(ServerPayload, frozen=True):
    """What an answer cost, in tokens of the model that wrote it."""

    prompt_tokens: Position
    completion_tokens: Position


# --- client to server ----------------------------------------------------------------------------


class RoomEntry(ClientPayload, frozen=True):
    """Enter a room, or enter it again: `lastMessageId` is the position of what one already holds.

    `revision` is that of the last snapshot or event with one; without it nothing is taken for known.
    """

    room_id: Id
    character_id: Id | UnsetType = UNSET
    last_message_id: Id | UnsetType = UNSET
    revision: Position | UnsetType = UNSET
    background: Annotated[
        bool,
        Meta(
            description="the room is not in view: no pieces of answers come from it, and it is not the one that is "
            "remembered as where one was; to enter it again without this puts it in view"
        ),
    ] = False


class RoomLeave(ClientPayload, frozen=True):
    """Leave a room."""

    room_id: Id


class ReconnectionData(ClientPayload, frozen=True):
    """Where a client was; may travel in the handshake's `auth.reconnection`."""

    last_message_id: Id | UnsetType = UNSET
    room_id: Id | UnsetType = UNSET
    character_id: Id | UnsetType = UNSET


class MessageSend(ClientPayload, frozen=True):
    """A message. With the same `messageId` it may be sent any number of times and is stored once."""

    room_id: Id
    content: Annotated[str, Meta(min_length=1)]
    message_id: Id | UnsetType = UNSET
    character_id: Id | UnsetType = UNSET
    reply_to: Id | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET


class MessageReference(ClientPayload, frozen=True):
    """Names one message of a room."""

    room_id: Id
    message_id: Id


class MessageEdit(ClientPayload, frozen=True):
    """Another text beside one's own message. With the same `newMessageId` it is stored once, however often it is sent."""

    room_id: Id
    message_id: Id
    content: Annotated[str, Meta(min_length=1)]
    new_message_id: Id | UnsetType = UNSET


class HistoryRequest(ClientPayload, frozen=True):
    """A page of history; without `before` and `after` it is the newest one."""

    room_id: Id
    before: Id | UnsetType = UNSET
    after: Id | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, description="more than 100 counts as 100")] = HISTORY_LIMIT


class TypingNotice(ClientPayload, frozen=True):
    """The sender types in a room, or has ceased to."""

    room_id: Id


class Heartbeat(ClientPayload, frozen=True):
    """A sign of life; `rtt` is the last measured round trip in milliseconds."""

    timestamp: int | float | str | UnsetType = UNSET
    rtt: Annotated[float, Meta(ge=0)] | UnsetType = UNSET


class PresenceSet(ClientPayload, frozen=True):
    """What the user wants to be shown as."""

    status: ConnectedStatus


# --- acknowledgements ----------------------------------------------------------------------------


class Failure(ServerPayload, frozen=True):
    """The acknowledgement of anything that failed."""

    error: Annotated[str, Meta(description="a sentence for a person")]
    code: ErrorCode
    success: Literal[False]
    retry_after_ms: Position | UnsetType = UNSET


class Ack(ServerPayload, frozen=True):
    """Done."""

    success: Literal[True]


class MessageStored(ServerPayload, frozen=True):
    """A message is stored for good; `duplicate` says that it was already.

    To `message:regenerate` it comes before the new answer has its place: without `seq`.
    """

    success: Literal[True]
    message_id: Id
    timestamp: Timestamp
    seq: Position | UnsetType = UNSET
    duplicate: bool | UnsetType = UNSET
    parent_seq: ParentSeq | UnsetType = UNSET


class RoomSnapshot(ServerPayload, frozen=True):
    """A room as it is at one instant; live events follow it without a hole and without a repeat.

    With `recovered` true `messages` are those after the given position (the oldest first, at most a page; `hasMore`
    says that more follow). Otherwise they are the newest page, and `hasMore` says that there are older ones.

    `head` is the `seq` at which the branch ends that is chosen; absent, it is `lastSeq`. `revision` counts choices and
    deletions; absent, there were none. `deleted` are those that were deleted since the revision that was given.
    """

    room_id: Id
    messages: list[ChatMessage]
    recovered: bool
    has_more: bool
    last_seq: Position
    members: list[Member]
    read: list[ReadMarker]
    streams: list[RunningStream]
    character_id: Id | UnsetType = UNSET
    head: Position | UnsetType = UNSET
    revision: Position | UnsetType = UNSET
    deleted: list[DeletedMessage] | UnsetType = UNSET
    title: str | UnsetType = UNSET
    character_ids: list[Id] | UnsetType = UNSET
    double_texting: DoubleTexting | UnsetType = UNSET
    member_count: (
        Annotated[
            int,
            Meta(ge=0, description="how many are in the room, where `members` has not all of them"),
        ]
        | UnsetType
    ) = UNSET


class RoomAck(RoomSnapshot, frozen=True, kw_only=True):
    """The snapshot, as an acknowledgement."""

    success: Literal[True]


class HistoryPage(ServerPayload, frozen=True):
    """A page of history, the oldest message first; `hasMore` in the direction that was asked for."""

    room_id: Id
    messages: list[ChatMessage]
    has_more: bool
    revision: Position | UnsetType = UNSET


class HistoryAck(HistoryPage, frozen=True, kw_only=True):
    """The page, as an acknowledgement."""

    success: Literal[True]


class HeartbeatAck(ServerPayload, frozen=True):
    """`timestamp` is the one that was sent, or the server's time where none was."""

    timestamp: int | float | str
    server_time: Timestamp
    quality: Quality | UnsetType = UNSET


class HeartbeatReply(HeartbeatAck, frozen=True, kw_only=True):
    """The same, as an acknowledgement."""

    success: Literal[True]


# --- server to client ----------------------------------------------------------------------------


class ConnectionReplaced(ServerPayload, frozen=True):
    """A newer connection of the same user took this one's place; it is closed after this event."""

    message: Annotated[str, Meta(description="for the person, in their language")]
    timestamp: Timestamp


class SessionRestored(ServerPayload, frozen=True):
    """The user is back within the session timeout."""

    disconnected_at: Timestamp
    can_reconnect: bool
    previous_room_id: Id | UnsetType = UNSET
    previous_character_id: Id | UnsetType = UNSET


class UserInRoom(ServerPayload, frozen=True):
    """Somebody entered, left or came back to a room."""

    room_id: Id
    user_id: Id
    timestamp: Timestamp


class StreamStart(ServerPayload, frozen=True):
    """A character begins to answer."""

    room_id: Id
    message_id: Id
    character_id: Id
    reply_to: Id
    seq: Position
    timestamp: Timestamp
    parent_seq: ParentSeq | UnsetType = UNSET
    variant_of: VariantOf | UnsetType = UNSET


class StreamChunk(ServerPayload, frozen=True):
    """The next piece of an answer."""

    room_id: Id
    message_id: Id
    index: Annotated[int, Meta(ge=0, description="0, 1, 2 … within its message")]
    offset: Annotated[
        int, Meta(ge=0, description="where `delta` begins in the text, in Unicode code points")
    ]
    delta: str


class StreamThought(ServerPayload, frozen=True):
    """The next piece of what a character thinks before it answers. It is no part of the answer, and kept nowhere."""

    room_id: Id
    message_id: Id
    index: Annotated[int, Meta(ge=0, description="0, 1, 2 … within its message")]
    delta: str


class StreamEnd(ServerPayload, frozen=True):
    """An answer is whole, was stopped, or was interrupted; `content` is what is stored."""

    room_id: Id
    message_id: Id
    content: str
    state: Literal["complete", "stopped", "interrupted"]
    timestamp: Timestamp
    usage: TokenUsage | UnsetType = UNSET


class StreamError(ServerPayload, frozen=True):
    """An answer failed; `content` is what was written until then, and is stored."""

    room_id: Id
    message_id: Id
    content: str
    error: str
    code: ErrorCode
    timestamp: Timestamp


class MessageChosen(ServerPayload, frozen=True):
    """A branch was chosen: the one with that message, which ended at `head` when the log ended at `lastSeq`."""

    room_id: Id
    message_id: Id
    user_id: Id
    head: Position
    last_seq: Position
    revision: Position
    timestamp: Timestamp


class MessageDeleted(ServerPayload, frozen=True):
    """The text of a message is gone for good. Several that went together have one revision.

    `userId` says by whom, where that is known.
    """

    room_id: Id
    message_id: Id
    revision: Position
    timestamp: Timestamp
    user_id: Id | UnsetType = UNSET


class ReadMoved(ServerPayload, frozen=True):
    """A user has read everything up to a message, or a character has taken it up."""

    room_id: Id
    user_id: Id
    message_id: Id
    seq: Position
    timestamp: Timestamp
    character_id: Reader | UnsetType = UNSET


class UserTyping(ServerPayload, frozen=True):
    """Somebody types in a room, or has ceased to."""

    room_id: Id
    user_id: Id


class PresenceChanged(ServerPayload, frozen=True):
    """Somebody whom the receiver shares a room with is shown differently now.

    Without `lastSeen` nobody may know when they were last seen; what was known of that is to be forgotten.
    """

    user_id: Id
    status: PresenceStatus
    last_seen: Timestamp | UnsetType = UNSET


class RoomResync(ServerPayload, frozen=True):
    """What the receiver holds of a room may have a hole: rejoin it with the last position."""

    room_id: Id
    reason: ResyncReason


class RoomUpdated(ServerPayload, frozen=True):
    """A room has another title."""

    room_id: Id
    title: str


class RoomChanged(ServerPayload, frozen=True):
    """Who of the characters is in a room, in the order of coming, and the room's own rule for who sends again, if it has one."""

    room_id: Id
    character_ids: list[Id]
    double_texting: DoubleTexting | UnsetType = UNSET


class RoomDeleted(ServerPayload, frozen=True):
    """A room was deleted for good; whoever was in it is not any more, and its id is not used again."""

    room_id: Id
    timestamp: Timestamp


class AuthRequired(ServerPayload, frozen=True):
    """The token is not valid any more; the connection is closed after this event."""

    reason: AuthReason
