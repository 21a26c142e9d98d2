"""THE table of events: name, payload, acknowledgement, audience. A wire name stands nowhere else.

TypeScript types, JSON Schema and AsyncAPI are generated from it (`make generate`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from rejoinder.protocol import events as e
from rejoinder.protocol.fields import ClientPayload, ServerPayload

Audience = Literal[
    "connection",
    "room",
    "others in the room",
    "those who share a room",
    "members of the room",
]
P_co = TypeVar("P_co", bound=ServerPayload, covariant=True)


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """An event that clients send; a refusal is acknowledged with `Failure`."""

    name: str
    payload: type[ClientPayload]
    ack: type[ServerPayload]
    summary: str
    payload_optional: bool = False
    decoder: msgspec.json.Decoder[Any] = field(init=False, compare=False, repr=False)
    """Makes a payload of its JSON."""
    numeric: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """The fields of the payload that are not text, so that there may be numbers in them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "decoder", msgspec.json.Decoder(self.payload))
        described = msgspec.json.schema(self.payload)["$defs"][self.payload.__name__]
        numeric = [
            name
            for name, each in zip(
                self.payload.__struct_fields__, self.payload.__struct_encode_fields__, strict=True
            )
            if described["properties"][each].get("type") != "string"
        ]
        object.__setattr__(self, "numeric", tuple(numeric))


@dataclass(frozen=True, slots=True)
class ServerEvent(Generic[P_co]):
    """An event that the server sends."""

    name: str
    payload: type[P_co]
    audience: Audience
    summary: str
    volatile: bool = False
    """It may be left out for a client that does not keep up, who is told to resync when it does again."""


# --- client to server ----------------------------------------------------------------------------

ROOM_JOIN: Final = ClientEvent("room:join", e.RoomEntry, e.RoomAck, "enter a room")
ROOM_LEAVE: Final = ClientEvent("room:leave", e.RoomLeave, e.Ack, "leave a room")
ROOM_REJOIN: Final = ClientEvent(
    "room:rejoin", e.RoomEntry, e.RoomAck, "enter a room again after a reconnect"
)
MESSAGE_SEND: Final = ClientEvent(
    "message:send", e.MessageSend, e.MessageStored, "store a message and show it to the room"
)
MESSAGE_SEND_STREAM: Final = ClientEvent(
    "message:send:stream",
    e.MessageSend,
    e.MessageStored,
    "the same, then the room's character answers as a stream",
)
MESSAGE_STREAM_STOP: Final = ClientEvent(
    "message:stream:stop",
    e.MessageReference,
    e.Ack,
    "end a generation now and keep what was written",
)
MESSAGE_REGENERATE: Final = ClientEvent(
    "message:regenerate", e.MessageReference, e.MessageStored, "another answer beside the first"
)
MESSAGE_CONTINUE: Final = ClientEvent(
    "message:continue",
    e.MessageReference,
    e.MessageStored,
    "an answer beside it that begins with its text and goes on",
)
MESSAGE_EDIT: Final = ClientEvent(
    "message:edit",
    e.MessageEdit,
    e.MessageStored,
    "another text beside one's own message, which is asked anew",
)
MESSAGE_CHOOSE: Final = ClientEvent(
    "message:choose", e.MessageReference, e.Ack, "go on with the branch that has this message"
)
MESSAGE_DELETE: Final = ClientEvent(
    "message:delete",
    e.MessageReference,
    e.Ack,
    "take the text of one's own message, and of the answers to it, away for good",
)
MESSAGES_HISTORY: Final = ClientEvent(
    "messages:history", e.HistoryRequest, e.HistoryAck, "a page of a room's messages"
)
MESSAGES_READ: Final = ClientEvent(
    "messages:read", e.MessageReference, e.Ack, "everything up to a message is read"
)
TYPING_START: Final = ClientEvent("typing:start", e.TypingNotice, e.Ack, "the user types")
TYPING_STOP: Final = ClientEvent("typing:stop", e.TypingNotice, e.Ack, "the user ceased to type")
HEARTBEAT: Final = ClientEvent(
    "heartbeat", e.Heartbeat, e.HeartbeatReply, "a sign of life", payload_optional=True
)
PRESENCE_SET: Final = ClientEvent(
    "presence:set", e.PresenceSet, e.Ack, "be shown as online or as away"
)

# --- server to client ----------------------------------------------------------------------------

CONNECTION_REPLACED: Final = ServerEvent(
    "connection:replaced",
    e.ConnectionReplaced,
    "connection",
    "a newer connection of the same user took over",
)
SESSION_RESTORED: Final = ServerEvent(
    "session:restored", e.SessionRestored, "connection", "back within the session timeout"
)
ROOM_REJOINED: Final = ServerEvent(
    "room:rejoined", e.RoomSnapshot, "connection", "the snapshot of a room entered again"
)
USER_JOINED: Final = ServerEvent(
    "user:joined", e.UserInRoom, "others in the room", "somebody entered"
)
USER_LEFT: Final = ServerEvent("user:left", e.UserInRoom, "others in the room", "somebody left")
USER_RECONNECTED: Final = ServerEvent(
    "user:reconnected", e.UserInRoom, "others in the room", "somebody came back"
)
MESSAGE_NEW: Final = ServerEvent("message:new", e.ChatMessage, "room", "a message was stored")
STREAM_START: Final = ServerEvent(
    "message:stream:start", e.StreamStart, "room", "a character begins to answer"
)
STREAM_CHUNK: Final = ServerEvent(
    "message:stream:chunk", e.StreamChunk, "room", "the next piece of an answer", volatile=True
)
STREAM_THOUGHT: Final = ServerEvent(
    "message:stream:thought",
    e.StreamThought,
    "room",
    "the next piece of what a character thinks before it answers",
    volatile=True,
)
STREAM_END: Final = ServerEvent("message:stream:end", e.StreamEnd, "room", "an answer has ended")
STREAM_ERROR: Final = ServerEvent(
    "message:stream:error", e.StreamError, "room", "an answer has failed"
)
HISTORY: Final = ServerEvent(
    "messages:history",
    e.HistoryPage,
    "connection",
    "the answer to a request that came without a callback",
)
MESSAGE_CHOSEN: Final = ServerEvent(
    "message:chosen", e.MessageChosen, "room", "the conversation goes on with another branch"
)
MESSAGE_DELETED: Final = ServerEvent(
    "message:deleted", e.MessageDeleted, "room", "the text of a message is gone for good"
)
READ_MOVED: Final = ServerEvent(
    "messages:read", e.ReadMoved, "room", "a user, or a character, has read up to a message"
)
USER_TYPING: Final = ServerEvent(
    "typing:start", e.UserTyping, "others in the room", "somebody types", volatile=True
)
USER_STOPPED_TYPING: Final = ServerEvent(
    "typing:stop", e.UserTyping, "others in the room", "somebody ceased to type"
)
HEARTBEAT_ACK: Final = ServerEvent(
    "heartbeat:ack", e.HeartbeatAck, "connection", "the answer to a heartbeat"
)
PRESENCE_CHANGED: Final = ServerEvent(
    "presence:changed",
    e.PresenceChanged,
    "those who share a room",
    "somebody is online, away or offline now",
)
ROOM_RESYNC: Final = ServerEvent(
    "room:resync", e.RoomResync, "connection", "what you hold of the room may have a hole"
)
ROOM_UPDATED: Final = ServerEvent(
    "room:updated", e.RoomUpdated, "members of the room", "a room has another title"
)
ROOM_CHANGED: Final = ServerEvent(
    "room:changed",
    e.RoomChanged,
    "room",
    "other characters are in the room, or its rule for who sends again is another",
)
ROOM_DELETED: Final = ServerEvent(
    "room:deleted", e.RoomDeleted, "members of the room", "a room was deleted for good"
)
AUTH_REQUIRED: Final = ServerEvent(
    "auth:required", e.AuthRequired, "connection", "the token is not valid any more"
)

CLIENT_EVENTS: Final[Mapping[str, ClientEvent]] = MappingProxyType(
    {
        event.name: event
        for event in (
            ROOM_JOIN,
            ROOM_LEAVE,
            ROOM_REJOIN,
            MESSAGE_SEND,
            MESSAGE_SEND_STREAM,
            MESSAGE_STREAM_STOP,
            MESSAGE_REGENERATE,
            MESSAGE_CONTINUE,
            MESSAGE_EDIT,
            MESSAGE_CHOOSE,
            MESSAGE_DELETE,
            MESSAGES_HISTORY,
            MESSAGES_READ,
            TYPING_START,
            TYPING_STOP,
            HEARTBEAT,
            PRESENCE_SET,
        )
    }
)

SERVER_EVENTS: Final[Mapping[str, ServerEvent[ServerPayload]]] = MappingProxyType(
    {
        event.name: event
        for event in (
            CONNECTION_REPLACED,
            SESSION_RESTORED,
            ROOM_REJOINED,
            USER_JOINED,
            USER_LEFT,
            USER_RECONNECTED,
            MESSAGE_NEW,
            STREAM_START,
            STREAM_CHUNK,
            STREAM_THOUGHT,
            STREAM_END,
            STREAM_ERROR,
            HISTORY,
            MESSAGE_CHOSEN,
            MESSAGE_DELETED,
            READ_MOVED,
            USER_TYPING,
            USER_STOPPED_TYPING,
            HEARTBEAT_ACK,
            PRESENCE_CHANGED,
            ROOM_RESYNC,
            ROOM_UPDATED,
            ROOM_CHANGED,
            ROOM_DELETED,
            AUTH_REQUIRED,
        )
    }
)
