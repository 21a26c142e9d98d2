"""Appending to the logs: a few lanes, a room always in the same one, and in each lane one group of rows at a time.

A group is one ordered insert, whose rows take the next numbers of their rooms; all that gathers meanwhile is the next
group, so that a busy server needs few inserts, however many rooms it has. The unique index on room and number lets only
one of two servers have a number; the other waits until it is told what that one has stored, or reads the last number, and
goes on from there. An ordered insert stops at its first refusal, so a room never has a hole.
"""

import asyncio
from collections.abc import Mapping
from itertools import islice
from typing import Any

from pymongo import DESCENDING
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from rejoinder.errors import Conflict, NotFound, Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.mongo.connect import BUSY, answering
from rejoinder.stores.mongo.lane import Entry, Lane
from rejoinder.stores.mongo.model import ENDED, Document, message_document, message_of
from rejoinder.stores.records import GONE, TAKEN, Appended, Draft, is_same

DUPLICATE_KEY = 11000
GROUP = 256
WAITING_MAX = 10_000
LANES = 4
MAJORITY_TRIES = 100
MAJORITY_SECONDS = 0.02


class Lanes:
    """Appends rows."""

    def __init__(self, messages: AsyncCollection[Document]) -> None:
        """`messages` is read with the read concern `majority`: a number that an election could take back must not be
        counted on from, or a room would have a hole.
        """
        self._messages = messages
        self._lanes = [Lane() for _ in range(LANES)]
        self._running: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._closing = False

    def append(self, draft: Draft) -> "asyncio.Future[Appended]":
        """Take a draft into its lane.

        Raises:
            Unavailable: too many are waiting, or the store is closed.
        """
        if self._closing or self._waiting >= WAITING_MAX:
            raise Unavailable(BUSY)
        entry = Entry(draft, asyncio.get_running_loop().create_future())
        lane = self._lanes[hash(draft.room_id) % LANES]
        lane.waiting.append(entry)
        self._waiting += 1
        if not lane.runs:
            lane.runs = True
            task = asyncio.get_running_loop().create_task(self._run(lane))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return entry.done

    def heard(self, room_id: str, seq: int, before: int) -> None:
        """Another server has stored that row; a majority has it."""
        lane = self._lanes[hash(room_id) % LANES]
        lane.hear(room_id, seq, before, _now())

    async def close(self) -> None:
        """Write what has been taken."""
        self._closing = True
        await asyncio.gather(*self._running)

    async def _run(self, lane: Lane) -> None:
        while lane.waiting:
            if lane.refused:
                waiting = islice(lane.waiting, GROUP)
                await lane.give_way({entry.draft.room_id for entry in waiting}, _now())
            await self._do(lane, self._take(lane, GROUP))
        lane.runs = False

    async def _do(self, lane: Lane, group: list[Entry]) -> None:
        try:
            with answering():
                await self._write(lane, group)
        except Unavailable as error:
            # Those behind it would wait as long again, for nothing.
            group += self._take(lane, len(lane.waiting))
            lane.last.clear()
            for entry in group:
                _settle(entry, _unavailable(error.__cause__))
        except Exception as error:  # noqa: BLE001 - a row that can't be encoded must not stop the others
            lane.last.clear()
            if len(group) == 1:
                _settle(group[0], error)
                return
            for entry in group:
                await self._do(lane, [entry])

    def _take(self, lane: Lane, at_most: int) -> list[Entry]:
        group = [lane.waiting.popleft() for _ in range(min(at_most, len(lane.waiting)))]
        self._waiting -= len(group)
        return group

    async def _write(self, lane: Lane, group: list[Entry]) -> None:
        while group:
            last, ended = await self._last_numbers(lane, group)
            if ended:
                group = _refuse(group, ended)
                if not group:
                    return
            documents = []
            for entry in group:
                last[entry.draft.room_id] += 1
                documents.append(message_document(entry.draft, last[entry.draft.room_id]))
            begun = _now()
            try:
                await self._messages.insert_many(documents, ordered=True)
            except BulkWriteError as error:
                group = await self._go_on(lane, group, documents, error)
            else:
                lane.takes += (_now() - begun - lane.takes) / 8
                _give(lane, group, documents)
                return

    async def _last_numbers(
        self, lane: Lane, group: list[Entry]
    ) -> tuple[dict[str, int], set[str]]:
        """The last number of each room of the group, read where it is not known, and the rooms that were deleted."""
        rooms = {entry.draft.room_id for entry in group}
        unknown = [room_id for room_id in rooms if room_id not in lane.last]
        read = await asyncio.gather(*(end_of(self._messages, room_id) for room_id in unknown))
        ended = {room_id for room_id, last in zip(unknown, read, strict=True) if last is None}
        numbers = {
            room_id: last for room_id, last in zip(unknown, read, strict=True) if last is not None
        }
        known = {room_id: lane.last[room_id] for room_id in rooms if room_id in lane.last}
        return {**known, **numbers}, ended

    async def _go_on(
        self, lane: Lane, group: list[Entry], documents: list[Document], error: BulkWriteError
    ) -> list[Entry]:
        """Settle what an insert that was refused has done; the entries that are still to be written."""
        details: Mapping[str, Any] = error.details or {}
        refusals = details.get("writeErrors", [])
        if details.get("writeConcernErrors") or not refusals:
            raise error
        inserted = int(details["nInserted"])
        refusal = refusals[0]
        _give(lane, group[:inserted], documents)
        if refusal.get("code") != DUPLICATE_KEY:
            raise error
        if "_id" not in refusal.get("keyPattern", {}):
            # Another server has that number, and is likely to have been in the other rooms of this group, too.
            tried: dict[str, int] = {}
            for document in documents[inserted:]:
                tried.setdefault(document["roomId"], document["seq"])
            for room_id, seq in tried.items():
                if lane.last.get(room_id, 0) < seq:
                    lane.last.pop(room_id, None)
            await lane.hears(group[inserted].draft.room_id, _now())
            await lane.give_way((group[inserted].draft.room_id,), _now())
            return group[inserted:]
        await self._settle_known(group[inserted])
        return group[inserted + 1 :]

    async def _settle_known(self, entry: Entry) -> None:
        """Answer for a row whose id is there already."""
        draft = entry.draft
        stored = await self._find_settled(draft.id)
        if stored is None:
            _settle(entry, Unavailable(BUSY))
        elif is_same(stored, draft):
            _settle(entry, Appended(stored, duplicate=True))
        else:
            _settle(entry, Conflict(TAKEN))

    async def _find_settled(self, message_id: str) -> ChatMessage | None:
        """The row, once a majority has it: before that an election could take it back."""
        for _ in range(MAJORITY_TRIES):
            document = await self._messages.find_one({"_id": message_id})
            if document is not None:
                return message_of(document)
            await asyncio.sleep(MAJORITY_SECONDS)
        return None


async def last_seq(messages: AsyncCollection[Document], room_id: str) -> int:
    """The room's highest number, or 0."""
    return await end_of(messages, room_id) or 0


async def end_of(messages: AsyncCollection[Document], room_id: str) -> int | None:
    """The room's highest number, 0 where there is none, or None if the room was deleted."""
    document = await messages.find_one(
        {"roomId": room_id}, {"seq": True, "state": True}, sort=[("seq", DESCENDING)]
    )
    if document is None:
        return 0
    return None if document["state"] == ENDED else int(document["seq"])


def _refuse(group: list[Entry], ended: set[str]) -> list[Entry]:
    """Answer for the rows of rooms that were deleted; the others."""
    left: list[Entry] = []
    for entry in group:
        if entry.draft.room_id in ended:
            _settle(entry, NotFound(GONE))
        else:
            left.append(entry)
    return left


def _give(lane: Lane, group: list[Entry], documents: list[Document]) -> None:
    for entry, document in zip(group, documents, strict=False):
        lane.know(document["roomId"], document["seq"])
        _settle(entry, Appended(message_of(document), duplicate=False))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _unavailable(cause: BaseException | None) -> Unavailable:
    unavailable = Unavailable(BUSY)
    unavailable.__cause__ = cause
    return unavailable


def _settle(entry: Entry, outcome: Appended | Exception) -> None:
    if entry.done.done():
        return
    if isinstance(outcome, Appended):
        entry.done.set_result(outcome)
    else:
        entry.done.set_exception(outcome)
        entry.done.exception()  # A caller who has ceased to wait is no defect to log.
