"""Rooms, those who belong to them, and how far they have read."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

import random
from dataclasses import replace

from rejoinder.core.branches import Choice
from rejoinder.errors import NotFound
from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.records import (
    UNREAD_MAX,
    Entrance,
    Membership,
    Room,
    StoredMark,
    StoredMember,
)
from rejoinder.testing.store.tools import (
    NOW,
    Check,
    Make,
    append_several,
    at_once,
    draft,
    expect,
    expect_raises,
    fresh,
    opened,
    opened_with_room,
    stream,
)


async def a_room_is_created_once(make: Make) -> None:
    async with opened(make) as store:
        room_id = fresh("room")
        expect(await store.room(room_id), None, "a room that nobody made")
        made = await store.create_room(room_id, "ann", NOW, "echo")
        expect(made, Room(room_id, "ann", NOW, "echo", created=True), "the room made")
        again = await store.create_room(room_id, "ben", NOW + 1, "other")
        kept = Room(room_id, "ann", NOW, "echo", created=False)
        expect(again, kept, "the room when it was there")
        expect(await store.room(room_id), kept, "the room found")


async def a_room_is_created_once_under_concurrency(make: Make) -> None:
    async with opened(make) as store:
        room_id = fresh("room")
        rooms = await at_once(
            store.create_room(room_id, f"user {number}", NOW + number, None) for number in range(20)
        )
        makers = {room.created_by for room in rooms if room.created}
        expect(len(makers), 1, "how many made it")
        expect({room.created_by for room in rooms}, makers, "who made it, as all are told")


async def a_room_takes_the_first_character(make: Make) -> None:
    async with opened(make) as store:
        room_id = fresh("room")
        await store.create_room(room_id, "ann", NOW, None)
        for chosen, kept in (
            (None, None),
            ("first", "first"),
            ("second", "first"),
            (None, "first"),
        ):
            room = await store.create_room(room_id, "ben", NOW, chosen)
            expect(room.character_id, kept, f"the character when {chosen} is chosen")
        rooms = await at_once(
            store.create_room(f"{room_id} 2", "ann", NOW, f"character {number}")
            for number in range(20)
        )
        expect(len({room.character_id for room in rooms}), 1, "the characters of one room")


async def a_room_is_founded_with_its_first_member(make: Make) -> None:
    async with opened(make) as store:
        room_id, ann = fresh("room"), StoredMember("ann", "Ann", NOW)
        made = await store.found_room(room_id, ann, None)
        expect(made, Room(room_id, "ann", NOW, None, created=True), "the room made")
        expect(list(await store.members(room_id, 10)), [ann], "its members")
        again = await store.found_room(room_id, StoredMember("ben", "Ben", NOW + 1), "echo")
        expect(again, Room(room_id, "ann", NOW, "echo"), "the room when it was there")
        expect(list(await store.members(room_id, 10)), [ann], "its members as before")
        await store.bury(room_id, NOW)
        await expect_raises(
            NotFound, store.found_room(room_id, ann, None), "founding one that was deleted"
        )


async def a_room_is_founded_once_under_concurrency(make: Make) -> None:
    async with opened(make) as store:
        room_id = fresh("room")
        rooms = await at_once(
            store.found_room(room_id, StoredMember(f"user {number}", "", NOW), None)
            for number in range(20)
        )
        makers = {room.created_by for room in rooms if room.created}
        expect(len(makers), 1, "how many made it")
        members = {member.user_id for member in await store.members(room_id, 100)}
        expect(members, makers, "its members")


async def who_comes_is_known_with_the_room(make: Make) -> None:
    async with opened(make) as store:
        room_id = fresh("room")
        expect(await store.entrance(room_id, "ann"), Entrance(None, Membership(False)), "no room")
        await store.create_room(room_id, "ann", NOW, "echo")
        room = await store.room(room_id)
        outside = Entrance(room, Membership(False))
        expect(await store.entrance(room_id, "ann"), outside, "who is no member")
        await store.add_member(room_id, StoredMember("ann", "Ann", NOW))
        known = Membership(True, name="Ann")
        expect(await store.entrance(room_id, "ann"), Entrance(room, known), "a member")
        expect(await store.membership(room_id, "ann"), known, "a membership")
        await store.add_member(room_id, StoredMember("eve", "", NOW))
        expect((await store.entrance(room_id, "eve")).membership, Membership(True), "with no name")
        expect(await store.entrance(room_id, "ben"), outside, "somebody else")
        await store.remove_member(room_id, "ann")
        membership = await store.membership(room_id, "ann")
        expect(membership.member or not membership.removal, False, "that a member was removed")
        expect(await store.entrance(room_id, "ann"), Entrance(room, membership), "who was removed")
        hider = fresh("user")
        for hides in (True, False):
            await store.hide_last_seen(hider, hides=hides)
            hidden = (await store.entrance(room_id, hider)).hides_last_seen
            expect(hidden, hides, "whether they hide when they were last seen")
        await store.bury(room_id, NOW)
        deleted = await store.entrance(room_id, "ann")
        expect(deleted.room, None, "a room that was deleted")


async def members_come_and_go(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        expect(list(await store.members(room_id, 10)), [], "the members of a new room")
        members = [StoredMember(f"user {n}", f"Name {n}", NOW - n) for n in range(4)]
        for member in members:
            await store.add_member(room_id, member)
        oldest_first = list(reversed(members))
        expect(list(await store.members(room_id, 10)), oldest_first, "the oldest members first")
        expect(list(await store.members(room_id, 2)), oldest_first[:2], "as many as were asked for")
        second = (oldest_first[1].joined_at, oldest_first[1].user_id)
        behind = list(await store.members(room_id, 10, second))
        expect(behind, oldest_first[2:], "those behind one of them")
        expect(len(await store.members(room_id, 1, second)), 1, "as many of them as were asked for")
        expect(await store.is_member(room_id, "user 1"), True, "a member")
        expect(await store.is_member(fresh("room"), "user 1"), False, "a member of another room")
        expect(await store.remove_member(room_id, "user 1"), True, "a member taken out")
        expect(await store.remove_member(room_id, "user 1"), False, "the same once more")
        expect(await store.is_member(room_id, "user 1"), False, "a member who was taken out")
        expect(len(await store.members(room_id, 10)), 3, "the members left")


async def members_of_one_moment_are_in_one_order(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        names = [f"user {number}" for number in range(7)]
        for name in reversed(names):
            await store.add_member(room_id, StoredMember(name, "", NOW))
        seen: list[str] = []
        while page := await store.members(room_id, 3, (NOW, seen[-1]) if seen else None):
            seen += [member.user_id for member in page]
        expect(seen, names, "all of them, page by page")


async def a_member_may_change_the_name(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for name, kept in (("", ""), ("Ann", "Ann"), ("", "Ann"), ("앤 🌱", "앤 🌱")):
            await store.add_member(room_id, StoredMember("ann", name, NOW + len(name)))
            (member,) = await store.members(room_id, 10)
            expect(member, StoredMember("ann", kept, NOW), f"the member named {name!r}")


async def a_member_is_added_once_under_concurrency(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        member = StoredMember("ann", "Ann", NOW)
        await at_once(store.add_member(room_id, member) for _ in range(20))
        expect(list(await store.members(room_id, 10)), [member], "the members")


async def rooms_of_somebody_have_the_last_changed_first(make: Make) -> None:
    async with opened(make) as store:
        ann = fresh("user")
        rooms = [fresh("room") for _ in range(3)]
        for number, room_id in enumerate(rooms):
            await store.create_room(room_id, ann, NOW + number, None)
            await store.add_member(room_id, StoredMember(ann, "Ann", NOW))
        other = fresh("room")
        await store.create_room(other, ann, NOW, None)

        async def listed(limit: int = 10) -> tuple[list[str], bool]:
            overviews, more = await store.rooms_of(ann, limit)
            return [overview.room.id for overview in overviews], more

        expect(await listed(), (rooms[::-1], False), "the rooms as they were made")
        await store.append(replace(draft(rooms[0]), timestamp=NOW + 100))
        await store.append(replace(draft(rooms[1]), timestamp=NOW + 50))
        order = [rooms[0], rooms[1], rooms[2]]
        expect(await listed(), (order, False), "the rooms after messages")
        expect(await listed(3), (order, False), "as many as there are")
        expect(await listed(2), (order[:2], True), "fewer than there are")
        await store.append(replace(draft(rooms[0]), timestamp=NOW))
        expect(await listed(), (order, False), "a clock that went back changes no order")
        expect(await store.rooms_of(fresh("user"), 10), ([], False), "the rooms of a stranger")


async def an_overview_says_what_is_new(make: Make) -> None:
    async with opened(make) as store:
        ann, room_id = fresh("user"), fresh("room")
        await store.create_room(room_id, ann, NOW, "echo")
        await store.add_member(room_id, StoredMember(ann, "Ann", NOW))
        (empty,), _ = await store.rooms_of(ann, 10)
        expect(empty.room, Room(room_id, ann, NOW, "echo"), "the room")
        seen = (empty.updated_at, empty.last_seq, empty.read_seq, empty.last_message)
        expect(seen, (NOW, 0, 0, None), "the overview of an empty room")
        rows = await append_several(
            store, [replace(draft(room_id), timestamp=NOW + n) for n in (10, 20, 30)]
        )
        read = rows[1].message
        await store.mark_read(room_id, StoredMark(ann, read.id, read.seq, NOW))
        await store.mark_read(room_id, StoredMark("other", rows[2].message.id, 3, NOW))
        (full,), _ = await store.rooms_of(ann, 10)
        seen = (full.updated_at, full.last_seq, full.read_seq, full.last_message)
        expect(seen, (NOW + 30, 3, 2, rows[2].message), "the overview")


async def an_overview_shows_the_chosen_path(make: Make) -> None:
    async with opened(make) as store:
        ann, room_id = fresh("user"), fresh("room")
        await store.create_room(room_id, ann, NOW, "echo")
        await store.add_member(room_id, StoredMember(ann, "Ann", NOW))
        await store.create_room(other := fresh("room"), ann, NOW - 1, "echo")
        await store.add_member(other, StoredMember(ann, "Ann", NOW))
        await store.append(draft(other))

        async def shown() -> ChatMessage | None:
            overviews, _ = await store.rooms_of(ann, 10)
            by_room = {overview.room.id: overview for overview in overviews}
            expect(by_room[other].preview, None, "the preview of a room with one path")
            return by_room[room_id].preview

        first = await store.append(draft(room_id))
        for _ in range(2):
            beside = replace(draft(room_id), parent_seq=0, variant_of=first.message.id)
            await store.append(beside)
        expect(await shown(), None, "the preview where the newest is shown")
        await store.choose(room_id, Choice(first.message.id, ann, NOW, head=1, at=3))
        expect(await shown(), first.message, "the preview where the first is chosen")
        await store.append(replace(draft(room_id), parent_seq=1))
        expect(await shown(), None, "the preview once the chosen path goes on")
        aside = await store.append(replace(draft(room_id), parent_seq=3))
        chosen = await shown()
        expect(chosen and chosen.seq, 4, "the preview where another path goes on")
        expect(aside.message.seq, 5, "the newest row")


async def an_overview_counts_what_is_unread(make: Make) -> None:
    async with opened(make) as store:
        ann, room_id = fresh("user"), fresh("room")
        await store.create_room(room_id, ann, NOW, "echo")
        await store.add_member(room_id, StoredMember(ann, "Ann", NOW))

        async def unread() -> int:
            (overview,), _ = await store.rooms_of(ann, 10)
            return overview.unread

        expect(await unread(), 0, "what is unread in an empty room")
        await append_several(store, [draft(room_id, sender_id=ann) for _ in range(3)])
        expect(await unread(), 0, "what is unread of one's own")
        rows = await append_several(
            store,
            [draft(room_id, sender_id="ben"), draft(room_id, sender_id=ann), stream(room_id)],
        )
        # A character may be called as somebody is; what it says is not theirs.
        await store.append(replace(stream(room_id), sender_id=ann))
        expect(await unread(), 3, "what is unread")
        read = rows[0].message
        await store.mark_read(room_id, StoredMark(ann, read.id, read.seq, NOW))
        await store.mark_read(room_id, StoredMark("ben", rows[2].message.id, 6, NOW))
        expect(await unread(), 2, "what is unread after the mark")
        await store.erase(room_id, [rows[2].message.id], NOW)
        expect(await unread(), 1, "what is unread after one of it was deleted")
        await append_several(store, [draft(room_id, sender_id="ben") for _ in range(UNREAD_MAX)])
        expect(await unread(), UNREAD_MAX, "what is unread where there is more")


async def a_read_mark_only_goes_forward(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for seq, moves in ((2, True), (2, False), (1, False), (3, True)):
            mark = StoredMark("ann", f"message {seq}", seq, NOW + seq)
            expect(await store.mark_read(room_id, mark), moves, f"whether {seq} moves the mark")
        kept = StoredMark("ann", "message 3", 3, NOW + 3)
        expect(await store.read_marks(room_id, 10), [kept], "the mark")
        expect(await store.read_marks(fresh("room"), 10), [], "the marks of another room")


async def a_read_mark_only_goes_forward_under_concurrency(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        numbers = list(range(1, 51))
        random.Random(1).shuffle(numbers)  # noqa: S311 - an order, not a secret
        await at_once(
            store.mark_read(room_id, StoredMark("ann", f"message {seq}", seq, NOW))
            for seq in numbers
        )
        marks = await store.read_marks(room_id, 10)
        expect(marks, [StoredMark("ann", "message 50", 50, NOW)], "the mark")


async def read_marks_have_the_furthest_first(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for seq in (2, 5, 1):
            await store.mark_read(room_id, StoredMark(f"user {seq}", f"message {seq}", seq, NOW))
        marks = [mark.seq for mark in await store.read_marks(room_id, 10)]
        expect(marks, [5, 2, 1], "the furthest first")
        expect(len(await store.read_marks(room_id, 2)), 2, "as many as were asked for")


async def word_for_a_server_is_left_and_taken_once(make: Make) -> None:
    async with opened(make) as store:
        server, other = fresh("server"), fresh("server")
        expect(list(await store.overtaken(server)), [], "what nobody has left")
        await store.overtake(server, ["one", "two"])
        await store.overtake(other, ["another"])
        await store.overtake(server, ["three"])
        expect(list(await store.overtaken(server)), ["one", "two", "three"], "what was left")
        expect(list(await store.overtaken(server)), [], "what was taken already")
        expect(list(await store.overtaken(other)), ["another"], "what was left for another one")


CHECKS: tuple[Check, ...] = (
    a_room_is_created_once,
    a_room_is_created_once_under_concurrency,
    a_room_takes_the_first_character,
    a_room_is_founded_with_its_first_member,
    a_room_is_founded_once_under_concurrency,
    who_comes_is_known_with_the_room,
    members_come_and_go,
    members_of_one_moment_are_in_one_order,
    a_member_may_change_the_name,
    a_member_is_added_once_under_concurrency,
    rooms_of_somebody_have_the_last_changed_first,
    an_overview_says_what_is_new,
    an_overview_shows_the_chosen_path,
    an_overview_counts_what_is_unread,
    a_read_mark_only_goes_forward,
    a_read_mark_only_goes_forward_under_concurrency,
    read_marks_have_the_furthest_first,
    word_for_a_server_is_left_and_taken_once,
)
