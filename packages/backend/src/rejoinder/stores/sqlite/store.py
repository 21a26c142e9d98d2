"""The store: each method is one job for the writer's or the reader's thread."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rejoinder.core.branches import Branching, Choice
from rejoinder.core.search import Wanted
from rejoinder.protocol.events import ChatMessage
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
from rejoinder.stores.sqlite import (
    appending,
    branches,
    deletion,
    moving,
    owing,
    people,
    rooms,
    rows,
    search,
)
from rejoinder.stores.sqlite.lock import Lock
from rejoinder.stores.sqlite.schema import prepare
from rejoinder.stores.sqlite.worker import Worker

T = TypeVar("T")


class SqliteStore:
    """A `Store` in one file. One server at a time opens it; reads don't wait for writes."""

    shared = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock(path)
        self._writer = Worker(path, writes=True)
        self._reader = Worker(path, writes=False)
        # A search may take longer than others are to wait for a page.
        self._searcher = Worker(path, writes=False)
        self._overtaken: dict[str, list[str]] = {}

    async def open(self) -> None:
        await asyncio.to_thread(self._prepare)
        self._writer.start()
        self._reader.start()
        self._searcher.start()

    async def upgrade(self) -> Upgraded:
        """Bring the file to the version that this program works with, as `open` does, too.

        Raises:
            ConfigurationError: it can't be used, a server has it, or a newer version made it.
        """

        def upgrade() -> Upgraded:
            done = self._prepare()
            self._lock.release()
            return done

        return await asyncio.to_thread(upgrade)

    async def check_unused(self) -> None:
        """Nothing to check: a server that has the file keeps others from opening it."""

    async def identity(self) -> str:
        """What two addresses of one file have in common."""
        return str(self._path.resolve())

    async def close(self) -> None:
        await self._writer.close()
        await self._reader.close()
        await self._searcher.close()
        self._lock.release()

    async def ping(self) -> None:
        await self._write(
            lambda db: db.execute("UPDATE rooms SET last_seq = last_seq WHERE id = ''")
        )
        await self._read(lambda db: db.execute("SELECT 1 FROM rooms LIMIT 1").fetchone())

    async def append(self, draft: Draft) -> Appended:
        return await self._write(lambda db: rows.append(db, draft))

    async def append_all(self, drafts: Sequence[Draft]) -> list[Outcome]:
        return await self._write(lambda db: appending.append_all(db, drafts))

    def heard(self, room_id: str, seq: int, before: int = 0) -> None:
        """There is no other server on this file."""

    async def find(self, message_id: str) -> ChatMessage | None:
        return await self._read(lambda db: rows.find(db, message_id))

    async def page_before(self, room_id: str, before: int | None, limit: int) -> Page:
        return await self._read(lambda db: rows.page_before(db, room_id, before, limit))

    async def page_after(self, room_id: str, after: int, limit: int) -> Page:
        return await self._read(lambda db: rows.page_after(db, room_id, after, limit))

    async def last_seq(self, room_id: str) -> int:
        return await self._read(lambda db: rows.last_seq(db, room_id))

    async def stand(self, room_id: str) -> tuple[int, Branching]:
        return await self._read(lambda db: branches.stand(db, room_id))

    async def save_stream(
        self, message_id: str, content: str, lease_until: int | None = None
    ) -> bool:
        return await self._write(lambda db: rows.save_stream(db, message_id, content, lease_until))

    async def keep_shown(self, message_id: str, content: str) -> None:
        await self._write(lambda db: rows.keep_shown(db, message_id, content))

    async def end_stream(self, message_id: str, content: str, state: EndState) -> bool:
        return await self._write(lambda db: rows.end_stream(db, message_id, content, state))

    async def unfinished(self, limit: int, now: int | None = None) -> list[ChatMessage]:
        return await self._read(lambda db: rows.unfinished(db, limit, now))

    async def running(self, room_id: str) -> list[ChatMessage]:
        return await self._read(lambda db: rows.running(db, room_id))

    async def interrupt(self, message_id: str, now: int | None = None) -> bool:
        return await self._write(lambda db: rows.interrupt(db, message_id, now))

    async def owe(self, debt: Debt) -> None:
        await self._write(lambda db: owing.owe(db, debt))

    async def renew_debts(self, debts: Sequence[Debt], until: int) -> None:
        await self._write(lambda db: owing.renew(db, debts, until))

    async def owed(self, limit: int, now: int | None = None) -> list[Debt]:
        return await self._read(lambda db: owing.owed(db, limit, now))

    async def in_turn(self, room_id: str) -> InTurn:
        return await self._read(lambda db: owing.in_turn(db, room_id))

    async def forgive(self, debts: Sequence[Debt]) -> None:
        await self._write(lambda db: owing.forgive(db, debts))

    async def answered(self, message_id: str) -> bool:
        return await self._read(lambda db: rows.answered(db, message_id))

    async def overtake(self, server: str, connection_ids: Sequence[str]) -> None:
        """There is no other server on this file."""
        self._overtaken.setdefault(server, []).extend(connection_ids)

    async def overtaken(self, server: str) -> Sequence[str]:
        return self._overtaken.pop(server, ())

    async def answers_to(self, message_id: str, limit: int) -> list[ChatMessage]:
        return await self._read(lambda db: rows.answers_to(db, message_id, limit))

    async def branching(self, room_id: str) -> Branching:
        return await self._read(lambda db: branches.branching(db, room_id))

    async def choose(self, room_id: str, choice: Choice) -> int:
        return await self._write(lambda db: branches.choose(db, room_id, choice))

    async def erase(self, room_id: str, message_ids: Sequence[str], deleted_at: int) -> int:
        return await self._write(lambda db: branches.erase(db, room_id, message_ids, deleted_at))

    async def erased_since(self, room_id: str, revision: int, limit: int) -> list[Erased]:
        return await self._read(lambda db: branches.erased_since(db, room_id, revision, limit))

    async def mark_read(self, room_id: str, mark: StoredMark) -> bool:
        return await self._write(lambda db: rooms.mark_read(db, room_id, mark))

    async def read_marks(self, room_id: str, limit: int) -> list[StoredMark]:
        return await self._read(lambda db: rooms.read_marks(db, room_id, limit))

    async def create_room(
        self, room_id: str, created_by: str, created_at: int, character_id: str | None
    ) -> Room:
        return await self._write(
            lambda db: rooms.create_room(db, room_id, created_by, created_at, character_id)
        )

    async def found_room(
        self, room_id: str, founder: StoredMember, character_id: str | None
    ) -> Room:
        return await self._write(lambda db: rooms.found_room(db, room_id, founder, character_id))

    async def room(self, room_id: str) -> Room | None:
        return await self._read(lambda db: rooms.room(db, room_id))

    async def entrance(self, room_id: str, user_id: str) -> Entrance:
        return await self._read(lambda db: rooms.entrance(db, room_id, user_id))

    async def set_title(self, room_id: str, title: str, by: TitledBy) -> bool:
        return await self._write(lambda db: rooms.set_title(db, room_id, title, by))

    async def set_double_texting(self, room_id: str, policy: str | None) -> bool:
        return await self._write(lambda db: rooms.set_double_texting(db, room_id, policy))

    async def put_character(
        self, room_id: str, character_id: str, limit: int
    ) -> tuple[str, ...] | None:
        return await self._write(lambda db: rooms.put_character(db, room_id, character_id, limit))

    async def take_character(self, room_id: str, character_id: str) -> tuple[str, ...] | None:
        return await self._write(lambda db: rooms.take_character(db, room_id, character_id))

    async def bury(self, room_id: str, deleted_at: int) -> bool:
        return await self._write(lambda db: deletion.bury(db, room_id, deleted_at))

    async def purge(self, room_id: str, limit: int) -> bool:
        return await self._write(lambda db: deletion.purge(db, room_id, limit))

    async def buried(self, limit: int) -> list[str]:
        return await self._read(lambda db: deletion.buried(db, limit))

    async def search(
        self, user_id: str, wanted: Wanted, limit: int, before: Position | None = None
    ) -> Found:
        return await self._look(lambda db: search.search(db, user_id, wanted, limit, before))

    async def index(self, room_ids: Sequence[str], limit: int, now: int) -> Indexed:  # noqa: ARG002
        return await self._write(lambda db: search.index(db, room_ids, limit))

    async def unindexed(self, room_id: str, limit: int) -> list[str]:
        return await self._look(lambda db: search.unindexed(db, room_id, limit))

    async def rooms_of(self, user_id: str, limit: int) -> tuple[list[RoomOverview], bool]:
        return await self._read(lambda db: rooms.rooms_of(db, user_id, limit))

    async def add_member(
        self, room_id: str, member: StoredMember, removal: str | None = None
    ) -> bool:
        return await self._write(lambda db: rooms.add_member(db, room_id, member, removal))

    async def remove_member(self, room_id: str, user_id: str) -> bool:
        return await self._write(lambda db: rooms.remove_member(db, room_id, user_id))

    async def membership(self, room_id: str, user_id: str) -> Membership:
        return await self._read(lambda db: rooms.membership(db, room_id, user_id))

    async def removed(self, since: int, limit: int) -> list[tuple[str, str]]:
        return await self._read(lambda db: rooms.removed(db, since, limit))

    async def is_member(self, room_id: str, user_id: str) -> bool:
        return await self._read(lambda db: rooms.is_member(db, room_id, user_id))

    async def members(
        self, room_id: str, limit: int, after: Position | None = None
    ) -> list[StoredMember]:
        return await self._read(lambda db: rooms.members(db, room_id, limit, after))

    async def people(self, user_ids: Collection[str]) -> Mapping[str, StoredPerson]:
        return await self._read(lambda db: people.people(db, user_ids))

    async def hide_last_seen(self, user_id: str, *, hides: bool) -> None:
        await self._write(lambda db: people.hide_last_seen(db, user_id, hides=hides))

    async def put_last_seen(self, seen: Mapping[str, int]) -> None:
        await self._write(lambda db: people.put_last_seen(db, seen))

    async def totals(self) -> Totals:
        return await self._read(moving.totals)

    async def rooms_after(self, room_id: str, limit: int) -> list[Room]:
        return await self._read(lambda db: moving.rooms_after(db, room_id, limit))

    async def people_after(self, user_id: str, limit: int) -> list[StoredPerson]:
        return await self._read(lambda db: people.people_after(db, user_id, limit))

    async def put_messages(self, messages: Sequence[ChatMessage]) -> None:
        await self._write(lambda db: moving.put_messages(db, messages))

    async def put_branching(self, room_id: str, branching: Branching) -> None:
        await self._write(lambda db: branches.put_branching(db, room_id, branching))

    def _prepare(self) -> Upgraded:
        self._lock.take()
        try:
            return prepare(self._path)
        except BaseException:
            self._lock.release()
            raise

    async def _write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        # A caller that is cancelled leaves the job as it is: it is done, or has been taken.
        return await self._writer.submit(job)

    async def _read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        return await self._reader.submit(job)

    async def _look(self, job: Callable[[sqlite3.Connection], T]) -> T:
        return await self._searcher.submit(job)
