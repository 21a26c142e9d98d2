"""The statements on rooms, members and read marks."""

import sqlite3

from rejoinder.stores.base import Room, RoomOverview, StoredMark, StoredMember
from rejoinder.stores.sqlite.rows import COLUMNS, message_of


def create_room(
    db: sqlite3.Connection, room_id: str, created_by: str, created_at: int, character_id: str | None
) -> Room:
    """Insert the room unless it is there."""
    done = db.execute(
        "INSERT INTO rooms (id, created_by, created_at, updated_at, character_id) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO NOTHING",
        (room_id, created_by, created_at, created_at, character_id),
    )
    if done.rowcount == 1:
        return Room(room_id, created_by, created_at, character_id, created=True)
    if character_id is not None:
        # A room that had no character takes the first that is chosen in it.
        db.execute(
            "UPDATE rooms SET character_id = ? WHERE id = ? AND character_id IS NULL",
            (character_id, room_id),
        )
    found = room(db, room_id)
    if found is None:
        raise sqlite3.DatabaseError(f"room {room_id!r} is neither there nor can it be made")
    return found


def room(db: sqlite3.Connection, room_id: str) -> Room | None:
    """The room of that id."""
    row = db.execute(
        "SELECT id, created_by, created_at, character_id FROM rooms WHERE id = ?", (room_id,)
    ).fetchone()
    return None if row is None else Room(*row)


def rooms_of(db: sqlite3.Connection, user_id: str, limit: int) -> tuple[list[RoomOverview], bool]:
    """The user's rooms, the one that changed last first."""
    message_columns = ", ".join(f"t.{column.strip()}" for column in COLUMNS.split(","))
    rows = db.execute(
        "SELECT r.id, r.created_by, r.created_at, r.character_id, r.updated_at, r.last_seq, "  # noqa: S608
        f"coalesce(k.seq, 0), {message_columns} "
        "FROM members m JOIN rooms r ON r.id = m.room_id "
        "LEFT JOIN read_marks k ON k.room_id = r.id AND k.user_id = m.user_id "
        "LEFT JOIN messages t ON t.room_id = r.id AND t.seq = r.last_seq "
        "WHERE m.user_id = ? ORDER BY r.updated_at DESC, r.id LIMIT ?",
        (user_id, limit + 1),
    ).fetchall()
    overviews = [
        RoomOverview(
            Room(*row[:4]), row[4], row[5], row[6], None if row[7] is None else message_of(row[7:])
        )
        for row in rows[:limit]
    ]
    return overviews, len(rows) > limit


def add_member(db: sqlite3.Connection, room_id: str, member: StoredMember) -> None:
    """Insert the member, or update the name."""
    db.execute(
        "INSERT INTO members (room_id, user_id, name, joined_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (room_id, user_id) DO UPDATE SET name = excluded.name WHERE excluded.name <> ''",
        (room_id, member.user_id, member.name, member.joined_at),
    )


def remove_member(db: sqlite3.Connection, room_id: str, user_id: str) -> bool:
    """Delete the membership."""
    done = db.execute("DELETE FROM members WHERE room_id = ? AND user_id = ?", (room_id, user_id))
    return done.rowcount == 1


def is_member(db: sqlite3.Connection, room_id: str, user_id: str) -> bool:
    """True if the membership is there."""
    row = db.execute(
        "SELECT 1 FROM members WHERE room_id = ? AND user_id = ?", (room_id, user_id)
    ).fetchone()
    return row is not None


def members(db: sqlite3.Connection, room_id: str, limit: int) -> list[StoredMember]:
    """The members, the oldest first."""
    rows = db.execute(
        "SELECT user_id, name, joined_at FROM members WHERE room_id = ? ORDER BY joined_at, user_id LIMIT ?",
        (room_id, limit),
    ).fetchall()
    return [StoredMember(*row) for row in rows]


def mark_read(db: sqlite3.Connection, room_id: str, mark: StoredMark) -> bool:
    """Move the mark forward."""
    done = db.execute(
        "INSERT INTO read_marks (room_id, user_id, message_id, seq, timestamp) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (room_id, user_id) DO UPDATE SET message_id = excluded.message_id, "
        "seq = excluded.seq, timestamp = excluded.timestamp WHERE excluded.seq > read_marks.seq",
        (room_id, mark.user_id, mark.message_id, mark.seq, mark.timestamp),
    )
    return done.rowcount == 1


def read_marks(db: sqlite3.Connection, room_id: str, limit: int) -> list[StoredMark]:
    """The marks, the furthest first."""
    rows = db.execute(
        "SELECT user_id, message_id, seq, timestamp FROM read_marks WHERE room_id = ? "
        "ORDER BY seq DESC, user_id LIMIT ?",
        (room_id, limit),
    ).fetchall()
    return [StoredMark(*row) for row in rows]
