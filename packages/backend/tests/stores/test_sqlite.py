"""The embedded store keeps the promises of every store."""

import asyncio
from pathlib import Path

import pytest

from rejoinder.errors import ConfigurationError, Unavailable
from rejoinder.stores.sqlite import SqliteStore, worker
from rejoinder.stores.sqlite.schema import connect
from rejoinder.testing.store import STORE_CHECKS, Check

FULL = 2


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
async def test_keeps_the_promise(check: Check, tmp_path: Path) -> None:
    await check(lambda: SqliteStore(tmp_path / "chat.db"))


async def test_is_opened_by_one_at_a_time(tmp_path: Path) -> None:
    first, second = SqliteStore(tmp_path / "chat.db"), SqliteStore(tmp_path / "chat.db")
    await first.open()
    with pytest.raises(ConfigurationError, match="in use by another server"):
        await second.open()
    await first.ping()
    await first.close()
    await second.open()
    await second.close()


async def test_a_file_that_another_program_has_locked_is_not_waited_for_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CLOSE_SECONDS", 0.05)
    store = SqliteStore(tmp_path / "chat.db")
    await store.open()
    other = connect(tmp_path / "chat.db")
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(store.ping())
    await asyncio.sleep(0)
    await store.close()
    assert not writing.done()
    other.execute("COMMIT")
    other.close()
    # It is written after all; but a ping reads, too, and nothing is read any more.
    with pytest.raises(Unavailable):
        await writing


async def test_what_could_not_be_opened_is_not_kept_from_others(tmp_path: Path) -> None:
    database = tmp_path / "chat.db"
    database.write_text("this is no database, and longer than the header of one would be" * 10)
    with pytest.raises(ConfigurationError, match="can't be used"):
        await SqliteStore(database).open()
    database.unlink()
    store = SqliteStore(database)
    await store.open()
    await store.close()


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """`kill -9` leaves the file system's cache alone; only this tells what a power cut would leave."""
    connection = connect(tmp_path / "chat.db")
    try:
        assert connection.execute("PRAGMA synchronous").fetchone() == (FULL,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        connection.close()
