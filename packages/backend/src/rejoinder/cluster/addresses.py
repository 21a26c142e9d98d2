"""Which cluster an address means."""

from rejoinder.cluster.base import Cluster
from rejoinder.cluster.local import LocalCluster
from rejoinder.core.clock import Clock
from rejoinder.errors import ConfigurationError

REDIS = ("redis://", "rediss://", "unix://")


def cluster_for(
    redis: str, clock: Clock, session_timeout: float, sweep_interval: float, *, shared: bool
) -> Cluster:
    """The cluster of a server: over the Redis of that address or, without one, of this server alone.

    `shared`: several servers may have the store open.

    Raises:
        ConfigurationError: it is no address, or the store is one server's.
    """
    if not redis:
        return LocalCluster(clock, session_timeout, sweep_interval)
    if not redis.startswith(REDIS):
        # The address is not repeated, since there may be a password in it.
        raise ConfigurationError(
            "--redis takes the address of a Redis that begins with redis:// or rediss:// (with TLS), as "
            "redis://host:6379/0."
        )
    if not shared:
        raise ConfigurationError(
            "--redis joins several servers, and the embedded database is one server's: give --database a MongoDB "
            "address as well, or leave --redis out."
        )
    # The client takes time to import, which a server alone need not wait for.
    from rejoinder.cluster.redis import RedisCluster  # noqa: PLC0415

    return RedisCluster(redis, session_timeout)
