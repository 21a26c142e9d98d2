"""Rows that are being written: saved while they are, ended once."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

from dataclasses import replace

from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.base import Store
from rejoinder.stores.records import LEASE_AHEAD_MS, EndState
from rejoinder.testing.store.appending import CONTENTS
from rejoinder.testing.store.tools import (
    ALL,
    NOW,
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
LEASE = 10_000
HOUR = 3_600_000


async def _written(store: Store, message_id: str) -> tuple[str, str]:
    row = await store.find(message_id)
    if row is None:
        raise AssertionError(f"{message_id} is not there any more")
    return row.content, row.state


async def _unfinished(store: Store, room_id: str, now: int | None = None) -> list[ChatMessage]:
    return [row for row in await store.unfinished(ALL, now) if row.room_id == room_id]


async def _ran_out(store: Store, room_id: str, *times: int) -> list[bool]:
    """Whether the room's one row is listed as left behind at these times."""
    return [len(await _unfinished(store, room_id, now)) == 1 for now in times]


async def a_stream_is_saved_while_it_is_written(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(stream(room_id))).message
        expect((row.content, row.state), ("", "streaming"), "the row as it begins")
        for text in ("one", "one two", *CONTENTS):
            expect(await store.save_stream(row.id, text), True, "whether it is being written")
            expect(await _written(store, row.id), (text, "streaming"), "the row as it is written")
        expect(await store.last_seq(room_id), 1, "saving uses no number")


async def a_stream_ends_in_each_way(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for state in ENDS:
            row = (await store.append(stream(room_id))).message
            expect(await store.end_stream(row.id, f"was {state}", state), True, "the end")
            expect(await _written(store, row.id), (f"was {state}", state), "the row when ended")


async def what_was_shown_is_kept_where_less_was_saved(make: Make) -> None:
    """Who watched an answer of a server that died has seen more of it than that server had saved."""
    async with opened_with_room(make) as (store, room_id):
        for text in CONTENTS:
            row = (await store.append(replace(stream(room_id), lease_until=NOW + LEASE))).message
            await store.keep_shown(row.id, text + text)
            expect(await _written(store, row.id), (text + text, "streaming"), "what was shown")
            await store.keep_shown(row.id, text)
            expect(await _written(store, row.id), (text + text, "streaming"), "after less of it")
            expect(await store.interrupt(row.id, NOW), False, "an interruption within its lease")
            await store.end_stream(row.id, "done", "complete")
            await store.keep_shown(row.id, text * 3)
            expect(await _written(store, row.id), ("done", "complete"), "the row when ended")


async def a_stream_ends_once(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(stream(room_id))).message
        expect(await store.end_stream(row.id, "done", "complete"), True, "the first end")
        expect(await store.end_stream(row.id, "late", "interrupted"), False, "the second end")
        expect(await store.end_stream(row.id, "done", "complete"), False, "the same end again")
        expect(await store.save_stream(row.id, "a save that comes late"), False, "a late save")
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
        expect(await store.save_stream(row.id, "changed", NOW), False, "a save")
        expect(await store.end_stream(row.id, "changed", "stopped"), False, "the end")
        expect(await store.find(row.id), row, "the row of a person")
        unknown = fresh("message")
        expect(await store.save_stream(unknown, "text"), False, "a save of no row")
        expect(await store.interrupt(row.id), False, "an interruption")
        expect(await store.interrupt(unknown), False, "an interruption of no row")
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


async def those_that_run_in_a_room_are_listed(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        await store.append(draft(room_id))
        leased = replace(stream(room_id), lease_until=NOW + LEASE)
        begun = [(await store.append(each)).message for each in (stream(room_id), leased)]
        ended = (await store.append(stream(room_id))).message
        await store.end_stream(ended.id, "done", "complete")
        elsewhere = fresh("room")
        await store.create_room(elsewhere, "owner", NOW, None)
        await store.append(stream(elsewhere))
        await store.save_stream(begun[1].id, "so far")
        found = [(row.id, row.content) for row in await store.running(room_id)]
        expect(found, [(begun[0].id, ""), (begun[1].id, "so far")], "those that run, in order")
        expect(await store.running("nowhere"), [], "those that run in no room")


async def a_row_is_not_left_behind_while_its_lease_runs(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(replace(stream(room_id), lease_until=NOW + LEASE))).message
        ends = NOW + LEASE
        expect(
            await _ran_out(store, room_id, NOW, ends - 1, ends, ends + 1),
            [False, False, True, True],
            "whether it is listed before, at and after the end of its lease",
        )
        expect(await _unfinished(store, room_id), [row], "the unfinished, whatever their lease")
        expect(await store.interrupt(row.id, ends - 1), False, "an interruption before that")
        expect(await _written(store, row.id), ("", "streaming"), "the row after it")


async def a_save_renews_the_lease(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(replace(stream(room_id), lease_until=NOW + LEASE))).message
        ends = NOW + 3 * LEASE
        expect(await store.save_stream(row.id, "so far", ends), True, "the renewal")
        await store.save_stream(row.id, "so far, so good")
        expect(
            await _ran_out(store, room_id, NOW + LEASE, ends - 1, ends),
            [False, False, True],
            "whether it is listed at its first end, and before and at its new end",
        )
        # A server that was held up finds its row as it left it, and goes on.
        expect(await store.save_stream(row.id, "late", ends + LEASE), True, "a late renewal")
        expect(await _ran_out(store, room_id, ends), [False], "whether it is listed after that")


async def a_lease_that_no_right_clock_gave_has_run_out(make: Make) -> None:
    """Its server's clock was set forward, and the server died before it was set back: else the row would stream for as long."""
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(replace(stream(room_id), lease_until=NOW + HOUR))).message
        expect(
            await _ran_out(store, room_id, NOW, NOW + HOUR - LEASE_AHEAD_MS, NOW + HOUR),
            [True, False, True],
            "whether it is listed long before, shortly before and at the end of its lease",
        )
        expect(await store.interrupt(row.id, NOW + HOUR - LEASE), False, "shortly before")
        expect(await store.interrupt(row.id, NOW), True, "the interruption")


async def a_row_without_a_lease_is_left_behind(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(stream(room_id))).message
        await store.save_stream(row.id, "of an older version")
        expect(await _ran_out(store, room_id, 0, NOW), [True, True], "whether it is listed")
        expect(await store.interrupt(row.id, NOW), True, "the interruption")


async def what_has_ended_is_not_left_behind(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for state in ENDS:
            leased = replace(stream(room_id), lease_until=NOW + LEASE)
            for begun in (leased, stream(room_id)):
                row = (await store.append(begun)).message
                await store.end_stream(row.id, "done", state)
                expect(await store.save_stream(row.id, "", NOW + LEASE), False, "a late renewal")
                expect(await store.interrupt(row.id), False, "an interruption")
                expect(await _written(store, row.id), ("done", state), "the row after that")
        expect(await _unfinished(store, room_id, NOW + 9 * LEASE), [], "the unfinished")


async def what_is_left_behind_is_interrupted_once(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        row = (await store.append(replace(stream(room_id), lease_until=NOW))).message
        await store.save_stream(row.id, "so far")
        ends = await at_once(store.interrupt(row.id, NOW) for _ in range(20))
        expect(sum(ends), 1, "how many ended it")
        expect(await _written(store, row.id), ("so far", "interrupted"), "the row")
        expect(await store.end_stream(row.id, "late", "complete"), False, "its server's end")
        expect(await _unfinished(store, room_id), [], "the unfinished")
        other = (await store.append(replace(stream(room_id), lease_until=NOW + LEASE))).message
        expect(await store.interrupt(other.id), True, "an interruption whatever the lease")


async def a_lease_is_renewed_or_the_row_is_interrupted(make: Make) -> None:
    """A server comes back in the moment in which another one ends its row: both hear the same."""
    async with opened_with_room(make) as (store, room_id):
        for turn in range(10):
            row = (await store.append(replace(stream(room_id), lease_until=NOW))).message
            renewal = store.save_stream(row.id, "renewed", NOW + LEASE)
            calls = [renewal, store.interrupt(row.id, NOW)]
            # Either may be asked first.
            results = await at_once(calls[:: 1 if turn % 2 else -1])
            renewed, interrupted = results[:: 1 if turn % 2 else -1]
            expect(renewed, not interrupted, "one of the two")
            outcome = ("renewed", "streaming") if renewed else ("", "interrupted")
            expect(await _written(store, row.id), outcome, "the row")


CHECKS: tuple[Check, ...] = (
    a_stream_is_saved_while_it_is_written,
    a_stream_ends_in_each_way,
    what_was_shown_is_kept_where_less_was_saved,
    a_stream_ends_once,
    a_stream_ends_once_under_concurrency,
    a_stream_ends_with_its_content_to_the_byte,
    what_is_not_streaming_is_not_touched,
    unfinished_are_those_that_stream,
    those_that_run_in_a_room_are_listed,
    a_row_is_not_left_behind_while_its_lease_runs,
    a_save_renews_the_lease,
    a_lease_that_no_right_clock_gave_has_run_out,
    a_row_without_a_lease_is_left_behind,
    what_has_ended_is_not_left_behind,
    what_is_left_behind_is_interrupted_once,
    a_lease_is_renewed_or_the_row_is_interrupted,
)
