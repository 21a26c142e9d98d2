"""Titles of rooms: who has the last word."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

from rejoinder.stores.base import Store
from rejoinder.stores.records import StoredMember
from rejoinder.testing.store.tools import NOW, Check, Make, expect, fresh, opened, opened_with_room


async def _title(store: Store, room_id: str) -> tuple[str | None, str | None]:
    room = await store.room(room_id)
    return ("none", "none") if room is None else (room.title, room.titled_by)


async def a_title_of_a_person_has_the_last_word(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        expect(await _title(store, room_id), (None, None), "the title of a new room")
        steps = (
            ("고양이 이야기", "first", True),
            ("another", "first", False),
            ("Cats", "model", True),
            ("Cats and dogs", "model", True),
            ("첫 말", "first", False),
            ("Mine 👋", "person", True),
            ("Cats", "model", False),
            ("first", "first", False),
            ("Mine again", "person", True),
        )
        kept: tuple[str | None, str | None] = (None, None)
        for title, by, taken in steps:
            done = await store.set_title(room_id, title, by)  # type: ignore[arg-type] # a table
            expect(done, taken, f"whether {title!r} of {by} is taken")
            kept = (title, by) if taken else kept
            expect(await _title(store, room_id), kept, f"the title after {title!r} of {by}")


async def a_title_is_in_the_list_of_rooms(make: Make) -> None:
    async with opened(make) as store:
        ann, room_id = fresh("user"), fresh("room")
        await store.create_room(room_id, ann, NOW, None)
        await store.add_member(room_id, StoredMember(ann, "Ann", NOW))
        await store.set_title(room_id, "우리 방", "person")
        (overview,), _ = await store.rooms_of(ann, 10)
        expect(overview.room.title, "우리 방", "the title in the list")
        again = await store.create_room(room_id, ann, NOW, None)
        expect(again.title, "우리 방", "the title of the room that was there")


async def a_room_that_nobody_made_takes_no_title(make: Make) -> None:
    async with opened(make) as store:
        room_id = fresh("room")
        expect(await store.set_title(room_id, "x", "person"), False, "a title for no room")
        expect(await store.room(room_id), None, "the room after that")


CHECKS: tuple[Check, ...] = (
    a_title_of_a_person_has_the_last_word,
    a_title_is_in_the_list_of_rooms,
    a_room_that_nobody_made_takes_no_title,
)
