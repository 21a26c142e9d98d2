"""Token buckets: so many at once, so many in the long run."""

from hypothesis import given, strategies as st
from tests.profiles import deterministic

from rejoinder.core.limits import Rate, RateLimit

SENDS = Rate(10, 20)
# At 1000 a second or more a wait, which is told in whole milliseconds, may bring two tokens.
rates = st.builds(Rate, st.floats(0.1, 900), st.integers(1, 50))
starts = st.floats(0, 1e7)


def test_a_burst_and_then_no_more() -> None:
    limit = RateLimit(SENDS)
    assert [limit.take("ann", 5) for _ in range(20)] == [0] * 20
    assert limit.take("ann", 5) == 100


def test_the_rate_in_the_long_run() -> None:
    limit = RateLimit(SENDS)
    taken = sum(limit.take("ann", step / 1000) == 0 for step in range(0, 100_000, 7))
    assert 20 + 999 <= taken <= 20 + 1000


def test_a_pause_fills_no_more_than_the_burst() -> None:
    limit = RateLimit(SENDS)
    for _ in range(20):
        limit.take("ann", 0)
    assert sum(limit.take("ann", 3600) == 0 for _ in range(100)) == 20


def test_keys_are_apart() -> None:
    limit = RateLimit(Rate(1, 1))
    assert limit.take("ann", 0) == 0
    assert limit.take("ann", 0) > 0
    assert limit.take("ben", 0) == 0


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    limit = RateLimit(Rate(1, 1))
    limit.take("ann", 100)
    assert limit.take("ann", 50) > 0
    assert limit.take("ann", 50.5) > 0


def test_holds_a_bounded_number_of_keys() -> None:
    limit = RateLimit(Rate(1, 1), keys=2)
    for key in ("a", "b", "a", "c"):
        limit.take(key, 0)
    assert len(limit._buckets) == 2
    assert limit.take("a", 0) > 0, "the one used last is kept"
    assert limit.take("b", 0) == 0, "the one unused for the longest time went"


@deterministic
@given(rates, starts)
def test_what_it_says_about_waiting_holds(rate: Rate, start: float) -> None:
    limit = RateLimit(rate)
    now = start
    for _ in range(rate.burst):
        assert limit.take("ann", now) == 0
    for _ in range(20):
        wait_ms = limit.take("ann", now)
        assert wait_ms > 0
        now += wait_ms / 1000
        assert limit.take("ann", now) == 0


@deterministic
@given(rates, starts)
def test_not_much_sooner_than_it_says(rate: Rate, start: float) -> None:
    limit = RateLimit(rate)
    for _ in range(rate.burst):
        limit.take("ann", start)
    wait_ms = limit.take("ann", start)
    assert (wait_ms - 1) / 1000 <= 1 / rate.per_second
    if wait_ms > 2:
        assert limit.take("ann", start + (wait_ms - 2) / 1000) > 0


@deterministic
@given(rates, st.lists(st.floats(0, 2), max_size=200))
def test_never_more_than_burst_and_rate(rate: Rate, pauses: list[float]) -> None:
    limit = RateLimit(rate)
    now = 0.0
    taken = 0
    for pause in pauses:
        now += pause
        taken += limit.take("ann", now) == 0
        assert taken <= rate.burst + now * rate.per_second + 1e-3
