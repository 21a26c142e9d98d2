"""The commands on `people`."""

from collections.abc import Collection, Mapping

from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError

from rejoinder.errors import Unavailable
from rejoinder.stores.mongo import model
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.mongo.rooms import once
from rejoinder.stores.records import StoredPerson

DUPLICATE_KEY = 11000


class People:
    """Reads and changes what is kept of people."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def get(self, user_ids: Collection[str]) -> dict[str, StoredPerson]:
        """What is kept of these."""
        which = {"_id": {"$in": list(user_ids)}}
        documents = await self._link.read(lambda: self._link.people.find(which).to_list())
        return {document["_id"]: model.person_of(document) for document in documents}

    async def hides_last_seen(self, user_id: str) -> bool | None:
        """The choice of one; None where the database does not say it."""
        try:
            found = (await self.get((user_id,))).get(user_id)
        except Unavailable:
            return None
        return found is not None and found.hides_last_seen

    async def hide_last_seen(self, user_id: str, *, hides: bool) -> None:
        """Keep the choice."""
        which, change = {"_id": user_id}, {"$set": {"hidesLastSeen": hides}}
        people = self._link.people

        async def put() -> None:
            if await once(lambda: people.update_one(which, change, upsert=True)) is None:
                # Two inserted them at once; this choice still counts.
                await people.update_one(which, change, upsert=True)

        await self._link.write(put)

    async def put_last_seen(self, seen: Mapping[str, int]) -> None:
        """Move each time forward."""
        if not seen:
            return
        updates = [
            UpdateOne({"_id": user_id}, {"$max": {"lastSeen": model.date(at)}}, upsert=True)
            for user_id, at in seen.items()
        ]
        people = self._link.people

        async def put() -> None:
            try:
                await people.bulk_write(updates, ordered=False)
            except BulkWriteError as error:
                errors = error.details["writeErrors"]
                if any(each["code"] != DUPLICATE_KEY for each in errors):
                    raise
                # Two inserted somebody at once; now that they are there, the later time counts.
                await people.bulk_write(updates, ordered=False)

        await self._link.write(put)

    async def after(self, user_id: str, limit: int) -> list[StoredPerson]:
        """People in the order of their ids."""
        which = {"_id": {"$gt": user_id}}
        documents = await self._link.read(
            lambda: self._link.people.find(which).sort("_id", ASCENDING).limit(limit).to_list()
        )
        return [model.person_of(document) for document in documents]
