"""The statements on messages, and rows as wire structs."""

import sqlite3
from typing import Any

import msgspec

from rejoinder.errors import Conflict, NotFound
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import iso, or_unset
from rejoinder.stores.records import (
    GONE,
    LEASE_AHEAD_MS,
    TAKEN,
    Appended,
    Draft,
    EndState,
    Page,
    is_same,
)
from rejoinder.stores.sqlite import owing

COLUMNS = (
    "id, room_id, seq, role, sender_id, content, state, timestamp, character_id, reply_to, "
    "edited_at, metadata, parent_seq, variant_of, deleted_at"
)
WRITTEN = f"{COLUMNS}, lease_until"
MARKS = f"({', '.join('?' * (WRITTEN.count(',') + 1))})"
SELECT = f"SELECT {COLUMNS} FROM messages"  # noqa: S608 - constants
RUN_OUT = (
    "(:now IS NULL OR lease_until IS NULL OR lease_until <= :now "
    f"OR lease_until > :now + {LEASE_AHEAD_MS})"
)


def message_of(row: tuple[Any, ...]) -> ChatMessage:
    """A row of `SELECT`, or of `values_of`, as a message."""
    (id_, room_id, seq, role, sender_id, content, state, timestamp) = row[:8]
    character_id, reply_to, edited_at, metadata, parent_seq, variant_of, deleted_at = row[8:15]
    return ChatMessage(
        id=id_,
        room_id=room_id,
        seq=seq,
        role=role,
        sender_id=sender_id,
        content=content,
        state=state,
        timestamp=iso(timestamp),
        character_id=or_unset(character_id),
        reply_to=or_unset(reply_to),
        edited_at=or_unset(None if edited_at is None else iso(edited_at)),
        metadata=or_unset(None if metadata is None else msgspec.json.decode(metadata)),
        parent_seq=or_unset(parent_seq),
        variant_of=or_unset(variant_of),
        deleted_at=or_unset(None if deleted_at is None else iso(deleted_at)),
    )


def values_of(draft: Draft, seq: int) -> tuple[Any, ...]:
    """The row of a draft, in the columns `WRITTEN`."""
    return (
        draft.id,
        draft.room_id,
        seq,
        draft.role,
        draft.sender_id,
        draft.content,
        draft.state,
        draft.timestamp,
        draft.character_id,
        draft.reply_to,
        None,
        None if draft.metadata is None else msgspec.json.encode(draft.metadata).decode(),
        draft.parent_seq,
        draft.variant_of,
        None,
        draft.lease_until,
    )


def find(db: sqlite3.Connection, message_id: str) -> ChatMessage | None:
    """The row of that id."""
    row = db.execute(f"{SELECT} WHERE id = ?", (message_id,)).fetchone()
    return None if row is None else message_of(row)


def append(db: sqlite3.Connection, draft: Draft) -> Appended:
    """Insert the draft at the end of its room, unless its id is there."""
    room = db.execute("SELECT deleted_at FROM rooms WHERE id = ?", (draft.room_id,)).fetchone()
    if room is not None and room[0] is not None:
        raise NotFound(GONE)
    stored = find(db, draft.id)
    if stored is not None:
        if not is_same(stored, draft):
            raise Conflict(TAKEN)
        return Appended(stored, duplicate=True)
    row = db.execute(
        "UPDATE rooms SET last_seq = last_seq + 1, updated_at = max(updated_at, ?) WHERE id = ? RETURNING last_seq",
        (draft.timestamp, draft.room_id),
    ).fetchone()
    if row is None:
        db.execute(
            "INSERT INTO rooms (id, created_by, created_at, updated_at, last_seq) VALUES (?, ?, ?, ?, 1)",
            (draft.room_id, draft.sender_id, draft.timestamp, draft.timestamp),
        )
    seq = 1 if row is None else row[0]
    values = values_of(draft, seq)
    db.execute(f"INSERT INTO messages ({WRITTEN}) VALUES {MARKS}", values)  # noqa: S608
    owing.keep_all(db, (draft,))
    return Appended(message_of(values), duplicate=False)


def page_before(db: sqlite3.Connection, room_id: str, before: int | None, limit: int) -> Page:
    """The newest rows below `before`."""
    rows = db.execute(
        f"{SELECT} WHERE room_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
        (room_id, 2**62 if before is None else before, limit + 1),
    ).fetchall()
    return Page([message_of(row) for row in reversed(rows[:limit])], len(rows) > limit)


def page_after(db: sqlite3.Connection, room_id: str, after: int, limit: int) -> Page:
    """The oldest rows above `after`."""
    rows = db.execute(
        f"{SELECT} WHERE room_id = ? AND seq > ? ORDER BY seq LIMIT ?", (room_id, after, limit + 1)
    ).fetchall()
    return Page([message_of(row) for row in rows[:limit]], len(rows) > limit)


def last_seq(db: sqlite3.Connection, room_id: str) -> int:
    """The room's highest `seq`, or 0."""
    row = db.execute("SELECT last_seq FROM rooms WHERE id = ?", (room_id,)).fetchone()
    return 0 if row is None else int(row[0])


def save_stream(
    db: sqlite3.Connection, message_id: str, content: str, lease_until: int | None
) -> bool:
    """Keep the text so far, and renew the lease."""
    done = db.execute(
        "UPDATE messages SET content = ?, lease_until = coalesce(?, lease_until) "
        "WHERE id = ? AND state = 'streaming'",
        (content, lease_until, message_id),
    )
    return done.rowcount == 1


def keep_shown(db: sqlite3.Connection, message_id: str, content: str) -> None:
    """Keep that text if less of it was saved."""
    # As bytes: the length of a text is counted up to the first NUL in it.
    db.execute(
        "UPDATE messages SET content = :text WHERE id = :id AND state = 'streaming' "
        "AND length(CAST(content AS BLOB)) < length(CAST(:text AS BLOB))",
        {"text": content, "id": message_id},
    )


def end_stream(db: sqlite3.Connection, message_id: str, content: str, state: EndState) -> bool:
    """End a row that is `streaming`."""
    done = db.execute(
        "UPDATE messages SET content = ?, state = ?, lease_until = NULL "
        "WHERE id = ? AND state = 'streaming'",
        (content, state, message_id),
    )
    return done.rowcount == 1


def unfinished(db: sqlite3.Connection, limit: int, now: int | None) -> list[ChatMessage]:
    """Rows that are `streaming`, with a lease that has run out."""
    rows = db.execute(
        f"{SELECT} WHERE state = 'streaming' AND {RUN_OUT} LIMIT :limit",
        {"now": now, "limit": limit},
    ).fetchall()
    return [message_of(row) for row in rows]


def running(db: sqlite3.Connection, room_id: str) -> list[ChatMessage]:
    """The rows of a room that are `streaming`."""
    which = f"{SELECT} WHERE room_id = ? AND state = 'streaming' ORDER BY seq"
    return [message_of(row) for row in db.execute(which, (room_id,))]


def interrupt(db: sqlite3.Connection, message_id: str, now: int | None) -> bool:
    """End a row that is `streaming`, with a lease that has run out."""
    done = db.execute(
        "UPDATE messages SET state = 'interrupted', lease_until = NULL "  # noqa: S608 - constants
        f"WHERE id = :id AND state = 'streaming' AND {RUN_OUT}",
        {"id": message_id, "now": now},
    )
    return done.rowcount == 1


def answered(db: sqlite3.Connection, message_id: str) -> bool:
    """True if a character's row replies to that message."""
    row = db.execute(
        "SELECT 1 FROM messages WHERE role = 'character' AND reply_to = ? LIMIT 1", (message_id,)
    ).fetchone()
    return row is not None


def answers_to(db: sqlite3.Connection, message_id: str, limit: int) -> list[ChatMessage]:
    """The characters' rows that reply to that message."""
    rows = db.execute(
        f"{SELECT} WHERE role = 'character' AND reply_to = ? ORDER BY seq LIMIT ?",
        (message_id, limit),
    )
    return [message_of(row) for row in rows]
