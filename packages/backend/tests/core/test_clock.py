"""The machine's clocks, as the package asks for them."""

import time

from rejoinder.core.clock import Clock, SystemClock


async def test_the_two_times_are_the_machines() -> None:
    clock: Clock = SystemClock()
    before = time.time_ns() // 1_000_000
    assert before <= clock.wall_ms() <= time.time_ns() // 1_000_000
    earlier = time.monotonic()
    assert earlier <= clock.now() <= time.monotonic()


async def test_waits_at_least_as_long_as_it_was_told() -> None:
    clock = SystemClock()
    started = time.monotonic()
    await clock.sleep(0.01)
    assert time.monotonic() - started >= 0.009
