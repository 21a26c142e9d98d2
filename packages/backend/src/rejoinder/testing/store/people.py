"""What is kept of people whatever room they are in: when they were last seen, and whether others may know."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

import random

from rejoinder.stores.copy import copy_store
from rejoinder.stores.records import StoredPerson
from rejoinder.testing.store.tools import NOW, Check, Make, at_once, expect, fresh, opened


async def nothing_is_kept_of_a_stranger(make: Make) -> None:
    async with opened(make) as store:
        expect(dict(await store.people([fresh("user")])), {}, "a stranger")
        expect(dict(await store.people([])), {}, "nobody")


async def last_seen_only_goes_forward(make: Make) -> None:
    async with opened(make) as store:
        ann, ben = fresh("user"), fresh("user")
        for at, kept in ((NOW, NOW), (NOW - 1, NOW), (NOW + 5, NOW + 5)):
            await store.put_last_seen({ann: at, ben: NOW})
            found = await store.people([ann, ben, fresh("user")])
            expect(found[ann], StoredPerson(ann, last_seen=kept), f"when last seen, told {at}")
            expect(found[ben], StoredPerson(ben, last_seen=NOW), "somebody else")
            expect(len(found), 2, "how many are known")
        await store.put_last_seen({})


async def last_seen_only_goes_forward_under_concurrency(make: Make) -> None:
    async with opened(make) as store:
        ann = fresh("user")
        times = [NOW + each for each in range(40)]
        random.Random(1).shuffle(times)  # noqa: S311 - an order, not a secret
        await at_once(store.put_last_seen({ann: at, fresh("user"): at}) for at in times)
        expect((await store.people([ann]))[ann].last_seen, NOW + 39, "when last seen")


async def a_choice_is_kept_and_can_be_changed(make: Make) -> None:
    async with opened(make) as store:
        ann, ben = fresh("user"), fresh("user")
        for hides in (True, True, False, True):
            await store.hide_last_seen(ann, hides=hides)
            expect((await store.people([ann]))[ann], StoredPerson(ann, hides), "the choice")
        await store.put_last_seen({ann: NOW, ben: NOW})
        found = await store.people([ann, ben])
        expect(found[ann], StoredPerson(ann, hides_last_seen=True, last_seen=NOW), "both together")
        expect(found[ben].hides_last_seen, False, "the choice of somebody who made none")
    async with opened(make) as store:
        again = await store.people([ann])
        expect(again[ann].hides_last_seen, True, "the choice after a restart")


async def a_choice_is_kept_under_concurrency(make: Make) -> None:
    async with opened(make) as store:
        ann = fresh("user")
        await at_once(
            store.hide_last_seen(ann, hides=True) if each % 2 else store.put_last_seen({ann: NOW})
            for each in range(20)
        )
        kept = StoredPerson(ann, hides_last_seen=True, last_seen=NOW)
        expect((await store.people([ann]))[ann], kept, "what is kept")


async def many_are_found_at_once(make: Make) -> None:
    async with opened(make) as store:
        everybody = {fresh("user"): NOW + each for each in range(1_200)}
        await store.put_last_seen(everybody)
        found = await store.people(list(everybody))
        seen = {user_id: person.last_seen for user_id, person in found.items()}
        expect(seen, everybody, "when they were last seen")


async def people_come_in_the_order_of_their_ids(make: Make) -> None:
    async with opened(make) as store:
        start = fresh("user")
        made = sorted((f"{start} {end}" for end in ("a", "B", "b", "가", "👋")), key=str.encode)
        await store.put_last_seen(dict.fromkeys(made[::-1], NOW))
        await store.hide_last_seen(made[0], hides=True)
        seen: list[StoredPerson] = []
        page = await store.people_after(start, 2)
        while page and page[0].user_id.startswith(start):
            seen += page
            page = await store.people_after(page[-1].user_id, 2)
        own = [each for each in seen if each.user_id.startswith(start)]
        expect([each.user_id for each in own], made, "the people, page by page")
        expect(own[0], StoredPerson(made[0], hides_last_seen=True, last_seen=NOW), "one of them")


async def copied_people_are_the_same(make: Make) -> None:
    async with opened(make) as store:
        ann = fresh("user")
        await store.put_last_seen({ann: NOW})
        await store.hide_last_seen(ann, hides=True)
        before = await store.people([ann])
        await copy_store(store, store, lambda _: None)
        expect(dict(await store.people([ann])), dict(before), "somebody")


CHECKS: tuple[Check, ...] = (
    nothing_is_kept_of_a_stranger,
    last_seen_only_goes_forward,
    last_seen_only_goes_forward_under_concurrency,
    a_choice_is_kept_and_can_be_changed,
    a_choice_is_kept_under_concurrency,
    many_are_found_at_once,
    people_come_in_the_order_of_their_ids,
    copied_people_are_the_same,
)
