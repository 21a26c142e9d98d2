"""What is particular to the cluster over Redis: names, lives of keys, failures."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from tests.support.proxy import Proxy
from tests.support.redis import RedisServer

from rejoinder.cluster.addresses import cluster_for
from rejoinder.cluster.base import Claim
from rejoinder.cluster.local import LocalCluster
from rejoinder.cluster.redis import RedisCluster
from rejoinder.core.sessions import Session
from rejoinder.errors import ConfigurationError, Unavailable
from rejoinder.testing import FakeClock
from rejoinder.testing.cluster import RecordingPeers, claim, fresh, until


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis").start()
    yield server
    server.stop()


@pytest.fixture
async def opened(redis: RedisServer) -> AsyncIterator[tuple[RedisCluster, RecordingPeers]]:
    cluster, peers = RedisCluster(redis.url(3), 300), RecordingPeers()
    await cluster.open(peers)
    yield cluster, peers
    await cluster.close()


Opened = tuple[RedisCluster, RecordingPeers]


async def test_every_key_has_a_time_to_live_and_its_name(
    redis: RedisServer, opened: Opened
) -> None:
    cluster, _ = opened
    await cluster.claim(Claim("1", "ann"), "single")
    cluster.release("1", Session("ann", "room", None, 1))
    await cluster.claim(Claim("2", "ben"), "single")
    await cluster.listen("room")
    async with Redis.from_url(redis.url(3), decode_responses=True) as client:
        lives = {str(key): await client.pttl(key) for key in await client.keys("*")}
    assert set(lives) == {
        "rejoinder:3:servers",
        "rejoinder:3:session:ann",
        "rejoinder:3:user:ben",
        "rejoinder:3:room:room",
    }
    assert all(0 < life <= 600_000 for life in lives.values()), lives


async def test_databases_of_one_redis_are_clusters_of_their_own(
    redis: RedisServer, opened: Opened
) -> None:
    cluster, told = opened
    other = RedisCluster(redis.url(4), 300)
    await other.open(RecordingPeers())
    room, user = fresh("room"), fresh("user")
    await cluster.listen(room)
    older = claim(user)
    await cluster.claim(older, "single")
    assert not await other.listen(room)
    await other.claim(claim(user), "single")
    # What that had told of it would have come by now, since this comes later and the same way.
    third = RedisCluster(redis.url(3), 300)
    await third.open(RecordingPeers())
    last = claim(fresh("user"))
    await cluster.claim(last, "single")
    await third.claim(claim(last.user_id), "single")
    await until(lambda: last.connection_id in told.replaced_ids, "the last one is replaced")
    await third.close()
    assert told.replaced_ids == [last.connection_id]
    await other.close()


async def test_a_redis_that_was_started_empty_is_told_everything_again(
    redis: RedisServer, opened: Opened
) -> None:
    cluster, told = opened
    user, room = fresh("user"), fresh("room")
    older = claim(user)
    await cluster.claim(older, "single")
    await cluster.listen(room)
    redis.kill()
    await until(lambda: not cluster.healthy, "it is noticed")
    with pytest.raises(Unavailable):
        await cluster.claim(claim(fresh("user")), "single")
    told.misses.clear()
    redis.start()
    await until(lambda: None in told.misses, "it is told that something may be missed")
    assert cluster.healthy
    second = RedisCluster(redis.url(3), 300)
    await second.open(RecordingPeers())
    assert set(await second.listen(room)) == {cluster.server_id}
    await second.claim(claim(user), "single")
    await until(lambda: older.connection_id in told.replaced_ids, "the older one is replaced")
    await second.close()


async def test_who_was_taken_over_while_redis_was_empty_gives_way(
    redis: RedisServer, opened: Opened
) -> None:
    """The newer connection came to the empty Redis before the older server had told of its own."""
    cluster, told = opened
    user = fresh("user")
    older = claim(user)
    await cluster.claim(older, "single")
    redis.kill()
    redis.start()
    second = RedisCluster(redis.url(3), 300)
    await second.open(RecordingPeers())
    await second.claim(claim(user), "single")
    await until(lambda: older.connection_id in told.replaced_ids, "the older one is replaced")
    await second.close()


async def test_ends_that_could_not_be_told_are_told_later(
    redis: RedisServer, opened: Opened
) -> None:
    cluster, told = opened
    user = fresh("user")
    ended = claim(user)
    await cluster.claim(ended, "single")
    redis.pause()
    session = Session(user, "room", "echo", 1_767_225_600_000)
    cluster.release(ended.connection_id, session)
    await until(lambda: not cluster.healthy, "it is noticed")
    told.misses.clear()
    redis.resume()
    await until(lambda: None in told.misses, "all is told again")
    assert not await cluster.connected(user)
    assert (await cluster.claim(claim(user), "single")).session == session


@asynccontextmanager
async def behind(redis: RedisServer) -> AsyncIterator[tuple[Proxy, RedisCluster, RecordingPeers]]:
    """A server with a way of its own to Redis."""
    async with Proxy(redis.port) as proxy:
        cluster, peers = RedisCluster(f"redis://127.0.0.1:{proxy.port}/3", 300), RecordingPeers()
        await cluster.open(peers)
        yield proxy, cluster, peers
        await cluster.close()


async def test_a_deaf_server_gives_way_all_the_same(
    redis: RedisServer, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its beats ask whom it is to give up. That it is deaf is not noticed here, else it would be mended."""
    monkeypatch.setattr("rejoinder.cluster.redis.pulse.DEAF_SECONDS", 60.0)
    second, _ = opened
    async with behind(redis) as (proxy, cluster, told):
        older = claim(fresh("user"))
        await cluster.claim(older, "single")
        proxy.deafen_subscriptions()
        await second.claim(claim(older.user_id), "single")
        await until(lambda: older.connection_id in told.replaced_ids, "the older one is replaced")


async def test_for_a_server_that_is_cut_off_word_is_to_be_left(
    redis: RedisServer, opened: Opened
) -> None:
    second, told = opened
    async with behind(redis) as (proxy, cluster, _):
        third, heard = RedisCluster(redis.url(3), 300), RecordingPeers()
        await third.open(heard)
        older, reached = claim(fresh("user")), claim(fresh("user"))
        await cluster.claim(older, "single")
        await third.claim(reached, "single")
        proxy.swallow()
        await second.claim(claim(reached.user_id), "single")
        await until(lambda: heard.replaced_ids == [reached.connection_id], "who is told gives way")
        await second.claim(claim(older.user_id), "single")

        def untold() -> bool:
            second.tick()
            return told.untold_ids == [(cluster.server_id, older.connection_id)]

        await until(untold, "it is noticed that its server was not told")
        await until(lambda: cluster.doubted, "it is noticed there, too")
        proxy.heal()
        await third.close()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("localhost:6379", "begins with redis://"),
        ("http://localhost", "begins with redis://"),
        ("redis://localhost:port", "takes the address of a Redis"),
    ],
)
def test_an_address_that_is_none(address: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        cluster_for(address, FakeClock(), 300, 60, shared=True)


def test_the_embedded_database_is_one_servers() -> None:
    with pytest.raises(ConfigurationError, match="the embedded database is one server's"):
        cluster_for("redis://localhost", FakeClock(), 300, 60, shared=False)
    assert isinstance(cluster_for("", FakeClock(), 300, 60, shared=False), LocalCluster)


async def test_a_redis_that_is_not_there() -> None:
    cluster = RedisCluster("redis://127.0.0.1:9", 300)
    with pytest.raises(ConfigurationError, match="can't be used"):
        await cluster.open(RecordingPeers())


async def test_what_is_there_lives_on_in_redis(
    redis: RedisServer, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, told = opened
    mine = claim(fresh("user"))
    await cluster.claim(mine, "single")
    await cluster.listen("room")
    async with Redis.from_url(redis.url(3), decode_responses=True) as client:
        await client.delete("rejoinder:3:room:room", f"rejoinder:3:user:{mine.user_id}")
        monkeypatch.setattr("rejoinder.cluster.redis.keys.RENEW_SECONDS", 0.5)
        async with asyncio.timeout(5):
            while await client.exists("rejoinder:3:room:room") == 0:  # noqa: ASYNC110 - it is in Redis
                await asyncio.sleep(0.05)
        assert await client.exists(f"rejoinder:3:user:{mine.user_id}") == 1
    assert told.replaced_ids == []


async def test_that_another_listens_is_heard_again_as_a_matter_of_course(
    redis: RedisServer, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that came late has taken a server out of a room in which it is: it comes in again, and hears of the other."""
    cluster, told = opened
    other = RedisCluster(redis.url(3), 300)
    await other.open(RecordingPeers())
    await cluster.listen("room")
    async with Redis.from_url(redis.url(3)) as client:
        await client.srem("rejoinder:3:room:room", cluster.server_id)
    assert cluster.server_id not in await other.listen("room")
    monkeypatch.setattr("rejoinder.cluster.redis.keys.RENEW_SECONDS", 0.5)
    both = ("room", frozenset((other.server_id,)))
    await until(lambda: both in told.lists, "the other is told of")
    assert cluster.server_id in await other.listeners("room")
    await other.close()


async def test_what_is_said_last_is_said_before_the_farewell(
    redis: RedisServer, opened: Opened
) -> None:
    cluster, told = opened
    last = RedisCluster(redis.url(3), 300)
    await last.open(RecordingPeers())
    last.send((cluster.server_id,), b'"at last"')
    await last.close()
    await until(lambda: last.server_id in told.gone_servers, "the farewell is heard")
    assert told.items == [(last.server_id, b'"at last"')]
