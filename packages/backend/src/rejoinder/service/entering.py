"""Entering and leaving rooms, and the snapshot that one enters with."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from msgspec import UNSET

from rejoinder.cluster.base import Claim
from rejoinder.core.connections import Connection
from rejoinder.core.gate import Passage
from rejoinder.core.users import User
from rejoinder.errors import Forbidden, NotFound, Unauthorized, Unavailable
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.constants import HISTORY_LIMIT
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import given, iso, or_unset
from rejoinder.service.answers import show_joined
from rejoinder.service.changes import without_text
from rejoinder.service.context import Context
from rejoinder.service.greeting import Greeting
from rejoinder.service.items import Entered, LeftRoom
from rejoinder.service.marks import marker_of, markers_of_characters
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import LiveStream, RoomState
from rejoinder.service.rules import rules_of
from rejoinder.service.seen import Seen
from rejoinder.stores.base import Store
from rejoinder.stores.records import GONE, Page, Room, StoredMark, StoredMember

MEMBERS_SHOWN = 500
MARKS_SHOWN = 500
ERASED_SHOWN = 100
CATCH_UP_TRIES = 20
NOT_ALLOWED = "You may not enter this room. Ask a member to add you."

HowEntered = Literal["join", "rejoin"]


@dataclass(slots=True)
class Reading:
    """What was read of the log for a snapshot, before it is cut to what has been published."""

    messages: list[ChatMessage]
    recovered: bool
    has_more: bool
    floor: int
    """The `seq` that the messages come after, for an empty page."""
    marks: list[StoredMark] = field(default_factory=list)
    revision: int = 0
    """Up to which the deletions have been read."""
    erased: dict[str, int] = field(default_factory=dict)
    """What was deleted since the revision that the client has, and when."""

    @property
    def last_seq(self) -> int:
        return self.messages[-1].seq if self.messages else self.floor


class Entering:
    """Lets connections into rooms and out of them."""

    def __init__(self, context: Context, greeting: Greeting, seen: Seen) -> None:
        self._c = context
        self._greeting = greeting
        self._seen = seen

    async def enter(
        self, connection: Connection, entry: events.RoomEntry, how: HowEntered
    ) -> events.RoomAck:
        """Enter a room; the others hear of it.

        Raises:
            Forbidden: the user may not enter it.
            NotFound: it was deleted.
        """
        with self._c.gate.passing(entry.room_id, connection.user.id) as passage:
            return await self._enter(connection, entry, how, passage)

    async def _enter(
        self, connection: Connection, entry: events.RoomEntry, how: HowEntered, passage: Passage
    ) -> events.RoomAck:
        before = self._c.rooms.get(entry.room_id)
        room = await self._admit(connection, entry, passage)
        character_id = given(entry.character_id) or room.character_id
        new = room.created and not self._c.store.shared
        async with self._c.rooms.use(room.id, new=new) as state:
            await self._confirm(before, state, room, connection.user.id)
            await self._greeting.say(state, room, character_id, connection.user.name)
            if self._c.store.shared and room.revision > state.branches.revision:
                await in_time(self._c.changes.look(state))
            reading = await self._read(state, entry)
            await self._show_all(state, reading)
            for _ in range(CATCH_UP_TRIES):
                stale = self._stale(state, reading)
                if stale is None:
                    if self._c.connections.get(connection.id) is not connection:
                        raise Unauthorized("This connection has ended. Connect again.")
                    check_open(passage)
                    if room.id in self._c.deleted:
                        raise NotFound(GONE)
                    if state.title is None or not state.people:
                        state.title = room.title
                    if state.rules is None or not state.people:
                        state.rules = rules_of(room)
                    # From here to the return nothing waits: what is published from now on goes to this connection, too.
                    if state.joining.lines:
                        pieces = state.joining.entered(connection.id, state.id)
                        show_joined(self._c.delivery, pieces)
                    self._let_in(state, connection, character_id, how, entry.background)
                    if self._c.store.shared and reading.last_seq > state.sequencer.last:
                        # Another server may have stored them; then nothing else brings them.
                        self._c.rooms.suspect(state)
                    return self._snapshot(state, reading, room, character_id)
                await self._catch_up(state, reading, stale)
        raise Unavailable("The room is very busy. Try again in a moment.")

    def leave(self, connection: Connection, room_id: str) -> events.Ack:
        """Leave a room; the others hear of it."""
        state = self._c.entered(connection, room_id)
        connection.leave(room_id)
        # Also where the user stays here with another connection.
        self._c.stop_typing(state, connection.user.id)
        state.joining.entered(connection.id, room_id)
        if state.people.leave(connection.id):
            self.announce_left(state, connection.user.id)
        return events.Ack(success=True)

    def expel(self, room_id: str, user_id: str) -> None:
        """Put a user out of a room with all their connections: they are told to enter again, which will be refused.

        Those that are on their way in are refused now.
        """
        self._c.gate.bar(room_id, user_id)
        state = self._c.rooms.get(room_id)
        if state is None or user_id not in state.people:
            return
        gone = state.people.remove(user_id)
        for connection_id in gone:
            connection = self._c.connections.get(connection_id)
            if connection is not None:
                connection.leave(room_id)
        self.announce_left(state, user_id)
        resync = events.RoomResync(room_id=room_id, reason="removed")
        self._c.delivery.send(gone, catalogue.ROOM_RESYNC, resync)

    def announce_left(self, state: RoomState, user_id: str) -> None:
        """Tell a room that somebody is gone from it."""
        self._c.stop_typing(state, user_id)
        if state.listeners:
            self._c.sharing.say(state.listeners, LeftRoom(state.id, user_id))
        if user_id in state.others:
            return  # They are still here, on another server.
        self._c.delivery.send(
            state.people.connections(but=user_id),
            catalogue.USER_LEFT,
            events.UserInRoom(room_id=state.id, user_id=user_id, timestamp=self._c.now_iso()),
        )

    # --- admission -------------------------------------------------------------------------------

    async def _admit(
        self, connection: Connection, entry: events.RoomEntry, passage: Passage
    ) -> Room:
        user = connection.user
        limit = self._c.limits.rooms_per_connection
        if entry.room_id not in connection.rooms and len(connection.rooms) >= limit:
            raise Forbidden(f"You are in {limit} rooms already. Leave one first.")
        store, wall_ms, character_id = (
            self._c.store,
            self._c.clock.wall_ms(),
            given(entry.character_id),
        )
        entrance = await in_time(store.entrance(entry.room_id, user.id))
        room, member = entrance.room, StoredMember(user.id, user.name, wall_ms)
        await self._check_allowed(user, entry.room_id)
        check_open(passage)
        if entrance.hides_last_seen is not None:
            self._seen.knows(user.id, hides=entrance.hides_last_seen)
        if room is None or (room.character_id is None and character_id is not None):
            known = room is not None
            try:
                room = await in_time(store.found_room(entry.room_id, member, character_id))
            except NotFound:
                self._c.deleted.add(entry.room_id)
                raise
            if room.created:
                return room
            if not known:  # Somebody else made it in between.
                await self._check_allowed(user, entry.room_id)
        membership = entrance.membership
        # Whom somebody else has made a member has no name there until they come themselves.
        if not membership.member or (user.name and user.name != membership.name):
            check_open(passage)
            if not await in_time(store.add_member(room.id, member, membership.removal)):
                raise Forbidden(NOT_ALLOWED)
        return room

    async def _confirm(
        self, before: RoomState | None, state: RoomState, room: Room, user_id: str
    ) -> None:
        """Refuse who was removed before this server had the room: only servers that have it are told of that."""
        if state is before or room.created or not self._c.store.shared:
            return
        if not await in_time(self._c.store.is_member(state.id, user_id)):
            raise Forbidden(NOT_ALLOWED)

    async def _check_allowed(self, user: User, room_id: str) -> None:
        if not await self._c.authorize(user, room_id):
            raise Forbidden(NOT_ALLOWED)

    def _let_in(
        self,
        state: RoomState,
        connection: Connection,
        character_id: str | None,
        how: HowEntered,
        background: bool,  # noqa: FBT001 - as the entry says it
    ) -> None:
        user = connection.user
        again = state.people.has(connection.id)
        new = state.people.enter(connection.id, user.id, user.name, background=background)
        fresh = new and user.id not in state.others
        state.others.here(user.id)
        connection.enter(state.id, character_id, background=background)
        if not background:
            self._c.sharing.cluster.moved(
                Claim(connection.id, user.id, connection.device_id, state.id, character_id)
            )
        event = catalogue.USER_RECONNECTED if how == "rejoin" else catalogue.USER_JOINED
        told = not again and (fresh or how == "rejoin")
        if state.listeners and not again:
            somebody = self._c.sharing.somebody(user.id, user.name)
            self._c.sharing.say(
                state.listeners, Entered(state.id, somebody, how if told else "quiet")
            )
        if told:
            self._c.delivery.send(
                state.people.connections(but=user.id),
                event,
                events.UserInRoom(room_id=state.id, user_id=user.id, timestamp=self._c.now_iso()),
            )

    # --- the snapshot ----------------------------------------------------------------------------

    async def _read(self, state: RoomState, entry: events.RoomEntry) -> Reading:
        store, room_id, last_message_id = self._c.store, state.id, given(entry.last_message_id)
        revision, erased = state.branches.revision, []
        if not store.shared and not state.sequencer.last:
            # Nothing was said yet, and if it was, elsewhere is nobody who could have said it.
            return Reading([], recovered=False, has_more=False, floor=0, revision=revision)
        held = given(entry.revision) or 0
        if last_message_id is not None and held < revision:
            erased = await in_time(store.erased_since(room_id, held, ERASED_SHOWN + 1))
            if len(erased) > ERASED_SHOWN:
                # Too many to name: what the client holds can't be relied on.
                last_message_id, erased = None, []
        position = await in_time(store.find(last_message_id)) if last_message_id else None
        if position is not None and position.room_id == room_id:
            page = await in_time(store.page_after(room_id, position.seq, HISTORY_LIMIT))
            reading = Reading(
                page.messages, recovered=True, has_more=page.has_more, floor=position.seq
            )
        else:
            page = await in_time(store.page_before(room_id, None, HISTORY_LIMIT))
            reading = Reading(page.messages, recovered=False, has_more=page.has_more, floor=0)
        reading.revision = revision
        reading.erased = {each.message_id: each.deleted_at for each in erased}
        reading.marks = await in_time(store.read_marks(room_id, MARKS_SHOWN))
        return reading

    async def _show_all(self, state: RoomState, reading: Reading) -> None:
        """Show the room what is stored: another server may have shown it to who enters, and it must not come to them as new."""
        if self._c.store.shared:
            await self._c.rooms.reach(state, await self._last_seq(state.id, reading))

    async def _last_seq(self, room_id: str, reading: Reading) -> int:
        """Of the log, as far as it was stored when the reading began."""
        if reading.recovered and reading.has_more:
            return await in_time(self._c.store.last_seq(room_id))
        return reading.last_seq

    def _stale(self, state: RoomState, reading: Reading) -> list[ChatMessage] | None:
        """Rows to read once more, [] included where only newer ones are missing; None if the reading can be used."""
        ended = ended_meanwhile(state, reading.messages)
        whole = (reading.recovered and reading.has_more) or reading.last_seq >= state.sequencer.last
        return None if whole and not ended else ended

    async def _catch_up(self, state: RoomState, reading: Reading, stale: list[ChatMessage]) -> None:
        """Read what was published, or ended, while the reading was being read."""
        await read_again(self._c.store, state, reading.messages, stale)
        if reading.recovered and reading.has_more:
            return
        page: Page = await in_time(
            self._c.store.page_after(state.id, reading.last_seq, HISTORY_LIMIT)
        )
        reading.messages += page.messages
        if reading.recovered:
            reading.has_more = page.has_more
        elif len(reading.messages) > HISTORY_LIMIT:
            del reading.messages[:-HISTORY_LIMIT]
            reading.has_more = True

    def _snapshot(
        self, state: RoomState, reading: Reading, room: Room, character_id: str | None
    ) -> events.RoomAck:
        # Rows that are committed but not published yet come as live events after this.
        published = [row for row in reading.messages if row.seq <= state.sequencer.last]
        return events.RoomAck(
            success=True,
            room_id=room.id,
            messages=[with_live_text(state, row) for row in published],
            recovered=reading.recovered,
            has_more=reading.has_more and (not reading.recovered or len(published) > 0),
            last_seq=state.sequencer.last,
            members=(members := self._members(state)),
            member_count=UNSET if len(members) < MEMBERS_SHOWN else self._count(state),
            read=[
                *map(marker_of, state.marks.with_stored(reading.marks)),
                *markers_of_characters(published),
            ],
            streams=[
                _running(stream) for stream in (*state.streams.values(), *state.elsewhere.values())
            ],
            character_id=or_unset(character_id),
            head=UNSET if state.branches.follows else state.branches.head,
            revision=state.branches.revision or UNSET,
            deleted=_deleted(state, reading) or UNSET,
            title=or_unset(state.title),
            character_ids=_several(state) or UNSET,
            double_texting=UNSET if state.rules is None else or_unset(state.rules.double_texting),
        )

    def _members(self, state: RoomState) -> list[events.Member]:
        members: list[events.Member] = []
        for user_id, person in state.people.items():
            if len(members) == MEMBERS_SHOWN:
                break
            last_seen = self._c.presence.last_seen(user_id)
            members.append(
                events.Member(
                    user_id=user_id,
                    status=self._c.presence.status(user_id),
                    name=or_unset(person.name or None),
                    last_seen=or_unset(None if last_seen is None else iso(last_seen)),
                )
            )
        for somebody in state.others:
            if len(members) == MEMBERS_SHOWN:
                break
            if somebody.user_id not in state.people:
                seen = somebody.last_seen
                members.append(
                    events.Member(
                        user_id=somebody.user_id,
                        status=somebody.status,
                        name=or_unset(somebody.name or None),
                        last_seen=or_unset(None if seen is None else iso(seen)),
                    )
                )
        return members

    def _count(self, state: RoomState) -> int:
        """How many are in a room, wherever."""
        return len(state.people) + sum(user not in state.people for user in state.others.users())


def check_open(passage: Passage) -> None:
    """Refuse who is being removed from the room.

    Raises:
        Forbidden: they are.
    """
    if passage.barred:
        raise Forbidden(NOT_ALLOWED)


def ended_meanwhile(state: RoomState, rows: Iterable[ChatMessage]) -> list[ChatMessage]:
    """Those rows that were read as being written, and have ended since, or are written elsewhere and not followed yet."""
    return [
        row
        for row in rows
        if row.state == "streaming"
        and state.stream(row.id) is None
        and row.seq <= state.sequencer.last
    ]


async def read_again(
    store: Store, state: RoomState, rows: list[ChatMessage], stale: Iterable[ChatMessage]
) -> None:
    """Bring rows up to date. What is still being written, and not here, is followed from now on."""
    for row in stale:
        again = await in_time(store.find(row.id))
        if again is None:
            continue
        rows[rows.index(row)] = again
        if again.state == "streaming" and row.id not in state.streams:
            state.elsewhere.begin(row.id, LiveStream.elsewhere(again))


def with_live_text(state: RoomState, row: ChatMessage) -> ChatMessage:
    """The row as viewers see it: while it is being written, with the text that has been shown; deleted, without any."""
    gone = state.branches.gone.get(row.id)
    if gone is not None:
        return without_text(row, gone[0])
    stream = state.stream(row.id)
    if stream is None:
        return row
    return ChatMessage(
        id=row.id,
        room_id=row.room_id,
        seq=row.seq,
        role=row.role,
        sender_id=row.sender_id,
        content=stream.text.shown,
        state="streaming",
        timestamp=row.timestamp,
        character_id=row.character_id,
        reply_to=row.reply_to,
        metadata=row.metadata,
        parent_seq=row.parent_seq,
        variant_of=row.variant_of,
    )


def _several(state: RoomState) -> list[str]:
    """The characters who are in a room, where that is more than the one that everybody knows of."""
    characters = () if state.rules is None else state.rules.characters
    return list(characters) if len(characters) > 1 else []


def _deleted(state: RoomState, reading: Reading) -> list[events.DeletedMessage]:
    """What was deleted since the revision that the client has, also while this was being read."""
    lately = {
        message_id: deleted_at
        for message_id, (deleted_at, revision) in state.branches.gone.items()
        if reading.recovered and revision > reading.revision
    }
    return [
        events.DeletedMessage(message_id=message_id, timestamp=iso(deleted_at))
        for message_id, deleted_at in {**reading.erased, **lately}.items()
    ]


def _running(stream: LiveStream) -> events.RunningStream:
    row = stream.row
    return events.RunningStream(
        message_id=row.id,
        character_id=row.sender_id,
        reply_to=given(row.reply_to) or "",
        seq=row.seq,
        timestamp=row.timestamp,
        content=stream.text.shown,
        index=stream.text.index,
        parent_seq=row.parent_seq,
        variant_of=row.variant_of,
    )
