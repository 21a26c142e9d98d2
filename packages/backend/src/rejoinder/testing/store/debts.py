"""Answers that are owed: kept with their questions, under a lease, until they have their rows."""

# The checks' names say what they hold.
# ruff: noqa: D103

import asyncio
from dataclasses import replace

from rejoinder.stores.base import Store
from rejoinder.stores.copy import copy_store
from rejoinder.stores.records import LEASE_AHEAD_MS, Appended, Debt, Draft
from rejoinder.testing.store.tools import (
    ALL,
    NOW,
    Check,
    Make,
    at_once,
    draft,
    expect,
    fresh,
    opened,
    opened_with_room,
    stream,
)

LEASE = 10_000
HOUR = 3_600_000
LATER_SECONDS = 0.05
LOOKS = 400


def question(room_id: str, until: int = NOW + LEASE) -> tuple[Draft, Debt]:
    """A question, with the answer that it owes."""
    asked = draft(room_id)
    debt = Debt(fresh("answer"), asked.id, room_id, "echo", until)
    return replace(asked, owes=debt), debt


def answer(debt: Debt) -> Draft:
    """The row that pays a debt, as it begins."""
    return replace(stream(debt.room_id), id=debt.answer_id, reply_to=debt.question_id)


async def _owed(store: Store, room_id: str, now: int | None = None) -> set[Debt]:
    return {debt for debt in await store.owed(ALL, now) if debt.room_id == room_id}


async def _is_owed(store: Store, room_id: str, *times: int) -> list[bool]:
    """Whether the room's one debt is listed as left behind at these times."""
    return [len(await _owed(store, room_id, now)) == 1 for now in times]


async def _expect_paid(store: Store, room_id: str, left: set[Debt]) -> None:
    """A debt may be listed for a moment after it was paid."""
    for _ in range(LOOKS):
        if await _owed(store, room_id) == left:
            return
        await asyncio.sleep(LATER_SECONDS)
    expect(await _owed(store, room_id), left, "what is owed after that")


async def what_is_owed_is_kept_with_the_question(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        one, owes_one = question(room_id)
        two, owes_two = question(room_id)
        three, owes_three = question(room_id)
        await store.append(draft(room_id))
        await store.append(one)
        outcomes = await store.append_all([draft(room_id), two, three])
        kept = [isinstance(each, Appended) and not each.duplicate for each in outcomes]
        expect(kept, [True, True, True], "what came of a group with questions in it")
        expect(await _owed(store, room_id), {owes_one, owes_two, owes_three}, "what is owed")
        expect(len(await store.owed(1)), 1, "the limit holds")
        found = await store.find(one.id)
        expect(found and found.content, one.content, "the question, which is as any message")


async def debts_are_listed_in_the_order_of_their_questions(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        asked = [question(room_id, NOW + number % 3) for number in range(20)]
        await store.append_all([each for each, _ in asked])
        for now in (None, NOW + LEASE):
            listed = [debt for debt in await store.owed(ALL, now) if debt.room_id == room_id]
            expect(listed, [debt for _, debt in asked], "what is owed")


async def what_is_owed_is_there_after_a_restart(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        asked, debt = question(room_id)
        await store.append_all([asked])
    async with opened(make) as store:
        expect(await _owed(store, room_id), {debt}, "what is owed")


async def a_debt_is_not_left_behind_while_its_lease_runs(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        ends = NOW + LEASE
        await store.append(question(room_id, ends)[0])
        expect(
            await _is_owed(store, room_id, NOW, ends - 1, ends, ends + 1),
            [False, False, True, True],
            "whether it is listed before, at and after the end of its lease",
        )


async def a_debt_whose_lease_no_right_clock_gave_is_left_behind(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        await store.append(question(room_id, NOW + HOUR)[0])
        expect(
            await _is_owed(store, room_id, NOW, NOW + HOUR - LEASE_AHEAD_MS, NOW + HOUR),
            [True, False, True],
            "whether it is listed long before, shortly before and at the end of its lease",
        )


async def debts_are_renewed_together(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        ends = NOW + LEASE
        debts = []
        for _ in range(3):
            asked, debt = question(room_id, ends)
            await store.append(asked)
            debts.append(debt)
        again = Debt(fresh("answer"), debts[0].question_id, room_id, "echo", ends)
        await store.owe(again)
        unknown = question(room_id)[1]
        await store.renew_debts([debts[0], debts[1], unknown], ends + LEASE)
        expect(await _owed(store, room_id, ends), {debts[2], again}, "those that were not renewed")
        renewed = {replace(debt, until=ends + LEASE) for debt in debts[:2]}
        expect(await _owed(store, room_id), {*renewed, debts[2], again}, "all of them")
        await store.renew_debts([], ends)


async def an_answer_pays_its_debt(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        asked = [question(room_id) for _ in range(4)]
        await store.append_all([each for each, _ in asked])
        first, second, third, fourth = [debt for _, debt in asked]
        await store.append(answer(first))
        await store.append_all([answer(second), replace(answer(third), state="interrupted")])
        await store.append(draft(room_id))
        await _expect_paid(store, room_id, {fourth})
        await store.renew_debts([first, second, third], NOW + 2 * LEASE)
        expect(await _owed(store, room_id), {fourth}, "what is owed after a late renewal")


async def another_answer_can_be_owed(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        asked, debt = question(room_id)
        await store.append(asked)
        await store.append(answer(debt))
        swipe = Debt(fresh("answer"), asked.id, room_id, "other", NOW + LEASE, debt.answer_id)
        await store.owe(swipe)
        await _expect_paid(store, room_id, {swipe})
        later = replace(swipe, until=NOW + 2 * LEASE)
        await store.owe(later)
        expect(await _owed(store, room_id), {later}, "what is owed when it is owed again")
        await store.append(answer(swipe))
        await _expect_paid(store, room_id, set())


async def nothing_is_owed_to_no_question(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        _, debt = question(room_id)
        await store.owe(debt)
        expect(await _owed(store, room_id), set(), "what is owed")


async def a_question_sent_again_owes_nothing_more(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        asked, debt = question(room_id)
        await store.append(asked)
        await store.append(answer(debt))
        await _expect_paid(store, room_id, set())
        await store.append(asked)
        await store.append_all([asked])
        expect(await _owed(store, room_id), set(), "what is owed")


async def debts_are_forgiven(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        asked = [question(room_id) for _ in range(3)]
        await store.append_all([each for each, _ in asked])
        first, second, third = [debt for _, debt in asked]
        await store.forgive([])
        await store.forgive([first, third])
        await store.forgive([first])
        expect(await _owed(store, room_id), {second}, "what is owed")


async def an_answer_is_given_once_whoever_pays(make: Make) -> None:
    """A server that was held up begins an answer in the moment in which another one settles it."""
    async with opened_with_room(make) as (store, room_id):
        for _ in range(10):
            asked, debt = question(room_id)
            await store.append(asked)
            settled = replace(answer(debt), state="interrupted")
            appended = await at_once(store.append(each) for each in (answer(debt), settled))
            expect(sorted(each.duplicate for each in appended), [False, True], "who was late")
        await _expect_paid(store, room_id, set())


async def what_is_owed_is_copied(make: Make) -> None:
    """Onto itself, which changes nothing."""
    async with opened_with_room(make) as (store, room_id):
        asked, debt = question(room_id)
        await store.append(asked)
        await copy_store(store, store, lambda _: None)
        expect(await _owed(store, room_id), {debt}, "what is owed")


CHECKS: tuple[Check, ...] = (
    what_is_owed_is_kept_with_the_question,
    debts_are_listed_in_the_order_of_their_questions,
    what_is_owed_is_there_after_a_restart,
    a_debt_is_not_left_behind_while_its_lease_runs,
    a_debt_whose_lease_no_right_clock_gave_is_left_behind,
    debts_are_renewed_together,
    an_answer_pays_its_debt,
    another_answer_can_be_owed,
    nothing_is_owed_to_no_question,
    a_question_sent_again_owes_nothing_more,
    debts_are_forgiven,
    an_answer_is_given_once_whoever_pays,
    what_is_owed_is_copied,
)
