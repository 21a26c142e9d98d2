"""`rejoinder db`: a store is upgraded, or moved to another."""

import os
import selectors
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from pymongo import MongoClient
from tests.support.load import whole
from tests.support.mongod import ReplicaSet
from tests.support.process import COMMAND, environment, run

from rejoinder.core.search import wanted
from rejoinder.stores.addresses import store_at
from rejoinder.stores.base import Store
from rejoinder.stores.mongo import migrations
from rejoinder.stores.records import TAIL_ROWS, StoredMark, StoredMember
from rejoinder.stores.sqlite import SqliteStore, schema
from rejoinder.testing.store.tools import NOW, append_several, draft, opened, stream

SEARCH_STEP = "made place for titles, deletion and search"
ROOMS = 5
MANY = 15_000


@pytest.fixture(scope="module")
def _set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    started = ReplicaSet(tmp_path_factory.mktemp("mongod")).start()
    yield started
    started.stop()


@pytest.fixture
def mongo(_set: ReplicaSet) -> str:
    """The address of an empty database."""
    return _set.url(f"test_{uuid4().hex}")


async def _fill(store: Store) -> None:
    for number in range(ROOMS):
        room_id = f"방 {number}"
        await store.create_room(room_id, "ann", NOW, "echo" if number % 2 else None)
        for person in range(3):
            await store.add_member(room_id, StoredMember(f"user {person}", "앤", NOW + person))
        rows = await append_several(
            store, [draft(room_id, f"안녕 {place}\x00👋") for place in range(number * 20)]
        )
        for row in rows[-1:]:
            mark = StoredMark("user 1", row.message.id, row.message.seq, NOW)
            await store.mark_read(room_id, mark)
            answer = replace(stream(room_id), reply_to=row.message.id, metadata={"$a.b": [1, None]})
            await store.append(answer)
            await store.end_stream(answer.id, "bye", "stopped")
            await store.append(stream(room_id))
    await store.set_title("방 1", "우리 방", "person")
    await store.create_room("deleted", "ann", NOW, "echo")
    await append_several(store, [draft("deleted") for _ in range(3)])
    await store.bury("deleted", NOW)
    while await store.purge("deleted", 9):
        continue


async def _content(store: Store) -> list[object]:
    return [
        (
            room,
            await store.members(room.id, 100),
            await store.read_marks(room.id, 100),
            await whole(store, room.id),
        )
        for room in await store.rooms_after("", 100)
    ]


async def _contents(*addresses: str) -> list[list[object]]:
    contents = []
    for address in addresses:
        async with opened(lambda: store_at(address)) as store:  # noqa: B023 - it is called at once
            contents.append(await _content(store))
    return contents


def _copy(source: str, target: str) -> str:
    ended = run("db", "copy", source, target)
    assert ended.returncode == 0, ended.stderr
    assert "Copying" in ended.stderr
    return ended.stdout


def _refused(*arguments: str) -> str:
    ended = run(*arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    line = ended.stderr.splitlines()[-1]
    assert line.startswith("rejoinder: ")
    return line


async def test_there_and_back(tmp_path: Path, mongo: str) -> None:
    here, back = str(tmp_path / "here"), str(tmp_path / "back.db")
    async with opened(lambda: store_at(here)) as store:
        await _fill(store)
    messages = sum(number * 20 + 2 for number in range(1, ROOMS))
    assert _copy(here, mongo) == f"Copied {ROOMS} rooms with {messages} messages.\n"
    assert f"({messages} were there already)" in _copy(here, mongo)
    assert _copy(mongo, back) == f"Copied {ROOMS} rooms with {messages} messages.\n"
    first, second, third = await _contents(here, mongo, back)
    assert first == second == third
    assert len(first) == ROOMS + 1, "the id of the room that was deleted stays taken"


async def test_a_copying_that_was_killed_goes_on(tmp_path: Path, mongo: str) -> None:
    here = tmp_path / "here"
    async with opened(lambda: store_at(str(here))) as store:
        await store.create_room("room", "ann", NOW, None)
        await store.create_room("small", "ann", NOW, None)
        await append_several(store, [draft("small")])
    with sqlite3.connect(here / "rejoinder.db") as db:
        db.executemany(
            "INSERT INTO messages (id, room_id, seq, role, sender_id, content, state, timestamp) "
            "VALUES (?, 'room', ?, 'user', 'ann', 'hello', 'complete', ?)",
            [(f"message {seq}", seq, NOW) for seq in range(1, MANY + 1)],
        )
        db.execute("UPDATE rooms SET last_seq = ? WHERE id = 'room'", (MANY,))
    db.close()

    copying = subprocess.Popen(  # noqa: ASYNC220 - it is not waited for
        [COMMAND, "db", "copy", str(here), mongo],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    there = 0
    async with opened(lambda: store_at(mongo)) as target:
        while not there:
            there = await target.last_seq("room")
        copying.kill()
        copying.wait()
        there = await target.last_seq("room")
    assert 0 < there < MANY, "killed in the middle"

    said = _copy(str(here), mongo)
    assert said.startswith(f"Copied 2 rooms with {MANY + 1} messages (")
    first, second = await _contents(str(here), mongo)
    assert first == second


async def test_a_target_that_was_used_since_is_refused(tmp_path: Path, mongo: str) -> None:
    here = str(tmp_path / "here")
    async with opened(lambda: store_at(here)) as store:
        await append_several(store, [draft("room"), draft("room")])
    _copy(here, mongo)
    async with opened(lambda: store_at(here)) as store:
        await store.append(draft("room", "here"))
    async with opened(lambda: store_at(mongo)) as store:
        await store.append(draft("room", "there"))
    assert "has messages in the target that it has not in the source" in _refused(
        "db", "copy", here, mongo
    )


async def test_a_store_is_not_copied_onto_itself(tmp_path: Path, mongo: str) -> None:
    async with opened(lambda: store_at(str(tmp_path))) as store:
        await store.append(draft("room"))
    (tmp_path / "link").symlink_to(tmp_path)
    same = "Both addresses mean the same store"
    assert same in _refused("db", "copy", str(tmp_path), str(tmp_path / "link" / "rejoinder.db"))
    other = mongo.replace("127.0.0.1", "localhost").replace("?replicaSet=rs0", "?appName=other")
    assert same in _refused("db", "copy", mongo, other)


def test_there_must_be_something_to_copy(tmp_path: Path, mongo: str) -> None:
    missing = tmp_path / "missing"
    assert "There is no database to copy from" in _refused("db", "copy", str(missing), mongo)
    assert not missing.exists()
    assert "A store is a MongoDB address" in _refused("db", "copy", "redis://secret", mongo)


def test_upgrade_says_what_it_did(tmp_path: Path, mongo: str) -> None:
    for flags, steps in (
        (("--data-dir", str(tmp_path)), schema.STEPS),
        (("--database", mongo), migrations.STEPS),
    ):
        made, newest = ", ".join(step.says for step in steps), len(steps)
        ended = run("db", "upgrade", *flags)
        assert (ended.returncode, ended.stdout) == (
            0,
            f"Upgraded from schema 0 to {newest}: {made}.\n",
        )
        ended = run("db", "upgrade", *flags)
        assert ended.stdout.startswith(f"Nothing to do: the database has schema {newest}")


async def test_what_was_there_before_the_search_is_put_into_its_index(
    tmp_path: Path, mongo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older database has no table, no index and no marks of it."""
    looked_for, rows = wanted("고양"), 1100
    assert looked_for is not None
    for address, flags in (
        (str(tmp_path), ("--data-dir", str(tmp_path))),
        (mongo, ("--database", mongo)),
    ):
        async with opened(lambda: store_at(address)) as store:  # noqa: B023 - used at once
            await store.create_room("old", "ann", NOW, None)
            await store.add_member("old", StoredMember("ann", "Ann", NOW))
            await append_several(store, [draft("old", f"고양이 {n}") for n in range(rows)])
            newest = await store.search("ann", looked_for, rows)
            assert (len(newest.messages), newest.complete) == (TAIL_ROWS, False)
        ended = run("db", "upgrade", *flags)
        assert f"{rows} messages were put into the index" in ended.stdout, ended.stderr
        async with opened(lambda: store_at(address)) as store:  # noqa: B023
            found = await store.search("ann", looked_for, 2 * rows)
            assert (len(found.messages), found.complete) == (rows, True)
            assert await store.unindexed("", 9) == []
        again = run("db", "upgrade", *flags)
        assert "were put" not in again.stdout


async def test_a_database_from_before_the_search_is_marked_for_its_index(mongo: str) -> None:
    async with opened(lambda: store_at(mongo)) as store:
        await store.append(draft("old", "고양이"))
    client: MongoClient[dict[str, object]] = MongoClient(mongo)
    database = client.get_default_database()
    database["rooms"].update_many({}, {"$unset": {"toIndex": ""}})
    database["search"].drop()
    before = [step.says for step in migrations.STEPS].index(SEARCH_STEP)
    database["meta"].update_one({"_id": "schema"}, {"$set": {"version": before}})
    client.close()
    ended = run("db", "upgrade", "--database", mongo)
    assert "1 messages were put into the index" in ended.stdout


async def test_a_file_from_before_the_search_is_put_into_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rejoinder.db"
    with monkeypatch.context() as patch:
        before = [step.says for step in schema.STEPS].index(SEARCH_STEP)
        patch.setattr(schema, "STEPS", schema.STEPS[:before])
        await SqliteStore(path).upgrade()
    db = sqlite3.connect(path)
    with db:
        db.execute("INSERT INTO rooms VALUES ('old', 'ann', 1, 1, NULL, 1)")
        db.execute(
            "INSERT INTO messages (id, room_id, seq, role, sender_id, content, state, timestamp) "
            "VALUES ('m', 'old', 1, 'user', 'ann', '고양이', 'complete', 1)"
        )
    db.close()
    ended = run("db", "upgrade", "--data-dir", str(tmp_path))
    assert "1 messages were put into the index" in ended.stdout, ended.stderr


async def test_a_store_that_a_server_has_is_neither_upgraded_nor_copied(
    tmp_path: Path, mongo: str
) -> None:
    async with opened(lambda: store_at(str(tmp_path))):
        for command in (("upgrade", "--data-dir", str(tmp_path)), ("copy", str(tmp_path), mongo)):
            assert "is in use by another server" in _refused("db", *command)


async def test_a_database_that_a_server_writes_answers_to_is_neither_upgraded_nor_copied(
    tmp_path: Path, mongo: str
) -> None:
    here = str(tmp_path / "here")
    async with opened(lambda: store_at(here)) as store:
        await store.append(draft("room"))
    running = stream("room")
    async with opened(lambda: store_at(mongo)) as store:
        await store.append(running)
    for command in (("copy", here, mongo), ("copy", mongo, here), ("upgrade", "--database", mongo)):
        async with opened(lambda: store_at(mongo)) as store:
            await store.save_stream(running.id, "", time.time_ns() // 1_000_000 + 25_000)
        assert "A server is writing answers to mongodb://" in _refused("db", *command)
    async with opened(lambda: store_at(mongo)) as store:
        await store.save_stream(running.id, "left behind", time.time_ns() // 1_000_000 - 1)
    back = str(tmp_path / "back.db")
    assert _copy(mongo, back) == "Copied 1 rooms with 1 messages.\n"
    async with opened(lambda: store_at(back)) as store:
        assert [row.content for row in await store.unfinished(9, 0)] == ["left behind"]


async def test_an_older_file_is_upgraded_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chat.db"
    async with opened(lambda: SqliteStore(path)) as store:
        await store.append(draft("room"))
    step = schema.Step(
        "gave rooms a mood",
        "ALTER TABLE rooms ADD COLUMN mood TEXT; UPDATE rooms SET mood = 'good'",
    )
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, step))
    async with opened(lambda: SqliteStore(path)) as store:
        assert await store.last_seq("room") == 1
    db = sqlite3.connect(path)
    assert db.execute("SELECT mood FROM rooms").fetchall() == [("good",)]
    assert db.execute("PRAGMA user_version").fetchone() == (len(schema.STEPS),)
    db.close()
    done = await SqliteStore(path).upgrade()
    newest = len(schema.STEPS)
    assert (done.before, done.after, done.steps) == (newest, newest, ())
    assert (done.before, done.after, done.steps) == (len(schema.STEPS), len(schema.STEPS), ())


async def test_a_file_without_leases_is_given_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chat.db"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "STEPS", schema.STEPS[:1])
        assert (await SqliteStore(path).upgrade()).after == 1
    db = sqlite3.connect(path)
    with db:
        db.execute(
            "INSERT INTO messages (id, room_id, seq, role, sender_id, content, state, timestamp) "
            "VALUES ('left', 'room', 1, 'character', 'echo', 'so far', 'streaming', ?)",
            (NOW,),
        )
    db.close()
    async with opened(lambda: SqliteStore(path)) as store:
        assert [row.id for row in await store.unfinished(9, NOW)] == ["left"]
        assert await store.save_stream("left", "so far", NOW + 1)
        assert await store.unfinished(9, NOW) == []


async def test_a_step_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chat.db"
    async with opened(lambda: SqliteStore(path)) as store:
        await store.append(draft("room"))
    broken = schema.Step("broke", "UPDATE rooms SET last_seq = 7; SELECT no_such_thing")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "STEPS", (*schema.STEPS, broken))
        with pytest.raises(Exception, match="no_such_thing"):
            await SqliteStore(path).open()
    async with opened(lambda: SqliteStore(path)) as store:
        assert await store.last_seq("room") == 1


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "rejoinder.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    flags = ("--data-dir", str(tmp_path))
    assert "a newer version of Rejoinder (schema 99" in _refused("db", "upgrade", *flags)


def test_a_progress_bar_is_shown_on_a_terminal(tmp_path: Path, mongo: str) -> None:
    assert run("db", "upgrade", "--data-dir", str(tmp_path)).returncode == 0
    ours, theirs = os.openpty()
    copying = subprocess.Popen(
        [COMMAND, "db", "copy", str(tmp_path), mongo],
        env=environment({"TERM": "xterm"}),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with selectors.DefaultSelector() as selector:
        selector.register(ours, selectors.EVENT_READ)
        while selector.select(20):
            try:
                shown += os.read(ours, 4096)
            except OSError:  # Linux says so when the other end is closed.
                break
    os.close(ours)
    assert copying.wait(20) == 0
    assert "━".encode() in shown
