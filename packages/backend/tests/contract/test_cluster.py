"""Several server processes, one chat: over a real Redis and a real MongoDB."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.characters.openai.faulty import HEAD, Exchange, faulty
from tests.contract.test_durability import SETTLED_SECONDS, ask_several, check_settled
from tests.support.chat import Chat, Connect, eventually
from tests.support.mongod import ReplicaSet
from tests.support.process import ServerProcess, Start
from tests.support.proxy import Proxy
from tests.support.redis import RedisServer
from tests.support.rest import request
from tests.support.tokens import token, unique

TAKEN_OVER_SECONDS = 2.0
HEALED_SECONDS = 5.0
STOPPED_SECONDS = 1.0
TOLD_SECONDS = 0.5
"""Of messages that follow each other, what is only found in the log takes about a second each time: the quickest was told."""
STREAMS = 40

Cluster = Callable[..., list[ServerProcess]]


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    started = ReplicaSet(tmp_path_factory.mktemp("mongod")).start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """For tests that leave it alone; each has a database of its own."""
    started = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield started
    started.stop()


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """For a test that breaks it."""
    started = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield started
    started.stop()


DATABASES = iter(range(1, 1000))


@pytest.fixture
def cluster(start: Start, mongod: ReplicaSet, shared_redis: RedisServer) -> Cluster:
    """Starts servers of one cluster."""

    def starting(count: int, *flags: str, redis: str = "") -> list[ServerProcess]:
        joined = (
            *("--database", mongod.url(unique("test"))),
            *("--redis", redis or shared_redis.url(next(DATABASES))),
        )
        return [start(*joined, *flags) for _ in range(count)]

    return starting


def shown(person: Chat) -> str:
    return "".join(chunk["delta"] for chunk in person.all("message:stream:chunk"))


async def counts(person: Chat, name: str, count: int) -> None:
    try:
        await person.until(lambda: len(person.all(name)) == count)
    except TimeoutError:
        ids = [[e["messageId"] for e in person.all(n)] for n in ("message:stream:start", name)]
        raise AssertionError(f"{person.url}: {ids}") from None


async def told_after(sender: Chat, other: Chat, room: str, content: str) -> float:
    """How long it took until the other was shown a message."""
    sent = time.monotonic()
    await sender.send(room, content)
    return (await other.sees_event("message:new", content=content)).at - sent


async def both(cluster: Cluster, connect: Connect, room: str, *flags: str) -> tuple[Chat, Chat]:
    """Two people in a room, each on a server of their own."""
    first, second = cluster(2, *flags)
    alice, bob = await connect(first), await connect(second)
    await alice.join(room)
    await bob.join(room)
    return alice, bob


async def test_messages_go_both_ways_in_one_order(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    alice, bob = await both(cluster, connect, room, "--send-rate=1000", "--send-burst=1000")
    for number in range(20):
        await asyncio.gather(alice.send(room, f"a {number}"), bob.send(room, f"b {number}"))
    for person in (alice, bob):
        await counts(person, "message:new", 40)
        assert [row["seq"] for row in person.all("message:new")] == list(range(1, 41))
    assert min([await told_after(alice, bob, room, f"quick {n}") for n in range(10)]) < TOLD_SECONDS


async def test_a_newer_connection_wins_wherever_it_is(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2)
    bob = await connect(first)
    older = await connect(first, "ann-" + room)
    await bob.join(room)
    await older.join(room)
    begun = time.monotonic()
    newer = await connect(second, "ann-" + room)
    await older.sees("connection:replaced")
    await older.closed()
    assert time.monotonic() - begun < TAKEN_OVER_SECONDS
    assert newer.all("session:restored") == []
    await newer.join(room)
    await newer.send(room, "I moved")
    await bob.sees("message:new", content="I moved")
    await bob.caught_up()
    assert bob.all("user:left") == []
    assert len(bob.all("user:joined")) == 1
    assert bob.all("presence:changed", status="offline") == []


async def all_but_one_replaced(people: list[Chat]) -> bool:
    return len([person for person in people if not person.connected]) == len(people) - 1


async def test_many_connections_at_once_leave_one(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    servers = cluster(3)
    user = unique("user")
    people = await asyncio.gather(*(connect(servers[at % 3], user) for at in range(9)))
    await eventually(partial(all_but_one_replaced, people), within=10)
    assert len([person for person in people if person.connected]) == 1
    assert sum(len(person.all("connection:replaced")) for person in people) == 8


async def test_a_session_is_restored_on_another_server(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2)
    bob = await connect(second)
    ann = await connect(first, "ann-" + room)
    await bob.join(room)
    await ann.join(room, characterId="echo")
    await ann.lose()
    again = await connect(second, ann.user_id)
    restored = await again.sees("session:restored")
    assert (restored["previousRoomId"], restored["previousCharacterId"]) == (room, "echo")
    await again.done("room:rejoin", {"roomId": room})
    await bob.sees("user:reconnected", userId=ann.user_id)
    third = await connect(first, ann.user_id)
    await third.caught_up()
    assert third.all("session:restored") == []


async def test_a_session_outlives_its_server(cluster: Cluster, connect: Connect, room: str) -> None:
    first, second = cluster(2)
    ann = await connect(first, "ann-" + room)
    await ann.join(room, characterId="echo")
    await ann.caught_up()
    first.kill()
    again = await connect(second, ann.user_id)
    restored = await again.sees("session:restored")
    assert (restored["previousRoomId"], restored["previousCharacterId"]) == (room, "echo")


async def test_an_answer_is_watched_from_another_server(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    alice, bob = await both(cluster, connect, room)
    await alice.ask(room, "/count 60 30")
    started = await bob.sees("message:stream:start")
    end = await bob.sees("message:stream:end", within=10)
    assert (end["messageId"], end["state"]) == (started["messageId"], "complete")
    assert end == {**await alice.sees("message:stream:end"), "timestamp": end["timestamp"]}
    assert shown(bob) == end["content"] == (await bob.history(room))[1]["content"]
    # Live, and not as far as it is saved.
    assert len(bob.all("message:stream:chunk")) > 20
    chunks = bob.all("message:stream:chunk")
    assert [chunk["index"] for chunk in chunks] == list(range(len(chunks)))


async def test_thoughts_are_seen_from_another_server_and_kept_nowhere(
    cluster: Cluster, connect: Connect, room: str, tmp_path: Path
) -> None:
    seen = asyncio.Event()

    async def thinks(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        for word in ("They ", "greet ", "me."):
            await exchange.event({"choices": [{"delta": {"reasoning_content": word}}]})
        await seen.wait()
        await exchange.delta("Hello.")
        await exchange.finish()

    async with faulty(thinks) as endpoint:
        described = tmp_path / "characters.toml"
        described.write_text(
            f'[endpoints.main]\nbase_url = "{endpoint.url}"\nshow_thoughts = true\n\n'
            '[[characters]]\nid = "sage"\nname = "Sage"\nendpoint = "main"\n',
            encoding="utf-8",
        )
        first, second = await asyncio.to_thread(cluster, 2, "--characters", str(described))
        alice, bob = await connect(first), await connect(second)
        await alice.join(room)
        await bob.join(room)
        await alice.ask(room, "Hi!", characterId="sage")

        def thought(person: Chat) -> str:
            return "".join(each["delta"] for each in person.all("message:stream:thought"))

        await alice.until(lambda: thought(alice) == "They greet me.")
        await bob.until(lambda: thought(bob) == "They greet me.")
        seen.set()
        for person in (alice, bob):
            assert (await person.sees("message:stream:end"))["content"] == "Hello."
            assert shown(person) == "Hello."
        assert (await bob.history(room))[1]["content"] == "Hello."


async def test_a_room_s_rule_holds_on_every_server(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2)
    alice, bob = await connect(first), await connect(second)
    await alice.join(room, characterId="echo")
    await bob.join(room, characterId="echo")
    path, bearer = f"/api/rooms/{room}", token(alice.user_id)
    await request(first, "PATCH", path, bearer=bearer, body={"doubleTexting": "interrupt"})
    await bob.sees("room:changed", doubleTexting="interrupt")
    await bob.ask(room, "/count 2000 20")
    running = await bob.sees("message:stream:start")
    await bob.ask(room, "enough")
    end = await bob.sees("message:stream:end", messageId=running["messageId"], within=10)
    assert end["state"] == "stopped"


async def test_who_comes_to_another_server_in_mid_stream_sees_the_whole(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2)
    alice = await connect(first)
    await alice.join(room)
    await alice.ask(room, "/count 80 30")
    await alice.until(lambda: len(alice.all("message:stream:chunk")) > 15)
    bob = await connect(second)
    (running,) = (await bob.join(room))["streams"]
    end = await bob.sees("message:stream:end", within=10)
    assert end["state"] == "complete"
    assert running["content"] + shown(bob) == end["content"]
    assert len(bob.all("message:stream:chunk")) > 20


async def test_an_answer_is_stopped_from_another_server(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--connection-policy=multi")
    alice = await connect(first)
    bob, at_desk = await connect(second), await connect(second, alice.user_id)
    for person in (alice, bob, at_desk):
        await person.join(room)
    await alice.ask(room, "/count 2000 30")
    reference = {
        "roomId": room,
        "messageId": (await at_desk.sees("message:stream:start"))["messageId"],
    }
    await at_desk.until(lambda: len(at_desk.all("message:stream:chunk")) > 5)
    await bob.refused("message:stream:stop", reference, "forbidden")
    begun = time.monotonic()
    await at_desk.done("message:stream:stop", reference)
    end = await alice.sees("message:stream:end")
    assert time.monotonic() - begun < STOPPED_SECONDS
    assert end["state"] == "stopped"
    assert (await bob.sees("message:stream:end"))["content"] == end["content"]
    # Too late is no failure.
    await at_desk.done("message:stream:stop", reference)


async def test_questions_that_wait_where_a_server_is_killed_are_settled_by_another(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second, third = cluster(3)
    bob, eve = await connect(second), await connect(third)
    await bob.join(room)
    await eve.join(room)
    questions, swipe = await ask_several(await connect(first), room)
    first.kill()
    await check_settled(bob, room, questions, swipe)
    waited = [*questions[2:], questions[0]]
    for viewer in (bob, eve):
        for question in waited:
            await viewer.sees(
                "message:new", within=SETTLED_SECONDS, role="character", replyTo=question
            )
        await viewer.sees("message:stream:end", within=SETTLED_SECONDS, state="interrupted")
        await viewer.caught_up()
        assert len(viewer.all("message:new", role="character")) == len(waited)
        assert len(viewer.all("message:stream:end", state="interrupted")) == 1
    await check_settled(eve, room, questions, swipe)
    assert (await eve.ask(room, "go on"))["success"]
    await bob.sees("message:stream:end", state="complete", content="go on")


async def test_people_see_each_other_across_servers(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--presence-grace=0.5")
    alice, bob = await connect(first), await connect(second)
    await alice.join(room)
    members = (await bob.join(room))["members"]
    assert {(each["userId"], each["status"]) for each in members} == {
        (alice.user_id, "online"),
        (bob.user_id, "online"),
    }
    await alice.sees("user:joined", userId=bob.user_id)
    await bob.done("typing:start", {"roomId": room})
    await alice.sees("typing:start", userId=bob.user_id)
    await bob.done("typing:stop", {"roomId": room})
    await alice.sees("typing:stop", userId=bob.user_id)
    await bob.done("presence:set", {"status": "away"})
    await alice.sees("presence:changed", userId=bob.user_id, status="away")
    sent = await alice.send(room, "read me")
    await bob.sees("message:new", id=sent["messageId"])
    await bob.done("messages:read", {"roomId": room, "messageId": sent["messageId"]})
    await alice.sees("messages:read", userId=bob.user_id, messageId=sent["messageId"])
    await bob.done("room:leave", {"roomId": room})
    await alice.sees("user:left", userId=bob.user_id)
    await bob.join(room)
    await bob.lose()
    await alice.sees("presence:changed", userId=bob.user_id, status="offline")
    await alice.caught_up()
    assert len(alice.all("user:left")) == 1, "they may come back"


async def test_who_hides_when_they_were_last_seen_hides_it_on_every_server(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--presence-grace=0.5")
    alice, bob = await connect(first), await connect(second)
    await alice.join(room)
    await bob.join(room)
    await alice.sees("user:joined", userId=bob.user_id)
    members = f"/api/rooms/{room}/members"

    async def bobs_time(server: ServerProcess) -> Any:
        answer = await request(server, "GET", members, bearer=token(alice.user_id))
        (found,) = [each for each in answer.body["members"] if each["userId"] == bob.user_id]
        return found.get("lastSeen")

    assert await bobs_time(first) is not None
    # By way of the server that he is not connected to.
    body = {"hideLastSeen": True}
    answer = await request(first, "PUT", "/api/me", bearer=token(bob.user_id), body=body)
    assert answer.body["hideLastSeen"] is True
    told = await alice.sees("presence:changed", userId=bob.user_id, status="online")
    assert "lastSeen" not in told
    assert (await bobs_time(first), await bobs_time(second)) == (None, None)
    carol = await connect(first)
    shown = {each["userId"]: each for each in (await carol.join(room))["members"]}
    assert "lastSeen" not in shown[bob.user_id]
    assert "lastSeen" in shown[alice.user_id]
    second.kill()
    gone = await alice.sees("presence:changed", userId=bob.user_id, status="offline", within=12)
    assert "lastSeen" not in gone
    assert await bobs_time(first) is None


async def test_when_people_of_a_dead_server_were_last_seen_is_known(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--presence-grace=0.5")
    alice, bob = await connect(first), await connect(second)
    await alice.join(room)
    await bob.join(room)
    begun = (await alice.done("heartbeat", {}))["serverTime"]
    second.kill()
    gone = await alice.sees("presence:changed", userId=bob.user_id, status="offline", within=12)
    assert gone["lastSeen"] >= begun
    path = f"/api/rooms/{room}/members"

    async def stored() -> bool:
        answer = await request(first, "GET", path, bearer=token(alice.user_id))
        (found,) = [each for each in answer.body["members"] if each["userId"] == bob.user_id]
        return bool(found["status"] == "offline" and found.get("lastSeen", "") >= begun)

    await eventually(stored)


async def test_a_character_s_read_mark_reaches_every_server(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2)
    alice, bob = await connect(first), await connect(second)
    await alice.join(room)
    await bob.join(room)
    asked = await alice.ask(room, "hello")
    for chat in (alice, bob):
        read = await chat.sees("messages:read", messageId=asked["messageId"])
        assert (read["characterId"], read["userId"]) == ("echo", alice.user_id)


async def test_typing_ends_also_when_its_server_dies(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2)
    alice, bob = await connect(first), await connect(second)
    await alice.join(room)
    await bob.join(room)
    await bob.done("typing:start", {"roomId": room})
    await alice.sees("typing:start", userId=bob.user_id)
    second.kill()
    await alice.sees("typing:stop", userId=bob.user_id, within=7)
    await alice.sees("presence:changed", userId=bob.user_id, status="offline", within=12)


async def test_who_is_removed_is_out_on_every_server(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--rooms=members")
    alice, bob = await connect(first), await connect(second)
    await alice.join(room)
    path = f"/api/rooms/{room}/members/{bob.user_id}"
    assert (await request(first, "PUT", path, bearer=token(alice.user_id))).status == 200
    await bob.join(room)
    await alice.sees("user:joined", userId=bob.user_id)
    assert (await request(first, "DELETE", path, bearer=token(alice.user_id))).status == 200
    await bob.sees("room:resync", roomId=room, reason="removed")
    await alice.sees("user:left", userId=bob.user_id)
    await bob.refused("message:send", {"roomId": room, "content": "hello"}, "not_in_room")


async def test_the_same_message_to_both_servers_is_one(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--connection-policy=multi")
    here = await connect(first)
    there = await connect(second, here.user_id)
    await here.join(room)
    await there.join(room)
    for number in range(5):
        message = {
            "roomId": room,
            "content": f"once {number}",
            "messageId": unique("m"),
            "characterId": "echo",
        }
        acks = await asyncio.gather(
            *(person.done("message:send:stream", message) for person in (here, there))
        )
        assert sorted(bool(ack.get("duplicate")) for ack in acks) == [False, True]
    for person in (here, there):
        await counts(person, "message:stream:end", 5)
    rows = await here.history(room)
    assert [row["role"] for row in rows].count("user") == 5
    assert [row["role"] for row in rows].count("character") == 5
    assert all(row["state"] == "complete" for row in rows)
    for person in (here, there):
        await person.caught_up()
        assert len(person.all("message:new")) == 5
        assert len(person.all("message:stream:end")) == 5


def first_database(server: ServerProcess) -> str:
    """The database of a server that was started by `cluster`."""
    return server._flags[1]


async def ready(server: ServerProcess) -> bool:
    return (await request(server, "GET", "/readyz")).status == 200


@pytest.mark.parametrize("how", ["killed", "hung"])
async def test_without_redis_people_on_one_server_chat_and_all_heals(
    cluster: Cluster, connect: Connect, room: str, redis: RedisServer, how: str
) -> None:
    first, second = cluster(2, redis=redis.url())
    alice, ann, bob = await connect(first), await connect(first), await connect(second)
    for person in (alice, ann, bob):
        await person.join(room)
    await alice.send(room, "before")
    await bob.sees("message:new", content="before")
    if how == "killed":
        redis.kill()
    else:
        redis.pause()
    sent = time.monotonic()
    await alice.send(room, "without")
    seen = await ann.sees_event("message:new", content="without")
    assert seen.at - sent < 1
    # The others see it in the log.
    await bob.sees("message:new", content="without", within=HEALED_SECONDS)

    async def unready() -> bool:
        return not await ready(first)

    await eventually(unready, within=10)
    late = Chat(first.url, unique("user"), {"token": alice._auth["token"]})  # type: ignore[index]
    refusal = await late.refused_connection()
    await late.leave()
    assert refusal["data"]["code"] == "unavailable"
    assert alice.connected
    if how == "killed":
        redis.start()
    else:
        redis.resume()
    for server in (first, second):
        await eventually(partial(ready, server), within=10)
    back = time.monotonic()
    await bob.send(room, "after")
    await alice.sees("message:new", content="after", within=HEALED_SECONDS)
    assert time.monotonic() - back < HEALED_SECONDS
    # Redis has been told of the connections again.
    newer = await connect(second, alice.user_id)
    await alice.sees("connection:replaced", within=TAKEN_OVER_SECONDS)
    await newer.join(room)
    for person in (ann, bob):
        await person.caught_up()
        assert [row["seq"] for row in person.all("message:new")] == [1, 2, 3]


async def test_a_server_that_is_cut_off_from_redis_alone(
    cluster: Cluster, connect: Connect, room: str, redis: RedisServer
) -> None:
    """Its people chat on, and see what others say; the others see its people's when it is back, or when they look."""
    async with Proxy(redis.port) as proxy:
        # In a thread, since the proxy works in this one.
        (first,) = await asyncio.to_thread(cluster, 1, redis=redis.url(1))
        here = f"redis://127.0.0.1:{proxy.port}/1"
        (second,) = await asyncio.to_thread(
            cluster, 1, "--database", first_database(first), redis=here
        )
        alice, bob = await connect(first), await connect(second)
        cara = await connect(second, "cara-" + room)
        await alice.join(room)
        await bob.join(room)
        await alice.send(room, "one")
        await bob.sees("message:new", content="one")
        await proxy.cut()
        await alice.send(room, "two")
        await bob.sees("message:new", content="two", within=HEALED_SECONDS)
        await bob.send(room, "three")
        await alice.sees("message:new", content="three", within=HEALED_SECONDS)
        # Nobody can tell its server, but through the database that both have.
        newer = await connect(first, cara.user_id)
        await cara.sees("connection:replaced", within=10)
        await cara.closed()
        assert not await ready(second)
        await alice.sees("presence:changed", userId=bob.user_id, status="offline", within=15)
        assert newer.connected
        await proxy.mend()
        await eventually(partial(ready, second), within=10)
        await bob.send(room, "four")
        await alice.sees("message:new", content="four", within=1)
        await alice.send(room, "five")
        await bob.sees("message:new", content="five", within=1)
        for person in (alice, bob):
            await person.caught_up()
            assert [row["seq"] for row in person.all("message:new")] == [1, 2, 3, 4, 5]
        await asyncio.to_thread(second.stop)


async def test_a_deaf_subscription_is_noticed_and_healed(
    cluster: Cluster, connect: Connect, room: str, redis: RedisServer
) -> None:
    """Its connection stands, and nothing comes over it."""
    async with Proxy(redis.port) as proxy:
        (first,) = await asyncio.to_thread(cluster, 1, redis=redis.url(1))
        (second,) = await asyncio.to_thread(
            cluster,
            1,
            "--database",
            first_database(first),
            redis=f"redis://127.0.0.1:{proxy.port}/1",
        )
        alice, bob = await connect(first), await connect(second)
        await alice.join(room)
        await bob.join(room)
        await alice.send(room, "one")
        await bob.sees("message:new", content="one")
        proxy.deafen()
        await alice.send(room, "two")
        await bob.sees("message:new", content="two", within=HEALED_SECONDS)

        async def unready() -> bool:
            return not await ready(second)

        await eventually(unready, within=10)
        await eventually(partial(ready, second), within=10)
        await alice.send(room, "three")
        await bob.sees("message:new", content="three", within=1)
        await bob.caught_up()
        assert [row["seq"] for row in bob.all("message:new")] == [1, 2, 3]
        await asyncio.to_thread(second.stop)


async def test_a_server_that_stood_still_is_whole_again(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--ping-interval=60", "--ping-timeout=60")
    alice, bob = await connect(first), await connect(second)
    await alice.join(room)
    await bob.join(room)
    cara = await connect(second, "cara-" + room)
    second.process.send_signal(signal.SIGSTOP)
    try:
        await alice.send(room, "while it stands")
        await alice.sees("presence:changed", userId=bob.user_id, status="offline", within=15)
        # Taken over meanwhile, though nobody there can be told.
        newer = await connect(first, cara.user_id)
    finally:
        second.process.send_signal(signal.SIGCONT)
    await cara.sees("connection:replaced", within=TAKEN_OVER_SECONDS)
    await bob.sees("message:new", content="while it stands", within=HEALED_SECONDS)
    await alice.sees("presence:changed", userId=bob.user_id, status="online", within=HEALED_SECONDS)
    await alice.send(room, "again")
    await bob.sees("message:new", content="again", within=1)
    await newer.caught_up()
    assert newer.connected
    assert alice.all("user:left") == []


async def test_a_server_that_ends_hands_its_people_over(
    cluster: Cluster, connect: Connect, room: str
) -> None:
    first, second = cluster(2, "--drain=6")
    watcher = await connect(second)
    people = [await connect(first) for _ in range(6)]
    for person in (watcher, *people):
        await person.join(room)
    await people[0].ask(room, "/count 100 30")
    await watcher.sees("message:stream:chunk")
    begun = time.monotonic()
    ending = asyncio.create_task(asyncio.to_thread(first.stop))
    closed: list[float] = []

    async def moves(person: Chat) -> None:
        await person.closed(within=10)
        closed.append(time.monotonic() - begun)
        again = await connect(second, person.user_id)
        restored = await again.sees("session:restored")
        assert restored["previousRoomId"] == room

    await asyncio.gather(*map(moves, people))
    assert max(closed) - min(closed) > 1, "spread over some seconds"
    end = await watcher.sees("message:stream:end", within=10)
    assert (end["state"], shown(watcher)) == ("complete", end["content"])
    assert await ending == 0
    assert time.monotonic() - begun < 8
    await watcher.caught_up()
    assert watcher.all("user:left") == []


class Traveller:
    """Somebody who asks, and goes to another server whenever theirs ends; what they have seen of the answer is kept."""

    def __init__(self, connect: Connect, servers: list[ServerProcess], at: int) -> None:
        self.room = unique("room")
        self.chat: Chat | None = None
        self.ends: list[str] = []
        self.moves = 0
        self._connect = connect
        self._servers = servers
        self._user = unique("user")
        self._at = at

    async def ask(self) -> None:
        self.chat = await self._connect(self._servers[self._at], self._user)
        await self.chat.join(self.room)
        await self.chat.ask(self.room, "/count 250 30")

    async def watch(self) -> None:
        """Until the answer has ended."""
        assert self.chat is not None
        text = ""
        while True:
            chat = self.chat
            done = asyncio.create_task(chat.sees("message:stream:end", within=40))
            lost = asyncio.create_task(chat.closed(within=40))
            await asyncio.wait((done, lost), return_when=asyncio.FIRST_COMPLETED)
            text += shown(chat)
            ends = chat.all("message:stream:end")
            done.cancel()
            lost.cancel()
            if ends:
                self.ends += [end["content"] for end in ends]
                assert text == ends[0]["content"], "shown is stored"
                return
            snapshot = await self._move()
            (streams, rows) = (snapshot["streams"], snapshot["messages"])
            text = streams[0]["content"] if streams else rows[-1]["content"]
            if not streams and rows[-1]["state"] == "complete":
                self.ends.append(text)
                return

    async def history(self) -> list[dict[str, Any]]:
        if self.chat is None or not self.chat.connected:
            await self._move()
        assert self.chat is not None
        return await self.chat.history(self.room)

    async def _move(self) -> dict[str, Any]:
        self.moves += 1
        for _ in range(100):
            for server in self._servers:
                try:
                    self.chat = await self._connect(server, self._user)
                    return await self.chat.done("room:rejoin", {"roomId": self.room})
                except Exception:  # noqa: BLE001 - that server is away
                    await asyncio.sleep(0.05)
        raise AssertionError("no server takes anybody")


async def test_a_rolling_restart_under_running_answers(cluster: Cluster, connect: Connect) -> None:
    servers = cluster(2, "--drain=9")
    travellers = [Traveller(connect, servers, at % 2) for at in range(STREAMS)]
    await asyncio.gather(*(each.ask() for each in travellers))
    watching = asyncio.gather(*(each.watch() for each in travellers))
    for server in servers:
        assert await asyncio.to_thread(server.stop) == 0
        await asyncio.to_thread(server.start)
        await eventually(partial(ready, server), within=10)
    await watching
    expected = " ".join(str(number) for number in range(1, 251))
    for each in travellers:
        rows = await each.history()
        assert [row["state"] for row in rows] == ["complete", "complete"]
        assert [rows[1]["content"]] == each.ends
        assert rows[1]["content"].split() == expected.split()
    assert sum(each.moves for each in travellers) >= STREAMS / 2
