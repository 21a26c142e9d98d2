"""What a server says that can't start on its database: one sentence, and nothing of a password."""

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pymongo import MongoClient
from tests.support.mongod import Mongod, ReplicaSet
from tests.support.ports import free_port
from tests.support.process import run

from rejoinder.errors import ConfigurationError
from rejoinder.stores.addresses import store_for
from rejoinder.stores.mongo import MongoStore, migrations
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.records import Upgraded
from rejoinder.testing.store.tools import draft, opened

PASSWORD = "swordfish-in-the-address"


def refusal(address: str, *, environment: bool = False) -> str:
    """What `rejoinder serve` says on that address."""
    flags = () if environment else ("--database", address)
    env = {"REJOINDER_DATABASE": address} if environment else {}
    with TemporaryDirectory() as folder:
        ended = run("serve", "--port=0", "--no-model", "--data-dir", folder, *flags, env=env)
    assert ended.returncode in (1, 2)
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert PASSWORD not in ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith("rejoinder: ")
    return line


@pytest.mark.parametrize("environment", [False, True])
def test_an_address_that_nobody_answers_at(*, environment: bool) -> None:
    address = f"mongodb://kim:{PASSWORD}@127.0.0.1:{free_port()}/chat"
    line = refusal(address, environment=environment)
    assert "No MongoDB that can be written to answers at mongodb://127.0.0.1:" in line
    assert "Connection refused" in line


@pytest.mark.parametrize(
    "address",
    [
        f"postgres://kim:{PASSWORD}@127.0.0.1/chat",
        PASSWORD,
        "mongodb://",
        f"mongodb://kim:{PASSWORD}/@127.0.0.1:port/chat",
        f"mongodb://kim:{PASSWORD}@@127.0.0.1/chat",
        f"mongodb://kim@home:{PASSWORD}@127.0.0.1/chat",
        f"mongodb://kim:pass%word:{PASSWORD}@127.0.0.1/chat",
        f"mongodb://kim:12/{PASSWORD}@127.0.0.1/chat",
        f"mongodb://kim:1?{PASSWORD}@127.0.0.1/chat",
        "mongodb://127.0.0.1:99999/chat",
        "mongodb://127.0.0.1/chat?w=majority&readPreference=nearby",
        f"mongodb://127.0.0.1/chat?tlsCertificateKeyFilePassword={PASSWORD}&ssl=no",
    ],
)
def test_a_nonsense_address(address: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        store_for(address, Path("data"))
    said = str(raised.value)
    assert "address" in said
    assert PASSWORD not in said
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


def test_a_nonsense_address_ends_the_command() -> None:
    assert "begins with mongodb://" in refusal(f"postgres://kim:{PASSWORD}@127.0.0.1/chat")
    assert "can't be read" in refusal(f"mongodb://kim:{PASSWORD}@@127.0.0.1/chat")


def test_a_server_that_is_no_replica_set(tmp_path: Path) -> None:
    lone = Mongod(tmp_path, set_name=None).start()
    try:
        assert "is no replica set: start mongod with --replSet" in refusal(
            f"mongodb://{lone.host}/chat"
        )
    finally:
        lone.stop()


def test_a_replica_set_that_was_never_initiated(tmp_path: Path) -> None:
    lone = Mongod(tmp_path).start()
    try:
        assert "run rs.initiate() if its replica set is new" in refusal(f"mongodb://{lone.host}/x")
    finally:
        lone.stop()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A set of one with users."""
    folder = tmp_path_factory.mktemp("guarded")
    key = folder / "key"
    key.write_text("aKeyForTheMembersOfTheSet")
    key.chmod(0o600)
    started = Mongod(folder, flags=("--keyFile", str(key))).start()
    with started.admin() as client:
        client.admin.command(
            {"replSetInitiate": {"_id": "rs0", "members": [{"_id": 0, "host": started.host}]}}
        )
    # The driver waits until the set has its primary.
    with MongoClient[Any](f"mongodb://{started.host}/?replicaSet=rs0") as client:
        client.admin.command(
            "createUser", "root", pwd="root", roles=["root", "userAdminAnyDatabase"]
        )
    with started.admin(username="root", password="root") as client:
        client.chat.command("createUser", "kim", pwd=PASSWORD, roles=["readWrite"])
        client.chat.command("createUser", "reader", pwd=PASSWORD, roles=["read"])
    yield started
    started.stop()


@pytest.mark.parametrize("user", ["", "kim:wrong@", f"nobody:{PASSWORD}@", f"reader:{PASSWORD}@"])
def test_a_wrong_password(guarded: Mongod, user: str) -> None:
    said = refusal(f"mongodb://{user}{guarded.host}/chat")
    assert f"MongoDB at mongodb://{guarded.host}/chat refuses the user or the password" in said


async def test_the_right_password(guarded: Mongod) -> None:
    async with opened(lambda: MongoStore(f"mongodb://kim:{PASSWORD}@{guarded.host}/chat")) as store:
        await store.append(draft("room"))
        with pytest.raises(ConfigurationError):
            await MongoStore(f"mongodb://kim:wrong@{guarded.host}/chat").open()


def _set_version(one: ReplicaSet, database: str, version: int) -> None:
    with one.client() as client:
        client[database].meta.update_one(
            {"_id": "schema"}, {"$set": {"version": version}}, upsert=True
        )


def test_a_newer_schema(one: ReplicaSet, database: str) -> None:
    _set_version(one, database, 99)
    address = one.url(database)
    assert "was made by a newer version of Rejoinder (schema 99" in refusal(address)
    ended = run("db", "upgrade", "--database", address)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "was made by a newer version of Rejoinder (schema 99" in ended.stderr


async def _add_mood(link: Link) -> None:
    await link.rooms.update_many({"mood": {"$exists": False}}, {"$set": {"mood": "good"}})


async def test_an_older_schema_waits_for_an_upgrade(
    make: Callable[[], MongoStore],
    one: ReplicaSet,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(make) as store:
        await store.create_room("room", "ann", 0, None)
    before = len(migrations.STEPS)
    steps = (*migrations.STEPS, migrations.Step("gave each room a mood", _add_mood))
    monkeypatch.setattr(migrations, "STEPS", steps)
    with pytest.raises(ConfigurationError, match="run `rejoinder db upgrade`"):
        await make().open()

    upgraded = Upgraded(before, before + 1, ("gave each room a mood",))
    assert await make().upgrade() == upgraded
    assert await make().upgrade() == Upgraded(before + 1, before + 1, ())
    with one.client() as client:
        assert client[database].rooms.find_one({"_id": "room"})["mood"] == "good"  # type: ignore[index]
    async with opened(make) as store:
        await store.append(draft("room"))


async def test_a_database_without_leases_is_given_their_index(
    make: Callable[[], MongoStore], one: ReplicaSet, database: str
) -> None:
    with one.client() as client:
        messages = client[database].chat_messages
        messages.create_index(
            "state", name="unfinished", partialFilterExpression={"state": "streaming"}
        )
        _set_version(one, database, 1)
        with pytest.raises(ConfigurationError, match="run `rejoinder db upgrade`"):
            await make().open()
        assert (await make().upgrade()).steps[0] == "gave running answers leases"
        names = set(messages.index_information())
    assert "leases" in names
    assert "unfinished" not in names


DEBTS_STEP = "made a place for answers that are owed"


async def test_a_database_without_debts_is_given_their_index(
    make: Callable[[], MongoStore], one: ReplicaSet, database: str
) -> None:
    async with opened(make) as store:
        await store.append(draft("room"))
    with one.client() as client:
        messages = client[database].chat_messages
        messages.drop_index("debts")
        before = [step.says for step in migrations.STEPS].index(DEBTS_STEP)
        _set_version(one, database, before)
        with pytest.raises(ConfigurationError, match="run `rejoinder db upgrade`"):
            await make().open()
        done = await make().upgrade()
        assert (done.before, done.steps[0]) == (before, DEBTS_STEP)
        assert "debts" in messages.index_information()


async def test_an_upgrade_that_was_broken_off_is_done_again(
    make: Callable[[], MongoStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(make) as store:
        await store.create_room("room", "ann", 0, None)
    calls: list[str] = []

    async def broken(link: Link) -> None:
        await _add_mood(link)
        calls.append("broken")
        if len(calls) == 1:
            raise KeyboardInterrupt

    before = len(migrations.STEPS)
    steps = (*migrations.STEPS, migrations.Step("gave each room a mood", broken))
    monkeypatch.setattr(migrations, "STEPS", steps)
    with pytest.raises(KeyboardInterrupt):
        await make().upgrade()
    assert (await make().upgrade()).before == before
    assert calls == ["broken", "broken"]


async def test_indexes_that_somebody_dropped_are_made_again(
    make: Callable[[], MongoStore], one: ReplicaSet, database: str
) -> None:
    async with opened(make) as store:
        await store.append(draft("room"))
    with one.client() as client:
        client[database].chat_messages.drop_index("order")
        async with opened(make):
            assert client[database].chat_messages.index_information()["order"]["unique"]


def test_an_index_that_cannot_be_made(one: ReplicaSet, database: str) -> None:
    with one.client() as client:
        client[database].chat_messages.insert_many(
            [{"_id": number, "roomId": "room", "seq": 1} for number in range(2)]
        )
    said = refusal(one.url(database))
    assert "the indexes of chat_messages can't be made" in said
    assert "duplicate key" in said


def test_a_collection_in_the_address(one: ReplicaSet, database: str) -> None:
    """The driver would take what is before the dot for the database."""
    assert "can't be read" in refusal(one.url(f"{database}.rooms"))
