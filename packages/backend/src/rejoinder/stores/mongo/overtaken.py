"""Word for servers that may be cut off from the others: which of their connections have been replaced."""

from collections.abc import Sequence

from rejoinder.stores.mongo.link import Link
from rejoinder.stores.mongo.model import Document

KEPT_MAX = 10_000


class Overtaken:
    """Leaves it, and takes it."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def add(self, server: str, connection_ids: Sequence[str]) -> None:
        """Leave word for a server."""
        change: Document = {
            "$push": {"connections": {"$each": list(connection_ids), "$slice": -KEPT_MAX}},
            "$currentDate": {"at": True},
        }
        await self._link.write(
            lambda: self._link.overtaken.update_one({"_id": server}, change, upsert=True)
        )

    async def take(self, server: str) -> Sequence[str]:
        """What was left for it, and is there no more."""
        which = {"_id": server}
        # To find nothing is the rule, and costs no write.
        if (
            await self._link.read(lambda: self._link.overtaken.find_one(which, {"_id": True}))
            is None
        ):
            return ()
        found = await self._link.write(lambda: self._link.overtaken.find_one_and_delete(which))
        return () if found is None else found["connections"]
