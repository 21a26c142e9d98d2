"""A full group of appends that is refused in the middle: every row is settled as if it had come alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.support.load import Load, whole
from tests.support.mongod import ReplicaSet

from rejoinder.errors import Conflict
from rejoinder.stores.mongo import MongoStore, lane as rules
from rejoinder.stores.mongo.lanes import GROUP
from rejoinder.stores.mongo.model import message_document
from rejoinder.stores.records import Appended, Draft
from rejoinder.testing.store.tools import append_several, draft, fresh, opened_with_room

PLACES = pytest.mark.parametrize(
    "place", [0, GROUP // 2, GROUP - 1], ids=["first", "middle", "last"]
)


@pytest.fixture
async def opened(make: Callable[[], MongoStore]) -> AsyncIterator[tuple[MongoStore, str]]:
    async with opened_with_room(make) as (store, room_id):
        assert isinstance(store, MongoStore)
        yield store, room_id


async def _at_once(store: MongoStore, group: list[Draft]) -> list[Appended | BaseException]:
    return await asyncio.gather(*map(store.append, group), return_exceptions=True)


async def _check(store: MongoStore, room_id: str, drafts: list[Draft]) -> None:
    rows = await whole(store, room_id)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert {row.id for row in rows} == {each.id for each in drafts}
    assert len(rows) == len(drafts)


async def test_what_is_sent_at_once_is_one_insert(
    opened: tuple[MongoStore, str], one: ReplicaSet, database: str
) -> None:
    store, room_id = opened
    await store.append(draft(room_id))
    with one.members[0].admin() as client:
        client[database].command("profile", 2)
        results = await _at_once(store, [draft(room_id) for _ in range(GROUP)])
        client[database].command("profile", 0)
        inserts = list(client[database]["system.profile"].find({"op": "insert"}))
    assert [each["ninserted"] for each in inserts] == [GROUP]
    assert [r.message.seq for r in results if isinstance(r, Appended)] == list(range(2, GROUP + 2))


@PLACES
@pytest.mark.parametrize("same", [True, False], ids=["duplicate", "conflict"])
async def test_an_id_that_is_there(
    opened: tuple[MongoStore, str], place: int, *, same: bool
) -> None:
    store, room_id = opened
    known = draft(room_id, "known")
    first = await store.append(known)
    group = [draft(room_id, f"number {number}") for number in range(GROUP)]
    fresh_ones = [each for number, each in enumerate(group) if number != place]
    group[place] = known if same else replace(known, content="another")
    results = await _at_once(store, group)
    settled = results.pop(place)
    if same:
        assert settled == Appended(first.message, duplicate=True)
    else:
        assert isinstance(settled, Conflict)
    numbers = [r.message.seq for r in results if isinstance(r, Appended) and not r.duplicate]
    assert numbers == list(range(2, GROUP + 1))
    await _check(store, room_id, [known, *fresh_ones])


@PLACES
async def test_a_number_that_another_server_has_taken(
    opened: tuple[MongoStore, str], one: ReplicaSet, database: str, place: int
) -> None:
    store, room_id = opened
    known = await append_several(store, [draft(room_id)])
    taken = draft(room_id, "of another server", "ben")
    group = [draft(room_id, f"number {number}") for number in range(GROUP)]
    with one.members[0].admin() as client:
        # What is between is this group's to fill, so the other one's number is in the middle of it.
        client[database].chat_messages.insert_one(message_document(taken, 2 + place))
    results = await _at_once(store, group)
    numbers = [r.message.seq for r in results if isinstance(r, Appended)]
    assert numbers == [n for n in range(2, GROUP + 3) if n != 2 + place]
    rows = await whole(store, room_id)
    assert [row.seq for row in rows] == list(range(1, GROUP + 3))
    assert {row.id for row in rows} == {known[0].message.id, taken.id, *(d.id for d in group)}


async def test_a_row_that_cannot_be_encoded_harms_no_other(opened: tuple[MongoStore, str]) -> None:
    store, room_id = opened
    group = [draft(room_id, f"number {number}") for number in range(20)]
    results = await _at_once(store, [*group[:10], draft(room_id, "\ud800"), *group[10:]])
    assert isinstance(results.pop(10), ValueError)
    assert [r.message.seq for r in results if isinstance(r, Appended)] == list(range(1, 21))
    await store.append(draft(room_id))


async def test_servers_that_append_to_one_room_at_the_same_time(
    make: Callable[[], MongoStore],
) -> None:
    stores = [make() for _ in range(3)]
    for store in stores:
        await store.open()
    async with Load([*stores], senders=30) as load:
        await load.more(600)
    await load.check(stores[0])
    assert load.refusals == 0
    for store in stores:
        await store.close()


async def test_servers_that_are_given_the_same_messages(make: Callable[[], MongoStore]) -> None:
    stores = [make() for _ in range(3)]
    for store in stores:
        await store.open()
    room_id = fresh("room")
    await stores[0].create_room(room_id, "owner", 0, None)
    drafts = [draft(room_id, f"number {number}") for number in range(30)]
    shuffled = [drafts, drafts[::-1], drafts[15:] + drafts[:15]]
    results: list[list[Any]] = await asyncio.gather(
        *(_at_once(store, each) for store, each in zip(stores, shuffled, strict=True))
    )
    appended = [result for several in results for result in several]
    assert [result for result in appended if not isinstance(result, Appended)] == []
    assert sum(not result.duplicate for result in appended) == len(drafts)
    await _check(stores[0], room_id, drafts)
    for store in stores:
        await store.close()


async def test_who_is_told_what_others_store_goes_on_from_there(
    make: Callable[[], MongoStore], one: ReplicaSet
) -> None:
    """Told of each row, as servers are over the bus, two that take turns are never refused a number, and need not read it."""
    stores = [make(), make()]
    for store in stores:
        await store.open()
    room_id = fresh("room")
    await stores[0].create_room(room_id, "owner", 0, None)
    drafts = [draft(room_id, f"number {number}") for number in range(20)]
    # Where nothing is known yet, the log is read.
    await stores[0].append(draft(room_id))
    stores[0].heard(room_id, (await stores[1].append(draft(room_id))).message.seq)
    with one.members[0].admin() as client:
        before = client.admin.command("serverStatus")["opcounters"]
        for number, each in enumerate(drafts):
            row = (await stores[number % 2].append(each)).message
            stores[1 - number % 2].heard(room_id, row.seq)
        after = client.admin.command("serverStatus")["opcounters"]
    assert after["insert"] - before["insert"] == len(drafts)
    assert after["query"] - before["query"] < len(drafts) / 2
    for store in stores:
        await store.close()


async def test_what_is_heard_late_takes_no_number_back(opened: tuple[MongoStore, str]) -> None:
    store, room_id = opened
    rows = [await store.append(draft(room_id, f"number {number}")) for number in range(5)]
    store.heard(room_id, rows[1].message.seq)
    assert (await store.append(draft(room_id, "next"))).message.seq == 6
    assert [row.seq for row in await whole(store, room_id)] == list(range(1, 7))


async def test_who_was_refused_lets_those_before_it_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rules, "GIVE_WAY_SECONDS", 60.0)
    lane, now = rules.Lane(takes=60.0), asyncio.get_running_loop().time()
    lane.hear("room", 1, 2, now)
    # Nobody was in the way yet.
    await lane.give_way(["room"], now)
    await lane.hears("room", now)
    waiting = asyncio.create_task(lane.give_way(["room", "another"], now))
    for seq in (2, 3):
        await asyncio.sleep(0)
        assert not waiting.done()
        lane.hear("room", seq, 2, now)
        await asyncio.sleep(0)
    await waiting
    # It was long ago, or this one is the first.
    await lane.give_way(["room"], now + rules.TOLD_SECONDS)
    lane.hear("room", 4, 0, now)
    await lane.give_way(["room"], now)


async def test_nobody_waits_for_those_who_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "GIVE_WAY_SECONDS", 0.01)
    lane, now = rules.Lane(takes=60.0), asyncio.get_running_loop().time()
    lane.hear("room", 1, 2, now)
    await lane.hears("room", now)
    await asyncio.wait_for(lane.give_way(["room"], now), 30)
