"""Tasks that outlive the call that started them."""

import asyncio

import pytest

from rejoinder.errors import Unavailable
from rejoinder.service.tasks import Tasks


async def test_a_task_runs_to_its_end_whoever_waits_for_it() -> None:
    tasks = Tasks()
    done = asyncio.Event()
    _ = tasks.start(asyncio.sleep(0))
    _ = tasks.start(_set(done))
    async with asyncio.timeout(5):
        await done.wait()


async def test_closing_ends_what_runs() -> None:
    tasks = Tasks()
    task = tasks.start(asyncio.Event().wait())
    await tasks.close()
    assert task.cancelled()
    await tasks.close()


@pytest.mark.parametrize(
    ("error", "logged"), [(KeyError("a defect"), True), (Unavailable("a refusal"), False)]
)
async def test_a_defect_is_logged_and_a_refusal_is_not(
    error: Exception, capsys: pytest.CaptureFixture[str], *, logged: bool
) -> None:
    tasks = Tasks()
    task = tasks.start(_raise(error))
    await asyncio.wait((task,))
    await asyncio.sleep(0)
    assert ("a background task failed" in capsys.readouterr().out) == logged


async def _set(event: asyncio.Event) -> None:
    event.set()


async def _raise(error: Exception) -> None:
    raise error
