"""Two servers behind nginx and HAProxy, with the configurations of docs/cluster.md."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from socketio.exceptions import ConnectionError as Refused
from tests.contract.test_cluster import ready
from tests.support.chat import Chat, Connect, eventually
from tests.support.mongod import ReplicaSet
from tests.support.process import ServerProcess, Start
from tests.support.proxies import SBIN, ProxyProcess
from tests.support.redis import RedisServer
from tests.support.rest import connections
from tests.support.tokens import unique

BACK_SECONDS = 10.0


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[list[Any]]:
    """What is to be stopped in the end."""
    started: list[Any] = []
    yield started
    for each in reversed(started):
        each.stop()


async def counts_to(person: Chat, count: int) -> None:
    await person.until(lambda: len(person.all("message:new")) == count)


async def are_on_all(servers: list[ServerProcess], people: list[Chat]) -> bool:
    """Whether each of them has one connection, and each server some of these."""
    listed = [each for p in people for each in await connections(servers[0], p.user_id)]
    return [each["id"] for each in listed] == [person.user_id for person in people] and len(
        {each["server"] for each in listed}
    ) == len(servers)


async def go_on_without(
    redis: RedisServer, servers: list[ServerProcess], people: list[Chat], room: str
) -> None:
    """Without Redis no server is ready, and people go on chatting with theirs."""
    redis.kill()
    # As long as it takes the proxies to notice by their own checks, of which they tell nobody.
    await asyncio.sleep(4)
    for person in people:
        sent = await person.send(room, "without Redis")
        await person.sees("message:new", id=sent["messageId"])
    redis.start()
    for server in servers:
        await eventually(partial(ready, server), within=10)


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
async def test_two_servers_behind_a_proxy(
    kind: str, start: Start, connect: Connect, room: str, behind: list[Any], tmp_path: Path
) -> None:
    if kind == "haproxy" and shutil.which(kind, path=SBIN) is None:
        pytest.skip("HAProxy is not installed")
    mongod = ReplicaSet(tmp_path / "mongod").start()
    redis = RedisServer(tmp_path / "redis").start()
    behind += [mongod, redis]
    flags = ("--database", mongod.url("chat"), "--redis", redis.url())
    servers = [start(*flags) for _ in range(2)]
    proxy = ProxyProcess(kind, tmp_path / kind, servers).start()
    behind.append(proxy)

    async def come(user_id: str, transports: list[str]) -> Chat:
        return await connect(proxy, user_id, transports=transports)  # type: ignore[arg-type]

    people = [await come(unique("user"), ["polling"]) for _ in range(6)]
    people += [await come(unique("user"), ["polling", "websocket"]) for _ in range(4)]
    for person in people:
        await person.join(room)
    # Asked until the other server has answered in time.
    await eventually(partial(are_on_all, servers, people), within=20)
    for number, person in enumerate(people):
        await person.send(room, f"number {number}")
    for person in people:
        await counts_to(person, 10)
        assert [row["seq"] for row in person.all("message:new")] == list(range(1, 11))

    await go_on_without(redis, servers, [people[0], people[-1]], room)

    servers[0].kill()
    begun = time.monotonic()
    again: list[Chat] = []
    while len(again) < len(people):
        try:
            again.append(await come(people[len(again)].user_id, ["websocket"]))
        except Refused:
            assert time.monotonic() - begun < BACK_SECONDS
    for person in again:
        await person.join(room)
    await again[0].send(room, "we are back")
    for person in again:
        await person.sees("message:new", content="we are back")
