"""The whole chat on MongoDB: what is promised of the embedded store holds here, too."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.contract import test_durability, test_once, test_shutdown, test_streams
from tests.support.chat import Chat, Connect, eventually
from tests.support.mongod import ReplicaSet
from tests.support.process import ServerProcess, Start
from tests.support.proxy import Proxy
from tests.support.rest import request
from tests.support.tokens import unique

PROMISED_SECONDS = 5.5
"""5 s, and what the way there and back takes on a busy machine."""
INTERRUPTED_SECONDS = 15.0
ANSWERS = 6


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
test_questions_that_wait_at_kill_9 = (
    test_durability.test_questions_that_wait_at_kill_9_have_an_answer_each
)
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


async def _streaming(alice: Chat, room: str) -> str:
    """Have an answer written that takes long, and wait until some of it was saved; its id."""
    await alice.join(room)
    await alice.ask(room, "/count 2000 30")
    begun = await alice.sees("message:stream:start")
    await alice.until(lambda: len(alice.all("message:stream:chunk")) > 50)
    return str(begun["messageId"])


def _shown(person: Chat) -> str:
    return "".join(chunk["delta"] for chunk in person.all("message:stream:chunk"))


async def test_what_streamed_is_interrupted_when_its_lease_has_run_out(
    start: Start, connect: Connect, room: str
) -> None:
    """A server that comes back can't know that the one before it was alone; it is ended in time, and the text is kept."""
    server = start()
    alice = await connect(server)
    message_id = await _streaming(alice, room)
    server.kill()
    killed = time.monotonic()
    server.start()
    bob = await connect(server)
    snapshot = await bob.join(room)
    (running,) = snapshot["streams"]
    assert running["messageId"] == message_id
    assert _shown(alice).startswith(running["content"])
    end = await bob.sees("message:stream:end", within=INTERRUPTED_SECONDS)
    assert time.monotonic() - killed < INTERRUPTED_SECONDS
    assert (end["messageId"], end["state"]) == (message_id, "interrupted")
    assert len(end["content"]) > 20
    row = (await bob.history(room))[1]
    assert (row["state"], row["content"]) == ("interrupted", end["content"])
    assert end["content"] == running["content"] + _shown(bob)
    assert (await bob.send(room, "go on"))["seq"] == 3


async def test_a_second_server_leaves_the_answers_of_the_first_alone(
    start: Start, connect: Connect, room: str, mongod: ReplicaSet
) -> None:
    database = mongod.url(unique("test"))
    first = start(database=database)
    alice = await connect(first)
    await alice.join(room)
    # Its silence is longer than a lease and the time until somebody looks.
    await alice.ask(room, "/count 2 15000")
    await alice.sees("message:stream:start")
    second = await asyncio.to_thread(start, database=database)
    bob = await connect(second)
    (running,) = (await bob.join(room))["streams"]
    end = await alice.sees("message:stream:end", within=20)
    assert (end["state"], end["content"]) == ("complete", _shown(alice))
    told = await bob.sees("message:stream:end")
    assert (told["messageId"], told["content"], told["state"]) == (
        end["messageId"],
        end["content"],
        "complete",
    )
    assert running["content"] + _shown(bob) == end["content"]
    rows = await bob.history(room)
    assert [(row["seq"], row["state"]) for row in rows] == [(1, "complete"), (2, "complete")]


async def test_a_second_server_ends_what_the_first_left_behind(
    start: Start, connect: Connect, room: str, mongod: ReplicaSet
) -> None:
    database = mongod.url(unique("test"))
    first, second, third = [start(database=database) for _ in range(3)]
    alice = await connect(first)
    message_id = await _streaming(alice, room)
    viewers = [await connect(second), await connect(third)]
    for viewer in viewers:
        (running,) = (await viewer.join(room))["streams"]
        assert running["messageId"] == message_id
    first.kill()
    killed = time.monotonic()
    for viewer in viewers:
        end = await viewer.sees("message:stream:end", within=INTERRUPTED_SECONDS)
        assert time.monotonic() - killed < INTERRUPTED_SECONDS
        assert (end["messageId"], end["state"]) == (message_id, "interrupted")
        assert len(end["content"]) > 20
        row = (await viewer.history(room))[1]
        assert (row["state"], row["content"]) == ("interrupted", end["content"])
        await viewer.caught_up()
        assert len(viewer.all("message:stream:end")) == 1


async def test_a_server_that_was_held_up_gives_way(
    start: Start, connect: Connect, room: str, mongod: ReplicaSet
) -> None:
    """It stood still for longer than its lease; the other one took it for gone. All are told the same."""
    database = mongod.url(unique("test"))
    first, second = [start(database=database) for _ in range(2)]
    alice, bob = await connect(first), await connect(second)
    await _streaming(alice, room)
    await bob.join(room)
    first.process.send_signal(signal.SIGSTOP)
    try:
        end = await bob.sees("message:stream:end", within=INTERRUPTED_SECONDS)
    finally:
        first.process.send_signal(signal.SIGCONT)
    told = await alice.sees("message:stream:end")
    assert (told["content"], told["state"]) == (end["content"], "interrupted")
    assert (await alice.history(room))[1]["content"] == end["content"]


async def test_a_stop_waits_once_for_a_database_that_hangs(
    start: Start, connect: Connect, mongod: ReplicaSet
) -> None:
    server = start()
    alice = await connect(server)
    for _ in range(ANSWERS):
        room = unique("room")
        await alice.join(room)
        await alice.ask(room, "/count 2000 30")
    await alice.until(lambda: len(alice.all("message:stream:start")) == ANSWERS)
    mongod.members[0].pause()
    try:
        # Saves are under way, and wait for the database.
        seen = len(alice.all("message:stream:chunk"))
        await alice.until(lambda: len(alice.all("message:stream:chunk")) > seen + 60 * ANSWERS)
        test_shutdown.ends_in_time(server, signal.SIGTERM)
    finally:
        mongod.members[0].resume()
