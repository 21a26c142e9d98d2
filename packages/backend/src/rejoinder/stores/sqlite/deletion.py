"""The statements that take a room away, a part at a time. What stays is that its id is taken."""

import sqlite3

from rejoinder.stores.sqlite.search import place


def bury(db: sqlite3.Connection, room_id: str, deleted_at: int) -> bool:
    """Mark the room as deleted."""
    done = db.execute(
        "UPDATE rooms SET deleted_at = ?, purging = 1, title = NULL, titled_by = NULL, character_id = NULL, "
        "choice = NULL, characters = NULL, double_texting = NULL, created_by = '' WHERE id = ? AND deleted_at IS NULL",
        (deleted_at, room_id),
    )
    return done.rowcount == 1


def buried(db: sqlite3.Connection, limit: int) -> list[str]:
    """Rooms with something left in them."""
    rows = db.execute("SELECT id FROM rooms WHERE purging = 1 ORDER BY id LIMIT ?", (limit,))
    return [row[0] for row in rows]


def purge(db: sqlite3.Connection, room_id: str, limit: int) -> bool:
    """Take away a part; True if there is more."""
    # What stood there is overwritten, and not only let go of.
    db.execute("PRAGMA secure_delete = ON")
    try:
        return _purge(db, room_id, limit)
    finally:
        db.execute("PRAGMA secure_delete = OFF")


def _purge(db: sqlite3.Connection, room_id: str, limit: int) -> bool:
    room = db.execute(
        "SELECT number FROM rooms WHERE id = ? AND purging = 1", (room_id,)
    ).fetchone()
    if room is None:
        return False
    seqs = db.execute(
        "SELECT seq FROM messages WHERE room_id = ? ORDER BY seq LIMIT ?", (room_id, limit)
    ).fetchall()
    if seqs:
        first, last = seqs[0][0], seqs[-1][0]
        if room[0] is not None:
            db.execute(
                "DELETE FROM search WHERE rowid BETWEEN ? AND ?",
                (place(room[0], first), place(room[0], last)),
            )
        db.execute("DELETE FROM messages WHERE room_id = ? AND seq <= ?", (room_id, last))
        return True
    for table in ("members", "read_marks"):
        people = db.execute(
            f"SELECT user_id FROM {table} WHERE room_id = ? LIMIT ?",  # noqa: S608 - constants
            (room_id, limit),
        ).fetchall()
        if people:
            db.executemany(
                f"DELETE FROM {table} WHERE room_id = ? AND user_id = ?",  # noqa: S608 - constants
                [(room_id, user_id) for (user_id,) in people],
            )
            return True
    db.execute("DELETE FROM debts WHERE room_id = ?", (room_id,))
    db.execute(
        "UPDATE rooms SET purging = NULL, last_seq = 0, indexed_seq = 0 WHERE id = ?", (room_id,)
    )
    return False
