"""ChatMessageModel and its neighbours: the documents and their indexes.

| collection      | `_id`            | fields                                                                        |
|-----------------|------------------|-------------------------------------------------------------------------------|
| `chat_messages` | the message's id | roomId, seq, role, senderId, content, state, timestamp, characterId?, replyTo?, |
|                 |                  | editedAt?, metadata? (JSON text), leaseUntil? (while it is `streaming`),      |
|                 |                  | parentSeq?, variantOf? (forks), deletedAt?, revision? (erased)                |
|                 |                  | owes? (of a question: list of answer, characterId, until, beside?, place?)    |
| `rooms`         | the room's id    | createdBy, createdAt, updatedAt, characterId?, title?, titledBy?, indexedSeq?, |
|                 |                  | toIndex?, deletedAt?, purging?, revision?, choice?, characters?, doubleTexting? |
| `members`       | roomId, userId   | roomId, userId, name, joinedAt, removed? (which removal was the last);        |
|                 |                  | for an hour after a removal only removed and removedAt                        |
| `read_marks`    | roomId, userId   | roomId, userId, messageId, seq, timestamp                                     |
| `search`        | the message's id | roomId, timestamp, pairs                                                      |
| `overtaken`     | a server's id    | connections (that were replaced), at; for a minute                            |
| `people`        | the user's id    | hidesLastSeen?, lastSeen?                                                     |
| `meta`          | `schema`         | version                                                                       |

Times are dates. `metadata` is text, since BSON can't hold every JSON (keys, large numbers). A message takes about 200
bytes and its text before compression, and about 130 bytes in the indexes.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from pymongo import ASCENDING, DESCENDING, IndexModel

from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import epoch_ms as wire_ms, given, iso, or_unset
from rejoinder.stores.records import (
    REMOVAL_KEPT_SECONDS,
    Debt,
    Draft,
    Room,
    StoredMark,
    StoredMember,
    StoredPerson,
)

MESSAGES: Final = "chat_messages"
ROOMS: Final = "rooms"
MEMBERS: Final = "members"
MARKS: Final = "read_marks"
SEARCH: Final = "search"
OVERTAKEN: Final = "overtaken"
PEOPLE: Final = "people"
META: Final = "meta"
ENDED: Final = "ended"
"""The state of the row that ends the log of a room that was deleted; no message has it."""

Document = dict[str, Any]


def indexes() -> Mapping[str, list[IndexModel]]:
    """The indexes of each collection, besides those on `_id`."""
    return {
        MESSAGES: [
            # Unique, so that two servers can't give one place in a room to two messages.
            IndexModel([("roomId", ASCENDING), ("seq", ASCENDING)], name="order", unique=True),
            IndexModel(
                [("state", ASCENDING), ("leaseUntil", ASCENDING)],
                name="leases",
                partialFilterExpression={"state": "streaming"},
            ),
            IndexModel(
                [("roomId", ASCENDING)],
                name="running",
                partialFilterExpression={"state": "streaming"},
            ),
            IndexModel(
                [("replyTo", ASCENDING)],
                name="answers",
                partialFilterExpression={"role": "character"},
            ),
            IndexModel(
                [("roomId", ASCENDING), ("seq", ASCENDING)],
                name="forks",
                partialFilterExpression={"parentSeq": {"$exists": True}},
            ),
            IndexModel(
                [("roomId", ASCENDING), ("revision", ASCENDING)],
                name="erased",
                partialFilterExpression={"deletedAt": {"$exists": True}},
            ),
            IndexModel([("owes.until", ASCENDING)], name="debts", sparse=True),
            IndexModel(
                [("roomId", ASCENDING), ("seq", ASCENDING)],
                name="owed",
                partialFilterExpression={"owes": {"$exists": True}},
            ),
        ],
        ROOMS: [
            IndexModel(
                [("purging", ASCENDING)], name="purging", partialFilterExpression={"purging": True}
            ),
            IndexModel(
                [("toIndex", ASCENDING), ("_id", ASCENDING)],
                name="to_index",
                partialFilterExpression={"toIndex": True},
            ),
        ],
        SEARCH: [
            IndexModel(
                [("roomId", ASCENDING), ("pairs", ASCENDING), ("timestamp", DESCENDING)],
                name="pairs",
            )
        ],
        MEMBERS: [
            IndexModel([("userId", ASCENDING), ("roomId", ASCENDING)], name="rooms_of_user"),
            IndexModel(
                [("roomId", ASCENDING), ("joinedAt", ASCENDING), ("userId", ASCENDING)],
                name="members_of_room",
            ),
            IndexModel(
                [("removedAt", ASCENDING)],
                name="removed",
                expireAfterSeconds=REMOVAL_KEPT_SECONDS,
                partialFilterExpression={"removedAt": {"$exists": True}},
            ),
        ],
        MARKS: [
            IndexModel(
                [("roomId", ASCENDING), ("seq", DESCENDING), ("userId", ASCENDING)],
                name="marks_of_room",
            )
        ],
        OVERTAKEN: [IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=60)],
    }


def pair(room_id: str, user_id: str) -> Document:
    """The `_id` of what belongs to a user in a room."""
    return {"roomId": room_id, "userId": user_id}


def date(epoch_ms: int) -> datetime:
    """Milliseconds since the epoch as a date."""
    seconds, ms = divmod(epoch_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=ms * 1000)


def epoch_ms(value: datetime) -> int:
    """A date, which comes back without its zone, in milliseconds since the epoch."""
    return round(value.replace(tzinfo=UTC).timestamp() * 1000)


def message_document(draft: Draft, seq: int) -> Document:
    """A draft that has its place."""
    document: Document = {
        "_id": draft.id,
        "roomId": draft.room_id,
        "seq": seq,
        "role": draft.role,
        "senderId": draft.sender_id,
        "content": draft.content,
        "state": draft.state,
        "timestamp": date(draft.timestamp),
    }
    if draft.character_id is not None:
        document["characterId"] = draft.character_id
    if draft.reply_to is not None:
        document["replyTo"] = draft.reply_to
    if draft.metadata is not None:
        document["metadata"] = msgspec.json.encode(draft.metadata).decode()
    if draft.lease_until is not None:
        document["leaseUntil"] = date(draft.lease_until)
    if draft.parent_seq is not None:
        document["parentSeq"] = draft.parent_seq
    if draft.variant_of is not None:
        document["variantOf"] = draft.variant_of
    if draft.owes is not None:
        document["owes"] = [debt_document(draft.owes)]
    return document


def debt_document(debt: Debt) -> Document:
    """One of `owes` of a question."""
    document: Document = {
        "answer": debt.answer_id,
        "characterId": debt.character_id,
        "until": date(debt.until),
    }
    if debt.beside is not None:
        document["beside"] = debt.beside
    return document


def debts_of(document: Document) -> list[Debt]:
    """What a document of `chat_messages` owes."""
    return [
        Debt(
            each["answer"],
            document["_id"],
            document["roomId"],
            each["characterId"],
            epoch_ms(each["until"]),
            each.get("beside"),
        )
        for each in document.get("owes", ())
    ]


def stored_document(message: ChatMessage) -> Document:
    """A message of another store, with the place that it has there."""
    document = message_document(
        Draft(
            id=message.id,
            room_id=message.room_id,
            role=message.role,
            sender_id=message.sender_id,
            content=message.content,
            state=message.state,
            timestamp=wire_ms(message.timestamp),
            character_id=given(message.character_id),
            reply_to=given(message.reply_to),
            metadata=given(message.metadata),
            parent_seq=given(message.parent_seq),
            variant_of=given(message.variant_of),
        ),
        message.seq,
    )
    edited_at, deleted_at = given(message.edited_at), given(message.deleted_at)
    if edited_at is not None:
        document["editedAt"] = date(wire_ms(edited_at))
    if deleted_at is not None:
        document["deletedAt"] = date(wire_ms(deleted_at))
    return document


def message_of(document: Document) -> ChatMessage:
    """A document of `chat_messages` as a message."""
    edited_at, metadata = document.get("editedAt"), document.get("metadata")
    deleted_at = document.get("deletedAt")
    return ChatMessage(
        id=document["_id"],
        room_id=document["roomId"],
        seq=document["seq"],
        role=document["role"],
        sender_id=document["senderId"],
        content=document["content"],
        state=document["state"],
        timestamp=iso(epoch_ms(document["timestamp"])),
        character_id=or_unset(document.get("characterId")),
        reply_to=or_unset(document.get("replyTo")),
        edited_at=or_unset(None if edited_at is None else iso(epoch_ms(edited_at))),
        metadata=or_unset(None if metadata is None else msgspec.json.decode(metadata)),
        parent_seq=or_unset(document.get("parentSeq")),
        variant_of=or_unset(document.get("variantOf")),
        deleted_at=or_unset(None if deleted_at is None else iso(epoch_ms(deleted_at))),
    )


def end_document(room_id: str, seq: int) -> Document:
    """The end of a room's log, which is no message."""
    return {"_id": {"end": room_id}, "roomId": room_id, "seq": seq, "state": ENDED}


def is_message(document: Document) -> bool:
    """True for a document of `chat_messages` that is not the end of a log."""
    return bool(document["state"] != ENDED)


def room_of(document: Document, *, created: bool = False) -> Room:
    """A document of `rooms` as a room."""
    deleted_at = document.get("deletedAt")
    return Room(
        document["_id"],
        document["createdBy"],
        epoch_ms(document["createdAt"]),
        document.get("characterId"),
        created=created,
        title=document.get("title"),
        titled_by=document.get("titledBy"),
        deleted_at=None if deleted_at is None else epoch_ms(deleted_at),
        revision=document.get("revision", 0),
        characters=tuple(document.get("characters", ())),
        double_texting=document.get("doubleTexting"),
    )


def member_of(document: Document) -> StoredMember:
    """A document of `members` as a member."""
    return StoredMember(document["userId"], document["name"], epoch_ms(document["joinedAt"]))


def mark_of(document: Document) -> StoredMark:
    """A document of `read_marks` as a mark."""
    return StoredMark(
        document["userId"], document["messageId"], document["seq"], epoch_ms(document["timestamp"])
    )


def person_of(document: Document) -> StoredPerson:
    """A document of `people` as a person."""
    seen = document.get("lastSeen")
    return StoredPerson(
        document["_id"],
        document.get("hidesLastSeen", False),
        None if seen is None else epoch_ms(seen),
    )
