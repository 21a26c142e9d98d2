"""The commands on rooms, members and read marks."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

from pymongo import ASCENDING, DESCENDING, ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError
from pymongo.results import UpdateResult

from rejoinder.errors import NotFound, Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.mongo import model
from rejoinder.stores.mongo.connect import BUSY
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.mongo.model import Document
from rejoinder.stores.mongo.overview import head_in, overview_of, overview_pipeline
from rejoinder.stores.records import (
    GONE,
    Membership,
    Position,
    Room,
    RoomOverview,
    StoredMark,
    StoredMember,
    TitledBy,
)

T = TypeVar("T")
THERE: Document = {
    "$cond": [
        {"$gt": [{"$size": {"$ifNull": ["$characters", []]}}, 0]},
        "$characters",
        {"$cond": [{"$ifNull": ["$characterId", False]}, ["$characterId"], []]},
    ]
}
"""The characters who are in a room."""


class Rooms:
    """Reads and changes `rooms`, `members` and `read_marks`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def create(
        self, room_id: str, created_by: str, created_at: int, character_id: str | None
    ) -> Room:
        """Insert the room unless it is there."""
        fresh: Document = {
            "createdBy": created_by,
            "createdAt": model.date(created_at),
            "updatedAt": model.date(created_at),
        }
        if character_id is not None:
            fresh["characterId"] = character_id
        rooms = self._link.rooms

        async def make() -> tuple[Document | None, bool]:
            done = await once(
                lambda: rooms.update_one({"_id": room_id}, {"$setOnInsert": fresh}, upsert=True)
            )
            created = done is not None and done.upserted_id is not None
            if not created and character_id is not None:
                # A room that had no character takes the first that is chosen in it.
                await rooms.update_one(
                    {
                        "_id": room_id,
                        "characterId": {"$exists": False},
                        "deletedAt": {"$exists": False},
                    },
                    {"$set": {"characterId": character_id}},
                )
            return await rooms.find_one({"_id": room_id}), created

        document, created = await self._link.write(make)
        if document is None:
            raise Unavailable(BUSY)
        if "deletedAt" in document:
            raise NotFound(GONE)
        return model.room_of(document, created=created)

    async def get(self, room_id: str) -> Room | None:
        """The room of that id."""
        document = await self._link.read(lambda: self._link.rooms.find_one({"_id": room_id}))
        if document is None or "deletedAt" in document:
            return None
        return model.room_of(document)

    async def set_title(self, room_id: str, title: str, by: TitledBy) -> bool:
        """Give the room a title, unless it has one that is worth more."""
        which: Document = {"_id": room_id, "deletedAt": {"$exists": False}}
        if by == "first":
            which["titledBy"] = {"$exists": False}
        elif by == "model":
            which["titledBy"] = {"$ne": "person"}
        change = {"$set": {"title": title, "titledBy": by}}
        done = await self._link.write(lambda: self._link.rooms.update_one(which, change))
        return done.matched_count == 1

    async def set_double_texting(self, room_id: str, policy: str | None) -> bool:
        """Give the room a rule of its own, or take it away."""
        change: Document = (
            {"$unset": {"doubleTexting": ""}}
            if policy is None
            else {"$set": {"doubleTexting": policy}}
        )
        which = {"_id": room_id, "deletedAt": {"$exists": False}}
        done = await self._link.write(lambda: self._link.rooms.update_one(which, change))
        return done.matched_count == 1

    async def put_character(
        self, room_id: str, character_id: str, limit: int
    ) -> tuple[str, ...] | None:
        """Add a character behind the others."""
        literal = {"$literal": character_id}
        has_place = {
            "$and": [{"$not": {"$in": [literal, THERE]}}, {"$lt": [{"$size": THERE}, limit]}]
        }
        return await self._put_characters(
            room_id, {"$cond": [has_place, {"$concatArrays": [THERE, [literal]]}, THERE]}
        )

    async def take_character(self, room_id: str, character_id: str) -> tuple[str, ...] | None:
        """Take a character out."""
        others = {"$ne": ["$$each", {"$literal": character_id}]}
        return await self._put_characters(
            room_id, {"$filter": {"input": THERE, "as": "each", "cond": others}}
        )

    async def _put_characters(self, room_id: str, characters: Document) -> tuple[str, ...] | None:
        which = {"_id": room_id, "deletedAt": {"$exists": False}}
        first = {"$ifNull": [{"$first": "$characters"}, "$$REMOVE"]}
        # Two stages, since the second looks at what the first has made; one command, so that two at once lose nothing.
        change = [{"$set": {"characters": characters}}, {"$set": {"characterId": first}}]
        document = await self._link.write(
            lambda: self._link.rooms.find_one_and_update(
                which, change, return_document=ReturnDocument.AFTER
            )
        )
        return None if document is None else tuple(document["characters"])

    async def after(self, room_id: str, limit: int) -> list[Room]:
        """Rooms in the order of their ids."""
        which = {"_id": {"$gt": room_id}}
        documents = await self._link.read(
            lambda: self._link.rooms.find(which).sort("_id", ASCENDING).limit(limit).to_list()
        )
        return [model.room_of(document) for document in documents]

    async def of(self, user_id: str, limit: int) -> tuple[list[RoomOverview], bool]:
        """The user's rooms, the one that changed last first."""

        async def aggregate() -> list[Document]:
            pipeline = overview_pipeline(user_id, limit + 1)
            return await (await self._link.members.aggregate(pipeline)).to_list()

        documents = await self._link.read(aggregate)
        heads = await self._rows_at([head for each in documents if (head := head_in(each))])
        overviews = [
            replace(overview_of(each), preview=heads.get(each["roomId"])) for each in documents
        ]
        # `updatedAt` of a room lags by up to a second; its last message does not.
        overviews.sort(key=lambda overview: (-overview.updated_at, overview.room.id))
        return overviews[:limit], len(overviews) > limit

    async def _rows_at(self, places: list[tuple[str, int]]) -> dict[str, ChatMessage]:
        """The row with that `seq` of each room, where there is one."""
        if not places:
            return {}
        which = {"$or": [{"roomId": room_id, "seq": seq} for room_id, seq in places]}
        rows = await self._link.read(lambda: self._link.messages.find(which).to_list())
        return {row["roomId"]: model.message_of(row) for row in rows}

    # --- members ---------------------------------------------------------------------------------

    async def add_member(self, room_id: str, member: StoredMember, removal: str | None) -> bool:
        """Insert the member, or update the name, in one step with a look at the last removal."""
        which: Document = {"_id": model.pair(room_id, member.user_id)}
        if removal is not None:
            which["removed"] = removal or {"$exists": False}
        values: Document = {
            "roomId": {"$literal": room_id},
            "userId": {"$literal": member.user_id},
            "joinedAt": {"$ifNull": ["$joinedAt", model.date(member.joined_at)]},
            "name": {"$literal": member.name} if member.name else {"$ifNull": ["$name", ""]},
        }
        change: list[Document] = [{"$set": values}, {"$unset": "removedAt"}]
        members = self._link.members

        async def put() -> UpdateResult | None:
            done = await once(lambda: members.update_one(which, change, upsert=True))
            # None: two added them at once, and this one's name still counts; or they were removed, and it is None again.
            return done or await once(lambda: members.update_one(which, change, upsert=True))

        done = await self._link.write(put)
        if done is not None and (done.upserted_id is not None or done.modified_count):
            await self._kept(members, room_id, {"_id": which["_id"]})
        return done is not None

    async def remove_member(self, room_id: str, user_id: str) -> bool:
        """Empty the membership; what is left of it says so for a while."""
        which = {"_id": model.pair(room_id, user_id), "roomId": room_id}
        change = {
            "$set": {"removed": uuid4().hex},
            "$currentDate": {"removedAt": True},
            "$unset": dict.fromkeys(("roomId", "userId", "joinedAt", "name"), ""),
        }
        done = await self._link.write(lambda: self._link.members.update_one(which, change))
        return done.matched_count == 1

    async def membership(self, room_id: str, user_id: str) -> Membership:
        """Whether they are one, and their last removal."""
        which = {"_id": model.pair(room_id, user_id)}
        found = await self._link.read(lambda: self._link.members.find_one(which)) or {}
        return Membership("roomId" in found, found.get("removed", ""), found.get("name", ""))

    async def removed(self, since: int, limit: int) -> list[tuple[str, str]]:
        """Who was removed and has not come back, the last first."""
        which = {"removedAt": {"$gte": model.date(since)}}
        order = [("removedAt", DESCENDING)]
        found = await self._link.read(
            lambda: self._link.members.find(which, {"_id": True}).sort(order).limit(limit).to_list()
        )
        return [(each["_id"]["roomId"], each["_id"]["userId"]) for each in found]

    async def is_member(self, room_id: str, user_id: str) -> bool:
        """True if the membership is there."""
        which = {"_id": model.pair(room_id, user_id), "roomId": room_id}
        found = await self._link.read(lambda: self._link.members.find_one(which, {"_id": True}))
        return found is not None

    async def members(self, room_id: str, limit: int, after: Position | None) -> list[StoredMember]:
        """The members, the oldest first."""
        order = [("joinedAt", ASCENDING), ("userId", ASCENDING)]
        which: Document = {"roomId": room_id}
        if after is not None:
            joined, user_id = model.date(after[0]), after[1]
            # The first condition alone says where in the index to begin.
            which["joinedAt"] = {"$gte": joined}
            which["$or"] = [{"joinedAt": {"$gt": joined}}, {"userId": {"$gt": user_id}}]
        documents = await self._link.read(
            lambda: self._link.members.find(which).sort(order).limit(limit).to_list()
        )
        return [model.member_of(document) for document in documents]

    # --- read marks ------------------------------------------------------------------------------

    async def mark_read(self, room_id: str, mark: StoredMark) -> bool:
        """Move the mark forward."""
        fields: Document = {
            "roomId": room_id,
            "userId": mark.user_id,
            "messageId": mark.message_id,
            "seq": mark.seq,
            "timestamp": model.date(mark.timestamp),
        }
        which = {"_id": model.pair(room_id, mark.user_id)}
        below = {**which, "seq": {"$lt": mark.seq}}
        marks = self._link.marks
        done = await self._link.write(
            lambda: once(lambda: marks.update_one(below, {"$set": fields}, upsert=True))
        )
        if done is None:
            return False  # It is there, and not below.
        return done.upserted_id is None or await self._kept(marks, room_id, which)

    async def read_marks(self, room_id: str, limit: int) -> list[StoredMark]:
        """The marks, the furthest first."""
        order = [("seq", DESCENDING), ("userId", ASCENDING)]
        documents = await self._link.read(
            lambda: self._link.marks.find({"roomId": room_id}).sort(order).limit(limit).to_list()
        )
        return [model.mark_of(document) for document in documents]

    async def _kept(
        self, collection: AsyncCollection[Document], room_id: str, which: Document
    ) -> bool:
        """Take away what was inserted just now if the room was deleted; True if it stays.

        Whoever purges the room finds it if it was there before the end. If not, the end is seen here.
        """
        deleted = {"_id": room_id, "deletedAt": {"$exists": True}}
        found = await self._link.read(lambda: self._link.rooms.find_one(deleted, {"_id": True}))
        if found is not None:
            await self._link.write(lambda: collection.delete_one(which))
        return found is None


async def once(command: Callable[[], Awaitable[T]]) -> T | None:
    """What the command answers; None if what it would insert is there already."""
    try:
        return await command()
    except DuplicateKeyError:
        return None
