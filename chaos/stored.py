"""The rows as the database has them, read without any code of the server."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pymongo

from chaos.record import Stored

COLUMNS = "room_id, seq, id, role, sender_id, content, state, reply_to"
PATIENCE_MS = 1000
FIELDS = ("roomId", "seq", "_id", "role", "senderId", "content", "state", "replyTo")


def of_sqlite(path: Path) -> list[Stored]:
    """Those in a file."""
    database = sqlite3.connect(path, timeout=10)
    try:
        rows = database.execute(f"SELECT {COLUMNS} FROM messages ORDER BY room_id, seq")  # noqa: S608
        return [_row(row) for row in rows]
    finally:
        database.close()


def of_mongo(url: str) -> list[Stored]:
    """Those that a majority has."""
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
        url, readConcernLevel="majority"
    )
    with client:
        found = (
            client.get_default_database()["chat_messages"].find().sort([("roomId", 1), ("seq", 1)])
        )
        return [_row(tuple(row.get(field) for field in FIELDS)) for row in found]


def newest_of_sqlite(path: Path) -> dict[str, int]:
    """The number of the last row of each room."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)
    try:
        return dict(database.execute("SELECT room_id, max(seq) FROM messages GROUP BY room_id"))
    finally:
        database.close()


def newest_of_mongo(url: str) -> dict[str, int]:
    """The same; it is not waited for long."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        url, readConcernLevel="majority", timeoutMS=PATIENCE_MS
    )
    with client:
        messages = client.get_default_database()["chat_messages"]
        found = messages.aggregate([{"$group": {"_id": "$roomId", "last": {"$max": "$seq"}}}])
        return {room["_id"]: room["last"] for room in found}


class Unfinished(NamedTuple):
    """The answers that are being written, and those that are owed, each with the end of its lease in milliseconds."""

    written: dict[str, int]
    owed: dict[str, int]


def unfinished_of_sqlite(path: Path) -> Unfinished:
    """Those in a file, which is only read: not even its log is put back when nobody else has it."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)
    try:
        written = database.execute(
            "SELECT id, coalesce(lease_until, 0) FROM messages WHERE state = 'streaming'"
        ).fetchall()
        return Unfinished(
            dict(written), dict(database.execute("SELECT answer_id, until FROM debts").fetchall())
        )
    finally:
        database.close()


def unfinished_of_mongo(url: str) -> Unfinished:
    """Those that a majority has; it is not waited for long."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        url, readConcernLevel="majority", timeoutMS=PATIENCE_MS
    )
    written, owed = {}, {}
    with client:
        messages = client.get_default_database()["chat_messages"]
        for row in messages.find({"state": "streaming"}):
            written[row["_id"]] = _ms(row.get("leaseUntil"))
        for row in messages.find({"owes.until": {"$exists": True}}):
            owed.update({debt["answer"]: _ms(debt["until"]) for debt in row["owes"]})
    return Unfinished(written, owed)


def _ms(date: datetime | None) -> int:
    return 0 if date is None else round(date.replace(tzinfo=UTC).timestamp() * 1000)


def _row(values: tuple[object, ...]) -> Stored:
    room, seq, message_id, role, sender, content, state, reply_to = values
    return Stored(
        room=str(room),
        seq=int(str(seq)),
        id=str(message_id),
        role=str(role),
        sender=str(sender),
        content=str(content),
        state=str(state),
        reply_to=str(reply_to or ""),
    )
