"""A thread that owns one connection and does the jobs it is given, many to a transaction.

All jobs that have gathered while a transaction was being committed share the next one, and so one fsync (group
commit). Results go back to the event loop in the order of the jobs.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from rejoinder.errors import ChatError, Unavailable
from rejoinder.stores.sqlite.schema import connect

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]
Given = tuple[Job, "asyncio.Future[Any]"]
Outcome = tuple["asyncio.Future[Any]", Any, Exception | None]

GATHER_SECONDS = 0.004
"""From one commit to the next: under load the rows of so long share one, since a commit costs more than a row."""

CLOSE_SECONDS = 1.0
"""How long what has been taken is waited for at the end: another program may have locked the file."""

BUSY = "The message store can't take this now. Try again in a moment."


class Worker:
    """Does jobs in order. With `writes` each group is a transaction that is committed before any result is given."""

    def __init__(self, path: Path, *, writes: bool, group: int = 512, limit: int = 10_000) -> None:
        self._path = path
        self._writes = writes
        self._group = group
        self._limit = limit
        # None comes when all is to end. A queue in C wakes the thread with a tenth of what a `Condition` costs.
        self._jobs: SimpleQueue[Given | None] = SimpleQueue()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the thread; results go to the running event loop."""
        self._loop = asyncio.get_running_loop()
        name = "rejoinder-sqlite-" + ("writer" if self._writes else "reader")
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Do what has been taken, then end the thread; what is not done in time is as after a kill."""
        self._closing.set()
        self._jobs.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, CLOSE_SECONDS)
            self._thread = None

    def submit(self, job: Callable[[sqlite3.Connection], T]) -> "asyncio.Future[T]":
        """Have a job done. The future fails with `Unavailable` if too many are waiting, or the store is closed."""
        future: asyncio.Future[T] = (self._loop or asyncio.get_running_loop()).create_future()
        if self._loop is None or self._closing.is_set() or self._jobs.qsize() >= self._limit:
            future.set_exception(Unavailable(BUSY))
            return future
        self._jobs.put((job, future))
        return future

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        begun = 0.0
        while first := self._jobs.get():
            left = begun + GATHER_SECONDS - time.monotonic()
            if self._writes and left > 0:
                # What comes meanwhile shares the commit; at the end there is nothing to wait for.
                self._closing.wait(left)
            begun = time.monotonic()
            jobs = [first, *self._gathered()]
            outcomes: list[Outcome]
            try:
                connection = connection or connect(self._path)
                outcomes = self._do(connection, jobs)
            except Exception as error:  # noqa: BLE001 - every waiting caller must hear of it
                if connection is not None and connection.in_transaction:
                    _rollback(connection)
                outcomes = [(future, None, _unavailable(error)) for _, future in jobs]
            self._give(outcomes)
        if connection is not None:
            connection.close()

    def _gathered(self) -> Iterator[Given]:
        """What else waits, as much as goes into one group."""
        for _ in range(min(self._group - 1, self._jobs.qsize())):
            given = self._jobs.get()
            if given is None:
                # It is for the next turn: nothing comes after it.
                self._jobs.put(None)
                return
            yield given

    def _do(self, connection: sqlite3.Connection, jobs: list[Given]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        connection.execute("BEGIN IMMEDIATE" if self._writes else "BEGIN")
        for job, future in jobs:
            try:
                outcomes.append((future, job(connection), None))
            except ChatError as refusal:  # A job refuses before it has written anything.
                outcomes.append((future, None, refusal))
        connection.execute("COMMIT")
        return outcomes

    def _give(self, outcomes: list[Outcome]) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(_settle, outcomes)


def _settle(outcomes: list[Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
            # Marks it as seen: where nobody waits any more, nobody needs to hear of it.
            future.exception()


def _unavailable(error: Exception) -> Exception:
    if not isinstance(error, sqlite3.Error | OSError):
        return error
    unavailable = Unavailable(BUSY)
    unavailable.__cause__ = error
    return unavailable


def _rollback(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("ROLLBACK")
    except sqlite3.Error:
        # A disk that is full may have rolled back by itself; the next BEGIN tells.
        return
