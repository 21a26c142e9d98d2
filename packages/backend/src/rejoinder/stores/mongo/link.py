"""The database of one store, and when what it reads can be trusted.

Reads have the read concern `majority`: nothing is shown that an election could take back. But a primary that was just
elected may not know for a moment how much a majority has, and would leave out what was acknowledged. So the first read
after an election waits for a write: when a majority has that, the primary knows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import pymongo
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from rejoinder.stores.mongo import connect, model
from rejoinder.stores.mongo.model import Document

T = TypeVar("T")
CLOSE_SECONDS = 1.0


class Link:
    """A client and its database."""

    def __init__(self, url: str) -> None:
        """Raises:
        ConfigurationError: it is no address.
        """
        self.url = url
        self.client = connect.client(url)
        self.database: AsyncDatabase[Document] = self.client.get_default_database(
            connect.DEFAULT_DATABASE
        )
        self.messages = self.collection(model.MESSAGES)
        self.rooms = self.collection(model.ROOMS)
        self.members = self.collection(model.MEMBERS)
        self.marks = self.collection(model.MARKS)
        self.overtaken = self.collection(model.OVERTAKEN)
        self.people = self.collection(model.PEOPLE)
        self.meta = self.collection(model.META)
        self._settled: object = None
        self._settling = asyncio.Lock()

    def collection(self, name: str) -> AsyncCollection[Document]:
        """A collection of the database."""
        return self.database[name]

    async def close(self) -> None:
        """Let go of the database; it is told, unless it is gone."""
        with pymongo.timeout(CLOSE_SECONDS):
            await self.client.close()

    async def write(self, command: Callable[[], Awaitable[T]]) -> T:
        """Do what writes; when it returns, a majority has it on the disk.

        Raises:
            Unavailable: it is not known whether it was done.
        """
        with connect.answering():
            return await command()

    async def read(self, command: Callable[[], Awaitable[T]]) -> T:
        """Do what reads; all that was acknowledged before is seen, and nothing that can be taken back.

        Raises:
            Unavailable: the database does not answer.
        """
        with connect.answering():
            while True:
                election = self._election()
                if election != self._settled:
                    await self._settle(election)
                result = await command()
                if self._election() == election:
                    return result

    async def touch(self) -> None:
        """Write something, and wait for a majority."""
        with suppress(
            DuplicateKeyError
        ):  # Two made it at once; then the other one's write was waited for.
            await self.meta.update_one({"_id": "ping"}, {"$currentDate": {"at": True}}, upsert=True)

    async def _settle(self, election: object) -> None:
        async with self._settling:  # One write is enough for all that wait.
            if election != self._settled:
                await self.touch()
                self._settled = election

    def _election(self) -> Any:
        """Which election made the primary that is written to; it differs after the next."""
        servers = self.client.topology_description.server_descriptions().values()
        return tuple(
            (server.address, server.election_id)
            for server in servers
            if server.server_type_name == "RSPrimary"
        )
