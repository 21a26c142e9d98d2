"""The commands on messages, but for appending: pages, rows by their id, rows that are being written, moving."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import BulkWriteError

from rejoinder.errors import Conflict, Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import epoch_ms as wire_ms
from rejoinder.stores.mongo import model
from rejoinder.stores.mongo.connect import BUSY
from rejoinder.stores.mongo.lanes import DUPLICATE_KEY, last_seq as read_last_seq
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.mongo.model import Document
from rejoinder.stores.records import LEASE_AHEAD_MS, EndState, Page


class Rows:
    """Reads and changes `chat_messages`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._messages = link.messages

    async def find(self, message_id: str) -> ChatMessage | None:
        """The row of that id."""
        document = await self._link.read(lambda: self._messages.find_one({"_id": message_id}))
        return None if document is None else model.message_of(document)

    async def page_before(self, room_id: str, before: int | None, limit: int) -> Page:
        """The newest rows below `before`."""
        which: Document = {"roomId": room_id}
        if before is not None:
            which["seq"] = {"$lt": before}
        rows = await self._list(which, DESCENDING, limit)
        return Page(rows[:limit][::-1], len(rows) > limit)

    async def page_after(self, room_id: str, after: int, limit: int) -> Page:
        """The oldest rows above `after`."""
        rows = await self._list({"roomId": room_id, "seq": {"$gt": after}}, ASCENDING, limit)
        return Page(rows[:limit], len(rows) > limit)

    async def last_seq(self, room_id: str) -> int:
        """The room's highest `seq`, or 0."""
        return await self._link.read(lambda: read_last_seq(self._messages, room_id))

    async def save_stream(self, message_id: str, content: str, lease_until: int | None) -> bool:
        """Keep the text so far, and renew the lease."""
        fields: Document = {"content": content}
        if lease_until is not None:
            fields["leaseUntil"] = model.date(lease_until)
        return await self._change(_streaming(message_id), {"$set": fields})

    async def keep_shown(self, message_id: str, content: str) -> None:
        """Keep that text if less of it was saved."""
        shorter = {"$lt": [{"$strLenBytes": "$content"}, len(content.encode())]}
        which = {**_streaming(message_id), "$expr": shorter}
        await self._change(which, {"$set": {"content": content}})

    async def end_stream(self, message_id: str, content: str, state: EndState) -> bool:
        """End a row that is `streaming`."""
        fields = {"content": content, "state": state}
        return await self._change(
            _streaming(message_id), {"$set": fields, "$unset": {"leaseUntil": ""}}
        )

    async def unfinished(self, limit: int, now: int | None) -> list[ChatMessage]:
        """Rows that are `streaming`, with a lease that has run out."""
        which = {"state": "streaming", **_run_out(now)}
        documents = await self._link.read(lambda: self._messages.find(which).limit(limit).to_list())
        return [model.message_of(document) for document in documents]

    async def running(self, room_id: str) -> list[ChatMessage]:
        """The rows of a room that are `streaming`."""
        which = {"state": "streaming", "roomId": room_id}
        documents = await self._link.read(lambda: self._messages.find(which).to_list())
        # Few, and the index has another order.
        documents.sort(key=lambda document: document["seq"])
        return [model.message_of(document) for document in documents]

    async def being_written(self, now: int) -> bool:
        """True if the lease of a row that is `streaming` has not run out."""
        which = {"state": "streaming", "leaseUntil": _runs(now)}
        found = await self._link.read(lambda: self._messages.find_one(which, {"_id": True}))
        return found is not None

    async def interrupt(self, message_id: str, now: int | None) -> bool:
        """End a row that is `streaming`, with a lease that has run out."""
        return await self._change(
            {**_streaming(message_id), **_run_out(now)},
            {"$set": {"state": "interrupted"}, "$unset": {"leaseUntil": ""}},
        )

    async def answered(self, message_id: str) -> bool:
        """True if a character's row replies to that message."""
        which = {"replyTo": message_id, "role": "character"}
        found = await self._link.read(lambda: self._messages.find_one(which, {"_id": True}))
        return found is not None

    async def answers_to(self, message_id: str, limit: int) -> list[ChatMessage]:
        """The characters' rows that reply to that message."""
        which = {"replyTo": message_id, "role": "character"}
        documents = await self._link.read(lambda: self._messages.find(which).limit(limit).to_list())
        # Few, and the index has no order.
        documents.sort(key=lambda document: document["seq"])
        return [model.message_of(document) for document in documents]

    async def put(self, messages: Sequence[ChatMessage]) -> None:
        """Insert rows that have their places."""
        missing = list(messages)
        while missing:
            missing = await self._insert(missing)
        if messages:
            which = {"_id": messages[-1].room_id}
            date = model.date(wire_ms(messages[-1].timestamp))
            change: Document = {"$max": {"updatedAt": date}, "$set": {"toIndex": True}}
            await self._link.write(lambda: self._link.rooms.update_one(which, change))

    async def _insert(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """Insert up to the first that is there already; those after it."""
        documents = [model.stored_document(message) for message in messages]

        async def insert() -> BulkWriteError | None:
            try:
                # Ordered, so that what is there after a failure has no hole that a later try would pass over.
                await self._messages.insert_many(documents, ordered=True)
            except BulkWriteError as error:
                return error
            return None

        error = await self._link.write(insert)
        if error is None:
            return []
        place = refused_place(error)
        if place is None:
            raise Unavailable(BUSY) from error
        message = messages[place]
        stored = await self.find(message.id)
        if stored is None or (stored.room_id, stored.seq) != (message.room_id, message.seq):
            raise Conflict(
                f"Message {message.seq} of the room {message.room_id!r} is another one in this store."
            ) from error
        return list(messages[place + 1 :])

    async def _change(self, which: Document, change: Document) -> bool:
        done = await self._link.write(lambda: self._messages.update_one(which, change))
        return done.matched_count == 1

    async def _list(self, which: Document, direction: int, limit: int) -> list[ChatMessage]:
        documents = await self._link.read(
            lambda: self._messages.find(which).sort("seq", direction).limit(limit + 1).to_list()
        )
        return [model.message_of(document) for document in documents if model.is_message(document)]


def refused_place(error: BulkWriteError) -> int | None:
    """The index of the row that was refused because it, or another in its place, is there; None for other errors."""
    details: Mapping[str, Any] = error.details or {}
    refusals = details.get("writeErrors") or [{}]
    if details.get("writeConcernErrors") or refusals[0].get("code") != DUPLICATE_KEY:
        return None
    return int(refusals[0]["index"])


def _streaming(message_id: str) -> Document:
    return {"_id": message_id, "state": "streaming"}


def _run_out(now: int | None) -> Document:
    # `$not` takes in what has no lease.
    return {} if now is None else {"leaseUntil": {"$not": _runs(now)}}


def _runs(now: int) -> Document:
    return {"$gt": model.date(now), "$lte": model.date(now + LEASE_AHEAD_MS)}
