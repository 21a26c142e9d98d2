"""The whole chat on MongoDB: what is promised of the embedded store holds here, too."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.contract import test_durability, test_once, test_streams
from tests.support.chat import Connect, eventually
from tests.support.mongod import ReplicaSet
from tests.support.process import ServerProcess, Start
from tests.support.proxy import Proxy
from tests.support.rest import request
from tests.support.tokens import unique

PROMISED_SECONDS = 5.5
"""5 s, and what the way there and back takes on a busy machine."""


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    """A set of one."""
    started = ReplicaSet(tmp_path_factory.mktemp("mongod")).start()
    yield started
    started.stop()


@pytest.fixture
def start(start: Start, mongod: ReplicaSet) -> Callable[..., ServerProcess]:
    """Starts servers on MongoDB, each with a database of its own unless it is given one."""

    def starting(*flags: str, database: str = "", **options: Any) -> ServerProcess:
        return start("--database", database or mongod.url(unique("test")), *flags, **options)

    return starting


@pytest.fixture
def server(start: Start) -> ServerProcess:
    """A server with the defaults."""
    return start()


test_what_was_acked_survives_kill_9 = test_durability.test_what_was_acked_survives_kill_9
test_kill_9_right_after_an_ack = test_durability.test_kill_9_right_after_an_ack
test_interrupted = test_durability.test_what_streamed_is_interrupted_with_the_text_kept
test_a_duplicate = test_once.test_the_same_message_again_is_a_duplicate
test_a_stream = test_streams.test_a_second_person_joins_in_mid_stream


async def test_a_database_that_hangs(
    start: Start, connect: Connect, room: str, mongod: ReplicaSet
) -> None:
    server = start()
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    message = {"roomId": room, "content": "patience", "messageId": unique("m")}
    mongod.members[0].pause()
    try:
        sent = time.monotonic()
        ack = await alice.call("message:send", message, within=10)
        assert (ack["success"], ack["code"]) == (False, "unavailable")
        assert time.monotonic() - sent < PROMISED_SECONDS
        ready = await request(server, "GET", "/readyz")
        assert (ready.status, ready.code) == (503, "unavailable")
        assert (await request(server, "GET", "/healthz")).status == 200
        await bob.caught_up()
        assert bob.all("message:new") == []
    finally:
        mongod.members[0].resume()
    await alice.done("message:send", message)
    await bob.sees("message:new", id=message["messageId"])
    assert [row["id"] for row in await bob.history(room)] == [message["messageId"]]
    await bob.caught_up()
    assert len(bob.all("message:new")) == 1

    async def ready_again() -> bool:
        return (await request(server, "GET", "/readyz")).status == 200

    await eventually(ready_again)


async def test_a_send_that_was_stored_after_all_is_seen_once(
    start: Start, connect: Connect, room: str, mongod: ReplicaSet
) -> None:
    """The database did it, and its answer was lost."""
    async with Proxy(mongod.members[0].port) as proxy:
        database = f"mongodb://127.0.0.1:{proxy.port}/{unique('test')}?directConnection=true"
        # In a thread, since the proxy works in this one.
        server = await asyncio.to_thread(start, database=database)
        alice, bob = await connect(server), await connect(server)
        await alice.join(room)
        await bob.join(room)
        # From now on the server knows the room's last number and has a connection that is free, so that the next row
        # goes out without a question before.
        await alice.send(room, "the first")
        await alice.history(room)
        message = {"roomId": room, "content": "lost answer", "messageId": unique("m")}
        proxy.swallow_replies()
        ack = await alice.call("message:send", message, within=10)
        assert (ack["success"], ack["code"]) == (False, "unavailable")
        proxy.heal()
        # Nobody sends it again, and it is shown all the same: it is in the log.
        seen = await bob.sees("message:new", id=message["messageId"])
        assert seen["seq"] == 2
        again = await alice.done("message:send", message)
        assert (again["duplicate"], again["seq"]) == (True, 2)
        await alice.send(room, "the next")
        await bob.sees("message:new", content="the next")
        assert [row["seq"] for row in bob.all("message:new")] == [1, 2, 3]
        assert [row["seq"] for row in await bob.history(room)] == [1, 2, 3]
        assert await asyncio.to_thread(server.stop) == 0


async def test_a_database_that_is_killed_and_started_again(
    start: Start, connect: Connect, room: str, mongod: ReplicaSet
) -> None:
    server = start()
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    asked = await alice.ask(room, "/count 60 30")
    await bob.sees("message:stream:chunk")
    mongod.members[0].kill()
    mongod.members[0].start()
    ended = await bob.sees("message:stream:end", within=15)
    rows = await bob.history(room)
    assert [row["seq"] for row in rows] == [1, 2]
    assert (rows[0]["id"], rows[1]["replyTo"]) == (asked["messageId"], asked["messageId"])
    shown = "".join(chunk["delta"] for chunk in bob.all("message:stream:chunk"))
    assert (rows[1]["content"], rows[1]["state"]) == (shown, "complete")
    assert ended["content"] == shown
