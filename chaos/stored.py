"""The rows as the database has them, read without any code of the server."""

import sqlite3
from pathlib import Path

import pymongo

from chaos.record import Stored

COLUMNS = "room_id, seq, id, role, sender_id, content, state, reply_to"
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


def owed_of_sqlite(path: Path) -> int:
    """How many answers are owed."""
    database = sqlite3.connect(path, timeout=10)
    try:
        (count,) = database.execute("SELECT count(*) FROM debts").fetchone()
        return int(count)
    finally:
        database.close()


def owed_of_mongo(url: str) -> int:
    """How many questions owe an answer."""
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
        url, readConcernLevel="majority"
    )
    with client:
        messages = client.get_default_database()["chat_messages"]
        return messages.count_documents({"owes": {"$exists": True}})


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
