"""The commands on forks, choices and what was erased."""

from collections.abc import Sequence
from typing import Final

from pymongo import ASCENDING, DESCENDING, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.operations import UpdateOne

from rejoinder.core.branches import Branching, Choice, Fork
from rejoinder.errors import Unavailable
from rejoinder.stores.mongo import model
from rejoinder.stores.mongo.connect import BUSY
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.mongo.model import Document
from rejoinder.stores.records import FORKS_MAX, Erased

FORK_FIELDS: Final = {"seq": True, "parentSeq": True, "variantOf": True}


class Branches:
    """Reads and changes what the tree of a room is made of, in `rooms` and `chat_messages`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def of(self, room_id: str) -> Branching:
        """The revision, the choice and the forks of a room."""
        forks = {"roomId": room_id, "parentSeq": {"$exists": True}}

        async def read() -> tuple[Document | None, list[Document]]:
            room = await self._link.rooms.find_one(
                {"_id": room_id}, {"revision": True, "choice": True}
            )
            found = self._link.messages.find(forks, FORK_FIELDS).sort("seq", DESCENDING)
            return room, await found.limit(FORKS_MAX).to_list()

        room, documents = await self._link.read(read)
        return branching_of(room or {}, documents)

    async def choose(self, room_id: str, choice: Choice) -> int:
        """Keep a choice."""
        kept = _document(choice)
        # One update, so that what is kept has the revision that it was given.
        change = [
            {"$set": {"revision": {"$add": [{"$ifNull": ["$revision", 0]}, 1]}}},
            # The ids are taken as they are, whatever they begin with.
            {
                "$set": {
                    "choice": {"$mergeObjects": [{"$literal": kept}, {"revision": "$revision"}]}
                }
            },
        ]
        return await self._link.write(lambda: self._update_room(room_id, change))

    async def erase(self, room_id: str, message_ids: Sequence[str], deleted_at: int) -> int:
        """Take the texts of rows away."""
        which = {
            "_id": {"$in": list(message_ids)},
            "roomId": room_id,
            "deletedAt": {"$exists": False},
        }

        async def work(session: AsyncClientSession) -> int:
            messages = self._link.messages
            rows = await messages.find(which, {"timestamp": True}, session=session).to_list()
            if not rows:
                return 0
            # The room is written first: of two at once one waits, so that revisions appear in their order.
            revision = await self._update_room(room_id, {"$inc": {"revision": 1}}, session)
            erased = {"content": "", "deletedAt": model.date(deleted_at), "revision": revision}
            await messages.update_many(
                which, {"$set": erased, "$unset": {"metadata": ""}}, session=session
            )
            # An entry without pairs keeps the index from putting in what it has read before.
            fields = {"roomId": room_id, "pairs": []}
            entries = [
                UpdateOne(
                    {"_id": row["_id"]},
                    {"$set": {**fields, "timestamp": row["timestamp"]}},
                    upsert=True,
                )
                for row in rows
            ]
            await self._link.collection(model.SEARCH).bulk_write(entries, session=session)
            return revision

        async def transact() -> int:
            async with self._link.client.start_session() as session:
                return await session.with_transaction(work)

        return await self._link.write(transact)

    async def erased_since(self, room_id: str, revision: int, limit: int) -> list[Erased]:
        """What was erased after that revision."""
        which = {
            "roomId": room_id,
            "deletedAt": {"$exists": True},
            "revision": {"$gt": revision},
        }
        documents = await self._link.read(
            lambda: (
                self._link.messages.find(which, {"deletedAt": True, "revision": True})
                .sort("revision", ASCENDING)
                .limit(limit)
                .to_list()
            )
        )
        return [
            Erased(each["_id"], model.epoch_ms(each["deletedAt"]), each["revision"])
            for each in documents
        ]

    async def put(self, room_id: str, branching: Branching) -> None:
        """Keep the revision and the choice of a room that comes from another store."""
        fields: Document = {"revision": branching.revision}
        if branching.choice is not None:
            fields["choice"] = _document(branching.choice)
        room = {"_id": room_id, "revision": {"$not": {"$gt": branching.revision}}}
        erased = {
            "roomId": room_id,
            "deletedAt": {"$exists": True},
            "revision": {"$exists": False},
        }

        async def put() -> None:
            await self._link.rooms.update_one(room, {"$set": fields})
            revision = {"$set": {"revision": branching.revision}}
            await self._link.messages.update_many(erased, revision)

        await self._link.write(put)

    async def _update_room(
        self,
        room_id: str,
        change: Document | list[Document],
        session: AsyncClientSession | None = None,
    ) -> int:
        room = await self._link.rooms.find_one_and_update(
            {"_id": room_id},
            change,
            {"revision": True},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if room is None:
            raise Unavailable(BUSY)
        return int(room["revision"])


def branching_of(room: Document, forks: Sequence[Document]) -> Branching:
    """What a room's document and its forks, the newest first, say of its branches."""
    return Branching(
        room.get("revision", 0),
        _choice_of(room.get("choice")),
        tuple(
            Fork(each["seq"], each["parentSeq"], "variantOf" in each) for each in reversed(forks)
        ),
    )


def _document(choice: Choice) -> Document:
    return {
        "messageId": choice.message_id,
        "userId": choice.user_id,
        "timestamp": model.date(choice.timestamp),
        "head": choice.head,
        "at": choice.at,
        "revision": choice.revision,
    }


def _choice_of(document: Document | None) -> Choice | None:
    if document is None:
        return None
    return Choice(
        message_id=document["messageId"],
        user_id=document["userId"],
        timestamp=model.epoch_ms(document["timestamp"]),
        head=document["head"],
        at=document["at"],
        revision=document["revision"],
    )
