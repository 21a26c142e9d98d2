"""Answers of one room come in turn, whichever servers write them: over a real Redis and a real MongoDB."""

import asyncio
from functools import partial

import pytest
from tests.contract.test_cluster import Cluster, both, cluster, mongod, ready, redis, shared_redis
from tests.support.chat import Chat, Connect, Payload, eventually
from tests.support.redis import RedisServer
from tests.support.tokens import unique

__all__ = ["cluster", "mongod", "redis", "shared_redis"]

ROUNDS = 4
GONE_SECONDS = 40.0
"""From a server's death to the next answer, which waited for one that it wrote: 15 s, and what a slow machine takes."""
LONG = "/count 2000 20"
PATIENT = 30.0


def told(viewer: Chat) -> list[tuple[str, str]]:
    """What a viewer saw begin and end, in that order: the questions.

    What began and ended before it was found in the log is shown as a whole.
    """
    seen: list[tuple[str, str]] = []
    questions: dict[str, str] = {}
    for event in viewer.events:
        shown = event.payload
        if event.name == "message:stream:start":
            questions[shown["messageId"]] = shown["replyTo"]
            seen.append(("begins", shown["replyTo"]))
        elif event.name == "message:stream:end":
            seen.append(("ends", questions[shown["messageId"]]))
        elif event.name == "message:new" and shown["role"] == "character":
            seen += [("begins", shown["replyTo"]), ("ends", shown["replyTo"])]
    return seen


def check_in_turn(viewer: Chat, questions: list[Payload]) -> None:
    """One at a time, in the order of the questions."""
    asked = sorted(questions, key=lambda ack: int(ack["seq"]))
    ids = [ack["messageId"] for ack in asked]
    assert told(viewer) == [(what, id_) for id_ in ids for what in ("begins", "ends")]


async def ask_at_once(room: str, *people: Chat) -> list[Payload]:
    content = "/count 8 20"
    return list(await asyncio.gather(*(each.ask(room, content) for each in people)))


async def answered(viewer: Chat, questions: list[Payload]) -> None:
    await viewer.until(lambda: len(told(viewer)) == 2 * len(questions), within=PATIENT)


async def test_who_ask_at_once_on_two_servers_are_answered_in_turn(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    alice, bob = await both(cluster, connect, room)
    questions: list[Payload] = []
    for _ in range(ROUNDS):
        questions += await ask_at_once(room, alice, bob, bob, alice)
        for viewer in (alice, bob):
            await answered(viewer, questions)
            check_in_turn(viewer, questions)
    assert all(end["state"] == "complete" for end in bob.all("message:stream:end"))
    rows = await alice.history(room)
    ends = [row["seq"] for row in rows if row["role"] == "character"]
    assert len(ends) == len(questions)


async def test_another_answer_has_its_turn_among_those_of_all_servers(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    alice, bob = await both(cluster, connect, room)
    first = await alice.ask(room, "first")
    answer = await alice.sees("message:stream:end")
    second = await bob.ask(room, "/count 40 20")
    named = {"roomId": room, "messageId": answer["messageId"]}
    swipe = await alice.done("message:regenerate", named)
    last = await bob.ask(room, "last")
    order = [ack["messageId"] for ack in (first, second, first, last)]
    for viewer in (alice, bob):
        await viewer.sees("message:stream:end", content="last", within=PATIENT)
        assert told(viewer) == [(what, id_) for id_ in order for what in ("begins", "ends")]
        assert viewer.all("message:stream:start")[2]["messageId"] == swipe["messageId"]


async def test_an_answer_that_waits_for_a_killed_server_s_begins_in_time(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2)
    alice, bob = await connect(first), await connect(second)
    await alice.join(room)
    await bob.join(room)
    await alice.ask(room, LONG)
    running = await bob.sees("message:stream:start")
    waits = await bob.ask(room, "and I")
    await bob.until(lambda: len(bob.all("message:stream:chunk")) > 5)
    assert len(bob.all("message:stream:start")) == 1
    first.kill()
    await bob.sees("message:stream:start", within=GONE_SECONDS, replyTo=waits["messageId"])
    await bob.sees("message:stream:end", content="and I")
    (interrupted,) = bob.all("message:stream:end", state="interrupted")
    assert interrupted["messageId"] == running["messageId"]
    assert [what for what, _ in told(bob)] == ["begins", "ends"] * 2


async def test_without_redis_answers_are_in_turn_by_the_store(
    cluster: Cluster, connect: Connect, room: str, redis: RedisServer
) -> None:
    servers = cluster(2, redis=redis.url())
    alice, bob = [await connect(server) for server in servers]
    for person in (alice, bob):
        await person.join(room)
    questions = await ask_at_once(room, alice, bob)
    redis.kill()
    for _ in range(2):
        questions += await ask_at_once(room, bob, alice)
        for viewer in (alice, bob):
            await answered(viewer, questions)
    redis.start()
    for server in servers:
        await eventually(partial(ready, server), within=PATIENT)
    questions += await ask_at_once(room, alice, bob)
    for viewer in (alice, bob):
        await answered(viewer, questions)
    for viewer in (alice, bob):
        check_in_turn(viewer, questions)
    rows = await alice.history(room)
    assert {row["state"] for row in rows} == {"complete"}
    assert len(rows) == 2 * len(questions)


async def test_a_turn_that_waits_is_stopped_from_any_server(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--connection-policy=multi")
    alice, bob = await connect(first), await connect(second)
    at_desk = await connect(first, bob.user_id)
    for person in (alice, bob, at_desk):
        await person.join(room)
    long = await alice.ask(room, LONG)
    await bob.sees("message:stream:start")
    waits, waits_too = await bob.ask(room, "one"), await bob.ask(room, "two")
    for stopper, question in ((at_desk, waits), (bob, waits_too)):
        reference = {"roomId": room, "messageId": question["messageId"]}
        await stopper.done("message:stream:stop", reference)
        start = await alice.sees("message:stream:start", replyTo=question["messageId"])
        end = await alice.sees("message:stream:end", messageId=start["messageId"])
        assert (end["state"], end["content"]) == ("stopped", "")
    await alice.done("message:stream:stop", {"roomId": room, "messageId": long["messageId"]})
    await alice.ask(room, "done")
    await bob.sees("message:stream:end", content="done")
    assert len(bob.all("message:stream:end")) == 4


async def test_who_asks_again_on_another_server_interrupts_there(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--connection-policy=multi", "--double-texting=interrupt")
    alice, bob = await connect(first), await connect(second)
    elsewhere = await connect(second, alice.user_id)
    for person in (alice, bob, elsewhere):
        await person.join(room)
    running = await alice.ask(room, LONG)
    start = await elsewhere.sees("message:stream:start")
    await elsewhere.until(lambda: len(elsewhere.all("message:stream:chunk")) > 5)
    of_bob = await bob.ask(room, "of bob")
    await elsewhere.ask(room, "enough")
    for viewer in (alice, bob):
        end = await viewer.sees("message:stream:end", messageId=start["messageId"])
        assert (start["replyTo"], end["state"]) == (running["messageId"], "stopped")
        await viewer.sees("message:stream:end", content="enough")
        ends = viewer.all("message:stream:end")
        assert [end["content"] for end in ends[1:]] == ["of bob", "enough"]
        assert viewer.all("message:stream:start")[1]["replyTo"] == of_bob["messageId"]


async def test_what_waits_on_another_server_is_merged(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--connection-policy=multi", "--double-texting=merge")
    alice, bob = await connect(first), await connect(second)
    elsewhere = await connect(second, alice.user_id)
    for person in (alice, bob, elsewhere):
        await person.join(room)
    running = await bob.ask(room, LONG)
    await alice.sees("message:stream:start")
    waits = await alice.ask(room, "two")
    merged = await elsewhere.ask(room, "three", messageId=unique("m"))
    start = await alice.sees("message:stream:start", replyTo=waits["messageId"])
    end = await alice.sees("message:stream:end", messageId=start["messageId"])
    assert (end["state"], end["content"]) == ("complete", "")
    await bob.done("message:stream:stop", {"roomId": room, "messageId": running["messageId"]})
    begun = await alice.sees("message:stream:start", replyTo=merged["messageId"])
    end = await alice.sees("message:stream:end", messageId=begun["messageId"])
    assert end["content"] == "three"


@pytest.mark.parametrize("drain", ["--drain=8", "--drain=0"])
async def test_a_server_that_ends_while_it_waits(
    cluster: Cluster, connect: Connect, room: str, drain: str
) -> None:
    first, second = cluster(2, drain)
    alice, bob = await connect(first), await connect(second)
    await alice.join(room)
    await bob.join(room)
    running = await alice.ask(room, LONG if drain == "--drain=0" else "/count 60 20")
    await bob.sees("message:stream:start")
    waits = await bob.ask(room, "and I")
    assert await asyncio.to_thread(second.stop) == 0
    start = await alice.sees("message:stream:start", replyTo=waits["messageId"])
    end = await alice.sees("message:stream:end", messageId=start["messageId"])
    expected = ("interrupted", "") if drain == "--drain=0" else ("complete", "and I")
    assert (end["state"], end["content"]) == expected
    if drain == "--drain=0":
        await alice.done("message:stream:stop", {"roomId": room, "messageId": running["messageId"]})
