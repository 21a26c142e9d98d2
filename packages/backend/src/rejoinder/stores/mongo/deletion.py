"""Taking a room away, a part at a time.

The end of a room is the last row of its log: a document with the next number, which no other row can have any more, on
whichever server it is to be written. It stays, and so does the id of the room, with the time.
"""

from pymongo import ASCENDING
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from rejoinder.errors import Unavailable
from rejoinder.stores.mongo import model
from rejoinder.stores.mongo.connect import BUSY
from rejoinder.stores.mongo.lanes import end_of
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.mongo.model import Document

TRIES = 1000


class Deletion:
    """Buries rooms and purges them."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def bury(self, room_id: str, deleted_at: int) -> bool:
        """Mark the room as deleted, and end its log."""
        which = {"_id": room_id, "deletedAt": {"$exists": False}}
        past = (
            *("title", "titledBy", "characterId", "characters", "doubleTexting"),
            *("toIndex", "indexedSeq", "choice"),
        )
        change: Document = {
            "$set": {"deletedAt": model.date(deleted_at), "purging": True, "createdBy": ""},
            "$unset": dict.fromkeys(past, ""),
        }
        done = await self._link.write(lambda: self._link.rooms.update_one(which, change))
        if done.matched_count == 0:
            return False
        await self._end(room_id)
        return True

    async def buried(self, limit: int) -> list[str]:
        """Rooms with something left in them."""
        documents = await self._link.read(
            lambda: self._link.rooms.find({"purging": True}, {"_id": True}).limit(limit).to_list()
        )
        return [document["_id"] for document in documents]

    async def purge(self, room_id: str, limit: int) -> bool:
        """Take away a part; True if there is more."""
        rooms = self._link.rooms
        room = await self._link.read(lambda: rooms.find_one({"_id": room_id}, {"purging": True}))
        if room is None or "purging" not in room:
            return False
        # A server may have died between the mark and the end.
        await self._end(room_id)
        for collection in (
            self._link.messages,
            self._link.collection(model.SEARCH),
            self._link.members,
            self._link.marks,
        ):
            if await self._take_away(collection, room_id, limit):
                return True
        await self._link.write(
            lambda: rooms.update_one({"_id": room_id}, {"$unset": {"purging": ""}})
        )
        return False

    async def _take_away(
        self, collection: AsyncCollection[Document], room_id: str, limit: int
    ) -> bool:
        is_log = collection.name == model.MESSAGES
        find = collection.find({"roomId": room_id}, {"_id": True, "state": True})
        if is_log:
            find = find.sort("seq", ASCENDING)
        found = await self._link.read(lambda: find.clone().limit(limit).to_list())
        ids = [each["_id"] for each in found if each.get("state") != model.ENDED]
        if ids:
            await self._link.write(lambda: collection.delete_many({"_id": {"$in": ids}}))
        return bool(ids)

    async def _end(self, room_id: str) -> None:
        async def end() -> None:
            for _ in range(TRIES):
                last = await end_of(self._link.messages, room_id)
                if last is None:
                    return
                try:
                    await self._link.messages.insert_one(model.end_document(room_id, last + 1))
                except DuplicateKeyError:
                    continue
                return
            raise Unavailable(BUSY)

        await self._link.write(end)
