"""The interface of a store.

The log is the truth: what `append` returned is durable, and is in the pages once. Every method raises
`Unavailable` when the database cannot do it now; then nothing of it was done, or it can be repeated without harm.
Times are milliseconds since the epoch. `rejoinder.testing.check_store` is the specification as tests.
"""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Protocol

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
)


class Store(Protocol):
    """Keeps the log.

    A row that is `streaming` has a lease, which the server that writes it renews. When the lease has run out, the server is
    gone, and another one may `interrupt` the row. A row without a lease counts as one whose lease has run out, and so does one
    whose lease ends more than `LEASE_AHEAD_MS` from now: the clock that gave it was wrong.

    An answer that waits for its turn has no row yet. That it is owed is kept with its question (`Draft.owes`), under a lease
    of the same kind, until a character's row with its id has been appended: then the debt is paid, at once or a moment
    later. A debt that is still listed though its row is there does no harm, since an id is there once.
    """

    @property
    def shared(self) -> bool:
        """True if several servers may have it open at the same time.

        If not, whoever has opened it is alone with it, and all that was `streaming` before was left behind by a server that
        is gone: its leases need not be waited for.
        """
        ...

    async def open(self) -> None:
        """Get ready; raises `ConfigurationError` with what to do when it cannot."""
        ...

    async def close(self) -> None:
        """Finish what was taken and let go of everything."""
        ...

    async def ping(self) -> None:
        """Return if reading and writing work now."""
        ...

    async def append(self, draft: Draft) -> Appended:
        """Give the draft the next `seq` of its room and keep it.

        An id that is there already, from the same sender, with the same room and content, is a duplicate: the stored
        row comes back. With anything else of these different it raises `Conflict`, in a room that was deleted `NotFound`.
        The content of a row that was erased counts as the same. What the draft owes is kept with it, in the same commit; of a
        duplicate it is not.
        """
        ...

    def append_all(self, drafts: Sequence[Draft]) -> Awaitable[list[Outcome]]:
        """The same with several, of any rooms, in that order; what came of each. They are kept whoever waits for them.

        Raises:
            Unavailable: of each it is not known whether it is stored.
        """
        ...

    def heard(self, room_id: str, seq: int, before: int = 0) -> None:
        """Another server has stored that row: what is appended next may be numbered from there.

        Where servers get into each other's way in the room, so many of them go before this one.
        """
        ...

    async def find(self, message_id: str) -> ChatMessage | None:
        """The row of that id."""
        ...

    async def page_before(self, room_id: str, before: int | None, limit: int) -> Page:
        """The newest rows with a `seq` below `before` (None: of all)."""
        ...

    async def page_after(self, room_id: str, after: int, limit: int) -> Page:
        """The oldest rows with a `seq` above `after`."""
        ...

    async def last_seq(self, room_id: str) -> int:
        """The highest `seq` of the room; 0 if it has no rows."""
        ...

    async def stand(self, room_id: str) -> tuple[int, Branching]:
        """`last_seq` and `branching` in one: the second is as it was then, or later."""
        ...

    async def save_stream(
        self, message_id: str, content: str, lease_until: int | None = None
    ) -> bool:
        """Keep the text so far of a row that is `streaming`, and renew its lease, unless that is None.

        False if the row is not `streaming`, or not there; then nothing changes.
        """
        ...

    async def keep_shown(self, message_id: str, content: str) -> None:
        """Keep that text of a row that is `streaming` if less of it was saved; nothing else changes."""
        ...

    async def end_stream(self, message_id: str, content: str, state: EndState) -> bool:
        """End a row that is `streaming`; False if it had ended before (then nothing changes)."""
        ...

    async def unfinished(self, limit: int, now: int | None = None) -> list[ChatMessage]:
        """Rows that are `streaming` and whose lease has run out at `now`; for None, whatever their lease."""
        ...

    async def running(self, room_id: str) -> list[ChatMessage]:
        """The rows of a room that are `streaming`, whatever their lease."""
        ...

    async def interrupt(self, message_id: str, now: int | None = None) -> bool:
        """End a row that `unfinished` has listed as `interrupted`, with the text that was saved.

        False if it has ended, or its lease was renewed, in between (then nothing changes).
        """
        ...

    async def owe(self, debt: Debt) -> None:
        """Keep that an answer is owed to a question that is stored, or renew that; without such a question nothing is kept.

        Its turn is after all that is stored or owed in the room by then (`in_turn`), or as `Debt.behind` says; it stays that.
        """
        ...

    async def renew_debts(self, debts: Sequence[Debt], until: int) -> None:
        """Renew the leases of those that are still owed, in one write."""
        ...

    async def owed(self, limit: int, now: int | None = None) -> list[Debt]:
        """Debts whose lease has run out at `now`; for None, whatever their lease. In each room in the order of the questions."""
        ...

    async def in_turn(self, room_id: str) -> InTurn:
        """Whose turn it is in a room: what is `streaming` in it, and what is owed and has no row, whatever their leases.

        The order is the same for all servers: an answer that is owed with its question has the place of that, and another one
        the place that `owe` gave it; until it has one it comes first. So whoever promises something and looks then is seen by all that
        come after it in the order, and sees all that come before it.
        """
        ...

    async def forgive(self, debts: Sequence[Debt]) -> None:
        """Forget debts: their answers are there."""
        ...

    async def answered(self, message_id: str) -> bool:
        """True if a character's row replies to that message."""
        ...

    async def overtake(self, server: str, connection_ids: Sequence[str]) -> None:
        """Leave word for that server, for a minute: connections of its have been replaced. Only a `shared` store is asked."""
        ...

    async def overtaken(self, server: str) -> Sequence[str]:
        """What has been left for that server, each once."""
        ...

    async def answers_to(self, message_id: str, limit: int) -> list[ChatMessage]:
        """The characters' rows that reply to that message, at most so many, in the order of `seq`."""
        ...

    # --- branches and deletions ------------------------------------------------------------------

    async def branching(self, room_id: str) -> Branching:
        """The room's revision, what was chosen in it last, and its forks: the newest 10,000."""
        ...

    async def choose(self, room_id: str, choice: Choice) -> int:
        """Keep a choice in place of the one before; the room's revision, which is the next one."""
        ...

    async def erase(self, room_id: str, message_ids: Sequence[str], deleted_at: int) -> int:
        """Take the texts and the metadata of rows of that room away for good; the rows stay in their places.

        The room's revision, which is the next one, or 0 if there was nothing (more) to take away. All of it is done, or nothing.
        """
        ...

    async def erased_since(self, room_id: str, revision: int, limit: int) -> list[Erased]:
        """What was erased after that revision of the room, the lowest revision first."""
        ...

    async def mark_read(self, room_id: str, mark: StoredMark) -> bool:
        """Move the user's mark forward; False if it was there or further already, or the room was deleted."""
        ...

    async def read_marks(self, room_id: str, limit: int) -> list[StoredMark]:
        """The marks of a room, the furthest first."""
        ...

    async def create_room(
        self, room_id: str, created_by: str, created_at: int, character_id: str | None
    ) -> Room:
        """The room of that id, made now if there was none.

        Raises:
            NotFound: it was deleted; there will be no other of that id.
        """
        ...

    async def found_room(
        self, room_id: str, founder: StoredMember, character_id: str | None
    ) -> Room:
        """The same, made by its first member; where the room was there, nobody becomes a member.

        Raises:
            NotFound: it was deleted.
        """
        ...

    async def room(self, room_id: str) -> Room | None:
        """The room of that id; None also for one that was deleted."""
        ...

    async def entrance(self, room_id: str, user_id: str) -> Entrance:
        """`room`, `membership` and what `people` has of their choice, in one."""
        ...

    async def set_title(self, room_id: str, title: str, by: TitledBy) -> bool:
        """Give a room a title; False if there is no such room, or it has one of a person and this one is not.

        One that was made of the first message also leaves any other as it is.
        """
        ...

    async def set_double_texting(self, room_id: str, policy: str | None) -> bool:
        """Give a room a rule of its own, or take it away; False if there is no such room."""
        ...

    async def put_character(
        self, room_id: str, character_id: str, limit: int
    ) -> Sequence[str] | None:
        """Add a character behind those who are in the room, unless it is there or there are so many.

        Those who are in it then, in the order of coming; None if there is no such room.
        """
        ...

    async def take_character(self, room_id: str, character_id: str) -> Sequence[str] | None:
        """Take a character out; those who are left, of whom the first is the room's `character_id`. None for no such room."""
        ...

    # --- deleting a room -------------------------------------------------------------------------

    async def bury(self, room_id: str, deleted_at: int) -> bool:
        """End a room for good: it is not found from now on, and nothing gets into its log. False if there is none.

        What is in it is still to be taken away, by `purge`. Its id stays taken.
        """
        ...

    async def purge(self, room_id: str, limit: int) -> bool:
        """Take away about `limit` rows, marks and members of a room that was buried; True if there is more."""
        ...

    async def buried(self, limit: int) -> Sequence[str]:
        """Rooms that were buried, and in which there is still something to take away."""
        ...

    # --- full-text search ------------------------------------------------------------------------

    async def search(
        self, user_id: str, wanted: Wanted, limit: int, before: Position | None = None
    ) -> Found:
        """The messages of a user's rooms that hold what is wanted, the newest first, below `before`.

        Everything that was appended is found, indexed or not, but for what is still being written.
        """
        ...

    async def index(self, room_ids: Sequence[str], limit: int, now: int) -> Indexed:
        """Put what is new in these rooms into the index of the search, about `limit` rows of it.

        Rows wait for one before them that is `streaming`.
        """
        ...

    async def unindexed(self, room_id: str, limit: int) -> Sequence[str]:
        """Rooms with an id above that one, in the order of the ids, that may have rows that are not in the index."""
        ...

    async def rooms_of(self, user_id: str, limit: int) -> tuple[list[RoomOverview], bool]:
        """The user's rooms, the one that changed last first; and whether there are more."""
        ...

    async def add_member(
        self, room_id: str, member: StoredMember, removal: str | None = None
    ) -> bool:
        """Make somebody a member, or give a member another name; in a room that was deleted nobody becomes one.

        With the `removal` of their `membership` it is done only if they were not removed since that was asked; False if they were.
        """
        ...

    async def remove_member(self, room_id: str, user_id: str) -> bool:
        """End a membership; False if there was none. That it was ended is kept for an hour."""
        ...

    async def membership(self, room_id: str, user_id: str) -> Membership:
        """How it stands with somebody and a room: to be asked before it is asked whether they may be a member."""
        ...

    async def removed(self, since: int, limit: int) -> Sequence[tuple[str, str]]:
        """Rooms, each with somebody who was removed from it since then and is no member now; the last first."""
        ...

    async def is_member(self, room_id: str, user_id: str) -> bool:
        """True if the user belongs to the room."""
        ...

    async def members(
        self, room_id: str, limit: int, after: Position | None = None
    ) -> Sequence[StoredMember]:
        """Those who belong to a room, the oldest members first: of all, or behind who came at that time and has that id."""
        ...

    # --- people ----------------------------------------------------------------------------------

    async def people(self, user_ids: Collection[str]) -> Mapping[str, StoredPerson]:
        """What is kept of these; of whom nothing is, is not in it."""
        ...

    async def hide_last_seen(self, user_id: str, *, hides: bool) -> None:
        """Keep whether others may be told when the user was last seen."""
        ...

    async def put_last_seen(self, seen: Mapping[str, int]) -> None:
        """Keep when each of these users was last seen; what is there and later stays."""
        ...

    # --- moving everything to another store ------------------------------------------------------

    async def totals(self) -> Totals:
        """How much there is; the number of messages may be an estimate."""
        ...

    async def rooms_after(self, room_id: str, limit: int) -> Sequence[Room]:
        """Rooms with an id above that one, in the order of the ids; all of them begin after the empty id.

        Those that were deleted are among them.
        """
        ...

    async def people_after(self, user_id: str, limit: int) -> Sequence[StoredPerson]:
        """All that is kept of people, with an id above that one, in the order of the ids."""
        ...

    async def put_messages(self, messages: Sequence[ChatMessage]) -> None:
        """Keep rows of one room with the `seq` that they have; rows that are there already stay as they are.

        Raises:
            Conflict: a place or an id is taken by another row.
        """
        ...

    async def put_branching(self, room_id: str, branching: Branching) -> None:
        """Keep the revision and the choice of a room whose rows were put; all that is erased counts as of that revision."""
        ...
