"""Rooms that were deleted: nothing of them is left, and nothing gets into them again."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

import asyncio
from dataclasses import replace

from rejoinder.core.search import Wanted, wanted
from rejoinder.errors import NotFound
from rejoinder.stores.base import Store
from rejoinder.stores.records import Appended, StoredMark, StoredMember
from rejoinder.testing.store.tools import (
    ALL,
    NOW,
    Check,
    Make,
    append_several,
    draft,
    expect,
    expect_raises,
    fresh,
    opened,
    stream,
)

ROWS = 25
STEP = 4
LATER = NOW + 1_000_000


def _looked_for(text: str) -> Wanted:
    looked_for = wanted(text)
    assert looked_for is not None  # noqa: S101 - there is text
    return looked_for


async def _filled(store: Store, user_id: str) -> str:
    room_id = fresh("room")
    await store.create_room(room_id, user_id, NOW, "echo")
    await store.set_title(room_id, "A title", "person")
    for number in range(ROWS):
        await store.add_member(room_id, StoredMember(f"{user_id} {number}", "Kim", NOW))
        await store.mark_read(room_id, StoredMark(f"{user_id} {number}", "m", 1, NOW))
    await store.add_member(room_id, StoredMember(user_id, "Ann", NOW))
    await append_several(store, [draft(room_id, "우리 고양이가") for _ in range(ROWS)])
    await store.append(stream(room_id))
    await store.index([room_id], ALL, LATER)
    return room_id


async def _purge(store: Store, room_id: str) -> int:
    steps = 0
    while await store.purge(room_id, STEP):
        steps += 1
        assert steps < 10 * ROWS, "it does not end"  # noqa: S101
    return steps


async def a_room_that_was_buried_is_not_found(make: Make) -> None:
    async with opened(make) as store:
        ann = fresh("user")
        room_id, other = await _filled(store, ann), await _filled(store, ann)
        expect(await store.bury(fresh("room"), NOW), False, "a room that nobody made")
        expect(await store.bury(room_id, NOW), True, "a room")
        expect(await store.bury(room_id, NOW), False, "the same once more")
        expect(await store.room(room_id), None, "the room")
        expect(await store.set_title(room_id, "x", "person"), False, "a title for it")
        overviews, _ = await store.rooms_of(ann, 10)
        expect([each.room.id for each in overviews], [other], "the rooms of its creator")
        found = await store.search(ann, _looked_for("고양이"), ALL)
        expect({message.room_id for message in found.messages}, {other}, "where something is found")


async def nothing_gets_into_a_room_that_was_buried(make: Make) -> None:
    async with opened(make) as store:
        room_id, other = await _filled(store, fresh("user")), fresh("room")
        await store.create_room(other, "ann", NOW, None)
        await store.bury(room_id, NOW)
        for when in ("before", "after"):
            await expect_raises(
                NotFound, store.create_room(room_id, "ben", NOW, "echo"), f"a room {when} purging"
            )
            await expect_raises(NotFound, store.append(draft(room_id)), f"a row {when} purging")
            outcomes = await store.append_all([draft(other), draft(room_id), draft(other)])
            told = [isinstance(outcome, Appended) for outcome in outcomes]
            expect(told, [True, False, True], f"what came of each of a group {when} purging")
            expect(isinstance(outcomes[1], NotFound), True, f"what came of the second {when}")
            await _purge(store, room_id)
        expect((await store.page_after(room_id, 0, ALL)).messages, [], "its rows")


async def a_room_is_purged_step_by_step(make: Make) -> None:
    async with opened(make) as store:
        ann = fresh("user")
        room_id, other = await _filled(store, ann), await _filled(store, ann)
        rows = (await store.page_after(room_id, 0, ALL)).messages
        kept = (await store.page_after(other, 0, ALL)).messages
        expect(room_id in await store.buried(ALL), False, "whether it is to be purged")
        expect(await store.purge(other, STEP), False, "purging a room that is not buried")
        await store.bury(room_id, NOW)
        expect(await store.purge(room_id, STEP), True, "the first step")
        left = len((await store.page_after(room_id, 0, ALL)).messages)
        expect(left >= ROWS - 2 * STEP, True, "that a step is no more than asked for")
    async with opened(make) as store:
        expect(room_id in await store.buried(ALL), True, "whether it goes on after a restart")
        await _purge(store, room_id)
        expect(room_id in await store.buried(ALL), False, "whether there is something left")
        expect((await store.page_after(room_id, 0, ALL)).messages, [], "its rows")
        expect(await store.find(rows[0].id), None, "a row of it, by its id")
        expect(list(await store.members(room_id, ALL)), [], "its members")
        expect(await store.is_member(room_id, ann), False, "its creator")
        expect(await store.read_marks(room_id, ALL), [], "its marks")
        expect(await store.running(room_id), [], "what is being written in it")
        expect((await store.page_after(other, 0, ALL)).messages, kept, "the rows of another room")
        listed = [room for room in await store.rooms_after("", ALL) if room.id == room_id]
        expect([room.deleted_at for room in listed], [NOW], "what is known of it")
        expect([(room.created_by, room.title) for room in listed], [("", None)], "of its past")


async def nobody_gets_into_a_room_that_was_buried(make: Make) -> None:
    async with opened(make) as store:
        ann, room_id, other = fresh("user"), fresh("room"), fresh("room")
        member, mark = StoredMember(ann, "Ann", NOW), StoredMark(ann, "m", 1, NOW)
        await store.create_room(room_id, "ben", NOW, None)
        await store.bury(room_id, NOW)
        for when in ("before", "after"):
            await store.add_member(room_id, member)
            expect(await store.is_member(room_id, ann), False, f"a member {when} purging")
            expect(await store.mark_read(room_id, mark), False, f"a mark {when} purging")
            expect(await store.read_marks(room_id, ALL), [], f"the marks {when} purging")
            await _purge(store, room_id)
        await store.add_member(other, member)
        expect(await store.is_member(other, ann), True, "a member of another room")
        expect(await store.mark_read(other, mark), True, "a mark in another room")


async def a_room_ends_though_people_write(make: Make) -> None:
    """Whatever was acknowledged came before the end, and nothing after it."""
    async with opened(make) as store:
        room_id = fresh("room")
        await store.create_room(room_id, "ann", NOW, None)

        async def write() -> None:
            while True:
                (outcome,) = await store.append_all([draft(room_id)])
                if isinstance(outcome, NotFound):
                    return

        writing = [asyncio.create_task(write()) for _ in range(5)]
        await store.bury(room_id, NOW)
        await asyncio.gather(*writing)
        await _purge(store, room_id)
        expect((await store.page_after(room_id, 0, ALL)).messages, [], "its rows")


async def a_stream_of_a_buried_room_can_end(make: Make) -> None:
    async with opened(make) as store:
        room_id = fresh("room")
        running = replace(stream(room_id), lease_until=NOW)
        await store.create_room(room_id, "ann", NOW, None)
        await store.append(running)
        await store.bury(room_id, NOW)
        await _purge(store, room_id)
        expect(await store.save_stream(running.id, "x", NOW), False, "more of it")
        expect(await store.end_stream(running.id, "x", "complete"), False, "its end")
        left = [row.id for row in await store.unfinished(ALL, LATER) if row.room_id == room_id]
        expect(left, [], "what a killed server left in it")


CHECKS: tuple[Check, ...] = (
    a_room_that_was_buried_is_not_found,
    nothing_gets_into_a_room_that_was_buried,
    a_room_is_purged_step_by_step,
    nobody_gets_into_a_room_that_was_buried,
    a_room_ends_though_people_write,
    a_stream_of_a_buried_room_can_end,
)
