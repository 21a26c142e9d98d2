"""Commands and their answers over a real Redis: in order, and each answer for its own question whatever becomes of the connection."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.proxy import Proxy
from tests.support.redis import RedisServer

from rejoinder.cluster.redis.address import Address
from rejoinder.cluster.redis.keys import Keys
from rejoinder.cluster.redis.lane import AT_ONCE, WAITING_MAX, Lane
from rejoinder.cluster.redis.resp import REPLY_BYTES, Command, encode
from rejoinder.cluster.redis.subscription import Subscription
from rejoinder.errors import Unavailable
from rejoinder.testing.cluster import until


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis").start()
    yield server
    server.stop()


def nothing() -> Sequence[Command]:
    return ()


@asynccontextmanager
async def a_lane(
    url: str, gather: Callable[[], Sequence[Command]] = nothing
) -> AsyncIterator[Lane]:
    lane = Lane(Address(url), gather)
    await lane.open()
    try:
        yield lane
    finally:
        await lane.close()


@pytest.fixture
async def lane(redis: RedisServer) -> AsyncIterator[Lane]:
    async with a_lane(redis.url()) as lane:
        yield lane


async def came(answer: "asyncio.Future[Any]") -> Any:
    """An answer, however slow the machine is."""
    async with asyncio.timeout(20):
        return await answer


async def up_again(lane: Lane) -> None:
    """Ask as the beat does until there is an answer."""
    async with asyncio.timeout(20):
        while True:
            try:
                await lane.ask(("PING",), probe=True)
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return


async def test_answers_are_those_of_their_questions_however_many(lane: Lane) -> None:
    counted = [lane.ask(("INCR", "counter")) for _ in range(AT_ONCE * 2 + 7)]
    assert [await came(each) for each in counted] == list(range(1, AT_ONCE * 2 + 8))
    both = lane.ask(("SET", "a", "x" * 300_000)), lane.ask(("GET", "a"))
    assert [await came(each) for each in both] == [b"OK", b"x" * 300_000]


async def test_what_is_said_meanwhile_goes_out_together(redis: RedisServer) -> None:
    said: list[str] = []

    def gather() -> list[Command]:
        commands: list[Command] = [("RPUSH", "said", each) for each in said]
        said.clear()
        return commands

    async with a_lane(redis.url(), gather) as lane:
        before = lane.commands
        first = lane.ask(("PING",))
        for each in ("a", "b"):
            said.append(each)
            lane.news()
        await came(first)
        assert lane.commands - before == 3
        assert await came(lane.ask(("LRANGE", "said", 0, -1))) == [b"a", b"b"]


async def test_a_refusal_is_its_own_commands(lane: Lane) -> None:
    answers = [lane.ask(each) for each in (("SET", "a", 1), ("LPUSH", "a", 1), ("GET", "a"))]
    assert await came(answers[0]) == b"OK"
    with pytest.raises(Unavailable):
        await came(answers[1])
    assert await came(answers[2]) == b"1"
    assert lane.up


async def test_scripts_are_loaded_again(lane: Lane) -> None:
    script = lane.script("connected", ("user", "servers"), 1000)
    assert await came(lane.ask(script)) == 0
    await came(lane.ask(("SCRIPT", "FLUSH")))
    answers = lane.ask(("SET", "a", 1)), lane.ask(script), lane.ask(("GET", "a"))
    assert [await came(each) for each in answers] == [b"OK", 0, b"1"]


async def test_a_connection_that_had_ended_is_made_anew_unnoticed(
    redis: RedisServer, lane: Lane
) -> None:
    await came(lane.ask(("PING",)))
    other = await Address(redis.url()).connect()
    for _ in range(3):
        await other.ask(encode([("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")]), 1)
        # It may be known here by now or not.
        assert await came(lane.ask(("PING",))) == b"PONG"
    redis.kill()
    redis.start()
    assert await came(lane.ask(lane.script("connected", ("user", "servers"), 1000))) == 0
    assert lane.up
    other.end()


async def test_one_that_ends_in_the_middle_is_made_anew_once(redis: RedisServer) -> None:
    async with Proxy(redis.port) as proxy, a_lane(f"redis://127.0.0.1:{proxy.port}/0") as lane:
        await came(lane.ask(("SET", "a", 1)))
        proxy.swallow()
        answer = lane.ask(("GET", "a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await proxy.cut()
        proxy.heal()
        with pytest.raises(Unavailable):
            # Nothing listens there any more.
            await came(answer)
        assert not lane.up
        await proxy.mend()
        with pytest.raises(Unavailable):
            await came(lane.ask(("GET", "a")))
        await up_again(lane)
        assert await came(lane.ask(("GET", "a"))) == b"1"


async def test_a_redis_that_hangs_is_waited_for_a_second(redis: RedisServer, lane: Lane) -> None:
    await came(lane.ask(("SET", "a", "old")))
    redis.pause()
    late = lane.ask(("GET", "a"))
    await asyncio.sleep(0)
    behind = lane.ask(("GET", "b"))
    for answer in (late, behind):
        with pytest.raises(Unavailable):
            await came(answer)
    assert not lane.up
    with pytest.raises(Unavailable):
        await came(lane.ask(("PING",)))
    redis.resume()
    await up_again(lane)
    # No late answer is taken for one of these.
    counted = [lane.ask(("INCR", "counter")) for _ in range(3)]
    assert [await came(each) for each in counted] == [1, 2, 3]


async def test_a_redis_that_is_gone_refuses_at_once_and_comes_back(
    redis: RedisServer, lane: Lane
) -> None:
    redis.kill()
    with pytest.raises(Unavailable):
        await came(lane.ask(("PING",)))
    assert not lane.up
    redis.start()
    await up_again(lane)
    assert await came(lane.ask(lane.script("connected", ("user", "servers"), 1000))) == 0


async def test_a_redis_that_lets_nobody_in_any_more(redis: RedisServer, lane: Lane) -> None:
    """What it says then is about the connection, and no answer."""
    other = await Address(redis.url()).connect()
    limit: list[Command] = [("CONFIG", "SET", "maxclients", 1), ("CLIENT", "KILL", "SKIPME", "yes")]
    await other.ask(encode(limit), 2)
    with pytest.raises(Unavailable):
        await came(lane.ask(("PING",)))
    assert not lane.up
    await other.ask(encode([("CONFIG", "SET", "maxclients", 100)]), 1)
    await up_again(lane)
    other.end()


async def test_a_connection_that_has_lost_its_rights_is_made_anew(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "guarded", flags=("--requirepass", "secret")).start()
    try:
        async with a_lane(f"redis://:secret@127.0.0.1:{server.port}/3") as lane:
            await came(lane.ask(("SET", "a", 1)))
            assert await came(lane.ask(("RESET",))) == b"RESET"
            assert await came(lane.ask(("GET", "a"))) == b"1"
    finally:
        server.stop()


async def test_only_so_many_may_wait(redis: RedisServer, lane: Lane) -> None:
    redis.pause()
    answers = [lane.ask(("PING",)) for _ in range(WAITING_MAX + 1)]
    assert answers[-1].done()
    assert not answers[-2].done()
    redis.resume()


async def test_an_answer_without_end_is_not_held(redis: RedisServer, lane: Lane) -> None:
    await came(lane.ask(("SETRANGE", "a", REPLY_BYTES, "x")))
    with pytest.raises(Unavailable):
        await came(lane.ask(("GET", "a")))
    await up_again(lane)
    assert await came(lane.ask(("STRLEN", "a"))) == REPLY_BYTES + 1


async def test_who_waits_when_it_is_closed_is_told(redis: RedisServer) -> None:
    async with a_lane(redis.url()) as lane:
        redis.pause()
        under_way, waiting = lane.ask(("PING",)), lane.ask(("PING",))
    for answer in (under_way, waiting, lane.ask(("PING",), probe=True)):
        with pytest.raises(Unavailable):
            await came(answer)
    redis.resume()


# --- the subscription --------------------------------------------------------------------------------


async def test_a_subscription_hears_everything_in_order_and_begins_anew(
    redis: RedisServer, lane: Lane
) -> None:
    heard: list[bytes] = []
    losses: list[int] = []
    channel = Keys(0).channel("me")
    subscription = Subscription(
        Address(redis.url()), channel, heard.append, lambda: losses.append(len(heard))
    )
    subscription.begin()
    await until(lambda: losses == [0], "it has begun")
    said = [b"%d " % number + b"x" * (number * 997 % 30_000) for number in range(300)]
    for each in said:
        lane.tell(("PUBLISH", channel, each))
    await until(lambda: len(heard) == len(said), "all is heard")
    assert heard == said
    await came(lane.ask(("CLIENT", "KILL", "TYPE", "pubsub")))
    await until(lambda: losses == [0, 300, 300], "it was lost, and has begun anew")
    lane.tell(("PUBLISH", channel, "again"))
    await until(lambda: heard[300:] == [b"again"], "it hears again")
    await subscription.stop()
    assert await came(lane.ask(("PUBLISH", channel, "to nobody"))) == 0


async def test_one_that_may_not_subscribe_goes_on_trying(redis: RedisServer, lane: Lane) -> None:
    await came(lane.ask(("ACL", "SETUSER", "deaf", "on", "nopass", "+@all", "resetchannels")))
    losses: list[bool] = []
    url = f"redis://deaf:x@127.0.0.1:{redis.port}/0"
    subscription = Subscription(
        Address(url), "channel", lambda _: None, lambda: losses.append(True)
    )
    subscription.begin()
    await until(lambda: len(losses) >= 2, "it has tried again")
    await came(lane.ask(("ACL", "SETUSER", "deaf", "allchannels")))

    async def subscribed() -> bool:
        return bool(await came(lane.ask(("PUBSUB", "CHANNELS", "channel"))))

    async with asyncio.timeout(20):
        while not await subscribed():  # noqa: ASYNC110 - it is in Redis
            await asyncio.sleep(0.05)
    await subscription.stop()
