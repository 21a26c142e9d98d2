"""Appending: one order per room, each id once, nothing changed on the way."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

import asyncio
from dataclasses import replace

from rejoinder.errors import Conflict
from rejoinder.protocol.fields import given, iso
from rejoinder.testing.store.tools import (
    ALL,
    NOW,
    Check,
    Make,
    append_several,
    at_once,
    draft,
    expect,
    expect_raises,
    fresh,
    opened_with_room,
    seqs,
)

CONTENTS = (
    "a",
    " spaces kept  ",
    "line\nline\r\nline\ttab",
    "\x00NUL in\x00side\x00",
    "안녕하세요, 다시 만나서 반가워요",
    "👩‍👩‍👧 🇰🇷 e\u0301 \u202e \ufeff \u2028",
    "'; DROP TABLE messages; -- %s {} $where",
    "0123456789abcdef" * 2048,
    "가" * 10_922,
)

METADATA: tuple[dict[str, object], ...] = (
    {},
    {"plain": "text", "number": 42, "fraction": 0.1, "yes": True, "no": False, "nothing": None},
    {"nested": {"list": [1, [2, {"deep": "세 번째"}]], "empty": [[], {}]}},
    {"$set": 1, "a.b": 2, "": 3, "안녕": "👋", "large": 2**53 - 1, "negative": -(2**53) + 1},
)


async def append_returns_the_row(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        given_draft = draft(room_id)
        appended = await store.append(given_draft)
        row = appended.message
        expect(appended.duplicate, False, "the first append of an id is no duplicate")
        expect((row.id, row.room_id, row.seq), (given_draft.id, room_id, 1), "the row's place")
        expect((row.role, row.sender_id, row.state), ("user", "ann", "complete"), "the row")
        expect(row.timestamp, iso(NOW), "the row's time")
        absent = (row.character_id, row.reply_to, row.edited_at, row.metadata)
        expect(tuple(map(given, absent)), (None,) * 4, "what was not given stays absent")


async def append_keeps_every_field(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        full = replace(
            draft(room_id, "an answer", "echo"),
            role="character",
            character_id="echo",
            reply_to="question",
            metadata={"mood": "good"},
        )
        appended = await store.append(full)
        found = await store.find(full.id)
        expect(found, appended.message, "the row found is the row returned")
        row = appended.message
        kept = (row.role, row.character_id, row.reply_to, row.metadata)
        expect(kept, ("character", "echo", "question", {"mood": "good"}), "the fields")


async def append_counts_each_room_from_one(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        other = fresh("room")
        await store.create_room(other, "owner", NOW, None)
        rows = await append_several(store, [draft(room_id), draft(other), draft(room_id)])
        expect([row.message.seq for row in rows], [1, 1, 2], "seq counts within its room")


async def append_leaves_no_holes_under_concurrency(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        rooms = [room_id, fresh("room"), fresh("room")]
        for each in rooms[1:]:
            await store.create_room(each, "owner", NOW, None)
        drafts = [draft(rooms[number % 3], f"number {number}") for number in range(300)]
        appended = await at_once(store.append(each) for each in drafts)
        for each in rooms:
            wanted = list(range(1, 101))
            numbers = sorted(row.message.seq for row in appended if row.message.room_id == each)
            expect(numbers, wanted, "the numbers that were given out")
            expect(await seqs(store, each), wanted, "the numbers that were stored")
            expect(await store.last_seq(each), 100, "last_seq")


async def append_keeps_one_senders_order(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):

        async def send(sender: str) -> list[int]:
            rows = await append_several(store, [draft(room_id, "x", sender) for _ in range(20)])
            return [row.message.seq for row in rows]

        for numbers in await at_once(send(f"sender {number}") for number in range(5)):
            expect(numbers, sorted(numbers), "what is appended later has a higher number")


async def append_takes_an_id_once(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        same = draft(room_id)
        first = await store.append(same)
        await store.append(draft(room_id))
        again = await store.append(replace(same, timestamp=NOW + 5000, metadata={"try": 2}))
        expect(again.duplicate, True, "the second append of an id is a duplicate")
        expect(again.message, first.message, "a duplicate returns the stored row")
        expect(await seqs(store, room_id), [1, 2], "a duplicate is not stored")


async def append_takes_an_id_once_under_concurrency(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        same = draft(room_id)
        others = [draft(room_id) for _ in range(20)]
        results = await at_once(
            store.append(each) for other in others for each in (same, other, same)
        )
        own = [result for result in results if result.message.id == same.id]
        expect(sum(not result.duplicate for result in own), 1, "appends that were the first")
        expect(len({result.message.seq for result in own}), 1, "numbers of the one id")
        expect(await seqs(store, room_id), list(range(1, 22)), "the numbers that were stored")


async def append_refuses_an_id_with_another_content(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        other = fresh("room")
        await store.create_room(other, "owner", NOW, None)
        same = draft(room_id)
        await store.append(same)
        for change in (
            replace(same, content="hello "),
            replace(same, content="Hello"),
            replace(same, sender_id="ben"),
            replace(same, room_id=other),
        ):
            await expect_raises(Conflict, store.append(change), f"append {change}")
        expect(await seqs(store, room_id), [1], "a conflict is not stored")
        expect(await seqs(store, other), [], "a conflict is not stored in another room")
        expect(await store.last_seq(other), 0, "a conflict uses no number")


async def append_conflict_does_no_harm_to_others(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        taken = draft(room_id)
        await store.append(taken)
        calls = [
            store.append(draft(room_id) if number % 2 else replace(taken, content="other"))
            for number in range(40)
        ]
        results = await asyncio.gather(*calls, return_exceptions=True)
        refused = [result for result in results if isinstance(result, BaseException)]
        expect({type(result) for result in refused}, {Conflict}, "what was refused")
        expect(len(refused), 20, "how many were refused")
        expect(await seqs(store, room_id), list(range(1, 22)), "the numbers that were stored")


async def append_keeps_content_to_the_byte(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for content in CONTENTS:
            appended = await store.append(draft(room_id, content))
            expect(appended.message.content, content, "the content returned")
            again = await store.find(appended.message.id)
            expect(again and again.content, content, "the content found")
        page = await store.page_after(room_id, 0, ALL)
        expect(tuple(row.content for row in page.messages), CONTENTS, "the contents of a page")


async def append_keeps_metadata(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for metadata in METADATA:
            appended = await store.append(replace(draft(room_id), metadata=metadata))
            expect(appended.message.metadata, metadata, "the metadata returned")
            again = await store.find(appended.message.id)
            expect(again and again.metadata, metadata, "the metadata found")


async def append_survives_cancelled_callers(make: Make) -> None:
    """However many callers give up in the middle, a repetition makes it whole: each id once, and no holes."""
    async with opened_with_room(make) as (store, room_id):
        drafts = [draft(room_id, f"number {number}") for number in range(60)]
        tasks = [asyncio.create_task(store.append(each)) for each in drafts]
        for number, task in enumerate(tasks):
            await asyncio.sleep(0)
            if number % 2:
                tasks[number - 1].cancel()
            if number % 3 == 0:
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        acked = {r.message.id: r.message.seq for r in results if not isinstance(r, BaseException)}
        again = await at_once(store.append(each) for each in drafts)
        for result in again:
            place = acked.get(result.message.id)
            if place is not None:
                expect((result.duplicate, result.message.seq), (True, place), "an acked append")
        expect(await seqs(store, room_id), list(range(1, 61)), "the numbers that were stored")


CHECKS: tuple[Check, ...] = (
    append_returns_the_row,
    append_keeps_every_field,
    append_counts_each_room_from_one,
    append_leaves_no_holes_under_concurrency,
    append_keeps_one_senders_order,
    append_takes_an_id_once,
    append_takes_an_id_once_under_concurrency,
    append_refuses_an_id_with_another_content,
    append_conflict_does_no_harm_to_others,
    append_keeps_content_to_the_byte,
    append_keeps_metadata,
    append_survives_cancelled_callers,
)
