"""Appending several at once: as one after the other, and what came of each."""

# The checks' names say what they hold.
# ruff: noqa: D103

import asyncio
from dataclasses import replace

from rejoinder.errors import Conflict
from rejoinder.stores.records import Appended, Outcome
from rejoinder.testing.store.tools import (
    Check,
    Make,
    at_once,
    draft,
    expect,
    fresh,
    opened_with_room,
    seqs,
)


def _told(outcome: Outcome) -> str | tuple[str, int, bool]:
    if isinstance(outcome, Appended):
        return (outcome.message.id, outcome.message.seq, outcome.duplicate)
    return "conflict" if isinstance(outcome, Conflict) else "unavailable"


async def append_all_does_as_append_does(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        new_room = fresh("room")
        known, other = draft(room_id, "known"), draft(new_room, "the first of a room")
        await store.append(known)
        one, two = draft(room_id, "one"), draft(room_id, "둘 👋 \x00 '; --")
        two = replace(two, metadata={"a": [1, {"b": "세"}]}, reply_to=one.id)
        group = [one, other, known, two, one, replace(two, content="something else")]
        outcomes = await store.append_all(group)
        expect(
            [_told(outcome) for outcome in outcomes],
            [
                (one.id, 2, False),
                (other.id, 1, False),
                (known.id, 1, True),
                (two.id, 3, False),
                (one.id, 2, True),
                "conflict",
            ],
            "what came of each of a group",
        )
        expect(await seqs(store, room_id), [1, 2, 3], "the numbers of the room")
        expect(await seqs(store, new_room), [1], "the numbers of the room that is new")
        kept = await store.find(two.id)
        given_back = outcomes[3]
        assert isinstance(given_back, Appended)  # noqa: S101 - the table above says so
        expect(kept, given_back.message, "the row that was kept, and the one that came back")
        expect(kept and (kept.content, kept.metadata), (two.content, two.metadata), "the fields")


async def append_all_keeps_the_order_of_a_group(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        rooms = [room_id, fresh("room"), fresh("room")]
        drafts = [draft(rooms[number % 3], f"number {number}") for number in range(999)]
        outcomes = await store.append_all(drafts)
        expect(
            [_told(outcome) for outcome in outcomes],
            [(each.id, number // 3 + 1, False) for number, each in enumerate(drafts)],
            "the places of a group",
        )
        for room in rooms:
            expect(await seqs(store, room), list(range(1, 334)), "the numbers of each room")
        expect(await store.append_all([]), [], "what came of nothing")


async def append_all_leaves_no_holes_under_concurrency(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        shared = [draft(room_id, f"shared {number}") for number in range(10)]
        groups = [
            [*(draft(room_id, f"{group} {number}") for number in range(10)), *shared]
            for group in range(8)
        ]
        told = [
            _told(outcome)
            for outcomes in await at_once(store.append_all(group) for group in groups)
            for outcome in outcomes
        ]
        new = sorted(each[1] for each in told if isinstance(each, tuple) and not each[2])
        expect(new, list(range(1, 91)), "each number was given once")
        expect(await seqs(store, room_id), list(range(1, 91)), "the numbers of the room")


async def append_all_survives_cancelled_callers(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        groups = [[draft(room_id) for _ in range(5)] for _ in range(12)]
        tasks = [asyncio.ensure_future(store.append_all(group)) for group in groups]
        for task in tasks[::2]:
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await at_once(store.append_all(group) for group in groups)
        expect(await seqs(store, room_id), list(range(1, 61)), "the numbers after a repetition")


CHECKS: tuple[Check, ...] = (
    append_all_does_as_append_does,
    append_all_keeps_the_order_of_a_group,
    append_all_leaves_no_holes_under_concurrency,
    append_all_survives_cancelled_callers,
)
