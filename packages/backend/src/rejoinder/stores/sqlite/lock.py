"""One server at a time has a database: a second one would end the answers of the first as unfinished."""

import sqlite3
from pathlib import Path

from rejoinder.errors import ConfigurationError
from rejoinder.stores.sqlite.schema import unusable


class Lock:
    """Held until it is released or its process ends, in whatever way."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._held: sqlite3.Connection | None = None

    def take(self) -> None:
        """Take it; SQLite's own lock on an empty file beside the database, which no platform lacks.

        Raises:
            ConfigurationError: another server has it, or the folder can't be written to.
        """
        folder = self._database.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held = sqlite3.connect(
                self._database.with_suffix(".lock"),
                isolation_level=None,
                check_same_thread=False,
                timeout=0,
            )
        except (OSError, sqlite3.Error) as error:
            raise unusable(folder, error) from error
        try:
            # There is nothing to roll back, so there need be no second file.
            held.execute("PRAGMA journal_mode=MEMORY")
            held.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            held.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise unusable(folder, error) from error
            raise ConfigurationError(
                f"The data directory {folder} is in use by another server: end that one, or give this one another "
                "with --data-dir."
            ) from error
        self._held = held

    def release(self) -> None:
        """Let go of it, if it is held."""
        if self._held is not None:
            self._held.close()
            self._held = None
