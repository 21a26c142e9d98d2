"""Branches of a room, what is chosen among them, and what is deleted."""

# The checks' names say what they hold.
# ruff: noqa: D103, FBT003

from dataclasses import replace

from msgspec import structs

from rejoinder.core.branches import Branching, Choice, Fork
from rejoinder.core.search import wanted
from rejoinder.errors import Conflict
from rejoinder.protocol.fields import iso
from rejoinder.stores.base import Store
from rejoinder.stores.copy import copy_store
from rejoinder.stores.records import Erased, StoredMember
from rejoinder.testing.store.tools import (
    ALL,
    NOW,
    Check,
    Make,
    at_once,
    draft,
    expect,
    expect_raises,
    fresh,
    opened,
    opened_with_room,
    seqs,
    stream,
)


def _choice(message_id: str = "m1", user_id: str = "ann") -> Choice:
    return Choice(message_id=message_id, user_id=user_id, timestamp=NOW + 7, head=2, at=5)


async def _text(store: Store, message_id: str) -> tuple[str, bool]:
    row = await store.find(message_id)
    if row is None:
        raise AssertionError(f"{message_id} is not there any more")
    return row.content, row.deleted_at == iso(NOW)


async def a_room_without_branches_has_none(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        await store.append(draft(room_id))
        expect(await store.branching(room_id), Branching(), "its branches")
        expect(await store.branching(fresh("room")), Branching(), "those of no room")
        expect(await store.erased_since(room_id, 0, ALL), [], "what was erased")


async def a_room_stands_where_its_log_and_its_branches_are(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        expect(await store.stand(fresh("room")), (0, Branching()), "no room")
        expect(await store.stand(room_id), (0, Branching()), "a room in which nothing was said")
        for _ in range(2):
            await store.append(draft(room_id))
        await store.append(replace(draft(room_id), parent_seq=1))
        await store.choose(room_id, _choice())
        branching = await store.branching(room_id)
        expect(branching.forks, (Fork(3, 1, False),), "its forks")
        expect(await store.stand(room_id), (3, branching), "a room with a fork and a choice")


async def forks_are_kept_in_order(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        question = (await store.append(draft(room_id))).message
        beside = replace(stream(room_id), parent_seq=1, variant_of=question.id)
        rows = [
            (await store.append(each)).message
            for each in (
                stream(room_id),
                beside,
                draft(room_id),
                replace(draft(room_id), parent_seq=0),
            )
        ]
        expect((rows[1].parent_seq, rows[1].variant_of), (1, question.id), "the row as stored")
        expect(await store.find(rows[1].id), rows[1], "the row as found")
        page = (await store.page_after(room_id, 1, ALL)).messages
        expect(page, rows, "the rows as listed")
        forks = (Fork(3, 1, beside=True), Fork(5, 0, beside=False))
        expect((await store.branching(room_id)).forks, forks, "the forks")


async def the_last_choice_holds(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        known = Branching()
        for number in range(1, 4):
            choice = replace(_choice(f"m{number}"), head=number)
            expect(await store.choose(room_id, choice), number, "the revision")
            known = Branching(number, replace(choice, revision=number))
            expect(await store.branching(room_id), known, "what is known then")
    async with opened(make) as store:
        expect(await store.branching(room_id), known, "what is known when it is opened again")


async def ids_are_kept_as_they_are(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        for odd in ("$revision", "$$ROOT", "안녕 👋", "a.b", '"'):
            await store.choose(room_id, _choice(odd, odd))
            choice = (await store.branching(room_id)).choice
            expect(choice and (choice.message_id, choice.user_id), (odd, odd), "the ids")


async def each_choice_has_a_revision_of_its_own(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        choices = [replace(_choice(), head=number) for number in range(20)]
        revisions = await at_once(store.choose(room_id, choice) for choice in choices)
        expect(sorted(revisions), list(range(1, 21)), "the revisions")
        last = choices[revisions.index(20)]
        known = await store.branching(room_id)
        expect(known.choice, replace(last, revision=20), "the choice that holds")


async def what_is_erased_is_gone_for_good(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        secret = replace(draft(room_id, "a secret"), metadata={"more": "of it"})
        rows = [(await store.append(each)).message for each in (secret, draft(room_id, "kept"))]
        expect(await store.erase(room_id, [rows[0].id], NOW), 1, "the revision")
        erased = await store.find(rows[0].id)
        expect(erased and (erased.content, erased.deleted_at), ("", iso(NOW)), "the row")
        expect(erased and erased.metadata is rows[1].metadata, True, "its metadata")
        expect(erased and (erased.seq, erased.state), (1, "complete"), "what stays of it")
        expect(await seqs(store, room_id), [1, 2], "the places")
        expect(await _text(store, rows[1].id), ("kept", False), "the other row")
        expect(await store.erased_since(room_id, 0, ALL), [Erased(rows[0].id, NOW, 1)], "the list")
        expect((await store.branching(room_id)).revision, 1, "the room's revision")


async def what_is_erased_is_not_found(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        user_id = fresh("user")
        await store.add_member(room_id, StoredMember(user_id, "", NOW))
        looked_for = wanted("secret")
        if looked_for is None:
            raise AssertionError("it can't be looked for")
        rows = [(await store.append(draft(room_id, "a secret"))).message for _ in range(2)]
        await store.index([room_id], ALL, NOW + 10_000)
        late = (await store.append(draft(room_id, "a late secret"))).message
        await store.erase(room_id, [rows[0].id, late.id], NOW)
        await store.index([room_id], ALL, NOW + 10_000)
        found = await store.search(user_id, looked_for, ALL)
        expect([each.id for each in found.messages], [rows[1].id], "what is found")


async def several_are_erased_together(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        rows = [(await store.append(draft(room_id))).message for _ in range(5)]
        other = fresh("room")
        await store.create_room(other, "owner", NOW, None)
        elsewhere = (await store.append(draft(other))).message
        ids = [row.id for row in rows]
        expect(await store.erase(room_id, [ids[0]], NOW), 1, "the first")
        expect(await store.erase(room_id, [*ids[:3], elsewhere.id, "no"], NOW), 2, "three of them")
        expect(await store.erase(room_id, ids[:3], NOW), 0, "them again")
        expect(await store.erase(room_id, [elsewhere.id], NOW), 0, "one of another room")
        expect(await store.erase(room_id, [], NOW), 0, "none")
        listed = [
            (each.revision, each.message_id) for each in await store.erased_since(room_id, 0, ALL)
        ]
        expect(sorted(listed[1:]), sorted([(2, ids[1]), (2, ids[2])]), "those that went together")
        expect(listed[0], (1, ids[0]), "the one that went first")
        later = {each.message_id for each in await store.erased_since(room_id, 1, ALL)}
        expect(later, set(ids[1:3]), "those after the first")
        expect(await store.erased_since(room_id, 2, ALL), [], "those after all")
        expect(len(await store.erased_since(room_id, 0, 2)), 2, "the limit holds")
        expect(await _text(store, elsewhere.id), (elsewhere.content, False), "the other room's")


async def each_deletion_has_a_revision_of_its_own(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        rows = [(await store.append(draft(room_id))).message for _ in range(10)]
        revisions = await at_once(store.erase(room_id, [row.id], NOW) for row in rows)
        expect(sorted(revisions), list(range(1, 11)), "the revisions")
        for row, revision in zip(rows, revisions, strict=True):
            after = [each.message_id for each in await store.erased_since(room_id, revision, ALL)]
            expect(row.id in after, False, "whether it is listed as later than itself")
            before = await store.erased_since(room_id, revision - 1, ALL)
            expect(row.id in [each.message_id for each in before], True, "whether it is listed")


async def an_erased_row_sent_again_is_a_duplicate(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        sent = draft(room_id, "regretted")
        await store.append(sent)
        await store.erase(room_id, [sent.id], NOW)
        for again in (await store.append(sent), (await store.append_all([sent]))[0]):
            answer = again if isinstance(again, Exception) else again.message.content
            expect(answer, "", "what it is answered")
        theirs = replace(sent, sender_id="ben")
        await expect_raises(Conflict, store.append(theirs), "the same id of somebody else")


async def answers_to_a_message_are_listed(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        question = (await store.append(draft(room_id))).message
        answers = [
            (await store.append(replace(stream(room_id), reply_to=question.id))).message
            for _ in range(3)
        ]
        await store.append(replace(draft(room_id), reply_to=question.id))
        expect(await store.answers_to(question.id, ALL), answers, "the answers")
        expect(len(await store.answers_to(question.id, 2)), 2, "the limit holds")
        expect(await store.answers_to("no", ALL), [], "those to no message")


async def a_copied_room_has_its_branches(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        first = (await store.append(draft(room_id))).message
        await store.append(replace(draft(room_id), parent_seq=0, variant_of=first.id))
        await store.choose(room_id, replace(_choice(first.id), head=1, at=2))
        await store.erase(room_id, [first.id], NOW)
        before = await store.branching(room_id)
        await copy_store(store, store, lambda _: None)
        expect(await store.branching(room_id), before, "the branches")
        # As in a store into which it is copied: its rows first, then what holds for the room.
        copy = fresh("room")
        await store.create_room(copy, "owner", NOW, None)
        rows = [
            structs.replace(row, id=fresh("message"), room_id=copy)
            for row in (await store.page_after(room_id, 0, ALL)).messages
        ]
        await store.put_messages(rows)
        await store.put_branching(copy, before)
        expect(await store.branching(copy), before, "the branches of the copy")
        erased = await store.erased_since(copy, 0, ALL)
        expect(erased, [Erased(rows[0].id, NOW, 2)], "what is erased in the copy")
        expect((await store.page_after(copy, 0, ALL)).messages, rows, "the rows of the copy")


CHECKS: tuple[Check, ...] = (
    a_room_without_branches_has_none,
    a_room_stands_where_its_log_and_its_branches_are,
    forks_are_kept_in_order,
    the_last_choice_holds,
    ids_are_kept_as_they_are,
    each_choice_has_a_revision_of_its_own,
    what_is_erased_is_gone_for_good,
    what_is_erased_is_not_found,
    several_are_erased_together,
    each_deletion_has_a_revision_of_its_own,
    an_erased_row_sent_again_is_a_duplicate,
    answers_to_a_message_are_listed,
    a_copied_room_has_its_branches,
)
