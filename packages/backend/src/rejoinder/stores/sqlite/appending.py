"""Many rows at once: a few statements for a whole group, since each statement costs more than the row in it."""

import sqlite3
from collections.abc import Iterator, Sequence

import msgspec

from rejoinder.errors import Conflict, NotFound
from rejoinder.stores.records import Appended, Draft, Outcome
from rejoinder.stores.sqlite import owing, rows

SIZES = (64, 16, 4, 1)
"""Rows of one statement. A few sizes, so that each is prepared once."""

Values = tuple[object, ...]


def append_all(db: sqlite3.Connection, drafts: Sequence[Draft]) -> list[Outcome]:
    """Insert drafts at the ends of their rooms; what came of each."""
    ids = {draft.id for draft in drafts}
    if len(ids) < len(drafts) or _any_known(db, ids):
        return [_append(db, draft) for draft in drafts]
    last, deleted = _last_numbers(db, {draft.room_id for draft in drafts})
    if deleted:
        return [_append(db, draft) for draft in drafts]
    return _insert_all(db, drafts, last)


def _append(db: sqlite3.Connection, draft: Draft) -> Outcome:
    try:
        return rows.append(db, draft)
    except (Conflict, NotFound) as refusal:
        return refusal


def _any_known(db: sqlite3.Connection, ids: set[str]) -> bool:
    found = db.execute(
        "SELECT 1 FROM messages WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1", (_json(ids),)
    )
    return found.fetchone() is not None


def _insert_all(
    db: sqlite3.Connection, drafts: Sequence[Draft], last: dict[str, int]
) -> list[Outcome]:
    """The drafts' ids are known to be new, so nothing can fail in the middle, and SQLite need not be ready to undo it."""
    touched: dict[str, int] = {}
    fresh: dict[str, Draft] = {}
    values: list[Values] = []
    for draft in drafts:
        room_id = draft.room_id
        if room_id not in last:
            fresh[room_id] = draft
        seq = last[room_id] = last.get(room_id, 0) + 1
        touched[room_id] = max(touched.get(room_id, 0), draft.timestamp)
        values.append(rows.values_of(draft, seq))
    for some in _in_sizes(values):
        marks = ", ".join([rows.MARKS] * len(some))
        db.execute(
            f"INSERT OR FAIL INTO messages ({rows.WRITTEN}) VALUES {marks}",  # noqa: S608 - constants
            [value for row in some for value in row],
        )
    db.executemany(
        "INSERT INTO rooms (id, created_by, created_at, updated_at, last_seq) VALUES (?, ?, ?, ?, 0)",
        [
            (room_id, draft.sender_id, draft.timestamp, draft.timestamp)
            for room_id, draft in fresh.items()
        ],
    )
    db.executemany(
        "UPDATE rooms SET last_seq = ?, updated_at = max(updated_at, ?) WHERE id = ?",
        [(last[room_id], timestamp, room_id) for room_id, timestamp in touched.items()],
    )
    owing.keep_all(db, drafts)
    return [Appended(rows.message_of(row), duplicate=False) for row in values]


def _last_numbers(db: sqlite3.Connection, room_ids: set[str]) -> tuple[dict[str, int], bool]:
    """The last number of each room that is there, and whether one of them was deleted."""
    found = db.execute(
        "SELECT id, last_seq, deleted_at FROM rooms WHERE id IN (SELECT value FROM json_each(?))",
        (_json(room_ids),),
    ).fetchall()
    return {row[0]: row[1] for row in found}, any(row[2] is not None for row in found)


def _json(ids: set[str]) -> str:
    return msgspec.json.encode(ids).decode()


def _in_sizes(values: Sequence[Values]) -> Iterator[Sequence[Values]]:
    at = 0
    for size in SIZES:
        while len(values) - at >= size:
            yield values[at : at + size]
            at += size
