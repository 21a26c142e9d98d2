"""The embedded store without its threads: what is called at the same time is done, and answered, in an order of chance.

The chance is seeded, so that a run can be repeated exactly.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.service.world import FaultyStore

from rejoinder.stores.sqlite.schema import connect, prepare

T = TypeVar("T")
HOPS_MAX = 6


class ShuffledStore(FaultyStore):
    """The same statements on the same tables; each job is a transaction of its own."""

    def __init__(self, path: Path, seed: int) -> None:
        super().__init__(path)
        self._chance = random.Random(seed)
        self._db: sqlite3.Connection | None = None

    async def open(self) -> None:
        prepare(self._path)
        self._db = connect(self._path)
        self._db.execute("PRAGMA synchronous=OFF")

    async def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    async def _write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.shield(self._do(job))

    async def _read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.shield(self._do(job))

    async def _look(self, job: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.shield(self._do(job))

    async def _do(self, job: Callable[[sqlite3.Connection], T]) -> T:
        await self._hop()
        assert self._db is not None
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = job(self._db)
        finally:
            self._db.execute("COMMIT")
        await self._hop()
        return result

    async def _hop(self) -> None:
        for _ in range(self._chance.randint(0, HOPS_MAX)):
            await asyncio.sleep(0)
