"""The catalogue says what the contract says, word for word, and what was added to it, which is always optional."""

import msgspec
import pytest

from rejoinder.protocol import catalogue, events
from rejoinder.protocol.catalogue import CLIENT_EVENTS, SERVER_EVENTS, ClientEvent, ServerEvent
from rejoinder.protocol.fields import ClientPayload, ServerPayload

CLIENT_TABLE = {
    "room:join": "roomId, characterId?, lastMessageId?",
    "room:leave": "roomId",
    "room:rejoin": "roomId, characterId?, lastMessageId?",
    "message:send": "roomId, content, messageId?, characterId?, replyTo?, metadata?",
    "message:send:stream": "roomId, content, messageId?, characterId?, replyTo?, metadata?",
    "message:stream:stop": "roomId, messageId",
    "message:regenerate": "roomId, messageId",
    "messages:history": "roomId, before?, after?, limit?",
    "messages:read": "roomId, messageId",
    "typing:start": "roomId",
    "typing:stop": "roomId",
    "heartbeat": "timestamp?, rtt?",
    "presence:set": "status",
}

SNAPSHOT = (
    "roomId, messages, recovered, hasMore, lastSeq, members, read, streams, characterId?, title?"
)
MESSAGE = (
    "id, roomId, seq, role, senderId, content, state, timestamp, characterId?, replyTo?, "
    "editedAt?, metadata?"
)

SERVER_TABLE = {
    "connection:replaced": "message, timestamp",
    "session:restored": "disconnectedAt, canReconnect, previousRoomId?, previousCharacterId?",
    "room:rejoined": SNAPSHOT,
    "user:joined": "roomId, userId, timestamp",
    "user:left": "roomId, userId, timestamp",
    "user:reconnected": "roomId, userId, timestamp",
    "message:new": MESSAGE,
    "message:stream:start": "roomId, messageId, characterId, replyTo, seq, timestamp",
    "message:stream:chunk": "roomId, messageId, index, offset, delta",
    "message:stream:thought": "roomId, messageId, index, delta",
    "message:stream:end": "roomId, messageId, content, state, timestamp, usage?",
    "message:stream:error": "roomId, messageId, content, error, code, timestamp",
    "messages:history": "roomId, messages, hasMore",
    "messages:read": "roomId, userId, messageId, seq, timestamp",
    "typing:start": "roomId, userId",
    "typing:stop": "roomId, userId",
    "heartbeat:ack": "timestamp, serverTime, quality?",
    "presence:changed": "userId, status, lastSeen?",
    "room:resync": "roomId, reason",
    "room:updated": "roomId, title",
    "room:changed": "roomId, characterIds, doubleTexting?",
    "room:deleted": "roomId, timestamp",
    "auth:required": "reason",
}

SHAPES = {
    events.Ack: "success",
    events.Failure: "error, code, success, retryAfterMs?",
    events.MessageStored: "success, messageId, timestamp, seq?, duplicate?",
    events.ReconnectionData: "lastMessageId?, roomId?, characterId?",
    events.RoomAck: f"{SNAPSHOT}, success",
    events.HistoryAck: "roomId, messages, hasMore, success",
    events.HeartbeatReply: "timestamp, serverTime, quality?, success",
    events.RunningStream: "messageId, characterId, replyTo, seq, timestamp, content, index",
    events.ReadMarker: "userId, messageId, seq, timestamp",
}

BRANCH = "parentSeq?, variantOf?"
RULES = "characterIds?, doubleTexting?"
ADDED_EVENTS = {
    "message:continue": "roomId, messageId",
    "message:edit": "roomId, messageId, content, newMessageId?",
    "message:choose": "roomId, messageId",
    "message:delete": "roomId, messageId",
    "message:chosen": "roomId, messageId, userId, head, lastSeq, revision, timestamp",
    "message:deleted": "roomId, messageId, userId?, revision, timestamp",
}
ADDED_FIELDS: dict[object, str] = {
    "room:join": "revision?, background?",
    "room:rejoin": "revision?, background?",
    "messages:read": "characterId?",
    "room:rejoined": f"head?, revision?, deleted?, {RULES}, memberCount?",
    "message:new": f"{BRANCH}, deletedAt?",
    "message:stream:start": BRANCH,
    "messages:history": "revision?",
    events.MessageStored: "parentSeq?",
    events.RoomAck: f"head?, revision?, deleted?, {RULES}, memberCount?",
    events.HistoryAck: "revision?",
    events.RunningStream: BRANCH,
    events.ReadMarker: "characterId?",
}


def with_added(name: object, fields: str) -> set[str]:
    """The fields of the contract, with those that were added."""
    # What a client asks for and what comes of it have one name.
    asked = (CLIENT_TABLE["messages:history"], CLIENT_TABLE["messages:read"])
    added = "" if fields in asked else ADDED_FIELDS.get(name, "")
    return set(fields.split(", ")) | set(filter(None, added.split(", ")))


def fields_of(kind: type[msgspec.Struct]) -> set[str]:
    return {
        field.encode_name + ("" if field.required else "?")
        for field in msgspec.structs.fields(kind)
    }


def test_the_contracts_client_events_and_no_others() -> None:
    of_clients = {
        name: fields_of(event.payload)
        for name, event in CLIENT_EVENTS.items()
        if name not in ADDED_EVENTS
    }
    assert of_clients == {name: with_added(name, fields) for name, fields in CLIENT_TABLE.items()}


def test_the_contracts_server_events_and_no_others() -> None:
    of_servers = {
        name: fields_of(event.payload)
        for name, event in SERVER_EVENTS.items()
        if name not in ADDED_EVENTS
    }
    assert of_servers == {name: with_added(name, fields) for name, fields in SERVER_TABLE.items()}


def test_the_events_that_were_added() -> None:
    payloads: dict[str, type[msgspec.Struct]] = {
        **{name: event.payload for name, event in CLIENT_EVENTS.items()},
        **{name: event.payload for name, event in SERVER_EVENTS.items()},
    }
    added = {
        name: fields_of(payload)
        for name, payload in payloads.items()
        if name not in CLIENT_TABLE and name not in SERVER_TABLE
    }
    assert added == {name: set(fields.split(", ")) for name, fields in ADDED_EVENTS.items()}


def test_what_was_added_is_optional() -> None:
    assert all(name.endswith("?") for each in ADDED_FIELDS.values() for name in each.split(", "))


@pytest.mark.parametrize("kind", SHAPES, ids=lambda kind: kind.__name__)
def test_the_contracts_shapes(kind: type[ServerPayload]) -> None:
    assert fields_of(kind) == with_added(kind, SHAPES[kind])


def test_each_event_is_in_its_table_once() -> None:
    declared = list(vars(catalogue).values())
    for kind, table in ((ClientEvent, CLIENT_EVENTS), (ServerEvent, SERVER_EVENTS)):
        listed = [value for value in declared if isinstance(value, kind)]
        assert len(listed) == len(table)
        assert all(table[event.name] is event for event in listed)
        assert all(event.summary for event in listed)


def test_payloads_go_in_their_direction() -> None:
    for client_event in CLIENT_EVENTS.values():
        assert issubclass(client_event.payload, ClientPayload)
        assert issubclass(client_event.ack, ServerPayload)
        assert "success" in fields_of(client_event.ack)
    for server_event in SERVER_EVENTS.values():
        assert issubclass(server_event.payload, ServerPayload)
        assert "success" not in fields_of(server_event.payload)


def test_only_the_heartbeat_may_come_without_a_payload() -> None:
    assert [e.name for e in CLIENT_EVENTS.values() if e.payload_optional] == ["heartbeat"]
