"""The database is killed, hangs, is cut off, or fails in the middle of sends: promises 1, 2 and 3 hold."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from tests.support.load import Load, whole
from tests.support.mongod import Mongod, ReplicaSet
from tests.support.proxy import Proxy

from rejoinder.errors import Unavailable
from rejoinder.stores.mongo import MongoStore
from rejoinder.stores.records import Debt, StoredMark, StoredMember
from rejoinder.testing.store.tools import NOW, draft, fresh, opened

ENOUGH = 60
PROMISED_SECONDS = 5.0
WRITE_CONCERN_TIMEOUT = 64
SHUTDOWN_IN_PROGRESS = 91


@asynccontextmanager
async def sending(url: str, servers: int = 1) -> AsyncIterator[Load]:
    """Senders under way in the block; afterwards the promises are checked, also by a store that is opened new."""
    stores = [MongoStore(url) for _ in range(servers)]
    for each in stores:
        await each.open()
    async with Load([*stores]) as load:
        await load.more(ENOUGH)
        yield load
        await load.more(ENOUGH)
    await load.check(stores[0])
    for each in stores:
        await each.close()
    async with opened(lambda: MongoStore(url)) as store:
        await load.check(store)


@asynccontextmanager
async def proxied(member: Mongod, database: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the database, and the address through it."""
    async with Proxy(member.port) as proxy:
        yield proxy, f"mongodb://127.0.0.1:{proxy.port}/{database}?directConnection=true"


async def test_kill_and_restart(one: ReplicaSet, url: str) -> None:
    async with sending(url, servers=2) as load:
        one.members[0].kill()
        one.members[0].start()  # The driver tries again and again, so that this may pass unnoticed.
        await load.more(ENOUGH)
        one.members[0].kill()
        await load.refused()
        one.members[0].start()


async def test_a_hung_database_is_unavailable_in_time(one: ReplicaSet, url: str) -> None:
    store = MongoStore(url)
    await store.open()
    room_id = fresh("room")
    await store.create_room(room_id, "ann", NOW, None)
    await store.append(draft(room_id))
    debt = Debt("answer", "message", room_id, "echo", NOW)
    calls: list[Callable[[], Awaitable[object]]] = [
        # One is written while the next wait for it, and for as long.
        *[lambda: store.append(draft(room_id))] * 300,
        lambda: store.append(draft(fresh("room"))),
        store.ping,
        lambda: store.find("message"),
        lambda: store.page_before(room_id, None, 10),
        lambda: store.page_after(room_id, 0, 10),
        lambda: store.last_seq(room_id),
        lambda: store.save_stream("message", "text"),
        lambda: store.end_stream("message", "text", "complete"),
        lambda: store.unfinished(10),
        lambda: store.unfinished(10, NOW),
        lambda: store.interrupt("message", NOW),
        lambda: store.answered("message"),
        lambda: store.owe(debt),
        lambda: store.renew_debts([debt], NOW),
        lambda: store.owed(10, NOW),
        lambda: store.forgive([debt]),
        lambda: store.mark_read(room_id, StoredMark("ann", "message", 1, NOW)),
        lambda: store.read_marks(room_id, 10),
        lambda: store.create_room(fresh("room"), "ann", NOW, "echo"),
        lambda: store.room(room_id),
        lambda: store.rooms_of("ann", 10),
        lambda: store.add_member(room_id, StoredMember("ann", "Ann", NOW)),
        lambda: store.remove_member(room_id, "ann"),
        lambda: store.is_member(room_id, "ann"),
        lambda: store.membership(room_id, "ann"),
        lambda: store.removed(0, 10),
        lambda: store.members(room_id, 10),
        store.totals,
        lambda: store.rooms_after("", 10),
    ]

    async def timed(call: Callable[[], Awaitable[object]]) -> float:
        started = time.monotonic()
        with pytest.raises(Unavailable):
            await call()
        return time.monotonic() - started

    one.members[0].pause()
    took = await asyncio.gather(*map(timed, calls))
    assert max(took) < PROMISED_SECONDS
    one.members[0].resume()
    # What hung was not given up by the database; it may still be done, but no number is left out.
    await store.append(draft(room_id))
    rows = await whole(store, room_id)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    await store.close()


async def test_closing_does_not_wait_for_a_hung_database(one: ReplicaSet, url: str) -> None:
    store = MongoStore(url)
    await store.open()
    await store.append(draft("room"))
    one.members[0].pause()
    appends = [asyncio.create_task(store.append(draft("room"))) for _ in range(1000)]
    await asyncio.sleep(0)
    async with asyncio.timeout(PROMISED_SECONDS):
        await store.close()
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert {type(result) for result in results} == {Unavailable}


async def test_closing_does_not_wait_for_a_farewell(one: ReplicaSet, url: str) -> None:
    store = MongoStore(url)
    await store.open()
    await store.find("message")
    one.members[0].pause()
    async with asyncio.timeout(PROMISED_SECONDS):
        await store.close()


async def test_closing_does_not_wait_for_a_database_that_is_gone(
    one: ReplicaSet, database: str
) -> None:
    async with proxied(one.members[0], database) as (proxy, url):
        store = MongoStore(url)
        await store.open()
        await store.append(draft("room"))
        await proxy.cut()
        with pytest.raises(Unavailable):
            await store.ping()
        async with asyncio.timeout(PROMISED_SECONDS):
            await store.close()


async def test_a_database_that_hangs_for_a_while(one: ReplicaSet, url: str) -> None:
    async with sending(url, servers=2) as load:
        one.members[0].pause()
        await load.refused()
        one.members[0].resume()
    assert load.slowest < PROMISED_SECONDS


async def test_a_cut_network(one: ReplicaSet, database: str) -> None:
    async with proxied(one.members[0], database) as (proxy, url), sending(url) as load:
        for _ in range(3):
            await proxy.cut()
            await proxy.mend()
            await load.more(ENOUGH)
        await proxy.cut()
        await load.refused()
        await proxy.mend()


async def test_a_network_that_swallows_everything(one: ReplicaSet, database: str) -> None:
    async with proxied(one.members[0], database) as (proxy, url):
        async with sending(url) as load:
            proxy.swallow()
            await load.refused()
            proxy.heal()
        assert load.slowest < PROMISED_SECONDS


async def test_a_network_that_swallows_the_answers(one: ReplicaSet, database: str) -> None:
    """The rows are stored and nobody is told; the same message again is then a duplicate."""
    async with proxied(one.members[0], database) as (proxy, url):
        async with sending(url) as load:
            proxy.swallow_replies()
            await load.refused()
            proxy.heal()
        assert load.slowest < PROMISED_SECONDS


async def test_a_slow_network(one: ReplicaSet, database: str) -> None:
    async with proxied(one.members[0], database) as (proxy, url):
        async with sending(url) as load:
            proxy.delay = 0.05
        assert load.refusals == 0


@pytest.mark.parametrize(
    ("code", "refuses"),
    [(WRITE_CONCERN_TIMEOUT, True), (SHUTDOWN_IN_PROGRESS, False)],
    ids=["timed out", "shutting down"],
)
async def test_a_majority_that_is_not_reached(
    one: ReplicaSet, url: str, code: int, *, refuses: bool
) -> None:
    """The rows are written, but may be taken back: no ack until a majority has them."""
    async with sending(url) as load:
        one.members[0].fail_commands(
            "insert", times=1, writeConcernError={"code": code, "errmsg": "broken by a test"}
        )
        await load.more(ENOUGH)
    # The driver repeats what may succeed at once, and the database knows its repetitions.
    assert (load.refusals > 0) == refuses


@pytest.mark.parametrize("times", [1, 4])
async def test_connections_that_are_closed(one: ReplicaSet, url: str, times: int) -> None:
    async with sending(url, servers=2) as load:
        one.members[0].fail_commands("insert", times=times, closeConnection=True)
        await load.more(ENOUGH)
    assert load.refusals == 0


async def test_closing_in_the_middle_of_sends(one: ReplicaSet, url: str) -> None:
    store = MongoStore(url)
    await store.open()
    async with Load([store]) as load:
        await load.more(ENOUGH)
        await store.close()
        async with opened(lambda: MongoStore(url)) as other:
            acked = {ack.message_id for ack in load.acks}
            stored = {row.id for row in await whole(other, load.room_id)}
            assert acked == stored
            for task in load._tasks:
                task.cancel()
            await asyncio.gather(*load._tasks, return_exceptions=True)
            load._tasks.clear()
