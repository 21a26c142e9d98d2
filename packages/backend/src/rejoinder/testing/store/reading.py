"""Reading the log: pages both ways, rows by their id, the last number."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

from dataclasses import replace

from rejoinder.stores.base import Store
from rejoinder.stores.records import Page
from rejoinder.testing.store.tools import (
    ALL,
    NOW,
    Check,
    Make,
    append_several,
    draft,
    expect,
    fresh,
    opened,
    opened_with_room,
    stream,
)

ROWS = 10


async def _with_rows(store: Store, room_id: str) -> None:
    neighbour = fresh("room")
    await store.create_room(neighbour, "owner", NOW, None)
    for _ in range(ROWS):
        await append_several(store, [draft(neighbour), draft(room_id)])


def _seen(page: Page) -> tuple[list[int], bool]:
    return [message.seq for message in page.messages], page.has_more


async def an_empty_room_has_empty_pages(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for room in (room_id, fresh("unknown")):
            expect(_seen(await store.page_before(room, None, 5)), ([], False), "page_before")
            expect(_seen(await store.page_before(room, 1, 5)), ([], False), "page_before 1")
            expect(_seen(await store.page_after(room, 0, 5)), ([], False), "page_after 0")
            expect(_seen(await store.page_after(room, 7, 5)), ([], False), "page_after 7")
            expect(await store.last_seq(room), 0, "last_seq")


async def pages_before_hold_the_newest_in_order(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        await _with_rows(store, room_id)
        for before, limit, numbers, more in (
            (None, 3, [8, 9, 10], True),
            (None, ROWS - 1, list(range(2, 11)), True),
            (None, ROWS, list(range(1, 11)), False),
            (None, ALL, list(range(1, 11)), False),
            (11, 2, [9, 10], True),
            (8, 3, [5, 6, 7], True),
            (4, 3, [1, 2, 3], False),
            (4, 2, [2, 3], True),
            (2, 5, [1], False),
            (1, 5, [], False),
            (1000, 1, [10], True),
        ):
            page = await store.page_before(room_id, before, limit)
            expect(_seen(page), (numbers, more), f"page_before {before}, {limit} rows")


async def pages_after_hold_the_oldest_in_order(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        await _with_rows(store, room_id)
        for after, limit, numbers, more in (
            (0, 3, [1, 2, 3], True),
            (0, ROWS - 1, list(range(1, 10)), True),
            (0, ROWS, list(range(1, 11)), False),
            (0, ALL, list(range(1, 11)), False),
            (7, 3, [8, 9, 10], False),
            (7, 2, [8, 9], True),
            (9, 5, [10], False),
            (10, 5, [], False),
            (1000, 5, [], False),
        ):
            page = await store.page_after(room_id, after, limit)
            expect(_seen(page), (numbers, more), f"page_after {after}, {limit} rows")


async def pages_join_without_hole_or_repeat(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        await _with_rows(store, room_id)
        back: list[int] = []
        page = await store.page_before(room_id, None, 3)
        while page.messages:
            back = [message.seq for message in page.messages] + back
            page = await store.page_before(room_id, page.messages[0].seq, 3)
        forth: list[int] = []
        page = await store.page_after(room_id, 0, 4)
        while page.messages:
            forth += [message.seq for message in page.messages]
            page = await store.page_after(room_id, page.messages[-1].seq, 4)
        whole = list(range(1, ROWS + 1))
        expect((back, forth), (whole, whole), "the pages joined")


async def find_gives_the_row_of_an_id(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        first, second = await append_several(store, [draft(room_id, "a"), draft(room_id, "b")])
        expect(await store.find(first.message.id), first.message, "the first row")
        expect(await store.find(second.message.id), second.message, "the second row")
        expect(await store.find(fresh("message")), None, "the row of an unknown id")
        expect(await store.find(first.message.id.upper()), None, "ids differ by case")


async def what_was_appended_can_be_read_at_once(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for number in range(1, 31):
            row = (await store.append(draft(room_id))).message
            expect(await store.last_seq(room_id), number, "last_seq")
            expect(await store.find(row.id), row, "find")
            page = await store.page_before(room_id, None, 1)
            expect(page.messages, [row], "the newest page")


async def answered_is_what_a_character_replied_to(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        asked, other = await append_several(store, [draft(room_id), draft(room_id)])
        await store.append(replace(draft(room_id), reply_to=other.message.id))
        for message in (asked.message, other.message):
            expect(await store.answered(message.id), False, "before a character replied")
        await store.append(replace(stream(room_id), reply_to=asked.message.id))
        expect(await store.answered(asked.message.id), True, "as soon as the answer has a row")
        expect(await store.answered(other.message.id), False, "what a person replied to")
        expect(await store.answered(fresh("message")), False, "an unknown message")


async def an_open_store_answers_a_ping(make: Make) -> None:
    async with opened(make) as store:
        await store.ping()


CHECKS: tuple[Check, ...] = (
    an_empty_room_has_empty_pages,
    pages_before_hold_the_newest_in_order,
    pages_after_hold_the_oldest_in_order,
    pages_join_without_hole_or_repeat,
    find_gives_the_row_of_an_id,
    what_was_appended_can_be_read_at_once,
    answered_is_what_a_character_replied_to,
    an_open_store_answers_a_ping,
)
