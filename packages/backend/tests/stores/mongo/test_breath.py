"""The search over MongoDB looks at texts where everybody is served: between them others have their turn."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Self

from rejoinder.core.search import wanted
from rejoinder.stores.mongo.model import Document
from rejoinder.stores.mongo.search import Budget, entries_of, hits

ROWS = 20
WORDS = "ﬁ" * 10_000
"""Ten times as slow to compare as most."""


def row(number: int) -> Document:
    return {
        "_id": str(number),
        "roomId": "room",
        "timestamp": datetime.fromtimestamp(number, UTC),
        "state": "complete",
        "content": WORDS,
    }


class Turns:
    """Counts the turns that another task has meanwhile."""

    count = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _go_on(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


async def test_while_texts_are_compared() -> None:
    looked_for = wanted("없는 말")
    assert looked_for is not None

    async def rows() -> AsyncIterator[Document]:
        for number in range(ROWS):
            yield row(number)

    async with Turns() as turns:
        assert await hits(rows(), looked_for, 10, None, Budget()) == []
    assert turns.count >= ROWS // 2


async def test_while_they_are_put_into_the_index() -> None:
    async with Turns() as turns:
        assert len(await entries_of([row(number) for number in range(ROWS)])) == ROWS
    assert turns.count >= ROWS // 2
