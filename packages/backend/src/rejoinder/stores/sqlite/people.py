"""The statements on what is kept of people."""

import sqlite3
from collections.abc import Collection, Mapping

from rejoinder.stores.records import StoredPerson

COLUMNS = "user_id, hides_last_seen, last_seen"
AT_ONCE = 500
"""Ids in one statement."""


def people(db: sqlite3.Connection, user_ids: Collection[str]) -> dict[str, StoredPerson]:
    """What is kept of these."""
    found: dict[str, StoredPerson] = {}
    wanted = list(user_ids)
    for at in range(0, len(wanted), AT_ONCE):
        some = wanted[at : at + AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = db.execute(f"SELECT {COLUMNS} FROM people WHERE user_id IN ({marks})", some)  # noqa: S608
        found.update({row[0]: _person(row) for row in rows})
    return found


def hide_last_seen(db: sqlite3.Connection, user_id: str, *, hides: bool) -> None:
    """Keep the choice."""
    db.execute(
        "INSERT INTO people (user_id, hides_last_seen) VALUES (?, ?) "
        "ON CONFLICT (user_id) DO UPDATE SET hides_last_seen = excluded.hides_last_seen",
        (user_id, int(hides)),
    )


def put_last_seen(db: sqlite3.Connection, seen: Mapping[str, int]) -> None:
    """Move each time forward."""
    db.executemany(
        "INSERT INTO people (user_id, last_seen) VALUES (?, ?) "
        "ON CONFLICT (user_id) DO UPDATE SET last_seen = excluded.last_seen "
        "WHERE people.last_seen IS NULL OR excluded.last_seen > people.last_seen",
        list(seen.items()),
    )


def people_after(db: sqlite3.Connection, user_id: str, limit: int) -> list[StoredPerson]:
    """People in the order of their ids."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM people WHERE user_id > ? ORDER BY user_id LIMIT ?",  # noqa: S608
        (user_id, limit),
    )
    return [_person(row) for row in rows]


def _person(row: tuple[str, int, int | None]) -> StoredPerson:
    user_id, hides, last_seen = row
    return StoredPerson(user_id, bool(hides), last_seen)
