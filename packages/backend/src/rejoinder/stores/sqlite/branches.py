"""The statements on forks, choices and what was erased."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import msgspec
from msgspec import structs

from rejoinder.core.branches import Branching, Choice, Fork
from rejoinder.stores.records import FORKS_MAX, Erased
from rejoinder.stores.sqlite import search
from rejoinder.stores.sqlite.rows import SELECT, message_of


def branching(db: sqlite3.Connection, room_id: str, forks_max: int = FORKS_MAX) -> Branching:
    """The revision, the choice and the newest forks of a room."""
    room = db.execute("SELECT revision, choice FROM rooms WHERE id = ?", (room_id,)).fetchone()
    if room is None:
        return Branching()
    revision, choice = room
    return _branching(db, room_id, revision, choice, forks_max)


def stand(db: sqlite3.Connection, room_id: str) -> tuple[int, Branching]:
    """The room's highest `seq`, and its branching."""
    room = db.execute(
        "SELECT last_seq, revision, choice FROM rooms WHERE id = ?", (room_id,)
    ).fetchone()
    if room is None:
        return 0, Branching()
    last, revision, choice = room
    if not last:
        return 0, Branching(revision)
    return last, _branching(db, room_id, revision, choice, FORKS_MAX)


def _branching(
    db: sqlite3.Connection, room_id: str, revision: int, choice: str | None, forks_max: int
) -> Branching:
    forks = db.execute(
        "SELECT seq, parent_seq, variant_of IS NOT NULL FROM messages "
        "WHERE room_id = ? AND parent_seq IS NOT NULL ORDER BY seq DESC LIMIT ?",
        (room_id, forks_max),
    ).fetchall()
    return Branching(
        revision,
        None if choice is None else msgspec.json.decode(choice, type=Choice),
        tuple(Fork(seq, parent, bool(beside)) for seq, parent, beside in reversed(forks)),
    )


def choose(db: sqlite3.Connection, room_id: str, choice: Choice) -> int:
    """Keep a choice."""
    revision = _next_revision(db, room_id)
    db.execute(
        "UPDATE rooms SET choice = ? WHERE id = ?",
        (_text(replace(choice, revision=revision)), room_id),
    )
    return revision


def erase(db: sqlite3.Connection, room_id: str, message_ids: Sequence[str], deleted_at: int) -> int:
    """Take the texts of rows away."""
    ids = msgspec.json.encode(message_ids).decode()
    which = (
        "room_id = ? AND deleted_at IS NULL AND id IN (SELECT value FROM json_each(?))",
        (room_id, ids),
    )
    rows = db.execute(f"{SELECT} WHERE {which[0]}", which[1]).fetchall()
    if not rows:
        return 0
    revision = _next_revision(db, room_id)
    # What stood there is overwritten, and not only let go of.
    db.execute("PRAGMA secure_delete = ON")
    db.execute(
        "UPDATE messages SET content = '', metadata = NULL, deleted_at = ?, revision = ? "  # noqa: S608
        f"WHERE {which[0]}",
        (deleted_at, revision, *which[1]),
    )
    for row in rows:
        search.reindex(db, structs.replace(message_of(row), content=""))
    db.execute("PRAGMA secure_delete = OFF")
    return revision


def erased_since(db: sqlite3.Connection, room_id: str, revision: int, limit: int) -> list[Erased]:
    """What was erased after that revision."""
    rows = db.execute(
        "SELECT id, deleted_at, revision FROM messages WHERE room_id = ? AND deleted_at IS NOT NULL "
        "AND revision > ? ORDER BY revision, seq LIMIT ?",
        (room_id, revision, limit),
    )
    return [Erased(*row) for row in rows]


def put_branching(db: sqlite3.Connection, room_id: str, branching: Branching) -> None:
    """Keep the revision and the choice of a room that comes from another store."""
    choice = None if branching.choice is None else _text(branching.choice)
    db.execute(
        "UPDATE rooms SET revision = ?, choice = ? WHERE id = ? AND revision <= ?",
        (branching.revision, choice, room_id, branching.revision),
    )
    db.execute(
        "UPDATE messages SET revision = ? "
        "WHERE room_id = ? AND deleted_at IS NOT NULL AND revision IS NULL",
        (branching.revision, room_id),
    )


def _next_revision(db: sqlite3.Connection, room_id: str) -> int:
    (revision,) = db.execute(
        "UPDATE rooms SET revision = revision + 1 WHERE id = ? RETURNING revision", (room_id,)
    ).fetchone()
    return int(revision)


def _text(choice: Choice) -> str:
    return msgspec.json.encode(choice).decode()
