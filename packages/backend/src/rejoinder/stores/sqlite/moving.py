"""The statements that move everything to another store and take it in."""

import sqlite3
from collections.abc import Sequence

import msgspec

from rejoinder.errors import Conflict
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import epoch_ms, given
from rejoinder.stores.records import Room, Totals
from rejoinder.stores.sqlite.rooms import ROOM, room_of
from rejoinder.stores.sqlite.rows import COLUMNS, find

MARKS = ", ".join("?" * (COLUMNS.count(",") + 1))


def totals(db: sqlite3.Connection) -> Totals:
    """How much there is."""
    rooms, messages = db.execute(
        "SELECT count(*), coalesce(sum(last_seq), 0) FROM rooms WHERE deleted_at IS NULL"
    ).fetchone()
    return Totals(rooms, messages)


def rooms_after(db: sqlite3.Connection, room_id: str, limit: int) -> list[Room]:
    """Rooms in the order of their ids."""
    rows = db.execute(
        f"SELECT {ROOM} FROM rooms WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - constants
        (room_id, limit),
    ).fetchall()
    return [room_of(row) for row in rows]


def put_messages(db: sqlite3.Connection, messages: Sequence[ChatMessage]) -> None:
    """Insert rows that have their places."""
    fresh = [message for message in messages if not _known(db, message)]
    db.executemany(
        f"INSERT INTO messages ({COLUMNS}) VALUES ({MARKS})",  # noqa: S608 - constants
        [_values(message) for message in fresh],
    )
    for message in fresh[-1:]:
        db.execute(
            "UPDATE rooms SET last_seq = max(last_seq, ?), updated_at = max(updated_at, ?) WHERE id = ?",
            (message.seq, epoch_ms(message.timestamp), message.room_id),
        )


def _known(db: sqlite3.Connection, message: ChatMessage) -> bool:
    stored = find(db, message.id)
    if stored is not None and (stored.room_id, stored.seq) == (message.room_id, message.seq):
        return True
    place = db.execute(
        "SELECT 1 FROM messages WHERE room_id = ? AND seq = ?", (message.room_id, message.seq)
    ).fetchone()
    if stored is not None or place is not None:
        raise Conflict(
            f"Message {message.seq} of the room {message.room_id!r} is another one in this store."
        )
    return False


def _values(message: ChatMessage) -> tuple[object, ...]:
    edited_at, metadata = given(message.edited_at), given(message.metadata)
    deleted_at = given(message.deleted_at)
    return (
        message.id,
        message.room_id,
        message.seq,
        message.role,
        message.sender_id,
        message.content,
        message.state,
        epoch_ms(message.timestamp),
        given(message.character_id),
        given(message.reply_to),
        None if edited_at is None else epoch_ms(edited_at),
        None if metadata is None else msgspec.json.encode(metadata).decode(),
        given(message.parent_seq),
        given(message.variant_of),
        None if deleted_at is None else epoch_ms(deleted_at),
    )
