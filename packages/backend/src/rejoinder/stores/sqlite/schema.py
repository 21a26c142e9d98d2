"""The tables, their versions, and how a connection is opened.

`synchronous=FULL`: a commit is on the disk when it returns, also after a power cut. The version of the tables is in
`PRAGMA user_version`. A change of them is a new step at the end; the server takes the missing steps when it starts, since
nobody else works with its file.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from rejoinder.errors import ConfigurationError
from rejoinder.stores.records import Upgraded

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


@dataclass(frozen=True, slots=True)
class Step:
    """What leads to the next version: statements, in one transaction."""

    says: str
    statements: str


CACHE_KIB = 16 * 1024
WAL_PAGES = 10_000
WAL_BYTES_KEPT = 64 * 1024 * 1024

LEASES = "ALTER TABLE messages ADD COLUMN lease_until INTEGER"

TITLES = """
ALTER TABLE rooms ADD COLUMN title TEXT;
ALTER TABLE rooms ADD COLUMN titled_by TEXT
"""

DELETION = """
ALTER TABLE rooms ADD COLUMN deleted_at INTEGER;
ALTER TABLE rooms ADD COLUMN purging INTEGER;
CREATE INDEX rooms_to_purge ON rooms (id) WHERE purging = 1
"""

SEARCH = """
ALTER TABLE rooms ADD COLUMN number INTEGER;
ALTER TABLE rooms ADD COLUMN indexed_seq INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX rooms_by_number ON rooms (number) WHERE number IS NOT NULL;
CREATE VIRTUAL TABLE search USING fts5(pairs, tokenize = ascii, detail = none, columnsize = 0)
"""

BRANCHES = """
ALTER TABLE messages ADD COLUMN parent_seq INTEGER;
ALTER TABLE messages ADD COLUMN variant_of TEXT;
ALTER TABLE messages ADD COLUMN deleted_at INTEGER;
ALTER TABLE messages ADD COLUMN revision INTEGER;
ALTER TABLE rooms ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN choice TEXT;
CREATE INDEX messages_forks ON messages (room_id, seq) WHERE parent_seq IS NOT NULL;
CREATE INDEX messages_erased ON messages (room_id, revision) WHERE deleted_at IS NOT NULL;
"""

PEOPLE = """
CREATE TABLE people (
    user_id TEXT PRIMARY KEY,
    hides_last_seen INTEGER NOT NULL DEFAULT 0,
    last_seen INTEGER
) STRICT, WITHOUT ROWID
"""

DEBTS = """
CREATE TABLE debts (
    answer_id TEXT PRIMARY KEY,
    question_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    character_id TEXT NOT NULL,
    until INTEGER NOT NULL,
    beside TEXT
) STRICT, WITHOUT ROWID
"""

ROOM_RULES = """
ALTER TABLE rooms ADD COLUMN characters TEXT;
ALTER TABLE rooms ADD COLUMN double_texting TEXT
"""

REMOVALS = """
CREATE TABLE removals (
    room_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    removal TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX removals_by_time ON removals (at)
"""
TURNS = "ALTER TABLE debts ADD COLUMN place INTEGER"

STEPS: tuple[Step, ...] = (
    Step("made the tables", TABLES),
    Step("gave running answers leases", LEASES),
    Step("made place for titles, deletion and search", TITLES + ";" + DELETION + ";" + SEARCH),
    Step("let conversations branch", BRANCHES),
    Step("made room for when people were last seen", PEOPLE),
    Step("made a place for answers that are owed", DEBTS),
    Step("let rooms have several characters and a rule of their own", ROOM_RULES),
    Step("kept who was removed from a room a moment ago", REMOVALS),
    Step("gave answers that are owed an order", TURNS),
)


def connect(path: Path) -> sqlite3.Connection:
    """A connection with explicit transactions."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # Pages that change again and again are written back once for many commits: half the time of a commit.
    connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    connection.execute(f"PRAGMA journal_size_limit={WAL_BYTES_KEPT}")
    return connection


def prepare(path: Path) -> Upgraded:
    """Make the file where it is missing, and take each step that is missing.

    Raises:
        ConfigurationError: the folder can't be written to, the file is no database, or a newer version made it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = connect(path)
        try:
            return _upgrade(connection, path)
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


def _upgrade(connection: sqlite3.Connection, path: Path) -> Upgraded:
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(STEPS):
        raise ConfigurationError(
            f"{path} was made by a newer version of Rejoinder (schema {version}, this one knows {len(STEPS)}): "
            "upgrade Rejoinder or use another --data-dir."
        )
    missing = STEPS[version:]
    for step in missing:
        for statement in step.statements.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(STEPS)}")
    connection.execute("COMMIT")
    return Upgraded(version, len(STEPS), tuple(step.says for step in missing))
