"""Rows that are being written: saved while they are, ended once."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.base import EndState, Store
from rejoinder.testing.store.appending import CONTENTS
from rejoinder.testing.store.tools import (
    ALL,
    Check,
    Make,
    at_once,
    draft,
    expect,
    fresh,
    opened_with_room,
    stream,
)

ENDS: tuple[EndState, ...] = ("complete", "stopped", "failed", "interrupted")


async def _written(store: Store, message_id: str) -> tuple[str, str]:
    row = await store.find(message_id)
    if row is None:
        raise AssertionError(f"{message_id} is not there any more")
    return row.content, row.state


async def _unfinished(store: Store, room_id: str) -> list[ChatMessage]:
    return [row for row in await store.unfinished(ALL) if row.room_id == room_id]


async def a_stream_is_saved_while_it_is_written(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(stream(room_id))).message
        expect((row.content, row.state), ("", "streaming"), "the row as it begins")
        for text in ("one", "one two", *CONTENTS):
            await store.save_stream(row.id, text)
            expect(await _written(store, row.id), (text, "streaming"), "the row as it is written")
        expect(await store.last_seq(room_id), 1, "saving uses no number")


async def a_stream_ends_in_each_way(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for state in ENDS:
            row = (await store.append(stream(room_id))).message
            expect(await store.end_stream(row.id, f"was {state}", state), True, "the end")
            expect(await _written(store, row.id), (f"was {state}", state), "the row when ended")


async def a_stream_ends_once(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(stream(room_id))).message
        expect(await store.end_stream(row.id, "done", "complete"), True, "the first end")
        expect(await store.end_stream(row.id, "late", "interrupted"), False, "the second end")
        expect(await store.end_stream(row.id, "done", "complete"), False, "the same end again")
        await store.save_stream(row.id, "a save that comes late")
        expect(await _written(store, row.id), ("done", "complete"), "the row after all that")


async def a_stream_ends_once_under_concurrency(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(stream(room_id))).message
        texts = [f"end {number}" for number in range(20)]
        ends = await at_once(store.end_stream(row.id, text, "stopped") for text in texts)
        expect(sum(ends), 1, "how many ended it")
        expect(await _written(store, row.id), (texts[ends.index(True)], "stopped"), "whose text")


async def a_stream_ends_with_its_content_to_the_byte(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for text in ("", *CONTENTS, "a long answer " * 20_000):
            row = (await store.append(stream(room_id))).message
            await store.end_stream(row.id, text, "complete")
            expect(await _written(store, row.id), (text, "complete"), "the row when ended")


async def what_is_not_streaming_is_not_touched(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(draft(room_id, "said"))).message
        await store.save_stream(row.id, "changed")
        expect(await store.end_stream(row.id, "changed", "stopped"), False, "the end")
        expect(await store.find(row.id), row, "the row of a person")
        unknown = fresh("message")
        await store.save_stream(unknown, "text")
        expect(await store.end_stream(unknown, "text", "complete"), False, "the end of no row")
        expect(await store.find(unknown), None, "a row made by a save")


async def unfinished_are_those_that_stream(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        await store.append(draft(room_id))
        begun = [(await store.append(stream(room_id))).message for _ in range(3)]
        await store.save_stream(begun[1].id, "so far")
        await store.end_stream(begun[0].id, "done", "complete")
        left = {row.id: row.content for row in await _unfinished(store, room_id)}
        expect(left, {begun[1].id: "so far", begun[2].id: ""}, "the unfinished")
        expect(len(await store.unfinished(1)), 1, "the limit holds")
        for row in begun:
            await store.end_stream(row.id, "", "interrupted")
        expect(await _unfinished(store, room_id), [], "the unfinished when all have ended")


CHECKS: tuple[Check, ...] = (
    a_stream_is_saved_while_it_is_written,
    a_stream_ends_in_each_way,
    a_stream_ends_once,
    a_stream_ends_once_under_concurrency,
    a_stream_ends_with_its_content_to_the_byte,
    what_is_not_streaming_is_not_touched,
    unfinished_are_those_that_stream,
)
