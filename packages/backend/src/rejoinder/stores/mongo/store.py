"""The store: each method is one or two commands."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from rejoinder.errors import ConfigurationError, Conflict, Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import epoch_ms as wire_ms
from rejoinder.stores.base import (
    Appended,
    Draft,
    EndState,
    Page,
    Room,
    RoomOverview,
    StoredMark,
    StoredMember,
    Totals,
)
from rejoinder.stores.mongo import connect, model
from rejoinder.stores.mongo.lanes import BUSY, DUPLICATE_KEY, Lanes, last_seq
from rejoinder.stores.mongo.model import Document
from rejoinder.stores.mongo.overview import overview_of, overview_pipeline

T = TypeVar("T")
TOUCH_MS = 1000
TOUCHED_KEPT = 50_000


class MongoStore:
    """A `Store` in a MongoDB database; any number of servers may share it."""

    def __init__(self, url: str) -> None:
        """`url`: a MongoDB address; the database it names, or `rejoinder`.

        Raises:
            ConfigurationError: it is no address.
        """
        self._url = url
        self._client = connect.client(url)
        self._db: AsyncDatabase[Document] = self._client.get_default_database(
            connect.DEFAULT_DATABASE
        )
        self._messages = self._db[model.MESSAGES]
        self._rooms = self._db[model.ROOMS]
        self._members = self._db[model.MEMBERS]
        self._marks = self._db[model.MARKS]
        self._lanes = Lanes(self._messages)
        self._touched: dict[str, int] = {}
        self._touching: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        with connect.starting(self._url):
            connect.check_replica_set(await self._client.admin.command("hello"), self._url)
            await self._check_version()
            for collection, indexes in model.indexes().items():
                await self._db[collection].create_indexes(indexes)

    async def close(self) -> None:
        await self._lanes.close()
        await asyncio.gather(*self._touching)
        await self._client.close()

    async def ping(self) -> None:
        await self._do(
            self._db[model.META].update_one({"_id": "ping"}, {"$set": {"at": 1}}, upsert=True)
        )

    # --- the log ---------------------------------------------------------------------------------

    async def append(self, draft: Draft) -> Appended:
        appended = await asyncio.shield(self._lanes.append(draft))
        self._touch(draft)
        return appended

    async def find(self, message_id: str) -> ChatMessage | None:
        document = await self._do(self._messages.find_one({"_id": message_id}))
        return None if document is None else model.message_of(document)

    async def page_before(self, room_id: str, before: int | None, limit: int) -> Page:
        which: Document = {"roomId": room_id}
        if before is not None:
            which["seq"] = {"$lt": before}
        rows = await self._list(which, DESCENDING, limit)
        return Page(rows[:limit][::-1], len(rows) > limit)

    async def page_after(self, room_id: str, after: int, limit: int) -> Page:
        rows = await self._list({"roomId": room_id, "seq": {"$gt": after}}, ASCENDING, limit)
        return Page(rows[:limit], len(rows) > limit)

    async def last_seq(self, room_id: str) -> int:
        return await self._do(last_seq(self._messages, room_id))

    async def save_stream(self, message_id: str, content: str) -> None:
        await self._do(
            self._messages.update_one(
                {"_id": message_id, "state": "streaming"}, {"$set": {"content": content}}
            )
        )

    async def end_stream(self, message_id: str, content: str, state: EndState) -> bool:
        done = await self._do(
            self._messages.update_one(
                {"_id": message_id, "state": "streaming"},
                {"$set": {"content": content, "state": state}},
            )
        )
        return done.matched_count == 1

    async def unfinished(self, limit: int) -> list[ChatMessage]:
        cursor = self._messages.find({"state": "streaming"}).limit(limit)
        return [model.message_of(document) for document in await self._do(cursor.to_list())]

    async def answered(self, message_id: str) -> bool:
        which = {"replyTo": message_id, "role": "character"}
        return await self._do(self._messages.find_one(which, {"_id": True})) is not None

    # --- read marks ------------------------------------------------------------------------------

    async def mark_read(self, room_id: str, mark: StoredMark) -> bool:
        try:
            await self._do_raw(
                self._marks.update_one(
                    {"_id": model.pair(room_id, mark.user_id), "seq": {"$lt": mark.seq}},
                    {
                        "$set": {
                            "roomId": room_id,
                            "userId": mark.user_id,
                            "messageId": mark.message_id,
                            "seq": mark.seq,
                            "timestamp": model.date(mark.timestamp),
                        }
                    },
                    upsert=True,
                )
            )
        except DuplicateKeyError:
            return False  # It is there, and not below.
        return True

    async def read_marks(self, room_id: str, limit: int) -> list[StoredMark]:
        cursor = self._marks.find({"roomId": room_id})
        cursor = cursor.sort([("seq", DESCENDING), ("userId", ASCENDING)]).limit(limit)
        return [model.mark_of(document) for document in await self._do(cursor.to_list())]

    # --- rooms and members -----------------------------------------------------------------------

    async def create_room(
        self, room_id: str, created_by: str, created_at: int, character_id: str | None
    ) -> Room:
        fresh: Document = {
            "createdBy": created_by,
            "createdAt": model.date(created_at),
            "updatedAt": model.date(created_at),
        }
        if character_id is not None:
            fresh["characterId"] = character_id
        try:
            done = await self._do_raw(
                self._rooms.update_one({"_id": room_id}, {"$setOnInsert": fresh}, upsert=True)
            )
        except DuplicateKeyError:
            created = False  # Two made it at once, and this one came second.
        else:
            created = done.upserted_id is not None
        if not created and character_id is not None:
            # A room that had no character takes the first that is chosen in it.
            await self._do(
                self._rooms.update_one(
                    {"_id": room_id, "characterId": {"$exists": False}},
                    {"$set": {"characterId": character_id}},
                )
            )
        document = await self._do(self._rooms.find_one({"_id": room_id}))
        if document is None:
            raise Unavailable(BUSY)
        return model.room_of(document, created=created)

    async def room(self, room_id: str) -> Room | None:
        document = await self._do(self._rooms.find_one({"_id": room_id}))
        return None if document is None else model.room_of(document)

    async def rooms_of(self, user_id: str, limit: int) -> tuple[list[RoomOverview], bool]:
        cursor = await self._do(self._members.aggregate(overview_pipeline(user_id, limit + 1)))
        overviews = [overview_of(document) for document in await self._do(cursor.to_list())]
        # `updatedAt` of a room lags by up to a second; its last message does not.
        overviews.sort(key=lambda overview: (-overview.updated_at, overview.room.id))
        return overviews[:limit], len(overviews) > limit

    async def add_member(self, room_id: str, member: StoredMember) -> None:
        fresh: Document = {
            "roomId": room_id,
            "userId": member.user_id,
            "joinedAt": model.date(member.joined_at),
        }
        change: Document = {"$setOnInsert": fresh}
        if member.name:
            change["$set"] = {"name": member.name}
        else:
            fresh["name"] = ""
        which = {"_id": model.pair(room_id, member.user_id)}
        try:
            await self._do_raw(self._members.update_one(which, change, upsert=True))
        except DuplicateKeyError:  # Two added them at once; this one's name still counts.
            await self._do(self._members.update_one(which, change, upsert=True))

    async def remove_member(self, room_id: str, user_id: str) -> bool:
        done = await self._do(self._members.delete_one({"_id": model.pair(room_id, user_id)}))
        return done.deleted_count == 1

    async def is_member(self, room_id: str, user_id: str) -> bool:
        which = {"_id": model.pair(room_id, user_id)}
        return await self._do(self._members.find_one(which, {"_id": True})) is not None

    async def members(self, room_id: str, limit: int) -> list[StoredMember]:
        cursor = self._members.find({"roomId": room_id})
        cursor = cursor.sort([("joinedAt", ASCENDING), ("userId", ASCENDING)]).limit(limit)
        return [model.member_of(document) for document in await self._do(cursor.to_list())]

    # --- moving everything to another store ------------------------------------------------------

    async def totals(self) -> Totals:
        rooms = await self._do(self._rooms.estimated_document_count())
        return Totals(rooms, await self._do(self._messages.estimated_document_count()))

    async def rooms_after(self, room_id: str, limit: int) -> list[Room]:
        cursor = self._rooms.find({"_id": {"$gt": room_id}}).sort("_id", ASCENDING).limit(limit)
        return [model.room_of(document) for document in await self._do(cursor.to_list())]

    async def put_messages(self, messages: Sequence[ChatMessage]) -> None:
        missing = list(messages)
        while missing:
            documents = [model.stored_document(message) for message in missing]
            try:
                # Ordered, so that what is there after a failure has no hole that a later try would pass over.
                await self._do_bulk(self._messages.insert_many(documents, ordered=True))
                break
            except BulkWriteError as error:
                place = await self._check_same(missing, error)
                missing = missing[place + 1 :]
        for last in messages[-1:]:
            date = model.date(wire_ms(last.timestamp))
            await self._do(
                self._rooms.update_one({"_id": last.room_id}, {"$max": {"updatedAt": date}})
            )

    async def _check_same(self, messages: Sequence[ChatMessage], error: BulkWriteError) -> int:
        """The index of the row that was refused, if that was because it is there already."""
        details: Mapping[str, Any] = error.details or {}
        refusals = details.get("writeErrors", [])
        if details.get("writeConcernErrors") or refusals[0].get("code") != DUPLICATE_KEY:
            raise Unavailable(BUSY) from error
        place = int(refusals[0]["index"])
        message = messages[place]
        stored = await self.find(message.id)
        if stored is None or (stored.room_id, stored.seq) != (message.room_id, message.seq):
            raise Conflict(
                f"Message {message.seq} of the room {message.room_id!r} is another one in this store."
            ) from error
        return place

    async def _do_bulk(self, command: Awaitable[T]) -> T:
        try:
            return await command
        except BulkWriteError:
            raise
        except PyMongoError as error:
            raise Unavailable(BUSY) from error

    # --- parts -----------------------------------------------------------------------------------

    async def _check_version(self) -> None:
        meta = self._db[model.META]
        document = await meta.find_one({"_id": "schema"})
        if document is None:
            await meta.update_one(
                {"_id": "schema"}, {"$setOnInsert": {"version": model.VERSION}}, upsert=True
            )
        elif document["version"] > model.VERSION:
            raise ConfigurationError(
                f"The database was made by a newer version of Rejoinder (schema {document['version']}, this one knows "
                f"{model.VERSION}): upgrade Rejoinder or use another --database."
            )

    def _touch(self, draft: Draft) -> None:
        """Move the room up in its people's lists, at most once a second; a list that lags does no harm."""
        before = self._touched.pop(draft.room_id, 0)
        self._touched[draft.room_id] = max(before, draft.timestamp)
        if len(self._touched) > TOUCHED_KEPT:
            del self._touched[next(iter(self._touched))]
        if draft.timestamp - before < TOUCH_MS:
            self._touched[draft.room_id] = before
            return
        task = asyncio.get_running_loop().create_task(self._write_touch(draft))
        self._touching.add(task)
        task.add_done_callback(self._touching.discard)

    async def _write_touch(self, draft: Draft) -> None:
        date = model.date(draft.timestamp)
        with suppress(PyMongoError):
            await self._rooms.update_one(
                {"_id": draft.room_id},
                {
                    "$max": {"updatedAt": date},
                    "$setOnInsert": {"createdBy": draft.sender_id, "createdAt": date},
                },
                upsert=True,
            )

    async def _list(self, which: Document, direction: int, limit: int) -> list[ChatMessage]:
        cursor = self._messages.find(which).sort("seq", direction).limit(limit + 1)
        return [model.message_of(document) for document in await self._do(cursor.to_list())]

    async def _do(self, command: Awaitable[T]) -> T:
        with connect.answering():
            return await command

    async def _do_raw(self, command: Awaitable[T]) -> T:
        """The same, for those who make something of a duplicate key."""
        try:
            return await command
        except DuplicateKeyError:
            raise
        except PyMongoError as error:
            raise Unavailable(BUSY) from error
