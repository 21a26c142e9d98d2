"""The index of the search, and what is read with it.

The table `search` has a row for each message, with its pairs of characters as words; its number is made of the numbers of
the room and of the message, so that a room is a stretch of it, in the order of the room. A room has its number from when
something of it was first put into the index, and `indexed_seq` says how far it is in there. What is behind that is read
from the log itself.
"""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rejoinder.core.search import Wanted, matches, pairs
from rejoinder.errors import Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.records import (
    EXAMINED_MAX,
    ROOMS_SEARCHED,
    TAIL_ROOMS,
    TAIL_ROWS,
    Found,
    Indexed,
    Position,
)
from rejoinder.stores.sqlite.rows import COLUMNS, SELECT, message_of

BROKEN = "The index of the search can't be written to."
WINDOW, WIDER = 256, 4
"""The index is read forwards, a stretch after the other from the end: backwards it takes a multiple of the time."""
CLOCKS_MS = 10_000
"""How much older a message may seem than one before it in its room, as clocks differ."""
SEQ_BITS = 32
SEQ_MASK = (1 << SEQ_BITS) - 1
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
HIT_COLUMNS = ", ".join(f"m.{column.strip()}" for column in COLUMNS.split(","))
INDEXED = (
    f"SELECT {HIT_COLUMNS} FROM search s JOIN messages m "  # noqa: S608 - constants
    f"ON m.room_id = ? AND m.seq = s.rowid & {SEQ_MASK} "
    "WHERE s.search MATCH ? AND s.rowid BETWEEN ? AND ? ORDER BY s.rowid"
)
TAIL = f"{SELECT} WHERE room_id = ? AND seq > ? ORDER BY seq DESC LIMIT ?"


def words(text: str) -> str:
    """The pairs of a text as the index has them: each is three letters or digits."""
    return as_words(pairs(text))


def as_words(numbers: Iterable[int]) -> str:
    """The same of pairs. In a query all words that stand beside each other are wanted."""
    return " ".join(
        [f"{DIGITS[n // 1296]}{DIGITS[n // 36 % 36]}{DIGITS[n % 36]}" for n in sorted(numbers)]
    )


# --- writing -------------------------------------------------------------------------------------


def index(db: sqlite3.Connection, room_ids: Sequence[str], limit: int) -> Indexed:
    """Put new rows into the index; a failure of it leaves the other jobs of the transaction as they are."""
    with _apart(db):
        return _index(db, room_ids, limit)


def _index(db: sqlite3.Connection, room_ids: Sequence[str], limit: int) -> Indexed:
    rooms = [(_number(db, room_id), room_id) for room_id in dict.fromkeys(room_ids)]
    rows, left = 0, []
    # In the order of the index, which else would write what it has gathered each time that a number is lower.
    for number, room_id in sorted((number, id_) for number, id_ in rooms if number is not None):
        if rows >= limit:
            left.append(room_id)
            continue
        done, whole = _index_room(db, room_id, number, limit - rows)
        rows += done
        if not whole:
            left.append(room_id)
    return Indexed(rows, left)


def _index_room(db: sqlite3.Connection, room_id: str, number: int, limit: int) -> tuple[int, bool]:
    """How many rows were put in, and whether none is left."""
    (after,) = db.execute("SELECT indexed_seq FROM rooms WHERE id = ?", (room_id,)).fetchone()
    found = db.execute(
        "SELECT seq, content, state FROM messages WHERE room_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        (room_id, after, limit + 1),
    ).fetchall()
    ended = next((at for at, row in enumerate(found) if row[2] == "streaming"), len(found))
    taken = found[: min(ended, limit)]
    if taken:
        db.executemany(
            "INSERT OR REPLACE INTO search (rowid, pairs) VALUES (?, ?)",
            [(place(number, seq), words(content)) for seq, content, _ in taken if content],
        )
        db.execute("UPDATE rooms SET indexed_seq = ? WHERE id = ?", (taken[-1][0], room_id))
    return len(taken), len(taken) == len(found)


def reindex(db: sqlite3.Connection, message: ChatMessage) -> None:
    """A row that may be in the index has another text now."""
    row = db.execute(
        "SELECT number FROM rooms WHERE id = ? AND indexed_seq >= ?", (message.room_id, message.seq)
    ).fetchone()
    if row is None:
        return
    with _apart(db):
        at = place(row[0], message.seq)
        db.execute("DELETE FROM search WHERE rowid = ?", (at,))
        if message.content:
            db.execute(
                "INSERT INTO search (rowid, pairs) VALUES (?, ?)", (at, words(message.content))
            )


def unindexed(db: sqlite3.Connection, room_id: str, limit: int) -> list[str]:
    """Rooms that are not in the index as a whole."""
    rows = db.execute(
        "SELECT id FROM rooms WHERE id > ? AND indexed_seq < last_seq AND deleted_at IS NULL "
        "ORDER BY id LIMIT ?",
        (room_id, limit),
    )
    return [row[0] for row in rows]


def place(number: int, seq: int) -> int:
    """Where a message is in the index."""
    return number << SEQ_BITS | seq


def _number(db: sqlite3.Connection, room_id: str) -> int | None:
    """The number of a room, given now if it has none; None if it is not there."""
    row = db.execute(
        "SELECT number FROM rooms WHERE id = ? AND deleted_at IS NULL", (room_id,)
    ).fetchone()
    if row is None or row[0] is not None:
        return None if row is None else int(row[0])
    (number,) = db.execute(
        "UPDATE rooms SET number = (SELECT coalesce(max(number), 0) + 1 FROM rooms WHERE number IS NOT NULL) "
        "WHERE id = ? RETURNING number",
        (room_id,),
    ).fetchone()
    return int(number)


@contextmanager
def _apart(db: sqlite3.Connection) -> Iterator[None]:
    """Undo what is in the block, and that only, if the database refuses it: other jobs share the transaction."""
    db.execute("SAVEPOINT apart")
    try:
        yield
    except sqlite3.Error as error:
        db.execute("ROLLBACK TO apart")
        db.execute("RELEASE apart")
        raise Unavailable(BROKEN) from error
    db.execute("RELEASE apart")


# --- searching -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Budget:
    """How much more may be looked at."""

    left: int = EXAMINED_MAX
    spent: bool = False
    """True if something was left out."""

    def take(self) -> bool:
        """Look at one more, if that may be."""
        if self.left == 0:
            self.spent = True
            return False
        self.left -= 1
        return True


@dataclass(frozen=True, slots=True)
class Room:
    """A room that is searched."""

    id: str
    number: int | None
    indexed: int
    updated_at: int


def search(
    db: sqlite3.Connection, user_id: str, wanted: Wanted, limit: int, before: Position | None
) -> Found:
    """What is wanted, in the rooms of somebody."""
    rooms = [
        Room(*row)
        for row in db.execute(
            "SELECT r.id, r.number, r.indexed_seq, r.updated_at FROM members m JOIN rooms r ON r.id = m.room_id "
            "WHERE m.user_id = ? AND r.deleted_at IS NULL ORDER BY r.updated_at DESC, r.id LIMIT ?",
            (user_id, ROOMS_SEARCHED + 1),
        ).fetchall()
    ]
    budget = Budget(spent=len(rooms) > ROOMS_SEARCHED)
    best: list[tuple[Position, ChatMessage]] = []
    for place_, room in enumerate(rooms[:ROOMS_SEARCHED]):
        if len(best) > limit and best[-1][0][0] > room.updated_at:
            break  # Nothing in this room, or in those after it, is as new as what is found.
        if not wanted.pairs and place_ >= TAIL_ROOMS:
            budget.spent = True
            break
        floor = best[-1][0] if len(best) > limit else (0, "")
        found = _search_room(db, room, wanted, limit, before, floor, budget)
        best = heapq.nlargest(limit + 1, [*best, *found], key=lambda hit: hit[0])
    return Found([hit for _, hit in best[:limit]], len(best) > limit, not budget.spent)


def _search_room(
    db: sqlite3.Connection,
    room: Room,
    wanted: Wanted,
    limit: int,
    before: Position | None,
    floor: Position,
    budget: Budget,
) -> list[tuple[Position, ChatMessage]]:
    """The newest hits of a room above `floor`, one more than is asked for."""
    found: list[tuple[Position, ChatMessage]] = []
    for row in _candidates(db, room, wanted, budget):
        position = (row[7], row[0])
        if len(found) > limit and position[0] < found[-1][0][0]:
            break
        if position[0] < floor[0] - CLOCKS_MS:
            break
        if not budget.take():
            break
        if row[6] == "streaming" or (before is not None and position >= before):
            continue
        if position > floor and matches(wanted, row[5]):
            found.append((position, message_of(row)))
    return found


def _candidates(
    db: sqlite3.Connection, room: Room, wanted: Wanted, budget: Budget
) -> Iterator[tuple[Any, ...]]:
    """The rows that may hold it, the newest first."""
    from_log = room.indexed if wanted.pairs else 0
    rows = db.execute(TAIL, (room.id, from_log, TAIL_ROWS + 1)).fetchall()
    yield from rows[:TAIL_ROWS]
    if len(rows) > TAIL_ROWS:
        budget.spent = True
    if wanted.pairs and room.number is not None:
        looked_for, end, size = as_words(wanted.pairs), room.indexed, WINDOW
        while end > 0:
            begin = max(0, end - size)
            stretch = (place(room.number, begin + 1), place(room.number, end))
            rows = db.execute(INDEXED, (room.id, looked_for, *stretch)).fetchall()
            yield from reversed(rows)
            end, size = begin, size * WIDER
