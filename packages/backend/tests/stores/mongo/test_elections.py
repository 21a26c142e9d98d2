"""Another member becomes the primary in the middle of sends: nothing is lost, doubled, or left out."""

import asyncio

from tests.stores.mongo.test_faults import ENOUGH, PROMISED_SECONDS, sending
from tests.support.mongod import ReplicaSet

from rejoinder.errors import Unavailable
from rejoinder.stores.base import Store
from rejoinder.stores.mongo import MongoStore
from rejoinder.stores.mongo.model import message_document
from rejoinder.testing.store.tools import append_several, draft, fresh, opened, seqs


async def test_a_step_down(three: ReplicaSet, database: str) -> None:
    async with sending(three.url(database), servers=2) as load:
        for _ in range(2):
            three.step_down()
            await load.more(ENOUGH)
    assert load.slowest < PROMISED_SECONDS


async def test_a_killed_primary(three: ReplicaSet, database: str) -> None:
    async with sending(three.url(database), servers=2) as load:
        killed = three.primary()
        killed.kill()
        await load.more(ENOUGH)
        assert three.primary() is not killed
        three.mend()
    assert load.slowest < PROMISED_SECONDS


async def test_what_an_election_takes_back_was_never_shown_or_counted(
    three: ReplicaSet, database: str
) -> None:
    """A row that only the primary has: another server's, whose append is under way."""
    primary, others = three.primary(), three.secondaries()
    async with opened(lambda: MongoStore(three.url(database))) as store:
        room_id = fresh("room")
        await append_several(store, [draft(room_id), draft(room_id)])
        alone = draft(room_id, "only the primary has it")
        for member in others:
            member.fail_point("stopReplProducer", "alwaysOn")
        with primary.admin(w=1) as client:
            client[database].chat_messages.insert_one(message_document(alone, 3))

            assert await store.last_seq(room_id) == 2
            assert await seqs(store, room_id) == [1, 2]
            assert [row.seq for row in (await store.page_before(room_id, None, 9)).messages] == [
                1,
                2,
            ]
            assert await store.find(alone.id) is None
            # One would be the fourth, and no majority has the third; nor is a duplicate of that acknowledged.
            appends = (store.append(draft(room_id)), store.append(alone))
            refused = await asyncio.gather(*appends, return_exceptions=True)
            assert {type(each) for each in refused} == {Unavailable}

        primary.kill()
        for member in others:
            member.fail_point("stopReplProducer", "off")
        assert three.primary() is not primary
        appended = await store.append(draft(room_id))
        assert appended.message.seq == 3
        assert await seqs(store, room_id) == [1, 2, 3]
        three.mend()
        assert await store.find(alone.id) is None
        assert await seqs(store, room_id) == [1, 2, 3]


async def test_the_first_reading_after_an_election_waits_for_a_majority(
    three: ReplicaSet, database: str
) -> None:
    async with opened(lambda: MongoStore(three.url(database))) as store:
        await store.append(draft("room"))

        def pings() -> object:
            with three.client() as client:
                found = client[database].meta.find_one({"_id": "ping"})
            return found and found["at"]

        before = pings()
        await store.find("message")
        assert pings() == before, "a reading like any other writes nothing"
        three.step_down()
        three.primary()
        while not await _reads(store):
            continue
        assert pings() != before


async def _reads(store: Store) -> bool:
    try:
        return await store.find("message") is None
    except Unavailable:
        return False
