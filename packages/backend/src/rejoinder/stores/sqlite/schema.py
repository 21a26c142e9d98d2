"""The tables, and how a connection is opened.

`synchronous=FULL`: a commit is on the disk when it returns, also after a power cut. The version of the tables is in
`PRAGMA user_version`.
"""

import sqlite3
from pathlib import Path

from rejoinder.errors import ConfigurationError

VERSION = 1

TABLES = """
CREATE TABLE rooms (
    id TEXT PRIMARY KEY,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    character_id TEXT,
    last_seq INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id TEXT NOT NULL UNIQUE,
    room_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    role TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    content TEXT NOT NULL,
    state TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    character_id TEXT,
    reply_to TEXT,
    edited_at INTEGER,
    metadata TEXT
) STRICT;
CREATE UNIQUE INDEX messages_by_room ON messages (room_id, seq);
CREATE INDEX messages_unfinished ON messages (room_id) WHERE state = 'streaming';

CREATE INDEX messages_answers ON messages (reply_to) WHERE role = 'character';

CREATE TABLE members (
    room_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    joined_at INTEGER NOT NULL,
    PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id, room_id);

CREATE TABLE read_marks (
    room_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection with explicit transactions."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def prepare(path: Path) -> None:
    """Make the file and its tables where they are missing.

    Raises:
        ConfigurationError: the folder can't be written to, the file is no database, or a newer version made it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = connect(path)
        try:
            _migrate(connection, path)
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        raise unusable(path.parent, error) from error


def unusable(folder: Path, error: Exception) -> ConfigurationError:
    """What to tell of a data directory that can't be written to."""
    return ConfigurationError(
        f"The data directory {folder} can't be used ({error}): give the server one that it may write to, "
        "with --data-dir."
    )


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise ConfigurationError(
            f"{path} was made by a newer version of Rejoinder (schema {version}, this one knows {VERSION}): "
            "upgrade Rejoinder or use another --data-dir."
        )
    if version == 0:
        for statement in TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
