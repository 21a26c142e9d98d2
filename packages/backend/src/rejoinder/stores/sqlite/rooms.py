"""The statements on rooms, members and read marks."""

import sqlite3
import time
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import msgspec

from rejoinder.core.branches import head_of
from rejoinder.errors import NotFound
from rejoinder.stores.records import (
    FORKS_LOOK,
    GONE,
    REMOVAL_KEPT_SECONDS,
    UNREAD_LOOK,
    UNREAD_MAX,
    Entrance,
    Membership,
    Position,
    Room,
    RoomOverview,
    StoredMark,
    StoredMember,
    TitledBy,
    characters_of,
)
from rejoinder.stores.sqlite.branches import branching
from rejoinder.stores.sqlite.rows import COLUMNS, SELECT, message_of

BEFORE_ALL: Final[Position] = (-(1 << 62), "")
ROOM_COLUMNS = (
    "id",
    "created_by",
    "created_at",
    "character_id",
    "title",
    "titled_by",
    "deleted_at",
    "revision",
    "characters",
    "double_texting",
)
ROOM = ", ".join(ROOM_COLUMNS)


UNREAD = (
    "(SELECT min(count(*), ?) FROM (SELECT u.role, u.sender_id FROM messages u "
    "WHERE u.room_id = r.id AND u.seq > coalesce(k.seq, 0) AND u.deleted_at IS NULL ORDER BY u.seq LIMIT ?) AS after "
    "WHERE after.role <> 'user' OR after.sender_id <> m.user_id)"
)


def room_of(row: tuple[Any, ...]) -> Room:
    """A row of the columns `ROOM` as a room."""
    id_, created_by, created_at, character_id, title, titled_by, deleted_at, revision = row[:8]
    characters, double_texting = row[8:]
    return Room(
        id_,
        created_by,
        created_at,
        character_id,
        title=title,
        titled_by=titled_by,
        deleted_at=deleted_at,
        revision=revision,
        characters=()
        if characters is None
        else tuple(msgspec.json.decode(characters, type=list[str])),
        double_texting=double_texting,
    )


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
            "UPDATE rooms SET character_id = ? WHERE id = ? AND character_id IS NULL AND deleted_at IS NULL",
            (character_id, room_id),
        )
    found = room(db, room_id)
    if found is None:
        raise NotFound(GONE)
    return found


def found_room(
    db: sqlite3.Connection, room_id: str, founder: StoredMember, character_id: str | None
) -> Room:
    """Insert the room with its first member unless it is there."""
    found = create_room(db, room_id, founder.user_id, founder.joined_at, character_id)
    if found.created:
        add_member(db, room_id, founder, None)
    return found


def entrance(db: sqlite3.Connection, room_id: str, user_id: str) -> Entrance:
    """The room, the membership, and the choice of the person."""
    row = db.execute(
        "SELECT (SELECT name FROM members WHERE room_id = :room AND user_id = :user), "  # noqa: S608
        "(SELECT removal FROM removals WHERE room_id = :room AND user_id = :user), "
        f"(SELECT hides_last_seen FROM people WHERE user_id = :user), {ROOM} "
        "FROM (SELECT 1) LEFT JOIN rooms ON id = :room AND deleted_at IS NULL",
        {"room": room_id, "user": user_id},
    ).fetchone()
    membership = Membership(row[0] is not None, row[1] or "", row[0] or "")
    found = None if row[3] is None else room_of(row[3:])
    return Entrance(found, membership, bool(row[2]))


def room(db: sqlite3.Connection, room_id: str) -> Room | None:
    """The room of that id."""
    row = db.execute(
        f"SELECT {ROOM} FROM rooms WHERE id = ? AND deleted_at IS NULL",  # noqa: S608 - constants
        (room_id,),
    ).fetchone()
    return None if row is None else room_of(row)


def set_title(db: sqlite3.Connection, room_id: str, title: str, by: TitledBy) -> bool:
    """Give the room a title, unless it has one that is worth more."""
    done = db.execute(
        "UPDATE rooms SET title = :title, titled_by = :by WHERE id = :id AND deleted_at IS NULL "
        "AND (:by = 'person' OR titled_by IS NULL OR (:by = 'model' AND titled_by <> 'person'))",
        {"id": room_id, "title": title, "by": by},
    )
    return done.rowcount == 1


def set_double_texting(db: sqlite3.Connection, room_id: str, policy: str | None) -> bool:
    """Give the room a rule of its own, or take it away."""
    done = db.execute(
        "UPDATE rooms SET double_texting = ? WHERE id = ? AND deleted_at IS NULL", (policy, room_id)
    )
    return done.rowcount == 1


def put_character(
    db: sqlite3.Connection, room_id: str, character_id: str, limit: int
) -> tuple[str, ...] | None:
    """Add a character behind the others."""
    found = room(db, room_id)
    if found is None:
        return None
    there = characters_of(found)
    if character_id in there or len(there) >= limit:
        return there
    return _put_characters(db, room_id, (*there, character_id))


def take_character(
    db: sqlite3.Connection, room_id: str, character_id: str
) -> tuple[str, ...] | None:
    """Take a character out."""
    found = room(db, room_id)
    if found is None:
        return None
    left = tuple(each for each in characters_of(found) if each != character_id)
    return _put_characters(db, room_id, left)


def _put_characters(
    db: sqlite3.Connection, room_id: str, characters: tuple[str, ...]
) -> tuple[str, ...]:
    db.execute(
        "UPDATE rooms SET characters = ?, character_id = ? WHERE id = ?",
        (msgspec.json.encode(characters).decode(), next(iter(characters), None), room_id),
    )
    return characters


def rooms_of(db: sqlite3.Connection, user_id: str, limit: int) -> tuple[list[RoomOverview], bool]:
    """The user's rooms, the one that changed last first."""
    message_columns = ", ".join(f"t.{column.strip()}" for column in COLUMNS.split(","))
    room_columns = ", ".join(f"r.{column}" for column in ROOM_COLUMNS)
    rows = db.execute(
        f"SELECT {room_columns}, r.updated_at, r.last_seq, "  # noqa: S608
        f"coalesce(k.seq, 0), {UNREAD}, {message_columns} "
        "FROM members m JOIN rooms r ON r.id = m.room_id "
        "LEFT JOIN read_marks k ON k.room_id = r.id AND k.user_id = m.user_id "
        "LEFT JOIN messages t ON t.room_id = r.id AND t.seq = r.last_seq "
        "WHERE m.user_id = ? AND r.deleted_at IS NULL ORDER BY r.updated_at DESC, r.id LIMIT ?",
        (UNREAD_MAX, UNREAD_LOOK, user_id, limit + 1),
    ).fetchall()
    overviews = [
        RoomOverview(
            room_of(row[:10]),
            row[10],
            row[11],
            row[12],
            None if row[14] is None else message_of(row[14:]),
            row[13],
        )
        for row in rows[:limit]
    ]
    return [_with_preview(db, each) for each in overviews], len(rows) > limit


def _with_preview(db: sqlite3.Connection, overview: RoomOverview) -> RoomOverview:
    room_id, last = overview.room.id, overview.last_seq
    head = head_of(branching(db, room_id, FORKS_LOOK), last)
    if head == last:
        return overview
    row = db.execute(f"{SELECT} WHERE room_id = ? AND seq = ?", (room_id, head)).fetchone()
    return overview if row is None else replace(overview, preview=message_of(row))


NOT_DELETED = "NOT EXISTS (SELECT 1 FROM rooms WHERE id = ? AND deleted_at IS NOT NULL)"


def add_member(
    db: sqlite3.Connection, room_id: str, member: StoredMember, removal: str | None
) -> bool:
    """Insert the member, or update the name."""
    if removal is not None and removal != _removal(db, room_id, member.user_id):
        return False
    db.execute(
        f"INSERT INTO members (room_id, user_id, name, joined_at) SELECT ?, ?, ?, ? WHERE {NOT_DELETED} "
        "ON CONFLICT (room_id, user_id) DO UPDATE SET name = excluded.name WHERE excluded.name <> ''",
        (room_id, member.user_id, member.name, member.joined_at, room_id),
    )
    return True


def remove_member(db: sqlite3.Connection, room_id: str, user_id: str) -> bool:
    """Delete the membership, and keep that for a while."""
    pair = (room_id, user_id)
    done = db.execute("DELETE FROM members WHERE room_id = ? AND user_id = ?", pair)
    if done.rowcount == 1:
        now = time.time_ns() // 1_000_000
        db.execute("DELETE FROM removals WHERE at < ?", (now - REMOVAL_KEPT_SECONDS * 1000,))
        db.execute("INSERT OR REPLACE INTO removals VALUES (?, ?, ?, ?)", (*pair, uuid4().hex, now))
    return done.rowcount == 1


def membership(db: sqlite3.Connection, room_id: str, user_id: str) -> Membership:
    """Whether they are one, and their last removal."""
    row = db.execute(
        "SELECT name FROM members WHERE room_id = ? AND user_id = ?", (room_id, user_id)
    ).fetchone()
    return Membership(
        row is not None, _removal(db, room_id, user_id), "" if row is None else str(row[0])
    )


def removed(db: sqlite3.Connection, since: int, limit: int) -> list[tuple[str, str]]:
    """Who was removed and has not come back, the last first."""
    return db.execute(
        "SELECT room_id, user_id FROM removals r WHERE at >= ? AND NOT EXISTS "
        "(SELECT 1 FROM members m WHERE m.room_id = r.room_id AND m.user_id = r.user_id) "
        "ORDER BY at DESC LIMIT ?",
        (since, limit),
    ).fetchall()


def _removal(db: sqlite3.Connection, room_id: str, user_id: str) -> str:
    row = db.execute(
        "SELECT removal FROM removals WHERE room_id = ? AND user_id = ?", (room_id, user_id)
    ).fetchone()
    return "" if row is None else str(row[0])


def is_member(db: sqlite3.Connection, room_id: str, user_id: str) -> bool:
    """True if the membership is there."""
    row = db.execute(
        "SELECT 1 FROM members WHERE room_id = ? AND user_id = ?", (room_id, user_id)
    ).fetchone()
    return row is not None


def members(
    db: sqlite3.Connection, room_id: str, limit: int, after: Position | None
) -> list[StoredMember]:
    """The members, the oldest first."""
    rows = db.execute(
        "SELECT user_id, name, joined_at FROM members WHERE room_id = ? AND (joined_at, user_id) > (?, ?) "
        "ORDER BY joined_at, user_id LIMIT ?",
        (room_id, *(after or BEFORE_ALL), limit),
    ).fetchall()
    return [StoredMember(*row) for row in rows]


def mark_read(db: sqlite3.Connection, room_id: str, mark: StoredMark) -> bool:
    """Move the mark forward."""
    done = db.execute(
        "INSERT INTO read_marks (room_id, user_id, message_id, seq, timestamp) "
        f"SELECT ?, ?, ?, ?, ? WHERE {NOT_DELETED} "
        "ON CONFLICT (room_id, user_id) DO UPDATE SET message_id = excluded.message_id, "
        "seq = excluded.seq, timestamp = excluded.timestamp WHERE excluded.seq > read_marks.seq",
        (room_id, mark.user_id, mark.message_id, mark.seq, mark.timestamp, room_id),
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
