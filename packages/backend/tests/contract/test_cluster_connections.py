"""An operator's list of connections, of all servers together."""

import asyncio
from functools import partial

from tests.contract.test_cluster import Cluster, cluster, mongod, redis, shared_redis
from tests.support.chat import Connect, eventually
from tests.support.process import OPERATOR, ServerProcess
from tests.support.redis import RedisServer
from tests.support.rest import Answer, request
from tests.support.tokens import token

__all__ = ["cluster", "mongod", "redis", "shared_redis"]

PATH = "/api/connections"


async def knows(server: ServerProcess, count: int) -> bool:
    """Whether that server lists so many; one that has only just come may not be known yet."""
    return len((await request(server, "GET", PATH, bearer=OPERATOR)).body) == count


async def whole(server: ServerProcess, query: str = "") -> Answer:
    """A list that has everybody: on a busy machine a server may not answer another one in time."""
    async with asyncio.timeout(30):
        while True:
            answer = await request(server, "GET", f"{PATH}{query}", bearer=OPERATOR)
            if answer.body["complete"] if query else answer.headers["x-complete"] == "true":
                return answer


async def test_every_server_lists_everybody(cluster: Cluster, connect: Connect, room: str) -> None:
    servers = cluster(2)
    people = [await connect(servers[number % 2]) for number in range(5)]
    await people[0].join(room, characterId="echo")
    for server in servers:
        await eventually(partial(knows, server, len(people)), within=20)
    first, second = [await whole(server) for server in servers]
    assert first.body == second.body
    assert [each["socketId"] for each in first.body] == sorted(p.connection_id for p in people)
    assert len({each["server"] for each in first.body}) == len(servers)
    assert "link" not in first.headers
    [of_first] = [each for each in second.body if each["id"] == people[0].user_id]
    assert (of_first["roomId"], of_first["characterId"]) == (room, "echo")

    seen: list[str] = []
    query = "limit=2"
    while query:
        page = (await whole(servers[1], f"?{query}")).body
        seen += [each["socketId"] for each in page["connections"]]
        query = f"limit=2&after={page['next']}" if page["hasMore"] else ""
    assert seen == sorted(person.connection_id for person in people)
    for number, server in enumerate(servers):
        own = (await whole(server, "?server=this")).body
        here = sorted(person.connection_id for person in people[number::2])
        assert [each["socketId"] for each in own["connections"]] == here
    found = await whole(servers[1], f"?userId={people[2].user_id}")
    assert [each["id"] for each in found.body["connections"]] == [people[2].user_id]


async def test_without_the_others_it_says_that_it_is_not_all(
    cluster: Cluster, connect: Connect, redis: RedisServer
) -> None:
    first, second = cluster(2, redis=redis.url())
    ann, _ = await connect(first), await connect(second)
    await eventually(partial(knows, first, 2), within=20)
    redis.kill()

    async def alone() -> bool:
        page = (await request(first, "GET", f"{PATH}?limit=10", bearer=OPERATOR)).body
        if page["complete"]:
            return False
        return [each["id"] for each in page["connections"]] == [ann.user_id]

    await eventually(alone, within=20)
    listed = await request(first, "GET", PATH, bearer=OPERATOR)
    assert [each["id"] for each in listed.body] == [ann.user_id]
    assert listed.headers["x-complete"] == "false"


async def test_who_asks_wrongly_is_told(server: ServerProcess, connect: Connect) -> None:
    await connect(server)
    for query, code in (
        ("limit=0", "invalid_payload"),
        ("limit=many", "invalid_payload"),
        ("server=nobody", "not_found"),
    ):
        answer = await request(server, "GET", f"{PATH}?{query}", bearer=OPERATOR)
        assert answer.code == code, query
    nobody = await request(server, "GET", f"{PATH}?limit=1", bearer=token("somebody"))
    assert nobody.code == "forbidden"
    last = await request(server, "GET", f"{PATH}?after=~~~&limit=5000", bearer=OPERATOR)
    assert last.body == {"connections": [], "hasMore": False, "complete": True}
