"""The contract's tables, written down a second time by hand: (fields that must be there, fields that may be).

With what was added to it since: events of their own, and fields that may be absent.
"""

Fields = tuple[set[str], set[str]]


def fields(text: str) -> Fields:
    """`a, b?` as the sets of what must and what may be there."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    must = {name for name in names if not name.endswith("?")}
    return must, {name.removesuffix("?") for name in names} - must


SEND = fields("roomId, content, messageId?, characterId?, replyTo?, metadata?")
ENTRY = fields("roomId, characterId?, lastMessageId?, revision?, background?")
REFERENCE = fields("roomId, messageId")
SNAPSHOT = fields(
    "roomId, messages, recovered, hasMore, lastSeq, members, read, streams, characterId?, "
    "head?, revision?, deleted?, title?, characterIds?, doubleTexting?, memberCount?"
)
PERSON = fields("roomId, userId, timestamp")

CLIENT_EVENTS: dict[str, Fields] = {
    "room:join": ENTRY,
    "room:leave": fields("roomId"),
    "room:rejoin": ENTRY,
    "message:send": SEND,
    "message:send:stream": SEND,
    "message:stream:stop": REFERENCE,
    "message:regenerate": REFERENCE,
    "message:continue": REFERENCE,
    "message:edit": fields("roomId, messageId, content, newMessageId?"),
    "message:choose": REFERENCE,
    "message:delete": REFERENCE,
    "messages:history": fields("roomId, before?, after?, limit?"),
    "messages:read": REFERENCE,
    "typing:start": fields("roomId"),
    "typing:stop": fields("roomId"),
    "heartbeat": fields("timestamp?, rtt?"),
    "presence:set": fields("status"),
}

SERVER_EVENTS: dict[str, Fields] = {
    "connection:replaced": fields("message, timestamp"),
    "session:restored": fields(
        "previousRoomId?, previousCharacterId?, disconnectedAt, canReconnect"
    ),
    "room:rejoined": SNAPSHOT,
    "user:joined": PERSON,
    "user:left": PERSON,
    "user:reconnected": PERSON,
    "message:new": fields(
        "id, roomId, seq, role, senderId, characterId?, content, state, replyTo?, timestamp, "
        "editedAt?, metadata?, parentSeq?, variantOf?, deletedAt?"
    ),
    "message:stream:start": fields(
        "roomId, messageId, characterId, replyTo, seq, timestamp, parentSeq?, variantOf?"
    ),
    "message:stream:chunk": fields("roomId, messageId, index, offset, delta"),
    "message:stream:thought": fields("roomId, messageId, index, delta"),
    "message:stream:end": fields("roomId, messageId, content, state, timestamp, usage?"),
    "message:stream:error": fields("roomId, messageId, content, error, code, timestamp"),
    "message:chosen": fields("roomId, messageId, userId, head, lastSeq, revision, timestamp"),
    "message:deleted": fields("roomId, messageId, userId?, revision, timestamp"),
    "messages:history": fields("roomId, messages, hasMore, revision?"),
    "messages:read": fields("roomId, userId, messageId, seq, timestamp, characterId?"),
    "typing:start": fields("roomId, userId"),
    "typing:stop": fields("roomId, userId"),
    "heartbeat:ack": fields("timestamp, serverTime, quality?"),
    "presence:changed": fields("userId, status, lastSeen?"),
    "room:resync": fields("roomId, reason"),
    "room:updated": fields("roomId, title"),
    "room:changed": fields("roomId, characterIds, doubleTexting?"),
    "room:deleted": fields("roomId, timestamp"),
    "auth:required": fields("reason"),
}

SHAPES: dict[str, Fields] = {
    "MessageStored": fields("success, messageId, timestamp, seq?, duplicate?, parentSeq?"),
    "Failure": fields("success, error, code, retryAfterMs?"),
    "ReconnectionData": fields("lastMessageId?, roomId?, characterId?"),
}

CODES = {
    "invalid_payload",
    "unauthorized",
    "forbidden",
    "not_in_room",
    "not_found",
    "conflict",
    "too_large",
    "rate_limited",
    "unavailable",
    "character_failed",
    "internal",
}
