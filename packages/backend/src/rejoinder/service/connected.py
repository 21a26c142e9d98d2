"""Who is connected, on all servers: each is asked for its own, and what does not answer in time is told of."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import chain
from uuid import uuid4

from msgspec import UNSET

from rejoinder.core.connections import Connection
from rejoinder.errors import NotFound, Unavailable
from rejoinder.protocol.fields import iso, or_unset
from rejoinder.protocol.rest import ListedConnection
from rejoinder.service.context import Context
from rejoinder.service.items import AreHere, WhoIsHere

ASK_SECONDS = 1.5
PART = 250
"""So many connections travel together from server to server."""
STEP = 2000
"""So many are looked at before others have their turn."""
THIS = "this"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which connections: those with an id above `after`, of that user or of all."""

    after: str = ""
    limit: int = PART
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Connections in the order of their ids."""

    connections: list[ListedConnection]
    has_more: bool
    complete: bool = True
    """False if there may be others, on servers that could not be asked."""
    missing: tuple[str, ...] = ()
    """Servers that did not answer."""


@dataclass(slots=True)
class Asking:
    """A question to other servers, and what they have said."""

    waiting: set[str]
    parts: list[tuple[list[ListedConnection], bool]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, server: str, rows: list[ListedConnection], *, has_more: bool) -> None:
        """One of them has said what it has; what it says again, or another one says, counts for nothing."""
        if server in self.waiting:
            self.waiting.discard(server)
            self.parts.append((rows, has_more))
            if not self.waiting:
                self.over.set()


class Connected:
    """Lists connections, a page at a time."""

    def __init__(self, context: Context) -> None:
        self._c = context
        self._asked: dict[str, Asking] = {}

    async def page(self, wanted: Wanted, server: str = "") -> Listing:
        """Connections on all servers, on that one, or on `this`. It takes no longer than 1.5 s and a moment.

        Raises:
            NotFound: there is no such server.
        """
        me, end = self._c.sharing.cluster.server_id, asyncio.get_running_loop().time() + ASK_SECONDS
        server = me if server == THIS else server
        others, complete = await self._others(server)
        here = server in {"", me}
        found: list[ListedConnection] = []
        missing: set[str] = set()
        more = here or bool(others)
        while more and len(found) < wanted.limit:
            after = found[-1].socket_id if found else wanted.after
            part = Wanted(after, min(PART, wanted.limit - len(found)), wanted.user_id)
            parts, silent = await self._ask(others - missing, part, end)
            missing |= silent
            if here:
                parts.append(await self._own(part))
            rows = sorted(chain.from_iterable(rows for rows, _ in parts), key=_id)
            more = len(rows) > part.limit or any(has_more for _, has_more in parts)
            found += rows[: part.limit]
        return Listing(found, more, complete and not missing, tuple(sorted(missing)))

    def asks(self, server: str, said: WhoIsHere) -> None:
        """Another server asks who is connected here."""
        _ = self._c.sharing.tasks.start(self._answer(server, said))

    def tells(self, server: str, said: AreHere) -> None:
        """Another server says who is connected there."""
        asking = self._asked.get(said.call)
        if asking is not None:
            asking.answer(server, said.connections, has_more=said.has_more)

    # --- parts -----------------------------------------------------------------------------------

    async def _others(self, server: str) -> tuple[set[str], bool]:
        """Which other servers are to be asked, and whether these are all.

        Raises:
            NotFound: there is no such server.
        """
        cluster = self._c.sharing.cluster
        if server == cluster.server_id:
            return set(), True
        try:
            others = set(await cluster.servers())
        except Unavailable:
            return set(), False
        if server and server not in others:
            raise NotFound("There is no such server (any more).")
        return ({server} if server else others), True

    async def _ask(
        self, servers: Collection[str], wanted: Wanted, end: float
    ) -> tuple[list[tuple[list[ListedConnection], bool]], set[str]]:
        """What these servers say, and which of them say nothing until that time."""
        if not servers:
            return [], set()
        call, asking = uuid4().hex, Asking(set(servers))
        self._asked[call] = asking
        try:
            question = WhoIsHere("", call, wanted.after, wanted.limit, wanted.user_id)
            self._c.sharing.say(servers, question)
            async with asyncio.timeout_at(end):
                await asking.over.wait()
        except TimeoutError:
            pass
        finally:
            del self._asked[call]
        return asking.parts, asking.waiting

    async def _answer(self, server: str, said: WhoIsHere) -> None:
        rows, has_more = await self._own(Wanted(said.after, min(said.limit, PART), said.user_id))
        self._c.sharing.say((server,), AreHere("", said.call, rows, has_more))

    async def _own(self, wanted: Wanted) -> tuple[list[ListedConnection], bool]:
        """Those of this server, and whether there are more."""
        connections = self._c.connections
        everybody = tuple(connections.of_user(wanted.user_id) if wanted.user_id else connections)
        first: list[Connection] = []
        for at in range(0, len(everybody), STEP):
            if at:
                await asyncio.sleep(0)
            some = (each for each in everybody[at : at + STEP] if each.id > wanted.after)
            first = nsmallest(wanted.limit + 1, chain(first, some), key=lambda each: each.id)
        rows = [self._listed(connection) for connection in first[: wanted.limit]]
        return rows, len(first) > wanted.limit

    def _listed(self, connection: Connection) -> ListedConnection:
        """What a server knows of a connected user (the contract's section 3)."""
        room_id, character_id = connection.place or (None, None)
        cluster = self._c.sharing.cluster
        return ListedConnection(
            id=connection.user.id,
            socket_id=connection.id,
            last_activity=iso(connection.last_activity),
            connected_at=iso(connection.connected_at),
            room_id=or_unset(room_id),
            character_id=or_unset(character_id),
            server=UNSET if cluster.alone else cluster.server_id,
        )


def _id(connection: ListedConnection) -> str:
    return connection.socket_id
