"""Those who were removed from a room: they stay out, whatever was under way, until they are let in anew."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

import asyncio

from rejoinder.stores.base import Store
from rejoinder.stores.records import StoredMember
from rejoinder.testing.store.tools import (
    NOW,
    Check,
    Make,
    at_once,
    expect,
    fresh,
    opened_with_room,
)

ANN = StoredMember("ann", "Ann", NOW)
ROUNDS = 20


async def who_was_removed_is_not_added_by_who_asked_before(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        first = await store.membership(room_id, "ann")
        expect((first.member, first.removal), (False, ""), "a stranger")
        expect(await store.add_member(room_id, ANN, first.removal), True, "a stranger added")
        for _ in range(2):
            before = await store.membership(room_id, "ann")
            expect(before.member, True, "whether they are a member")
            expect(await store.remove_member(room_id, "ann"), True, "a member removed")
            added = await store.add_member(room_id, ANN, before.removal)
            expect(added, False, "whether they are added by who asked before")
            expect(await store.add_member(room_id, ANN, ""), False, "the same, of long ago")
            expect(await store.is_member(room_id, "ann"), False, "whether they are a member then")
            after = await store.membership(room_id, "ann")
            expect(after.member, False, "whether they are a member, asked anew")
            expect(after.removal not in {"", before.removal}, True, "another removal")
            expect(await store.add_member(room_id, ANN, after.removal), True, "added anew")
        other = StoredMember("ben", "Ben", NOW)
        expect(await store.add_member(room_id, other, ""), True, "somebody else added")


async def nothing_is_left_of_a_membership(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        user = fresh("user")
        await store.add_member(room_id, StoredMember(user, "Ann", NOW))
        await store.remove_member(room_id, user)
        expect(list(await store.members(room_id, 10)), [], "the members")
        expect(await store.rooms_of(user, 10), ([], False), "their rooms")
        again = StoredMember(user, "", NOW + 1)
        expect(await store.add_member(room_id, again), True, "added without a condition")
        expect(
            list(await store.members(room_id, 10)), [again], "the member, with nothing of before"
        )
        renamed = StoredMember(user, "$name", NOW + 2)
        removal = (await store.membership(room_id, user)).removal
        expect(await store.add_member(room_id, renamed, removal), True, "given another name")
        kept = StoredMember(user, "$name", NOW + 1)
        expect(list(await store.members(room_id, 10)), [kept], "the member with another name")


async def those_who_were_removed_are_listed_until_they_come_back(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):

        async def listed() -> list[str]:
            return [user for room, user in await store.removed(0, 1000) if room == room_id]

        for name in ("ann", "ben", "eve"):
            await store.add_member(room_id, StoredMember(name, "", NOW))
        expect(await listed(), [], "nobody was removed")
        await store.remove_member(room_id, "ann")
        await asyncio.sleep(0.005)  # They are told apart by the store's milliseconds.
        await store.remove_member(room_id, "ben")
        await store.remove_member(room_id, "stranger")
        expect(await listed(), ["ben", "ann"], "who was removed, the last first")
        expect(len(await store.removed(0, 1)), 1, "as many as were asked for")
        expect(list(await store.removed(2**42, 10)), [], "since a time to come")
        await store.add_member(room_id, StoredMember("ben", "", NOW))
        expect(await listed(), ["ann"], "who was removed and has not come back")


async def who_was_removed_stays_out_of_a_deleted_room(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        await store.add_member(room_id, ANN)
        await store.remove_member(room_id, "ann")
        await store.bury(room_id, NOW)
        while await store.purge(room_id, 10):
            continue
        await store.add_member(room_id, ANN)
        expect(await store.is_member(room_id, "ann"), False, "a member of a room that was deleted")


async def who_is_removed_stays_out_under_concurrency(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):

        async def enter(delay: int) -> None:
            for _ in range(delay):
                await asyncio.sleep(0)
            standing = await store.membership(room_id, "ann")
            # As who is let in only if they are a member.
            if await store.is_member(room_id, "ann"):
                await store.add_member(room_id, ANN, standing.removal)

        for round_ in range(ROUNDS):
            await store.add_member(room_id, ANN)
            await at_once((*map(enter, range(8)), _remove_later(store, room_id, round_ % 8)))
            expect(await store.is_member(room_id, "ann"), False, f"a member after round {round_}")


async def _remove_later(store: Store, room_id: str, delay: int) -> None:
    for _ in range(delay):
        await asyncio.sleep(0)
    expect(await store.remove_member(room_id, "ann"), True, "removed while others let them in")


CHECKS: tuple[Check, ...] = (
    who_was_removed_is_not_added_by_who_asked_before,
    nothing_is_left_of_a_membership,
    those_who_were_removed_are_listed_until_they_come_back,
    who_was_removed_stays_out_of_a_deleted_room,
    who_is_removed_stays_out_under_concurrency,
)
