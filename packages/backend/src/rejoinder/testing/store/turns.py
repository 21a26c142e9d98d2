"""Whose turn it is in a room: an order of what is owed that all servers see alike."""

# The checks' names say what they hold.
# ruff: noqa: D103

import asyncio
from dataclasses import replace

from rejoinder.stores.base import Store
from rejoinder.stores.records import Debt, InTurn
from rejoinder.testing.store.debts import LEASE, answer, question
from rejoinder.testing.store.tools import (
    NOW,
    Check,
    Make,
    draft,
    expect,
    fresh,
    opened,
    opened_with_room,
)


def _later(asked: Debt, behind: int | None = None) -> Debt:
    """Another answer to the same question."""
    return replace(asked, answer_id=fresh("later"), behind=behind)


def _owed(*debts: Debt) -> InTurn:
    return InTurn(frozenset(), tuple(debt.answer_id for debt in debts))


async def _ask(store: Store, room_id: str) -> Debt:
    asked, debt = question(room_id)
    await store.append(asked)
    return debt


async def it_is_their_turn_in_the_order_of_the_questions(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        expect(await store.in_turn(room_id), _owed(), "a room in which nothing is asked")
        debts = [await _ask(store, room_id) for _ in range(5)]
        await store.append(draft(room_id))
        asked = [question(room_id) for _ in range(5)]
        await store.append_all([each for each, _ in asked])
        debts += [debt for _, debt in asked]
        await store.renew_debts(debts[::2], NOW + 2 * LEASE)
        await store.forgive([debts[3]])
        del debts[3]
        expect(await store.in_turn(room_id), _owed(*debts), "whose turn it is")
        await _ask(store, fresh("another room"))
        expect(await store.in_turn(room_id), _owed(*debts), "whose turn it is in this room")


async def an_answer_is_in_turn_until_it_has_ended(make: Make) -> None:
    """From one moment to the next: a debt that is still to be taken away is not owed any more."""
    async with opened_with_room(make) as (store, room_id):
        first, second, third = [await _ask(store, room_id) for _ in range(3)]
        await store.append(answer(first))
        running = InTurn(frozenset({first.answer_id}), (second.answer_id, third.answer_id))
        expect(await store.in_turn(room_id), running, "while the first is written")
        await store.save_stream(first.answer_id, "so far", NOW)
        expect(await store.in_turn(room_id), running, "when it is saved, with a lease that ends")
        await store.end_stream(first.answer_id, "whole", "complete")
        expect(await store.in_turn(room_id), _owed(second, third), "when it has ended")
        await store.append_all([replace(answer(second), state="interrupted")])
        expect(await store.in_turn(room_id), _owed(third), "when the second was settled")
        await store.append(replace(answer(_later(third)), reply_to=None))
        listed = await store.in_turn(room_id)
        expect(len(listed.running), 1, "those that are written and were never owed")


async def what_is_asked_for_later_is_behind_what_is_there(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        first = await _ask(store, room_id)
        await store.append(answer(first))
        await store.end_stream(first.answer_id, "whole", "complete")
        second = await _ask(store, room_id)
        swipes = [_later(first), _later(second), _later(first)]
        for swipe in swipes:
            await store.owe(swipe)
        third = await _ask(store, room_id)
        order = (second, *swipes, third)
        expect(await store.in_turn(room_id), _owed(*order), "whose turn it is")
        await store.append(draft(room_id))
        last = _later(second)
        await store.owe(last)
        for again in (swipes[0], swipes[2], second):
            await store.owe(replace(again, until=NOW + 2 * LEASE))
        expect(await store.in_turn(room_id), _owed(*order, last), "when they are owed again")
        await store.append(answer(last))
        await store.append(answer(swipes[1]))
        running = frozenset({last.answer_id, swipes[1].answer_id})
        left = InTurn(running, _owed(second, swipes[0], swipes[2], third).owed)
        expect(await store.in_turn(room_id), left, "what is left")
    async with opened(make) as store:
        expect(await store.in_turn(room_id), left, "after a restart")


async def who_knows_its_place_may_say_it(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        first, second, third = [await _ask(store, room_id) for _ in range(3)]
        swipe, other = _later(first, behind=2), _later(third, behind=0)
        for each in (swipe, other):
            await store.owe(each)
        order = (other, first, second, swipe, third)
        expect(await store.in_turn(room_id), _owed(*order), "whose turn it is")


async def all_that_are_asked_for_at_once_get_their_places(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        before = await _ask(store, room_id)
        swipes = [_later(before) for _ in range(8)]

        async def owe(debt: Debt) -> tuple[str, ...]:
            await store.owe(debt)
            owed = (await store.in_turn(room_id)).owed
            # Those that have no place yet are first; whoever has one sees all that may go before it.
            return owed[: owed.index(debt.answer_id)]

        ahead = await asyncio.gather(*map(owe, swipes))
        after = await _ask(store, room_id)
        owed = (await store.in_turn(room_id)).owed
        everything = [before.answer_id, after.answer_id, *(debt.answer_id for debt in swipes)]
        expect(sorted(owed), sorted(everything), "what is owed")
        expect((owed[0], owed[-1]), (before.answer_id, after.answer_id), "what was asked in turn")
        for swipe, seen in zip(swipes, ahead, strict=True):
            real = owed[: owed.index(swipe.answer_id)]
            expect(set(real) - set(seen), set(), "what goes before it and was not seen")


CHECKS: tuple[Check, ...] = (
    it_is_their_turn_in_the_order_of_the_questions,
    an_answer_is_in_turn_until_it_has_ended,
    what_is_asked_for_later_is_behind_what_is_there,
    who_knows_its_place_may_say_it,
    all_that_are_asked_for_at_once_get_their_places,
)
