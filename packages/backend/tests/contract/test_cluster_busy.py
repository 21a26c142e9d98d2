"""People on several servers who write in one room at the same time, while servers die and the bus goes away."""

import asyncio
from collections.abc import Sequence
from itertools import chain

from tests.contract.test_cluster import Cluster, cluster, mongod, redis, shared_redis
from tests.support.chat import Chat, Connect
from tests.support.redis import RedisServer

__all__ = ["cluster", "mongod", "redis", "shared_redis"]

FREELY = ("--send-rate=1e6", "--send-burst=1000000", "--event-rate=1e6", "--event-burst=1000000")
ROUNDS = 25
SENT_SECONDS = 40.0


async def write(person: Chat, room: str, numbers: Sequence[int]) -> list[int]:
    """Send messages, two at a time, each until it is acked; the numbers that they were given."""
    acked: list[int] = []
    for number in numbers:
        ids = [f"{person.user_id} {number} {which}" for which in "ab"]
        acks = await asyncio.gather(*(send(person, room, each) for each in ids))
        assert acks[0] < acks[1]
        acked += acks
    return acked


async def send(person: Chat, room: str, content: str) -> int:
    """As a client does: the same message again until it is acked."""
    message = {"roomId": room, "content": content, "messageId": content.replace(" ", "-")}
    for _ in range(10):
        ack = await person.call("message:send", message, within=SENT_SECONDS)
        if ack["success"]:
            return int(ack["seq"])
        assert ack["code"] == "unavailable", ack
        await asyncio.sleep(0.2)
    raise AssertionError(f"{content} was not acked")


async def people_in(servers: Sequence[object], connect: Connect, room: str) -> list[Chat]:
    people = [await connect(server) for server in servers for _ in range(2)]  # type: ignore[arg-type]
    for person in people:
        await person.join(room)
    return people


async def see_all_in_order(people: Sequence[Chat], room: str, acked: Sequence[list[int]]) -> None:
    """What was acked is in the log where the acks say, once, in the order of who sent it, and all have seen just that."""
    last = max(chain.from_iterable(acked))
    for person in people:
        # Others may have written as well, so how many there are says little.
        await person.until(lambda: bool(person.all("message:new", seq=last)), within=15)  # noqa: B023 - awaited here
        rows = person.all("message:new")
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        assert len({row["id"] for row in rows}) == len(rows)
    for person, numbers in zip(people, acked, strict=False):
        assert numbers == sorted(numbers)
        mine = [row["seq"] for row in people[0].all("message:new", senderId=person.user_id)]
        assert mine == numbers


async def test_everybody_at_once(cluster: Cluster, connect: Connect, room: str) -> None:
    people = await people_in(cluster(3, *FREELY), connect, room)
    acked = await asyncio.gather(*(write(each, room, range(ROUNDS)) for each in people))
    assert sorted(chain.from_iterable(acked)) == list(range(1, 2 * ROUNDS * len(people) + 1))
    await see_all_in_order(people, room, acked)


async def test_servers_die_meanwhile(cluster: Cluster, connect: Connect, room: str) -> None:
    """Whichever of them stored the room's messages: of the three only one is left."""
    first, second, third = cluster(3, *FREELY)
    people = await people_in([first], connect, room)
    others = await people_in([second, third], connect, room)
    lost = [asyncio.ensure_future(write(each, room, range(1000))) for each in others]
    before = await asyncio.gather(*(write(each, room, range(5)) for each in people))
    second.kill()
    during = await asyncio.gather(*(write(each, room, range(5, 10)) for each in people))
    third.kill()
    after = await asyncio.gather(*(write(each, room, range(10, 15)) for each in people))
    for each in lost:
        each.cancel()
    await asyncio.gather(*lost, return_exceptions=True)
    mine = [[*parts[0], *parts[1], *parts[2]] for parts in zip(before, during, after, strict=True)]
    await see_all_in_order(people, room, mine)


async def test_redis_dies_meanwhile(
    cluster: Cluster, connect: Connect, redis: RedisServer, room: str
) -> None:
    people = await people_in(cluster(3, *FREELY, redis=redis.url()), connect, room)
    writing = [asyncio.ensure_future(write(each, room, range(ROUNDS))) for each in people]
    await people[0].until(lambda: len(people[0].all("message:new")) > ROUNDS, within=30)
    redis.kill()
    acked = await asyncio.gather(*writing)
    redis.start()
    await see_all_in_order(people, room, acked)
