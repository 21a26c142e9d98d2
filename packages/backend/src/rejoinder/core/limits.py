"""How often something may be done: token buckets."""

from dataclasses import dataclass
from math import ceil

ROUNDING = 1e-5
"""What sums of times may lose: who waited as long as they were told must not be refused for it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` in the long run, `burst` at once."""

    per_second: float
    burst: int


@dataclass(slots=True)
class Bucket:
    """The tokens of one key at a time."""

    tokens: float
    at: float


class RateLimit:
    """A bucket for each key. At most `keys` are held; the one unused for the longest time goes first.

    Source: the token bucket of RFC 2697, section 3, without colours.
    """

    def __init__(self, rate: Rate, keys: int = 100_000) -> None:
        self._rate = rate
        self._keys = keys
        self._buckets: dict[str, Bucket] = {}

    def take(self, key: str, now: float) -> int:
        """Take a token: 0 if there was one, else the milliseconds until there will be."""
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            bucket = Bucket(self._rate.burst, now)
            if len(self._buckets) >= self._keys:
                del self._buckets[next(iter(self._buckets))]
        self._buckets[key] = bucket
        gone = now - bucket.at
        bucket.at = now
        if gone > 0:
            tokens = bucket.tokens + gone * self._rate.per_second
            bucket.tokens = min(self._rate.burst, tokens)
        if bucket.tokens >= 1 - ROUNDING:
            bucket.tokens -= 1
            return 0
        return ceil((1 - bucket.tokens) / self._rate.per_second * 1000)
