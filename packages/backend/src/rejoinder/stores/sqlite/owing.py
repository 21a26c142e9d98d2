"""The statements on answers that are owed. There are few at a time, so that the table needs no index."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from rejoinder.stores.records import (
    LEASE_AHEAD_MS,
    Debt,
    Draft,
    InTurn,
    place_behind,
    place_of,
)

COLUMNS = "answer_id, question_id, room_id, character_id, until, beside"
KEEP = f"INSERT INTO debts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
OWE = (
    f"INSERT INTO debts ({COLUMNS}, place) SELECT ?, ?, ?, ?, ?, ?, ? "  # noqa: S608 - constants
    "WHERE EXISTS (SELECT 1 FROM messages WHERE id = ? AND room_id = ?) "
    "AND NOT EXISTS (SELECT 1 FROM messages WHERE id = ?) "
    "ON CONFLICT (answer_id) DO UPDATE SET until = excluded.until"
)


def keep_all(db: sqlite3.Connection, drafts: Iterable[Draft]) -> None:
    """Keep what drafts owe that have been inserted, and take for paid what they pay."""
    owed = [_values(draft.owes) for draft in drafts if draft.owes is not None]
    if owed:
        db.executemany(KEEP, owed)
    paid = [draft.id for draft in drafts if draft.role == "character"]
    if paid:
        _forget(db, paid)


def owe(db: sqlite3.Connection, debt: Debt) -> None:
    """Keep one, unless it is paid or there is no such question."""
    place = _place(db, debt)
    db.execute(OWE, (*_values(debt), place, debt.question_id, debt.room_id, debt.answer_id))


def _place(db: sqlite3.Connection, debt: Debt) -> int:
    """Behind everything, unless it is known behind what."""
    if debt.behind is not None:
        return place_behind(debt.behind)
    taken = "SELECT place FROM debts WHERE room_id = ? AND place IS NOT NULL"
    places = [place for (place,) in db.execute(taken, (debt.room_id,))]
    newest = "SELECT COALESCE(MAX(seq), 0) FROM messages WHERE room_id = ?"
    (last,) = db.execute(newest, (debt.room_id,)).fetchone()
    return place_behind(last, places)


def in_turn(db: sqlite3.Connection, room_id: str) -> InTurn:
    """What is being written in a room, and what waits."""
    running = db.execute(
        "SELECT id FROM messages WHERE room_id = ? AND state = 'streaming'", (room_id,)
    )
    waiting = db.execute(
        "SELECT d.answer_id, m.seq, d.place FROM debts d JOIN messages m ON m.id = d.question_id "
        "WHERE d.room_id = ?",
        (room_id,),
    )
    places = sorted((place_of(seq, place), answer_id) for answer_id, seq, place in waiting)
    return InTurn(
        frozenset(answer_id for (answer_id,) in running),
        tuple(answer_id for _, answer_id in places),
    )


def renew(db: sqlite3.Connection, debts: Sequence[Debt], until: int) -> None:
    """Renew those that are still there."""
    db.execute(
        "UPDATE debts SET until = ? WHERE answer_id IN (SELECT value FROM json_each(?))",
        (until, _json([debt.answer_id for debt in debts])),
    )


def owed(db: sqlite3.Connection, limit: int, now: int | None) -> list[Debt]:
    """Those whose lease has run out, and whose question is still there."""
    found = db.execute(
        "SELECT d.answer_id, d.question_id, d.room_id, d.character_id, d.until, d.beside FROM debts d "
        "JOIN messages m ON m.id = d.question_id "
        "WHERE (:now IS NULL OR d.until <= :now OR d.until > :now + :ahead) "
        "ORDER BY m.room_id, m.seq LIMIT :limit",
        {"now": now, "ahead": LEASE_AHEAD_MS, "limit": limit},
    )
    return [Debt(*row) for row in found]


def forgive(db: sqlite3.Connection, debts: Sequence[Debt]) -> None:
    """Delete them."""
    _forget(db, [debt.answer_id for debt in debts])


def _forget(db: sqlite3.Connection, answer_ids: list[str]) -> None:
    db.execute(
        "DELETE FROM debts WHERE answer_id IN (SELECT value FROM json_each(?))",
        (_json(answer_ids),),
    )


def _values(debt: Debt) -> tuple[object, ...]:
    return (
        debt.answer_id,
        debt.question_id,
        debt.room_id,
        debt.character_id,
        debt.until,
        debt.beside,
    )


def _json(ids: list[str]) -> str:
    return msgspec.json.encode(ids).decode()
