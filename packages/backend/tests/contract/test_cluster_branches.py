"""Branches over several server processes, with a real Redis and a real MongoDB."""

import asyncio
from collections.abc import Iterator

import pytest
from tests.contract.test_branches import another, answered
from tests.support.chat import Chat, Connect
from tests.support.mongod import ReplicaSet
from tests.support.process import ServerProcess, Start
from tests.support.redis import RedisServer
from tests.support.tokens import unique

HEALED_SECONDS = 60.0
"""Far more than it takes: what is tested is that it happens."""


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    started = ReplicaSet(tmp_path_factory.mktemp("mongod")).start()
    yield started
    started.stop()


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    started = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield started
    started.stop()


@pytest.fixture
def servers(start: Start, mongod: ReplicaSet, redis: RedisServer) -> list[ServerProcess]:
    """Two of one cluster."""
    flags = ("--database", mongod.url(unique("test")), "--redis", redis.url())
    return [start(*flags) for _ in range(2)]


async def people(servers: list[ServerProcess], connect: Connect, room: str) -> list[Chat]:
    """One on each server."""
    found = [await connect(server) for server in servers]
    for person in found:
        await person.join(room)
    return found


async def test_choices_edits_and_deletions_reach_every_server(
    servers: list[ServerProcess], connect: Connect, room: str
) -> None:
    alice, bob = await people(servers, connect, room)
    question, first = await answered(alice, room, "say it")
    second = await another(alice, room, "message:regenerate", first)
    start = await bob.sees("message:stream:start", messageId=second)
    assert (start["parentSeq"], start["variantOf"]) == (1, first)
    await bob.sees("message:stream:end", messageId=second)

    await bob.done("message:choose", {"roomId": room, "messageId": first})
    chosen = await alice.sees("message:chosen")
    assert (chosen["messageId"], chosen["head"], chosen["revision"]) == (first, 2, 1)
    # Either server knows where the talk goes on.
    await alice.send(room, "go on")
    assert (await bob.sees("message:new", content="go on"))["parentSeq"] == 2
    edit = {"roomId": room, "messageId": question, "content": "other"}
    edited = await alice.done("message:edit", edit)
    row = await bob.sees("message:new", id=edited["messageId"])
    assert (row["parentSeq"], row["variantOf"]) == (0, question)
    await alice.sees("message:stream:start", replyTo=edited["messageId"])

    await alice.done("message:delete", {"roomId": room, "messageId": question})
    for message_id in (question, first, second):
        deleted = await bob.sees("message:deleted", messageId=message_id)
        assert deleted["revision"] == 2
    for person in (alice, bob):
        rows = await person.history(room)
        assert [each["content"] for each in rows[:4]] == ["", "", "", "go on"]


async def test_choices_at_once_on_two_servers_end_alike(
    servers: list[ServerProcess], connect: Connect, room: str
) -> None:
    alice, bob = await people(servers, connect, room)
    _, first = await answered(alice, room, "say it")
    second = await another(alice, room, "message:regenerate", first)
    await bob.sees("message:stream:end", messageId=second)
    for _ in range(5):
        await asyncio.gather(
            alice.done("message:choose", {"roomId": room, "messageId": first}),
            bob.done("message:choose", {"roomId": room, "messageId": second}),
        )
    revision = (await alice.join(room))["revision"]
    for person in (alice, bob):
        await person.sees("message:chosen", within=HEALED_SECONDS, revision=revision)
    heads = [(await person.join(room)).get("head") for person in (alice, bob)]
    assert heads[0] == heads[1]


async def test_what_the_bus_lost_is_read_from_the_store(
    servers: list[ServerProcess], connect: Connect, redis: RedisServer, room: str
) -> None:
    alice, bob = await people(servers, connect, room)
    question, first = await answered(alice, room, "a secret")
    second = await another(alice, room, "message:regenerate", first)
    await bob.sees("message:stream:end", messageId=second)
    redis.kill()
    await alice.done("message:choose", {"roomId": room, "messageId": first})
    await alice.done("message:delete", {"roomId": room, "messageId": question})
    chosen = await bob.sees("message:chosen", within=HEALED_SECONDS)
    assert (chosen["messageId"], chosen["head"]) == (first, 2)
    for message_id in (question, first, second):
        await bob.sees("message:deleted", messageId=message_id, within=HEALED_SECONDS)
    assert [each["content"] for each in await bob.history(room)] == ["", "", ""]
