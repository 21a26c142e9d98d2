"""Titles, members and deletion on several servers."""

import pytest
from tests.contract.test_cluster import Cluster, cluster, mongod, shared_redis
from tests.contract.test_deletion import delete, is_gone
from tests.contract.test_search import search
from tests.contract.test_titles import rename
from tests.support.chat import Connect, eventually
from tests.support.mongod import ReplicaSet
from tests.support.process import Start
from tests.support.removals import WAYS, Removal
from tests.support.tokens import unique

__all__ = ["cluster", "mongod", "shared_redis"]


async def test_another_server_puts_its_people_out(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--connection-policy=multi")
    ann, ben = await connect(first), await connect(second)
    await ann.join(room, characterId="echo")
    await ben.join(room, characterId="echo")
    await ben.ask(room, "/count 2000 20")
    await ann.sees("message:stream:chunk")
    assert (await delete(first, ann, room)).status == 200
    for server, person in ((first, ann), (second, ben)):
        await person.sees("room:deleted", roomId=room, within=15)
        await is_gone(server, person, room)


async def test_a_server_that_hears_of_nothing_finds_out(
    start: Start, connect: Connect, mongod: ReplicaSet, room: str
) -> None:
    """Without a Redis servers don't tell each other; the log does."""
    address = mongod.url(unique("test"))
    first, second = (start("--database", address) for _ in range(2))
    ann, ben = await connect(first), await connect(second)
    await ann.join(room)
    await ben.join(room)
    await ben.send(room, "before")
    assert (await delete(first, ann, room)).status == 200
    await ben.refused("message:send", {"roomId": room, "content": "after"}, "not_found")
    await ben.sees("room:deleted", roomId=room)
    await is_gone(second, ben, room)
    assert (await search(second, ben.user_id, "before")).body["hits"] == []


async def test_another_servers_people_are_told(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2)
    ann, ben = await connect(first), await connect(second)
    await ann.join(room)
    await ben.join(room)
    await ben.send(room, "처음")
    await ann.sees("room:updated", roomId=room, title="처음")
    assert (await rename(first, ann, room, "둘째")).status == 200
    await ben.sees("room:updated", roomId=room, title="둘째")
    assert (await ben.done("room:rejoin", {"roomId": room}))["title"] == "둘째"


@pytest.mark.parametrize("way", WAYS)
async def test_who_is_removed_stays_out_whatever_they_do_on_another_server(
    cluster: Cluster, connect: Connect, room: str, way: str
) -> None:
    first, second = cluster(2, "--rooms=members", "--event-burst=1000")
    alice, bob = await connect(first), await connect(second)
    removal = Removal(alice, first, bob, second)
    for number in range(8):
        place = f"{room}-{number}"
        await removal.while_entering(place, way, 0.002 * number)

        async def out(place: str = place) -> bool:
            asked = await bob.call("messages:history", {"roomId": place})
            return asked.get("code") == "not_in_room"

        await eventually(out, within=10)
        await alice.done("room:leave", {"roomId": place})
