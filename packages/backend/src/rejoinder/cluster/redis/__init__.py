"""A cluster whose servers know of each other through a Redis."""

from rejoinder.cluster.redis.cluster import RedisCluster

__all__ = ["RedisCluster"]
