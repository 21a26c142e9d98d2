"""Virtual time passes when it is told to, and only then."""

import asyncio

import pytest

from rejoinder.core.clock import Clock
from rejoinder.testing import FakeClock


def test_is_a_clock() -> None:
    clock: Clock = FakeClock()
    assert clock.now() == clock.now()


async def test_time_stands_still_until_it_is_advanced() -> None:
    clock = FakeClock(wall_ms=5_000, now=100.0)
    waiting = asyncio.create_task(clock.sleep(300))
    await asyncio.sleep(0.001)
    assert (clock.now(), clock.wall_ms(), waiting.done()) == (100.0, 5_000, False)
    await clock.advance(300)
    assert (clock.now(), clock.wall_ms(), waiting.done()) == (400.0, 305_000, True)


async def test_a_sleeper_wakes_at_its_time_and_not_before() -> None:
    clock = FakeClock()
    waiting = asyncio.create_task(clock.sleep(2))
    await clock.advance(1.999)
    assert not waiting.done()
    assert clock.sleepers == 1
    await clock.advance(0.001)
    assert waiting.done()
    assert clock.sleepers == 0


async def test_sleepers_wake_in_order_each_at_its_own_time() -> None:
    clock = FakeClock(now=0.0)
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *spans: float) -> None:
        for span in spans:
            await clock.sleep(span)
            woken.append((name, clock.now()))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 9))
        group.create_task(sleeper("twice", 2, 3))
        group.create_task(sleeper("first", 1))
        group.create_task(sleeper("same", 5))
        await clock.advance(10)
    assert woken == [("first", 1), ("twice", 2), ("same", 5), ("twice", 5), ("late", 9)]
    assert clock.now() == 10


async def test_a_cancelled_sleeper_is_passed_over() -> None:
    clock = FakeClock()
    first, second = (asyncio.create_task(clock.sleep(1)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait((first,))
    assert clock.sleepers == 1
    await clock.advance(1)
    assert second.done()


@pytest.mark.parametrize("span", [0, -1])
async def test_no_time_at_all_lets_others_run(span: float) -> None:
    clock = FakeClock()
    ran = asyncio.create_task(asyncio.sleep(0))
    await clock.sleep(span)
    await clock.sleep(span)
    assert ran.done()


async def test_the_wall_clock_jumps_alone() -> None:
    clock = FakeClock(wall_ms=10_000, now=50.0)
    waiting = asyncio.create_task(clock.sleep(1))
    clock.jump_wall(3_600_000)
    await clock.advance(0)
    assert (clock.wall_ms(), clock.now(), waiting.done()) == (3_610_000, 50.0, False)
    clock.jump_wall(-3_605_000)
    await clock.advance(1)
    assert (clock.wall_ms(), clock.now(), waiting.done()) == (6_000, 51.0, True)


async def test_monotonic_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="only goes forward"):
        await FakeClock().advance(-1)
