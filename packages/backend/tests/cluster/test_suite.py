"""The public suite, run by both clusters."""

from collections.abc import Iterator

import pytest
from tests.support.redis import RedisServer

from rejoinder.cluster.base import Cluster
from rejoinder.cluster.local import LocalCluster
from rejoinder.cluster.redis import RedisCluster
from rejoinder.testing import CLUSTER_CHECKS, FakeClock
from rejoinder.testing.cluster import Check, check_cluster

SESSION_SECONDS = 300.0


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.mark.parametrize("check", CLUSTER_CHECKS, ids=lambda check: check.__name__)
async def test_local(check: Check) -> None:
    await check(lambda: LocalCluster(FakeClock(), SESSION_SECONDS))


@pytest.mark.parametrize("check", CLUSTER_CHECKS, ids=lambda check: check.__name__)
async def test_redis(check: Check, redis: RedisServer) -> None:
    await check(lambda: RedisCluster(redis.url(), SESSION_SECONDS))


async def test_the_suite_names_the_check_that_failed() -> None:
    def broken() -> Cluster:
        cluster = LocalCluster(FakeClock(), SESSION_SECONDS)
        cluster.release = lambda *_: None  # type: ignore[method-assign]
        return cluster

    with pytest.raises(AssertionError) as error:
        await check_cluster(broken)
    assert "check_several_may_stay" in error.value.__notes__[0]
