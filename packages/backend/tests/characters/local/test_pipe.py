import asyncio
import threading

import pytest

from rejoinder.characters import Usage
from rejoinder.characters.local.pipe import Pipe, run_in_thread


async def test_carries_text_and_its_end_in_order() -> None:
    pipe = Pipe(limit=10)

    def work() -> None:
        for text in ("a", "b"):
            pipe.write(text)
        pipe.finish(Usage(1, 2))

    working = run_in_thread(work)
    assert [await pipe.read() for _ in range(3)] == ["a", "b", Usage(1, 2)]
    await working


async def test_a_writer_waits_for_a_slow_reader() -> None:
    pipe = Pipe(limit=4)
    written = 0

    def work() -> None:
        nonlocal written
        for _ in range(200):
            pipe.write("x")
            written += 1
        pipe.finish(None)

    working = run_in_thread(work)
    for read in range(200):
        assert await pipe.read() == "x"
        # One more may be past its wait and not counted yet, or counted and waiting.
        assert written <= read + 1 + 4 + 1
    assert await pipe.read() is None
    await working


async def test_a_waiting_writer_goes_on_when_the_reader_leaves() -> None:
    pipe = Pipe(limit=1)
    full = threading.Event()

    def work() -> bool:
        pipe.write("a")
        full.set()
        pipe.write("b")
        pipe.write("c")
        return pipe.stopped()

    working = run_in_thread(work)
    await asyncio.to_thread(full.wait)
    assert not pipe.stopped()
    pipe.close()
    async with asyncio.timeout(1):
        assert await working is True


def test_nothing_is_carried_into_a_loop_that_is_gone() -> None:
    async def make() -> Pipe:
        return Pipe(limit=2)

    pipe = asyncio.run(make())
    pipe.write("a")
    pipe.finish(None)
    assert pipe.stopped()


async def test_a_thread_hands_back_its_result_or_error() -> None:
    assert await run_in_thread(lambda: threading.current_thread().name) == "rejoinder-model"

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await run_in_thread(fail)


async def test_a_result_that_nobody_waits_for_is_dropped() -> None:
    go = threading.Event()
    working = run_in_thread(go.wait)
    working.cancel()
    go.set()
    await asyncio.wait([working])
    assert working.cancelled()
