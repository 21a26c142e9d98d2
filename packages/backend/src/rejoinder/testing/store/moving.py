"""What `rejoinder db copy` asks of a store: all its rooms in an order, and rows kept in the places that they have."""

# The checks' names say what they hold, and `expect` reads as a table.
# ruff: noqa: D103, FBT003

from msgspec.structs import replace

from rejoinder.errors import Conflict
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import iso
from rejoinder.stores.base import Store
from rejoinder.stores.copy import copy_store
from rejoinder.stores.records import Room, StoredMark, StoredMember
from rejoinder.testing.store.appending import CONTENTS, METADATA
from rejoinder.testing.store.tools import (
    ALL,
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
    seqs,
    stream,
)

KEPT = 8


def row(room_id: str, seq: int, content: str = "hello") -> ChatMessage:
    """A message that has its place."""
    return ChatMessage(
        id=fresh("message"),
        room_id=room_id,
        seq=seq,
        role="user",
        sender_id="ann",
        content=content,
        state="complete",
        timestamp=iso(NOW + seq),
    )


async def totals_count_everything(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        before = await store.totals()
        await store.create_room(fresh("room"), "owner", NOW, None)
        await append_several(store, [draft(room_id) for _ in range(KEPT)])
        after = await store.totals()
        expect(after.rooms > before.rooms, True, "a room more")
        expect(after.messages - before.messages >= KEPT, True, "its messages more")


async def rooms_come_in_the_order_of_their_ids(make: Make) -> None:
    async with opened(make) as store:
        start = fresh("room")
        # Capitals, other scripts and characters beyond 16 bits show by what it orders.
        made = sorted((f"{start} {end}" for end in ("a", "B", "b", "가", "👋")), key=str.encode)
        await at_once(store.create_room(room_id, "ann", NOW, "echo") for room_id in made[::-1])
        seen: list[Room] = []
        page = await store.rooms_after(start, 2)
        while page and page[0].id.startswith(start):
            seen += page
            page = await store.rooms_after(page[-1].id, 2)
        own = [room for room in seen if room.id.startswith(start)]
        expect([room.id for room in own], made, "the rooms, page by page")
        expect(own[0], Room(made[0], "ann", NOW, "echo"), "a room of them")


async def put_messages_keep_everything_in_its_place(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        texts = [row(room_id, seq, content) for seq, content in enumerate(CONTENTS, start=1)]
        first = len(texts) + 1
        others = [
            replace(row(room_id, seq), metadata=metadata, reply_to=texts[0].id)
            for seq, metadata in enumerate(METADATA, start=first)
        ]
        running = replace(
            row(room_id, first + len(others)), state="streaming", role="character", edited_at=iso(7)
        )
        rows = [*texts, *others, running]
        await store.put_messages(rows)
        expect((await store.page_after(room_id, 0, ALL)).messages, rows, "the rows")
        expect(await store.last_seq(room_id), len(rows), "the last number")
        expect((await store.append(draft(room_id))).message.seq, len(rows) + 1, "the next row")
        left = [row.id for row in await store.unfinished(ALL, NOW) if row.room_id == room_id]
        expect(left, [running.id], "what nobody writes in this store")
        expect(await store.end_stream(running.id, "end", "stopped"), True, "its stream can end")


async def put_messages_leave_what_is_there(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        rows = [row(room_id, seq) for seq in range(1, KEPT + 1)]
        await store.put_messages([])
        await store.put_messages(rows[:3])
        await store.put_messages(rows[:5])
        await store.put_messages(rows)
        await store.put_messages(rows)
        expect((await store.page_after(room_id, 0, ALL)).messages, rows, "the rows")


async def put_messages_refuse_what_is_taken(make: Make) -> None:
    async with opened_with_room(make) as (store, room_id):
        known = (await store.append(draft(room_id))).message
        for what, taken in (
            ("a place", row(room_id, 1)),
            ("an id in another place", replace(known, seq=2)),
            ("an id in another room", replace(known, room_id=fresh("room"))),
        ):
            await expect_raises(Conflict, store.put_messages([taken]), f"{what} that is taken")
        expect(await seqs(store, room_id), [1], "the rows after that")
        expect(await store.find(known.id), known, "the row that was there")


async def a_copied_room_is_the_same(make: Make) -> None:
    """Copying goes through the store's own methods alone, so a store is copied onto itself here, which changes nothing."""
    async with opened_with_room(make) as (store, room_id):
        await _fill(store, room_id)
        before = await _content(store, room_id)
        copied = await copy_store(store, store, lambda _: None)
        expect(copied.fresh, 0, "what was copied though it was there")
        expect(copied.messages >= KEPT, True, "what was found")
        expect(await _content(store, room_id), before, "the room")


async def _fill(store: Store, room_id: str) -> None:
    await store.add_member(room_id, StoredMember("ann", "앤", NOW))
    rows = await append_several(store, [draft(room_id) for _ in range(KEPT - 1)])
    await store.append(stream(room_id))
    await store.mark_read(room_id, StoredMark("ann", rows[2].message.id, 3, NOW))


async def _content(store: Store, room_id: str) -> list[object]:
    return [
        await store.room(room_id),
        list(await store.members(room_id, ALL)),
        await store.read_marks(room_id, ALL),
        (await store.page_after(room_id, 0, ALL)).messages,
    ]


CHECKS: tuple[Check, ...] = (
    totals_count_everything,
    rooms_come_in_the_order_of_their_ids,
    put_messages_keep_everything_in_its_place,
    put_messages_leave_what_is_there,
    put_messages_refuse_what_is_taken,
    a_copied_room_is_the_same,
)
