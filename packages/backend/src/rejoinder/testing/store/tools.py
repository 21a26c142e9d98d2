"""What the checks of a store have in common."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

from rejoinder.stores.base import Store
from rejoinder.stores.records import Appended, Draft

T = TypeVar("T")
Make = Callable[[], Store]
Check = Callable[[Make], Awaitable[None]]

NOW = 1_767_225_600_000
ALL = 10_000
"""More than any check has rows."""


@asynccontextmanager
async def opened(make: Make) -> AsyncIterator[Store]:
    """A store that is open within the block."""
    store = make()
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def opened_with_room(make: Make) -> AsyncIterator[tuple[Store, str]]:
    """The same, with the id of a room that is empty and nobody else's."""
    async with opened(make) as store:
        room_id = fresh("room")
        await store.create_room(room_id, "owner", NOW, None)
        yield store, room_id


def fresh(kind: str) -> str:
    """An id that nothing has yet, so that all checks can share a database."""
    return f"{kind}_{uuid4().hex}"


def draft(room_id: str, content: str = "hello", sender_id: str = "ann") -> Draft:
    """A message of somebody."""
    return Draft(
        id=fresh("message"),
        room_id=room_id,
        role="user",
        sender_id=sender_id,
        content=content,
        state="complete",
        timestamp=NOW,
    )


def stream(room_id: str) -> Draft:
    """An answer that begins."""
    return replace(
        draft(room_id, "", "echo"), role="character", state="streaming", character_id="echo"
    )


async def append_several(store: Store, drafts: Iterable[Draft]) -> list[Appended]:
    """Append one after the other."""
    return [await store.append(each) for each in drafts]


async def at_once(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Everything at the same time."""
    return await asyncio.gather(*calls)


async def seqs(store: Store, room_id: str) -> list[int]:
    """The numbers of a room's rows, in the order in which the store gives them."""
    page = await store.page_after(room_id, 0, ALL)
    return [message.seq for message in page.messages]


def expect(actual: T, expected: T, what: str) -> None:
    """Fail with a sentence unless the two are equal."""
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r:.500}, got {actual!r:.500}")


async def expect_raises(kind: type[Exception], call: Awaitable[object], what: str) -> None:
    """Fail with a sentence unless the call raises that error."""
    try:
        result = await call
    except kind:
        return
    raise AssertionError(f"{what}: expected {kind.__name__}, got {result!r:.500}")
