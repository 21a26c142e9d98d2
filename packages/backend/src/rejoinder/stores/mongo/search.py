"""The index of the search, and what is read with it.

`search` has a document for each message that has ended: its room, its time, and its pairs of characters, each of which is
an entry of the index. `indexedSeq` of a room says how far it is in there; what is behind that is read from the log itself.
A room with `toIndex` may have rows behind it: a message sets that at the same time as the time of the last change, which is
at most once a second, and it is taken away when the newest row is older than that.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import BulkWriteError
from pymongo.operations import UpdateOne

from rejoinder.core.search import Wanted, matches, pairs
from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.mongo import model
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.mongo.model import Document
from rejoinder.stores.records import (
    EXAMINED_MAX,
    ROOMS_SEARCHED,
    TAIL_ROOMS,
    TAIL_ROWS,
    Found,
    Indexed,
    Position,
)

SETTLED_MS = 2000
"""Twice the time within which a message need not mark its room as changed."""
ROOMS_AT_ONCE = 100
"""The database joins the stretches of so many rooms without sorting them; from 200 on it would sort."""
PAGE = 200
BREATH = 20_000
"""After so many characters others have their turn: all of it is done where everybody is served, and some text takes long."""
DUPLICATE_KEY = 11000

Hit = tuple[Position, ChatMessage]


@dataclass(slots=True)
class Budget:
    """How much more may be looked at."""

    left: int = EXAMINED_MAX
    spent: bool = False
    """True if something was left out."""


@dataclass(slots=True)
class Breath:
    """Lets others have their turn."""

    looked_at: int = 0

    async def after(self, text: str) -> None:
        """That text was looked at."""
        self.looked_at += len(text)
        if self.looked_at >= BREATH:
            self.looked_at = 0
            await asyncio.sleep(0)


class Search:
    """Reads and writes `search`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._entries = link.collection(model.SEARCH)

    # --- writing ---------------------------------------------------------------------------------

    async def index(self, room_ids: Sequence[str], limit: int, now: int) -> Indexed:
        """Put what is new into the index."""
        asked = list(dict.fromkeys(room_ids))
        fields = {"indexedSeq": True, "deletedAt": True}
        rooms = await self._link.read(
            lambda: self._link.rooms.find({"_id": {"$in": asked}}, fields).to_list()
        )
        entries: list[Document] = []
        changes: list[UpdateOne] = []
        left: list[str] = []
        for room in sorted(rooms, key=lambda room: asked.index(room["_id"])):
            if len(entries) >= limit:
                left.append(room["_id"])
                continue
            more = [] if "deletedAt" in room else await self._new(room, limit - len(entries))
            change, whole = _change(room, more, limit - len(entries), now)
            entries += await entries_of(_ended(more, limit - len(entries)))
            if change:
                changes.append(UpdateOne({"_id": room["_id"]}, change))
            if not whole:
                left.append(room["_id"])
        await self._write(entries)
        await self._without_deleted({entry["roomId"] for entry in entries})
        if changes:
            await self._link.write(lambda: self._link.rooms.bulk_write(changes, ordered=False))
        return Indexed(len(entries), left)

    async def reindex(self, message: ChatMessage) -> None:
        """A row that has ended has another text now; to be called again if it is not known whether it was done."""
        which = {"_id": message.id}
        entry = _entry(model.stored_document(message))
        await self._link.write(lambda: self._entries.replace_one(which, entry, upsert=True))

    async def unindexed(self, room_id: str, limit: int) -> list[str]:
        """Rooms that may not be in the index as a whole."""
        which = {"toIndex": True, "_id": {"$gt": room_id}}
        documents = await self._link.read(
            lambda: (
                self._link.rooms.find(which, {"_id": True})
                .sort("_id", ASCENDING)
                .limit(limit)
                .to_list()
            )
        )
        return [document["_id"] for document in documents]

    async def _new(self, room: Document, limit: int) -> list[Document]:
        which = {"roomId": room["_id"], "seq": {"$gt": room.get("indexedSeq", 0)}}
        documents = await self._link.read(
            lambda: (
                self._link.messages.find(which).sort("seq", ASCENDING).limit(limit + 1).to_list()
            )
        )
        return [document for document in documents if model.is_message(document)]

    async def _write(self, entries: list[Document]) -> None:
        """Insert what is not there: what is there was written again since."""
        if not entries:
            return

        async def insert() -> None:
            try:
                await self._entries.insert_many(entries, ordered=False)
            except BulkWriteError as error:
                refusals = (error.details or {}).get("writeErrors", [])
                if any(refusal.get("code") != DUPLICATE_KEY for refusal in refusals):
                    raise

        await self._link.write(insert)

    async def _without_deleted(self, room_ids: Collection[str]) -> None:
        """Take away what was put in of rooms that were deleted meanwhile: their deletion may have been here before."""
        if not room_ids:
            return
        which = {"_id": {"$in": list(room_ids)}, "deletedAt": {"$exists": True}}
        gone = await self._link.read(lambda: self._link.rooms.find(which, {"_id": True}).to_list())
        if gone:
            entries = {"roomId": {"$in": [room["_id"] for room in gone]}}
            await self._link.write(lambda: self._entries.delete_many(entries))

    # --- searching -------------------------------------------------------------------------------

    async def search(
        self, user_id: str, wanted: Wanted, limit: int, before: Position | None
    ) -> Found:
        """What is wanted, in the rooms of somebody."""
        budget = Budget()
        rooms = await self._rooms(user_id, budget)
        best: list[Hit] = []

        async def take(candidates: AsyncIterator[Document]) -> None:
            nonlocal best
            found = await hits(candidates, wanted, limit, before, budget)
            best = heapq.nlargest(limit + 1, [*best, *found], key=lambda hit: hit[0])

        if wanted.pairs:
            for room in rooms:
                if room.get("toIndex"):
                    await take(self._tail(room, room.get("indexedSeq", 0), budget))
            ids = [room["_id"] for room in rooms]
            for at in range(0, len(ids), ROOMS_AT_ONCE):
                await take(self._indexed(ids[at : at + ROOMS_AT_ONCE], wanted, before))
        else:
            budget.spent = budget.spent or len(rooms) > TAIL_ROOMS
            for room in rooms[:TAIL_ROOMS]:
                await take(self._tail(room, 0, budget))
        return Found([hit for _, hit in best[:limit]], len(best) > limit, not budget.spent)

    async def _rooms(self, user_id: str, budget: Budget) -> list[Document]:
        """The user's rooms, the one that changed last first."""
        members = await self._link.read(
            lambda: (
                self._link.members.find({"userId": user_id}, {"_id": False, "roomId": True})
                .limit(ROOMS_SEARCHED + 1)
                .to_list()
            )
        )
        budget.spent = len(members) > ROOMS_SEARCHED
        ids = [member["roomId"] for member in members[:ROOMS_SEARCHED]]
        fields = {"updatedAt": True, "indexedSeq": True, "toIndex": True, "deletedAt": True}
        rooms = await self._link.read(
            lambda: self._link.rooms.find({"_id": {"$in": ids}}, fields).to_list()
        )
        there = [room for room in rooms if "deletedAt" not in room]
        return sorted(there, key=lambda room: room["updatedAt"], reverse=True)

    async def _tail(self, room: Document, after: int, budget: Budget) -> AsyncIterator[Document]:
        """The newest rows of a room."""
        which = {"roomId": room["_id"], "seq": {"$gt": after}}
        documents = await self._link.read(
            lambda: (
                self._link.messages.find(which)
                .sort("seq", DESCENDING)
                .limit(TAIL_ROWS + 1)
                .to_list()
            )
        )
        if len(documents) > TAIL_ROWS:
            budget.spent = True
        for document in documents[:TAIL_ROWS]:
            if model.is_message(document):
                yield document

    async def _indexed(
        self, room_ids: list[str], wanted: Wanted, before: Position | None
    ) -> AsyncIterator[Document]:
        """The rows of the index that have all pairs, the newest first; a page at a time."""
        which: Document = {"roomId": {"$in": room_ids}, "pairs": {"$all": sorted(wanted.pairs)}}
        below = None if before is None else model.date(before[0])
        passed = 0
        while True:
            bounded = which if below is None else {**which, "timestamp": {"$lte": below}}
            page = await self._page(bounded, passed)
            rows = await self._rows([entry["_id"] for entry in page])
            for entry in page:
                if entry["_id"] in rows:
                    yield rows[entry["_id"]]
            if len(page) < PAGE:
                return
            # The next page begins with the last millisecond of this one, behind what it had of it.
            last = page[-1]["timestamp"]
            same = sum(entry["timestamp"] == last for entry in page)
            passed = passed + same if below == last else same
            below = last

    async def _page(self, which: Document, passed: int) -> list[Document]:
        return await self._link.read(
            lambda: (
                self._entries.find(which, {"timestamp": True})
                .sort("timestamp", DESCENDING)
                .skip(passed)
                .limit(PAGE)
                .to_list()
            )
        )

    async def _rows(self, ids: list[str]) -> dict[str, Document]:
        if not ids:
            return {}
        documents = await self._link.read(
            lambda: self._link.messages.find({"_id": {"$in": ids}}).to_list()
        )
        return {document["_id"]: document for document in documents}


async def entries_of(rows: Sequence[Document]) -> list[Document]:
    """What the index has of these rows."""
    entries, breath = list[Document](), Breath()
    for row in rows:
        entries.append(_entry(row))
        await breath.after(row["content"])
    return entries


async def hits(
    candidates: AsyncIterator[Document],
    wanted: Wanted,
    limit: int,
    before: Position | None,
    budget: Budget,
) -> list[Hit]:
    """The newest of the candidates that hold it, one more than is asked for."""
    found: list[Hit] = []
    breath = Breath()
    async for row in candidates:
        position = (model.epoch_ms(row["timestamp"]), row["_id"])
        if len(found) > limit and position[0] < found[-1][0][0]:
            break
        if budget.left == 0:
            budget.spent = True
            break
        budget.left -= 1
        if row["state"] == "streaming" or (before is not None and position >= before):
            continue
        if matches(wanted, row["content"]):
            found.append((position, model.message_of(row)))
        await breath.after(row["content"])
    return found


def _ended(rows: Sequence[Document], limit: int) -> Sequence[Document]:
    """Those before the first that is being written."""
    ended = next((at for at, row in enumerate(rows) if row["state"] == "streaming"), len(rows))
    return rows[: min(ended, limit)]


def _change(
    room: Document, rows: Sequence[Document], limit: int, now: int
) -> tuple[Document, bool]:
    """What becomes of the room, and whether it need not be asked for again."""
    taken = _ended(rows, limit)
    whole = len(taken) == len(rows)
    settled = whole and (not taken or model.epoch_ms(taken[-1]["timestamp"]) < now - SETTLED_MS)
    change: Document = {}
    if taken:
        change["$max"] = {"indexedSeq": taken[-1]["seq"]}
    if settled or "deletedAt" in room:
        change["$unset"] = {"toIndex": ""}
    return change, settled


def _entry(row: Document) -> Document:
    return {
        "_id": row["_id"],
        "roomId": row["roomId"],
        "timestamp": row["timestamp"],
        "pairs": sorted(pairs(row["content"])),
    }
