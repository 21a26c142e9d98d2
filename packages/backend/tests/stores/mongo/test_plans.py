"""Every query has an index: what the server itself recorded while each method of the store was called."""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.support.mongod import ReplicaSet

from rejoinder.core.branches import Branching, Choice
from rejoinder.core.search import wanted
from rejoinder.stores.base import Store
from rejoinder.stores.mongo import MongoStore
from rejoinder.stores.mongo.overview import overview_pipeline
from rejoinder.stores.records import StoredMark, StoredMember
from rejoinder.testing.store.debts import question
from rejoinder.testing.store.tools import (
    NOW,
    append_several,
    draft,
    fresh,
    opened_with_room,
    stream,
)

LIMIT = 5
CHOICE = Choice("message", "user 1", NOW, head=1, at=2, revision=9)
ROWS = 60
INDEXED = ("IXSCAN", "IDHACK")
# The number of documents in the collection's metadata: nothing is read to know it.
COUNTED = ("RECORD_STORE_FAST_COUNT", "COUNT")

Call = Callable[[MongoStore], Awaitable[object]]
Database = Any


async def _filled(store: Store) -> str:
    """A room with everything, among others."""
    rooms = [fresh("room") for _ in range(20)]
    for room_id in rooms:
        await store.create_room(room_id, "owner", NOW, "echo")
        for person in range(3):
            await store.add_member(room_id, StoredMember(f"user {person}", "Kim", NOW))
            await store.mark_read(room_id, StoredMark(f"user {person}", "message", 1, NOW))
        for lease_until in (None, NOW - 1, *[NOW + 1] * LIMIT):
            running = replace(stream(room_id), lease_until=lease_until)
            await store.append(replace(running, reply_to=fresh("question")))
            await store.append(question(room_id, lease_until or NOW - 1)[0])
    await store.put_last_seen({f"user {person}": NOW for person in range(ROWS)})
    await append_several(store, [draft(rooms[-1]) for _ in range(ROWS)])
    # What waits for an answer to end is not in the index of the search.
    ended = fresh("room")
    await store.create_room(ended, "owner", NOW, "echo")
    await store.add_member(ended, StoredMember("user 1", "Kim", NOW))
    await append_several(store, [draft(ended) for _ in range(LIMIT)])
    await store.index([ended], ROWS, NOW + 1_000_000)
    return rooms[-1]


def _calls(room_id: str) -> dict[str, list[Call]]:
    known, running = draft(room_id), stream(room_id)
    asked, debt = question(room_id)
    mark = StoredMark("user 1", "message", 7, NOW)
    member = StoredMember("user 1", "Lee", NOW)

    looked_for, letter = wanted("hello"), wanted("h")
    assert looked_for is not None
    assert letter is not None

    async def put(store: MongoStore) -> None:
        page = await store.page_after(room_id, 0, 3)
        await store.put_messages(page.messages)

    return {
        "ping": [lambda store: store.ping()],
        "append": [
            lambda store: store.append(known),
            lambda store: store.append(known),
            lambda store: store.append(running),
            lambda store: store.append(asked),
        ],
        "append_all": [lambda store: store.append_all([known, draft(room_id)])],
        "find": [lambda store: store.find(known.id), lambda store: store.find("none")],
        "page_before": [
            lambda store: store.page_before(room_id, None, LIMIT),
            lambda store: store.page_before(room_id, ROWS // 2, LIMIT),
        ],
        "page_after": [
            lambda store: store.page_after(room_id, 0, LIMIT),
            lambda store: store.page_after(room_id, ROWS // 2, LIMIT),
        ],
        "last_seq": [lambda store: store.last_seq(room_id)],
        "stand": [lambda store: store.stand(room_id)],
        "save_stream": [lambda store: store.save_stream(running.id, "text")],
        "keep_shown": [lambda store: store.keep_shown(running.id, "a longer text")],
        "end_stream": [
            lambda store: store.end_stream(running.id, "text", "complete"),
            lambda store: store.end_stream(running.id, "text", "complete"),
        ],
        "running": [lambda store: store.running(room_id)],
        "unfinished": [
            lambda store: store.unfinished(LIMIT),
            lambda store: store.unfinished(LIMIT, NOW),
        ],
        "interrupt": [
            lambda store: store.interrupt(running.id, NOW),
            lambda store: store.interrupt(running.id),
        ],
        "owe": [
            lambda store: store.owe(debt),
            lambda store: store.owe(debt),
            lambda store: store.owe(replace(debt, answer_id="later")),
            lambda store: store.owe(replace(debt, answer_id="later still", behind=1)),
        ],
        "renew_debts": [lambda store: store.renew_debts([debt], NOW + 2)],
        "owed": [lambda store: store.owed(LIMIT), lambda store: store.owed(LIMIT, NOW)],
        "in_turn": [lambda store: store.in_turn(room_id)],
        "forgive": [lambda store: store.forgive([debt])],
        "answered": [lambda store: store.answered("question")],
        "overtake": [lambda store: store.overtake("server", ["connection"])],
        "overtaken": [lambda store: store.overtaken("server")],
        "mark_read": [
            lambda store: store.mark_read(room_id, mark),
            lambda store: store.mark_read(room_id, mark),
        ],
        "read_marks": [lambda store: store.read_marks(room_id, LIMIT)],
        "create_room": [
            lambda store: store.create_room(fresh("room"), "ann", NOW, None),
            lambda store: store.create_room(room_id, "ann", NOW, "other"),
        ],
        "found_room": [
            lambda store: store.found_room(fresh("room"), member, None),
            lambda store: store.found_room(room_id, member, "other"),
        ],
        "room": [lambda store: store.room(room_id)],
        "entrance": [lambda store: store.entrance(room_id, "user 1")],
        "set_title": [
            lambda store: store.set_title(room_id, "first", "first"),
            lambda store: store.set_title(room_id, "model", "model"),
            lambda store: store.set_title(room_id, "person", "person"),
        ],
        "set_double_texting": [
            lambda store: store.set_double_texting(room_id, "merge"),
            lambda store: store.set_double_texting(room_id, None),
        ],
        "put_character": [lambda store: store.put_character(room_id, "sage", LIMIT)],
        "take_character": [lambda store: store.take_character(room_id, "sage")],
        "unindexed": [lambda store: store.unindexed("", LIMIT)],
        "index": [lambda store: store.index([room_id], LIMIT, NOW)],
        "search": [
            lambda store: store.search("user 1", looked_for, LIMIT),
            lambda store: store.search("user 1", looked_for, LIMIT, (NOW, "m")),
            lambda store: store.search("user 1", letter, LIMIT),
        ],
        "rooms_of": [lambda store: store.rooms_of("user 1", LIMIT)],
        "add_member": [
            lambda store: store.add_member(room_id, member),
            lambda store: store.add_member(room_id, member, ""),
        ],
        "membership": [lambda store: store.membership(room_id, "user 1")],
        "removed": [lambda store: store.removed(NOW, LIMIT)],
        "remove_member": [lambda store: store.remove_member(room_id, "user 2")],
        "is_member": [lambda store: store.is_member(room_id, "user 1")],
        "members": [
            lambda store: store.members(room_id, LIMIT),
            lambda store: store.members(room_id, LIMIT, (NOW, "user 1")),
        ],
        "people": [lambda store: store.people(["user 1", "user 2"])],
        "hide_last_seen": [lambda store: store.hide_last_seen("user 1", hides=True)],
        "put_last_seen": [lambda store: store.put_last_seen({"user 1": NOW, "user 2": NOW})],
        "people_after": [lambda store: store.people_after("", LIMIT)],
        "totals": [lambda store: store.totals()],
        "rooms_after": [lambda store: store.rooms_after("", LIMIT)],
        "put_messages": [put],
        "answers_to": [lambda store: store.answers_to("question", LIMIT)],
        "branching": [lambda store: store.branching(room_id)],
        "choose": [lambda store: store.choose(room_id, CHOICE)],
        "erase": [
            lambda store: store.erase(room_id, [known.id], NOW),
            lambda store: store.erase(room_id, [known.id], NOW),
        ],
        "erased_since": [lambda store: store.erased_since(room_id, 0, LIMIT)],
        "put_branching": [lambda store: store.put_branching(room_id, Branching(9, CHOICE))],
        "bury": [lambda store: store.bury(room_id, NOW)],
        "buried": [lambda store: store.buried(LIMIT)],
        "purge": [lambda store: store.purge(room_id, LIMIT) for _ in range(4 * ROWS)],
    }


@pytest.fixture
def profiled(one: ReplicaSet, database: str) -> Iterator[Database]:
    """The test's database, as the server sees it."""
    with one.members[0].admin() as client:
        yield client[database]
        client.drop_database(database)


async def test_every_method_finds_what_it_wants_by_an_index(
    make: Callable[[], MongoStore], profiled: Database
) -> None:
    async with opened_with_room(make) as (store, _):
        assert isinstance(store, MongoStore)
        room_id = await _filled(store)
        calls = _calls(room_id)
        methods = {name for name, _ in inspect.getmembers(Store, inspect.isfunction)}
        named = {name for name in methods if not name.startswith("_")}
        # A store that hears of something asks the database nothing.
        assert set(calls) == named - {"open", "close", "heard"}, (
            "a method that this test leaves out"
        )
        # A cursor that was opened before would be told of after.
        profiled.command("profile", 2)
        for several in calls.values():
            for call in several:
                await call(store)
        await store._lanes.close()
        profiled.command("profile", 0)

    entries = list(profiled["system.profile"].find({"ns": {"$not": {"$regex": "system.profile"}}}))
    planned = [entry for entry in entries if "planSummary" in entry]
    assert {entry["op"] for entry in entries if "planSummary" not in entry} <= {"insert", "command"}
    assert len(planned) > len(calls)
    for entry in planned:
        shown = {key: entry.get(key) for key in ("op", "ns", "command", "planSummary")}
        steps = [step.strip().partition(" ")[0] for step in entry["planSummary"].split(", ")]
        assert entry["planSummary"].startswith((*INDEXED, *COUNTED)), shown
        assert "COLLSCAN" not in steps, shown
        is_list = entry["command"].get("aggregate") is not None
        assert is_list or not entry.get("hasSortStage"), shown
        wanted = max(LIMIT + 1, entry.get("nreturned", 0))
        assert is_list or entry.get("docsExamined", 0) <= wanted, shown


async def test_a_list_of_rooms_looks_nothing_up_by_scanning(
    make: Callable[[], MongoStore], profiled: Database
) -> None:
    async with opened_with_room(make) as (store, _):
        await _filled(store)
        found = profiled.command(
            "explain",
            {"aggregate": "members", "pipeline": overview_pipeline("user 1", LIMIT), "cursor": {}},
            verbosity="executionStats",
        )
    lookups = [stage for stage in found["stages"] if "$lookup" in stage]
    assert len(lookups) == 5
    for stage in lookups:
        assert stage["collectionScans"] == 0, stage
        assert stage["indexesUsed"], stage
        # One room, one mark, the last message only, and no row but forks; of what is unread, all that is looked at.
        most = 20 * ROWS if stage["$lookup"]["as"] == "unread" else 20
        assert stage["totalDocsExamined"] <= most, stage
    used = {stage["$lookup"]["as"]: stage["indexesUsed"] for stage in lookups}
    assert used["forks"] == ["forks"]
    assert "COLLSCAN" not in str(found["stages"][0])
