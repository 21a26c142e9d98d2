"""What the other servers say, and what becomes of it here."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec
import structlog

from rejoinder.core.others import Part
from rejoinder.errors import Unavailable
from rejoinder.protocol import catalogue
from rejoinder.protocol.constants import ID_LENGTH_MAX
from rejoinder.protocol.fields import given
from rejoinder.service import items
from rejoinder.service.company import Company
from rejoinder.service.connected import Connected
from rejoinder.service.context import Context
from rejoinder.service.deletion import Deletion
from rejoinder.service.elsewhere import Elsewhere
from rejoinder.service.entering import Entering
from rejoinder.service.marks import mark_of, moved_of
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import RoomState
from rejoinder.service.rules import Rules
from rejoinder.service.seen import Seen
from rejoinder.service.titles import Titles
from rejoinder.service.turns import Turns

LOOK_SECONDS = 1.0
WATCH_SECONDS = 60.0
PARTED_SECONDS = 600.0
"""So long the answers of a server that is out of reach are looked for in the store, before one is begun here."""
LOOKS_MAX = 500
"""Rooms whose log is read each time while the others can't be reached."""
DOUBTS_MAX = 100
"""The same while one that is not heard of may have people who came to rooms after that."""
MARKS_SHOWN = 100
KINDS_MAX = 100
WORD_TRIES = 10
WORD_SECONDS = 0.5
RECENT_MS = 600_000
"""How old a read mark or a removal may be to be told again after something was missed."""
REMOVED_MAX = 1000


class Replaced(Protocol):
    """What is to be done with a connection that a newer one has replaced."""

    def __call__(self, connection_id: str) -> None: ...


class Hearing:
    """The `Peers` of the cluster."""

    def __init__(  # noqa: PLR0913 - what others say concerns everything
        self,
        context: Context,
        entering: Entering,
        turns: Turns,
        elsewhere: Elsewhere,
        seen: Seen,
        titles: Titles,
        deletion: Deletion,
        replaced: Replaced,
        *,
        rules: Rules,
        connected: Connected,
    ) -> None:
        self._c = context
        self._entering = entering
        self._turns = turns
        self._elsewhere = elsewhere
        self._seen = seen
        self._titles = titles
        self._deletion = deletion
        self._rules = rules
        self._connected = connected
        self._replaced = replaced
        self._company = Company(context, seen)
        self._decoder = msgspec.json.Decoder(items.AnyItem)
        self._passed_over: set[str] = set()
        """Kinds of items that are not known here; each is logged once."""
        self._log = structlog.get_logger("rejoinder.hearing")
        self._watched: dict[str, float] = {}
        """Rooms in which a server had something that is not heard of any more, and until when their log is looked at."""
        self._look_at = 0.0
        self._looked = 0
        self._doubted = 0
        self._doubtful_until = 0.0
        """Until when a server that is not heard of any more may have people in any room."""
        self._asking = False
        self._removals = 0
        """How often it is to be asked who was removed, since that was begun."""

    # --- for the cluster -------------------------------------------------------------------------

    def heard(self, server: str, item: bytes) -> None:
        try:
            said = self._decoder.decode(item)
        except msgspec.DecodeError as error:
            self._pass_over(item, error)
        else:
            self._take_in(server, said)

    def _take_in(self, server: str, said: items.AnyItem) -> None:  # noqa: C901 - a table
        state = self._c.rooms.get(said.room)
        match said:
            case items.Stopped():
                call = self._c.sharing.calls.get(said.call)
                if call is not None:
                    call.answer(server, said.outcome)
            case items.WhoIsHere():
                self._connected.asks(server, said)
            case items.AreHere():
                self._connected.tells(server, said)
            case items.Hides():
                self._seen.chosen(said.user_id, hides=said.hides)
            case items.Retitled():
                _ = self._c.sharing.tasks.start(self._titles.heard(said.room, said.title))
            case items.Ruled():
                self._rules.heard(said)
            case items.Deleted():
                self._deletion.ended(said.room, said.users)
            case items.Expelled():
                # They may be on their way into a room that is not here yet.
                self._entering.expel(said.room, said.user_id)
            case _ if state is not None:
                self._heard(server, state, said)
            case _:
                self._heard_in_vain(server, said)

    def _heard_in_vain(self, server: str, said: items.AnyItem) -> None:
        """Nothing is here of that room, or not yet: whoever waits for an answer is told so."""
        coming = self._c.sharing.coming(said.room)
        if coming is not None and isinstance(said, items.Here | items.Away):
            # It is answered when the room is here, which asks whoever has it by then.
            (coming.add if isinstance(said, items.Here) else coming.discard)(server)
        elif isinstance(said, items.Here) and said.answer:
            self._c.sharing.say((server,), items.Away(said.room))
        elif isinstance(said, items.Stop):
            self._c.sharing.say((server,), items.Stopped(said.room, said.call, "unknown"))
        elif isinstance(said, items.HandOn):
            self._c.rooms.homes.refuse(server, said)

    def _pass_over(self, item: bytes, error: msgspec.DecodeError) -> None:
        """That server is of another version: what it says in ways that are not known here is as good as lost."""
        kind, room_id = _about(item)
        if kind not in self._passed_over and len(self._passed_over) < KINDS_MAX:
            self._passed_over.add(kind)
            self._log.warning(
                "another server says what this version does not understand; it is passed over",
                kind=kind,
                reason=str(error)[:200],
            )
        state = self._c.rooms.get(room_id)
        if state is not None:
            self._c.rooms.look(state)

    def listed(self, room_id: str, servers: Collection[str]) -> None:
        state = self._c.rooms.get(room_id)
        unknown = set(servers) - state.listeners if state is not None else set()
        if state is not None and unknown:
            state.listeners.update(unknown)
            self._c.sharing.introduce(state, unknown)

    def replaced(self, connection_id: str) -> None:
        self._replaced(connection_id)

    def untold(self, server: str, connection_ids: Sequence[str]) -> None:
        _ = self._c.sharing.tasks.start(self._overtake(server, connection_ids))

    async def _overtake(self, server: str, connection_ids: Sequence[str]) -> None:
        for _ in range(WORD_TRIES):
            try:
                await in_time(self._c.store.overtake(server, connection_ids))
            except Unavailable:
                await self._c.clock.sleep(WORD_SECONDS)
            else:
                return

    def listening(self, room_id: str, servers: Collection[str]) -> None:
        state, coming = self._c.rooms.get(room_id), self._c.sharing.coming(room_id)
        if state is not None:
            # Those that are not there any more say so, or are gone; others may have come since they were listed.
            state.listeners.update(servers)
            self._c.sharing.introduce(state, state.listeners)
        elif coming is not None:
            coming.update(servers)

    def missed(self, server: str | None) -> None:
        self._seen.look_again()
        self._removals += 1
        if self._removals == 1:
            _ = self._c.sharing.tasks.start(self._ask_removed())
        for state in self._c.rooms.all():
            if server is not None and server not in state.listeners:
                continue
            state.others.missed(server)
            self._c.rooms.look(state)
            if server is not None:
                self._c.sharing.introduce(state, (server,))
            for message_id in state.elsewhere:
                self._elsewhere.want(state, message_id)
            if state.people:
                _ = self._c.sharing.tasks.start(self._tell_marks(state))

    def gone(self, server: str, *, ended: bool) -> None:
        now = self._c.clock.now()
        self._c.sharing.lost(server)
        if not ended:
            self._doubtful_until = now + WATCH_SECONDS
        for state in self._c.rooms.all():
            if server in state.listeners and ended:
                # The last that it stored it may have told nobody any more.
                self._c.rooms.look(state, soon=False)
            elif server in state.listeners:
                # It may live, and only be out of reach: then its people go on writing.
                self._watched[state.id] = now + WATCH_SECONDS
                state.parted_until = now + PARTED_SECONDS
            state.listeners.discard(server)
            self._c.sharing.met(state.id, server)
            self._company.lose(server, state)

    def tick(self) -> None:
        """Look after those whose server is gone, and after everything while the others can't be reached."""
        now = self._c.clock.now()
        self._company.tick()
        if self._c.sharing.cluster.doubted and not self._asking:
            self._asking = True
            _ = self._c.sharing.tasks.start(self._ask_overtaken())
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._c.sharing.introduce_again(self._c.rooms.get)
            self._look(now)

    def _look(self, now: float) -> None:
        """Have logs looked at in which there may be more than is told."""
        rooms = self._c.rooms.all()
        if not self._c.sharing.cluster.healthy:
            self._looked = self._look_on(rooms, self._looked, LOOKS_MAX)
            return
        if self._watched:
            self._looked = self._look_on(self._watched_rooms(now), self._looked, LOOKS_MAX)
        if now < self._doubtful_until:
            # Those that it had nothing in, and that people on it may have entered since.
            self._doubted = self._look_on(rooms, self._doubted, DOUBTS_MAX)

    def _look_on(self, rooms: Sequence[RoomState], at: int, count: int) -> int:
        """Look at some of these rooms, from where it was left off; where that is next time."""
        at = at if at < len(rooms) else 0
        for state in rooms[at : at + count]:
            self._c.rooms.look(state)
        return at + count

    async def _ask_overtaken(self) -> None:
        """What nobody can tell this server over the bus may have been left for it in the store."""
        try:
            cluster = self._c.sharing.cluster
            for connection_id in await in_time(self._c.store.overtaken(cluster.server_id)):
                self._replaced(connection_id)
        except Unavailable:
            return
        finally:
            self._asking = False

    async def _ask_removed(self) -> None:
        """That somebody was removed from a room may have been missed."""
        while self._removals:
            self._removals = 1
            since = self._c.clock.wall_ms() - RECENT_MS
            with suppress(Unavailable):
                for room_id, user_id in await in_time(self._c.store.removed(since, REMOVED_MAX)):
                    self._entering.expel(room_id, user_id)
            # More than one: something was missed while the store was asked.
            self._removals -= 1

    def _watched_rooms(self, now: float) -> tuple[RoomState, ...]:
        self._watched = {room: until for room, until in self._watched.items() if until > now}
        found = (self._c.rooms.get(room_id) for room_id in self._watched)
        return tuple(state for state in found if state is not None)

    # --- rooms -----------------------------------------------------------------------------------

    def _heard(self, server: str, state: RoomState, said: items.AnyItem) -> None:  # noqa: C901, PLR0912 - a table
        match said:
            case items.Row():
                self._row(state, said)
            case items.HandOn():
                self._c.rooms.add_for(server, state, said)
            case items.Handed():
                self._c.rooms.homes.answered(state, said)
            case items.Piece():
                self._elsewhere.piece(state, said)
            case items.Thinks():
                self._elsewhere.thinks(state, said)
            case items.Ended():
                self._turns.news(state)
                self._elsewhere.ended(state, said)
            case items.Types():
                self._company.types(state, said)
            case items.HasRead():
                if not given(said.mark.character_id) and not state.marks.moved(mark_of(said.mark)):
                    return
                self._c.delivery.send(state.people.connections(), catalogue.READ_MOVED, said.mark)
            case items.Chosen():
                self._c.changes.chosen(state, said.choice)
            case items.Erased():
                self._c.changes.erased(state, said)
                for message_id in said.message_ids:
                    turn = self._turns.find(state, message_id)
                    if turn is not None:
                        # Nobody is to answer what is not there any more.
                        _ = self._c.sharing.tasks.start(self._turns.stop(state, turn))
            case items.Entered():
                self._company.comes(server, state, said.who, said.how)
            case items.LeftRoom():
                self._company.leaves(server, state, said.user_id)
            case items.Shown():
                self._company.is_shown(server, state, said)
            case items.Here():
                self._here(server, state, said)
            case items.Away():
                state.listeners.discard(server)
                self._c.sharing.met(state.id, server)
                self._company.are(server, state, [])
            case items.Want():
                self._elsewhere.wanted(server, state, said)
            case items.Supersedes():
                self._turns.superseded(state, said)
            case items.Stop():
                _ = self._c.sharing.tasks.start(self._elsewhere.asked_to_stop(server, state, said))
            case _:
                return

    def _here(self, server: str, state: RoomState, said: items.Here) -> None:
        state.listeners.add(server)
        part = Part(said.part, said.parts, said.whole)
        self._company.are(server, state, said.people, part)
        if part.last and not said.new:
            # What it has written since it was heard of last, or before it heard of this server, it may not have told.
            self._c.rooms.look(state)
        if said.answer:
            self._c.sharing.introduce(state, (server,), answer=False)
        elif part.last:
            self._c.sharing.met(state.id, server)

    async def _tell_marks(self, state: RoomState) -> None:
        """Marks that moved meanwhile; whoever knows of one already loses nothing by hearing it again."""
        try:
            marks = await in_time(self._c.store.read_marks(state.id, MARKS_SHOWN))
        except Unavailable:
            return
        recent = self._c.clock.wall_ms() - RECENT_MS
        for mark in marks:
            if mark.timestamp >= recent:
                self._c.delivery.send(
                    state.people.connections(),
                    catalogue.READ_MOVED,
                    moved_of(state.id, mark),
                )

    def _row(self, state: RoomState, said: items.Row) -> None:
        self._c.rooms.arrived(state, said.row)
        if said.row.role == "character":
            self._turns.news(state)


def _about(item: bytes) -> tuple[str, str]:
    """The kind of an item that can't be decoded, and its room; nothing where it has none."""
    try:
        parts = msgspec.json.decode(item)
    except msgspec.DecodeError:
        return "", ""
    about = parts[:2] if isinstance(parts, list) else []
    kind, room_id = (str(each)[:ID_LENGTH_MAX] for each in (*about, "", "")[:2])
    return kind, room_id
