"""Tasks that outlive the call that started them: held, logged when they fail, ended together."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

import structlog

from rejoinder.errors import ChatError

T = TypeVar("T")


class Tasks:
    """The background tasks of one server."""

    def __init__(self) -> None:
        self._running: set[asyncio.Future[Any]] = set()
        self._log = structlog.get_logger("rejoinder.tasks")

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run `work` to its end, whoever waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def hold(self, work: Awaitable[T]) -> "asyncio.Future[T]":
        """The same for what may have a future of its own, for which no task is needed."""
        if not asyncio.isfuture(work):
            return self.start(_run(work))
        self._running.add(work)
        work.add_done_callback(self._running.discard)
        return work

    async def close(self) -> None:
        """Cancel what still runs and wait for it."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ChatError):
            self._log.error("a background task failed", exc_info=error)


async def _run(work: Awaitable[T]) -> T:
    return await work
