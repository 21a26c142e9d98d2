"""Who of the characters is in a room, and the room's own rule for who sends again."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

from rejoinder.stores.base import Store
from rejoinder.stores.records import Room, StoredMember, characters_of
from rejoinder.testing.store.tools import (
    NOW,
    Check,
    Make,
    at_once,
    expect,
    fresh,
    opened,
    opened_with_room,
)

LIMIT = 4


async def _room(store: Store, room_id: str) -> Room:
    room = await store.room(room_id)
    if room is None:
        raise AssertionError("a room that was made must be there")
    return room


async def characters_come_and_go(make: Make) -> None:
    async with opened(make) as store:
        room_id = fresh("room")
        await store.create_room(room_id, "ann", NOW, "sage")
        for change, character_id, there in (
            ("put", "bard", ["sage", "bard"]),
            ("put", "bard", ["sage", "bard"]),
            ("put", "$cook", ["sage", "bard", "$cook"]),
            ("take", "sage", ["bard", "$cook"]),
            ("take", "nobody", ["bard", "$cook"]),
            ("put", "sage", ["bard", "$cook", "sage"]),
            ("take", "$cook", ["bard", "sage"]),
            ("take", "bard", ["sage"]),
            ("take", "sage", []),
            ("put", "cook", ["cook"]),
        ):
            if change == "put":
                left = await store.put_character(room_id, character_id, LIMIT)
            else:
                left = await store.take_character(room_id, character_id)
            expect(list(left or ()), there, f"who is there after {change} {character_id}")
            room = await _room(store, room_id)
            expect(list(characters_of(room)), there, f"the room after {change} {character_id}")
            expect(room.character_id, next(iter(there), None), "the first of them")


async def no_more_characters_than_there_is_place_for(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        await at_once(store.put_character(room_id, f"c{number}", LIMIT) for number in range(9))
        there = await store.put_character(room_id, "late", LIMIT) or ()
        expect(len(there), LIMIT, "how many are there")
        expect("late" in there, False, "one too many is there")
        expect(len(set(there)), LIMIT, "how many different ones are there")


async def a_room_s_own_rule(make: Make) -> None:
    async with opened(make) as store:
        ann, room_id = fresh("user"), fresh("room")
        await store.create_room(room_id, ann, NOW, None)
        await store.add_member(room_id, StoredMember(ann, "Ann", NOW))
        await store.put_character(room_id, "sage", LIMIT)
        for policy in (None, "merge", "queue", None):
            expect(await store.set_double_texting(room_id, policy), True, f"{policy} is taken")
            room = await _room(store, room_id)
            expect(room.double_texting, policy, "the rule")
            (overview,), _ = await store.rooms_of(ann, 10)
            expect(overview.room, room, "the room in the list")


async def a_room_that_is_not_there_has_no_characters(make: Make) -> None:
    async with opened(make) as store:
        room_id = fresh("room")
        for _ in range(2):
            expect(await store.put_character(room_id, "sage", LIMIT), None, "put into no room")
            expect(await store.take_character(room_id, "sage"), None, "taken out of no room")
            expect(await store.set_double_texting(room_id, "merge"), False, "a rule for no room")
            expect(await store.room(room_id), None, "the room after that")
            deleted = fresh("room")
            await store.create_room(deleted, "ann", NOW, "sage")
            await store.put_character(deleted, "bard", LIMIT)
            await store.bury(deleted, NOW)
            room_id = deleted


CHECKS: tuple[Check, ...] = (
    characters_come_and_go,
    no_more_characters_than_there_is_place_for,
    a_room_s_own_rule,
    a_room_that_is_not_there_has_no_characters,
)
