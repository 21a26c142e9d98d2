"""The store: who does what. Each method is one or two commands."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from rejoinder.core.branches import Branching, Choice
from rejoinder.core.search import Wanted
from rejoinder.errors import ConfigurationError, Conflict, NotFound, Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.mongo import connect, migrations, model
from rejoinder.stores.mongo.branches import Branches
from rejoinder.stores.mongo.debts import Debts
from rejoinder.stores.mongo.deletion import Deletion
from rejoinder.stores.mongo.lanes import Lanes
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.mongo.overtaken import Overtaken
from rejoinder.stores.mongo.people import People
from rejoinder.stores.mongo.rooms import Rooms
from rejoinder.stores.mongo.rows import Rows
from rejoinder.stores.mongo.search import Search
from rejoinder.stores.records import (
    Appended,
    Debt,
    Draft,
    EndState,
    Entrance,
    Erased,
    Found,
    Indexed,
    InTurn,
    Membership,
    Outcome,
    Page,
    Position,
    Room,
    RoomOverview,
    StoredMark,
    StoredMember,
    StoredPerson,
    TitledBy,
    Totals,
    Upgraded,
)

TOUCH_MS = 1000
TOUCHED_KEPT = 50_000


class MongoStore:
    """A `Store` in a MongoDB database, which several servers may have open at once."""

    shared = True

    def __init__(self, url: str) -> None:
        """`url`: a MongoDB address; the database it names, or `rejoinder`.

        Raises:
            ConfigurationError: it is no address.
        """
        self._url = url
        self._link = Link(url)
        self._lanes = Lanes(self._link.messages)
        self._rows = Rows(self._link)
        self._rooms = Rooms(self._link)
        self._search = Search(self._link)
        self._deletion = Deletion(self._link)
        self._overtaken = Overtaken(self._link)
        self._branches = Branches(self._link)
        self._people = People(self._link)
        self._debts = Debts(self._link)
        self._touched: dict[str, int] = {}
        self._touching: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        try:
            await self._connect()
            await migrations.prepare(self._link)
        except BaseException:
            await self._link.close()
            raise

    async def upgrade(self) -> Upgraded:
        """Bring the database to the version that this program works with; the store is closed after it.

        Raises:
            ConfigurationError: it can't be used, a server writes answers to it, or a newer version made it.
        """
        try:
            await self._connect()
            with connect.starting(self._url):
                await self.check_unused()
            return await migrations.upgrade(self._link)
        finally:
            await self._link.close()

    async def close(self) -> None:
        await self._lanes.close()
        await asyncio.gather(*self._touching)
        await self._debts.close()
        await self._link.close()

    async def check_unused(self) -> None:
        """Refuse a database that a server writes an answer to; one that is idle can't be told from one that is stopped.

        Raises:
            ConfigurationError: a server does.
        """
        if await self._rows.being_written(time.time_ns() // 1_000_000):
            raise ConfigurationError(
                f"A server is writing answers to {connect.shown(self._url)}: stop all servers on it first; after a "
                "server was killed, wait 10 seconds."
            )

    async def identity(self) -> str:
        """What two addresses of one database have in common."""
        hello = await self._link.read(lambda: self._link.client.admin.command("hello"))
        hosts = ",".join(sorted(hello.get("hosts", [connect.shown(self._url)])))
        return f"{hosts}/{self._link.database.name}"

    async def ping(self) -> None:
        await self._link.write(self._link.touch)

    # --- the log ---------------------------------------------------------------------------------

    async def append(self, draft: Draft) -> Appended:
        appended = await asyncio.shield(self._lanes.append(draft))
        self._touch(draft)
        if draft.role == "character":
            self._debts.pay(draft)
        return appended

    async def append_all(self, drafts: Sequence[Draft]) -> list[Outcome]:
        # The lanes put them together, with whatever else is on its way.
        return list(await asyncio.gather(*(self._outcome(draft) for draft in drafts)))

    async def _outcome(self, draft: Draft) -> Outcome:
        try:
            return await self.append(draft)
        except (Conflict, NotFound, Unavailable) as error:
            return error

    def heard(self, room_id: str, seq: int, before: int = 0) -> None:
        self._lanes.heard(room_id, seq, before)

    async def find(self, message_id: str) -> ChatMessage | None:
        return await self._rows.find(message_id)

    async def page_before(self, room_id: str, before: int | None, limit: int) -> Page:
        return await self._rows.page_before(room_id, before, limit)

    async def page_after(self, room_id: str, after: int, limit: int) -> Page:
        return await self._rows.page_after(room_id, after, limit)

    async def last_seq(self, room_id: str) -> int:
        return await self._rows.last_seq(room_id)

    async def stand(self, room_id: str) -> tuple[int, Branching]:
        last = await self._rows.last_seq(room_id)
        return last, await self._branches.of(room_id)

    async def save_stream(
        self, message_id: str, content: str, lease_until: int | None = None
    ) -> bool:
        return await self._rows.save_stream(message_id, content, lease_until)

    async def keep_shown(self, message_id: str, content: str) -> None:
        await self._rows.keep_shown(message_id, content)

    async def end_stream(self, message_id: str, content: str, state: EndState) -> bool:
        return await self._rows.end_stream(message_id, content, state)

    async def unfinished(self, limit: int, now: int | None = None) -> list[ChatMessage]:
        return await self._rows.unfinished(limit, now)

    async def running(self, room_id: str) -> list[ChatMessage]:
        return await self._rows.running(room_id)

    async def interrupt(self, message_id: str, now: int | None = None) -> bool:
        return await self._rows.interrupt(message_id, now)

    async def owe(self, debt: Debt) -> None:
        await self._debts.owe(debt)

    async def renew_debts(self, debts: Sequence[Debt], until: int) -> None:
        await self._debts.renew(debts, until)

    async def owed(self, limit: int, now: int | None = None) -> list[Debt]:
        return await self._debts.owed(limit, now)

    async def in_turn(self, room_id: str) -> InTurn:
        return await self._debts.in_turn(room_id)

    async def forgive(self, debts: Sequence[Debt]) -> None:
        await self._debts.forgive(debts)

    async def answered(self, message_id: str) -> bool:
        return await self._rows.answered(message_id)

    async def answers_to(self, message_id: str, limit: int) -> list[ChatMessage]:
        return await self._rows.answers_to(message_id, limit)

    # --- branches and deletions ------------------------------------------------------------------

    async def branching(self, room_id: str) -> Branching:
        return await self._branches.of(room_id)

    async def choose(self, room_id: str, choice: Choice) -> int:
        return await self._branches.choose(room_id, choice)

    async def erase(self, room_id: str, message_ids: Sequence[str], deleted_at: int) -> int:
        return await self._branches.erase(room_id, message_ids, deleted_at)

    async def erased_since(self, room_id: str, revision: int, limit: int) -> list[Erased]:
        return await self._branches.erased_since(room_id, revision, limit)

    # --- rooms, members, read marks --------------------------------------------------------------

    async def create_room(
        self, room_id: str, created_by: str, created_at: int, character_id: str | None
    ) -> Room:
        return await self._rooms.create(room_id, created_by, created_at, character_id)

    async def found_room(
        self, room_id: str, founder: StoredMember, character_id: str | None
    ) -> Room:
        room = await self._rooms.create(room_id, founder.user_id, founder.joined_at, character_id)
        if room.created:
            await self._rooms.add_member(room_id, founder, None)
        return room

    async def room(self, room_id: str) -> Room | None:
        return await self._rooms.get(room_id)

    async def entrance(self, room_id: str, user_id: str) -> Entrance:
        room, membership, hides = await asyncio.gather(
            self._rooms.get(room_id),
            self._rooms.membership(room_id, user_id),
            self._people.hides_last_seen(user_id),
        )
        return Entrance(room, membership, hides)

    async def set_title(self, room_id: str, title: str, by: TitledBy) -> bool:
        return await self._rooms.set_title(room_id, title, by)

    async def set_double_texting(self, room_id: str, policy: str | None) -> bool:
        return await self._rooms.set_double_texting(room_id, policy)

    async def put_character(
        self, room_id: str, character_id: str, limit: int
    ) -> tuple[str, ...] | None:
        return await self._rooms.put_character(room_id, character_id, limit)

    async def take_character(self, room_id: str, character_id: str) -> tuple[str, ...] | None:
        return await self._rooms.take_character(room_id, character_id)

    async def bury(self, room_id: str, deleted_at: int) -> bool:
        return await self._deletion.bury(room_id, deleted_at)

    async def purge(self, room_id: str, limit: int) -> bool:
        return await self._deletion.purge(room_id, limit)

    async def buried(self, limit: int) -> list[str]:
        return await self._deletion.buried(limit)

    async def search(
        self, user_id: str, wanted: Wanted, limit: int, before: Position | None = None
    ) -> Found:
        # What was appended here before is to be found: its room is marked when these are through.
        await asyncio.gather(*self._touching)
        return await self._search.search(user_id, wanted, limit, before)

    async def index(self, room_ids: Sequence[str], limit: int, now: int) -> Indexed:
        return await self._search.index(room_ids, limit, now)

    async def unindexed(self, room_id: str, limit: int) -> list[str]:
        return await self._search.unindexed(room_id, limit)

    async def rooms_of(self, user_id: str, limit: int) -> tuple[list[RoomOverview], bool]:
        return await self._rooms.of(user_id, limit)

    async def add_member(
        self, room_id: str, member: StoredMember, removal: str | None = None
    ) -> bool:
        return await self._rooms.add_member(room_id, member, removal)

    async def remove_member(self, room_id: str, user_id: str) -> bool:
        return await self._rooms.remove_member(room_id, user_id)

    async def membership(self, room_id: str, user_id: str) -> Membership:
        return await self._rooms.membership(room_id, user_id)

    async def removed(self, since: int, limit: int) -> list[tuple[str, str]]:
        return await self._rooms.removed(since, limit)

    async def is_member(self, room_id: str, user_id: str) -> bool:
        return await self._rooms.is_member(room_id, user_id)

    async def members(
        self, room_id: str, limit: int, after: Position | None = None
    ) -> list[StoredMember]:
        return await self._rooms.members(room_id, limit, after)

    async def overtake(self, server: str, connection_ids: Sequence[str]) -> None:
        await self._overtaken.add(server, connection_ids)

    async def overtaken(self, server: str) -> Sequence[str]:
        return await self._overtaken.take(server)

    async def mark_read(self, room_id: str, mark: StoredMark) -> bool:
        return await self._rooms.mark_read(room_id, mark)

    async def read_marks(self, room_id: str, limit: int) -> list[StoredMark]:
        return await self._rooms.read_marks(room_id, limit)

    # --- people ----------------------------------------------------------------------------------

    async def people(self, user_ids: Collection[str]) -> Mapping[str, StoredPerson]:
        return await self._people.get(user_ids)

    async def hide_last_seen(self, user_id: str, *, hides: bool) -> None:
        await self._people.hide_last_seen(user_id, hides=hides)

    async def put_last_seen(self, seen: Mapping[str, int]) -> None:
        await self._people.put_last_seen(seen)

    # --- moving everything to another store ------------------------------------------------------

    async def totals(self) -> Totals:
        async def count() -> Totals:
            rooms = await self._link.rooms.estimated_document_count()
            return Totals(rooms, await self._link.messages.estimated_document_count())

        return await self._link.read(count)

    async def rooms_after(self, room_id: str, limit: int) -> list[Room]:
        return await self._rooms.after(room_id, limit)

    async def people_after(self, user_id: str, limit: int) -> list[StoredPerson]:
        return await self._people.after(user_id, limit)

    async def put_messages(self, messages: Sequence[ChatMessage]) -> None:
        await self._rows.put(messages)

    async def put_branching(self, room_id: str, branching: Branching) -> None:
        await self._branches.put(room_id, branching)

    # --- parts -----------------------------------------------------------------------------------

    async def _connect(self) -> None:
        with connect.starting(self._url):
            hello = await self._link.client.admin.command("hello")
        connect.check_replica_set(hello, self._url)

    def _touch(self, draft: Draft) -> None:
        """Move the room up in its people's lists, at most once a second; a list that lags does no harm."""
        before = self._touched.pop(draft.room_id, 0)
        self._touched[draft.room_id] = max(before, draft.timestamp)
        if len(self._touched) > TOUCHED_KEPT:
            del self._touched[next(iter(self._touched))]
        # A clock that went back must not keep a room from being marked.
        if 0 <= draft.timestamp - before < TOUCH_MS:
            self._touched[draft.room_id] = before
            return
        task = asyncio.get_running_loop().create_task(self._write_touch(draft))
        self._touching.add(task)
        task.add_done_callback(self._touching.discard)

    async def _write_touch(self, draft: Draft) -> None:
        date = model.date(draft.timestamp)
        change = {
            "$max": {"updatedAt": date},
            "$set": {"toIndex": True},
            "$setOnInsert": {"createdBy": draft.sender_id, "createdAt": date},
        }
        # In place of a room that was deleted none is made: there its id is taken.
        which = {"_id": draft.room_id, "deletedAt": {"$exists": False}}
        with suppress(Unavailable):
            await self._link.write(lambda: self._link.rooms.update_one(which, change, upsert=True))
