"""Full-text search: what is found, where, in which order, and that the index makes no difference to it."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from rejoinder.core.search import wanted
from rejoinder.protocol.fields import epoch_ms
from rejoinder.stores.base import Store
from rejoinder.stores.records import Found, Position, StoredMember
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
    stream,
)

LATER = NOW + 1_000_000
STEP = 4
TEXTS = (
    "우리 고양이가 좋아요",
    "고양시는 서울 옆에 있다",
    "고 양 이",
    "The Cat sat on the mat.",
    "concatenate",
    "Straße",
    "ＦＵＬＬ width",
    unicodedata.normalize("NFD", "강아지는 나중에"),
    "c++ 와 a.b@example.org",
    "👋🌱 👋",
    '100% sure\' OR "1"="1 -- * NEAR( : ^',
    "\x00 nul",
)
QUERIES: dict[str, tuple[int, ...]] = {
    "고양": (0, 1),
    "고양이": (0,),
    "양이가 좋": (0,),
    "좋아 고양": (0,),
    "고": (0, 1, 2),
    "cat": (3, 4),
    "CAT mat": (3,),
    "strasse": (5,),
    "full": (6,),
    "강아지": (7,),
    "c++": (8,),
    "b@ex": (8,),
    "👋🌱": (9,),
    "🌱": (9,),
    '\' or "1"': (10,),
    "near(": (10,),
    "*": (10,),
    "nul": (11,),
    "강아지 고양이": (),
    "xyzzy": (),
}


async def _room(store: Store, user_id: str) -> str:
    room_id = fresh("room")
    await store.create_room(room_id, user_id, NOW, None)
    await store.add_member(room_id, StoredMember(user_id, "Ann", NOW))
    return room_id


async def _found(
    store: Store, user_id: str, query: str, limit: int = ALL, before: Position | None = None
) -> Found:
    looked_for = wanted(query)
    assert looked_for is not None  # noqa: S101 - there is text in it
    return await store.search(user_id, looked_for, limit, before)


async def _index(store: Store, room_ids: Sequence[str], limit: int = ALL) -> None:
    while (await store.index(room_ids, limit, LATER)).rows:
        continue


async def words_are_found_within_words(make: Make) -> None:
    async with opened(make) as store:
        ann = fresh("user")
        room_id = await _room(store, ann)
        rows = [
            row.message for row in await append_several(store, [draft(room_id, t) for t in TEXTS])
        ]
        number_of = {row.id: number for number, row in enumerate(rows)}
        for indexed in (False, True):
            for query, hits in QUERIES.items():
                found = await _found(store, ann, query)
                numbers = tuple(sorted(number_of[message.id] for message in found.messages))
                expect(numbers, hits, f"what {query!r} finds, indexed: {indexed}")
                expect((found.has_more, found.complete), (False, True), f"that it is all: {query}")
            await _index(store, [room_id], 5)
        found = await _found(store, ann, "고양이")
        expect(found.messages, [rows[0]], "a row that is found")


async def only_ones_own_rooms_are_searched(make: Make) -> None:
    async with opened(make) as store:
        ann, ben = fresh("user"), fresh("user")
        hers, his, both = await _room(store, ann), await _room(store, ben), await _room(store, ann)
        await store.add_member(both, StoredMember(ben, "Ben", NOW))
        await append_several(store, [draft(room, "비밀번호") for room in (hers, his, both)])
        for indexed in (False, True):
            for who, rooms in ((ann, {hers, both}), (ben, {his, both}), (fresh("user"), set())):
                for query in ("비밀", "비"):
                    found = {each.room_id for each in (await _found(store, who, query)).messages}
                    expect(found, rooms, f"where {query!r} is found, indexed: {indexed}")
            await _index(store, [hers, his, both])
        await store.remove_member(both, ben)
        found = {each.room_id for each in (await _found(store, ben, "비밀")).messages}
        expect(found, {his}, "where it is found after a removal")


async def hits_come_newest_first_in_pages(make: Make) -> None:
    async with opened(make) as store:
        ann = fresh("user")
        rooms = [await _room(store, ann) for _ in range(4)]
        rows = await append_several(
            store,
            [
                replace(
                    draft(rooms[n % 4], "고양이" if n % 3 else "개"), timestamp=NOW + n // 5 * 1000
                )
                for n in range(60)
            ],
        )
        hits = sorted(
            (
                (epoch_ms(row.message.timestamp), row.message.id)
                for row in rows
                if "고양이" in row.message.content
            ),
            reverse=True,
        )
        for indexed in (False, True):
            for size in (1, 7, len(hits), 50):
                seen: list[Position] = []
                more, before = True, None
                while more:
                    page = await _found(store, ann, "고양이", size, before)
                    positions = [(epoch_ms(each.timestamp), each.id) for each in page.messages]
                    expect(len(positions) <= size, True, f"a page of {size}")
                    seen += positions
                    more, before = page.has_more, positions[-1]
                expect(seen, hits, f"the pages of {size}, indexed: {indexed}")
            await _index(store, rooms, 7)


async def an_answer_is_found_when_it_has_ended(make: Make) -> None:
    async with opened(make) as store:
        ann = fresh("user")
        room_id = await _room(store, ann)
        running = stream(room_id)
        await store.append(running)
        await store.save_stream(running.id, "반쯤 쓴 고양이")
        after = (await store.append(draft(room_id, "고양이 다음"))).message
        for indexed in (False, True):
            found = await _found(store, ann, "고양이")
            expect([each.id for each in found.messages], [after.id], f"while it runs, {indexed}")
            left = await store.index([room_id], ALL, LATER)
            expect((left.rows, left.left), (0, [room_id]), "what waits for it")
        await store.end_stream(running.id, "다 쓴 고양이와 강아지", "complete")
        for indexed in (False, True):
            for query, hits in (("고양이", 2), ("반쯤", 0), ("강아지", 1)):
                found = await _found(store, ann, query)
                expect(len(found.messages), hits, f"{query}, indexed: {indexed}")
            await _index(store, [room_id])
        done = await store.index([room_id], ALL, LATER)
        expect((done.rows, done.left), (0, []), "what is left to do")


async def rooms_that_wait_for_the_index_are_listed(make: Make) -> None:
    async with opened(make) as store:
        ann = fresh("user")
        rooms = sorted([await _room(store, ann) for _ in range(3)])
        await append_several(
            store, [draft(room_id, f"글 {n}") for n in range(5) for room_id in rooms]
        )
        listed = await store.unindexed("", ALL)
        expect([room for room in listed if room in rooms], rooms, "those that wait")
        expect(rooms[0] in await store.unindexed(rooms[0], ALL), False, "those behind the first")
        left = rooms
        for _ in range(20):
            done = await store.index(left, STEP, LATER)
            expect(done.rows <= 2 * STEP, True, "that a step is about as long as asked for")
            left = done.left
            if not left:
                break
        expect(left, [], "what is left")
        listed = await store.unindexed("", ALL)
        expect([room for room in listed if room in rooms], [], "those that wait after that")
        found = await _found(store, ann, "글")
        expect(len(found.messages), 15, "what is found")


CHECKS: tuple[Check, ...] = (
    words_are_found_within_words,
    only_ones_own_rooms_are_searched,
    hits_come_newest_first_in_pages,
    an_answer_is_found_when_it_has_ended,
    rooms_that_wait_for_the_index_are_listed,
)
