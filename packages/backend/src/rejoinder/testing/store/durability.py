"""What is there after the store was closed and opened again, and what closing does to work in flight."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

import asyncio

from rejoinder.errors import Unavailable
from rejoinder.stores.records import Room, StoredMark, StoredMember
from rejoinder.testing.store.tools import (
    ALL,
    NOW,
    Check,
    Make,
    draft,
    expect,
    expect_raises,
    fresh,
    opened,
    opened_with_room,
    seqs,
    stream,
)


async def everything_is_there_after_reopening(make: Make) -> None:
    async with opened(make) as store:
        room_id, ann = fresh("room"), fresh("user")
        await store.create_room(room_id, ann, NOW, "echo")
        await store.add_member(room_id, StoredMember(ann, "앤", NOW))
        message = (await store.append(draft(room_id, "안녕\x00👋"))).message
        running = (await store.append(stream(room_id))).message
        await store.save_stream(running.id, "so far")
        mark = StoredMark(ann, message.id, message.seq, NOW)
        await store.mark_read(room_id, mark)
    async with opened(make) as store:
        expect(await store.room(room_id), Room(room_id, ann, NOW, "echo"), "the room")
        expect(list(await store.members(room_id, 10)), [StoredMember(ann, "앤", NOW)], "members")
        expect(await store.find(message.id), message, "the message")
        left = [row.content for row in await store.unfinished(ALL) if row.id == running.id]
        expect(left, ["so far"], "the stream that did not end")
        expect(await store.read_marks(room_id, 10), [mark], "the read mark")
        await store.end_stream(running.id, "so far", "interrupted")


async def counting_goes_on_after_reopening(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        same = draft(room_id)
        await store.append(same)
    async with opened(make) as store:
        expect((await store.append(same)).duplicate, True, "an id from before is a duplicate")
        expect((await store.append(draft(room_id))).message.seq, 2, "the next number")
        expect(await seqs(store, room_id), [1, 2], "the numbers that were stored")


async def what_was_acked_before_closing_is_kept(make: Make) -> None:
    """Closing with work in flight: each append is done or refused, and nothing hangs."""
    async with opened_with_room(make) as (store, room_id):
        tasks = [asyncio.create_task(store.append(draft(room_id))) for _ in range(200)]
        await asyncio.sleep(0)
        async with asyncio.timeout(30):
            await store.close()
            results = await asyncio.gather(*tasks, return_exceptions=True)
    acked: list[str] = []
    for result in results:
        if isinstance(result, BaseException):
            expect(type(result), Unavailable, "how an append was refused")
        else:
            acked.append(result.message.id)
    async with opened(make) as store:
        page = await store.page_after(room_id, 0, ALL)
        expect(set(acked) - {row.id for row in page.messages}, set(), "acked and not kept")
        numbers = [row.seq for row in page.messages]
        expect(numbers, list(range(1, len(numbers) + 1)), "the numbers that were stored")


async def a_closed_store_is_unavailable(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        await store.close()
        await store.close()
        for what, call in (
            ("append", store.append(draft(room_id))),
            ("find", store.find("message")),
            ("page_after", store.page_after(room_id, 0, 1)),
            ("ping", store.ping()),
        ):
            async with asyncio.timeout(30):
                await expect_raises(Unavailable, call, what)


CHECKS: tuple[Check, ...] = (
    everything_is_there_after_reopening,
    counting_goes_on_after_reopening,
    what_was_acked_before_closing_is_kept,
    a_closed_store_is_unavailable,
)
