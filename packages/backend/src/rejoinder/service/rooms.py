"""The rooms that this server has people or generations in, and the one way a row gets into a room's log."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial

import structlog
from msgspec import UNSET

from rejoinder.core.branches import Branches, Branching
from rejoinder.core.clock import Clock
from rejoinder.core.joining import Joining
from rejoinder.core.rooms import People, Sequencer, Whereabouts
from rejoinder.errors import Conflict, NotFound, Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.changes import Changes, without_text
from rejoinder.service.homes import Homes
from rejoinder.service.items import HandOn
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import LiveStream, Publish, RoomState
from rejoinder.service.sharing import Sharing
from rejoinder.service.storing import Addition, Done, Outcome, Storing
from rejoinder.service.tasks import Tasks
from rejoinder.stores.base import Store
from rejoinder.stores.records import Appended, Draft

HEAL_SECONDS = 1.0
LOOK_SECONDS = 0.5
QUIET_SECONDS = 10.0
"""How long a log is looked at after a failure: a database that hung does what it was asked when it goes on."""
HEAL_PAGE = 100
HEAL_PAGES = 50
"""So many pages at a time: of a busy room much may be missed in a few seconds."""
PUBLISHERS_MAX = 10_000


class Rooms:
    """The states of rooms, loaded when first needed and dropped when idle."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        tasks: Tasks,
        publish: Callable[[RoomState, ChatMessage], None],
        sharing: Sharing,
        changes: Changes,
    ) -> None:
        """`publish` shows a row to a room where nobody has said how."""
        self._store = store
        self._clock = clock
        self._publish_by_default = publish
        self._tasks = tasks
        self._sharing = sharing
        self._changes = changes
        self.whereabouts = Whereabouts()
        self.deleted: Callable[[str], object] = lambda _room_id: None
        """Told of a room that the store says was deleted, as another server may have done."""
        self.joining = Joining()
        self._look_at = 0.0
        self._states: dict[str, RoomState] = {}
        self._storing = Storing(store, tasks, self._settle, self._in_doubt, self._ended)
        self.homes = Homes(clock, sharing, self._storing.put, self._settle)
        self._log = structlog.get_logger("rejoinder.rooms")

    def __len__(self) -> int:
        return len(self._states)

    def all(self) -> tuple[RoomState, ...]:
        """Every room with somebody or something in it."""
        return tuple(self._states.values())

    def get(self, room_id: str) -> RoomState | None:
        """The state, if it is loaded."""
        return self._states.get(room_id)

    @asynccontextmanager
    async def use(self, room_id: str, *, new: bool = False) -> AsyncIterator[RoomState]:
        """The state, loaded if need be, and kept while it is in use.

        With `new` the caller has had the room made and has not waited since, in a store of this server alone: nothing is in it.
        """
        state = self._states.get(room_id)
        if state is None:
            state = await self._load(room_id, new=new)
        state.in_use += 1
        try:
            if state.listeners:
                await self._sharing.introduced(state)
            yield state
        finally:
            state.in_use -= 1

    async def _load(self, room_id: str, *, new: bool) -> RoomState:
        with self._sharing.loading(room_id) as servers:
            return await self._load_among(room_id, servers, new=new)

    async def _load_among(self, room_id: str, servers: Collection[str], *, new: bool) -> RoomState:
        """`servers` are the others that have it, also those that come to it meanwhile."""
        await self._sharing.listen(room_id)
        last, branching = 0, Branching()
        if not new:
            last, branching = await in_time(self._store.stand(room_id))
        running = await in_time(self._store.running(room_id)) if self._store.shared else []
        # Another task may have loaded it meanwhile, and have gone on from there.
        known = self._states.get(room_id)
        if known is not None:
            return known
        people = People(room_id, self.whereabouts)
        state = self._states[room_id] = RoomState(
            room_id,
            Sequencer(last),
            Branches(last, branching),
            people=people,
            joining=self.joining,
            unindexed=last > 0,
        )
        # However far back one of them began, each snapshot is to have it.
        for row in running:
            if row.seq <= last:
                state.elsewhere.begin(row.id, LiveStream.elsewhere(row))
        self._sharing.loaded(state, servers)
        if servers:
            # What they stored before they heard of it here may have been told to nobody here.
            self.look(state, soon=False)
        return state

    async def append(self, state: RoomState, draft: Draft, publish: Publish) -> Appended:
        """Store a row, and call `publish` with it when all rows before it have been published.

        It is published even if the caller is cancelled or has ceased to wait.

        Raises:
            Conflict: the id belongs to another message.
            NotFound: the room was deleted.
            Unavailable: it was not stored, or it is not known in time whether it was.
        """
        known: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome) -> None:
            if not known.done():
                known.set_result(outcome)

        self.add(state, draft, publish, done)
        outcome = await known
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def add(self, state: RoomState, draft: Draft, publish: Publish, done: Done) -> None:
        """The same, without waiting: `done` is called once, with the row or with what would be raised.

        Where several servers write, one of them may store it for this one.
        """
        addition = self._addition(state, draft, publish, done)
        if not ((state.listeners or self.homes.rooms) and self.homes.hand_on(addition)):
            self._storing.put(addition)

    def add_for(self, server: str, state: RoomState, said: HandOn) -> None:
        """Store a message that another server has handed on, and tell it what came of it."""
        if self.homes.take(server, state, said):
            done = partial(self.homes.tell, server, said)
            self._storing.put(self._addition(state, said.draft, self.show(state), done))
        else:
            self.homes.refuse(server, said)

    def _addition(self, state: RoomState, draft: Draft, publish: Publish, done: Done) -> Addition:
        state.publishers[draft.id] = publish
        if len(state.publishers) > PUBLISHERS_MAX:
            del state.publishers[next(iter(state.publishers))]
        return Addition(state, draft, done)

    def _ended(self, additions: list[Addition]) -> None:
        if self.homes.rooms:
            for addition in additions:
                self.homes.stored(addition.state)

    def _in_doubt(self, addition: Addition, error: Unavailable) -> None:
        """It may be stored all the same, or be stored later."""
        self.suspect(addition.state)
        addition.answer(error)

    def suspect(self, state: RoomState) -> None:
        """Have the log looked at: it may have rows that nobody was shown."""
        state.quiet_since = None
        if state.suspect_since is None:
            state.suspect_since = self._clock.now()

    def look(self, state: RoomState, *, soon: bool = True) -> None:
        """Have the log looked at once: another server may have stored what was not told here."""
        state.looks += 1
        if state.suspect_since is None:
            now = self._clock.now()
            state.suspect_since = now - HEAL_SECONDS if soon else now
            state.quiet_since = now - QUIET_SECONDS

    def arrived(self, state: RoomState, message: ChatMessage) -> None:
        """Another server has told of a row."""
        self._store.heard(state.id, message.seq, self._sharing.before(state))
        self._let_out(state, message, told=True)
        self.homes.heard(state, message)

    async def reach(self, state: RoomState, seq: int) -> None:
        """Show the room everything up to that number, which is stored.

        Raises:
            Unavailable: the log can't be read.
        """
        while state.sequencer.last < seq:
            page = await in_time(self._store.page_after(state.id, state.sequencer.last, HEAL_PAGE))
            for message in page.messages:
                self._let_out(state, message)
                self.homes.heard(state, message)
            if not page.messages:
                return

    def _settle(self, addition: Addition, outcome: Appended | Conflict | NotFound) -> None:
        state = addition.state
        if not isinstance(outcome, Appended):
            state.publishers.pop(addition.draft.id, None)
            if isinstance(outcome, NotFound):
                self.deleted(state.id)
        else:
            # A duplicate may be the row of an earlier try whose outcome was not known: then it is still to be published.
            self._let_out(state, outcome.message)
            if outcome.duplicate and outcome.message.seq <= state.sequencer.last:
                state.publishers.pop(addition.draft.id, None)
        addition.answer(outcome)

    def _let_out(self, state: RoomState, message: ChatMessage, *, told: bool = False) -> None:
        """`told`: whoever stored it tells all servers of it."""
        for let_out in state.sequencer.in_order(
            message.seq, lambda: self._publish(state, message, told=told)
        ):
            try:
                let_out()
            except Exception:  # noqa: BLE001 - the others of its group are to be shown and answered
                self._log.exception("a message could not be shown", room_id=state.id)

    def _publish(self, state: RoomState, message: ChatMessage, *, told: bool) -> None:
        branches, chosen = state.branches, None
        if branches.gone and message.id in branches.gone:
            message = without_text(message, branches.gone[message.id][0])
        if branches.follows and message.parent_seq is UNSET and branches.choice_waits is None:
            branches.head = message.seq
        else:
            chosen = branches.publish(message)
        publish = state.publishers.pop(message.id, None)
        if publish is None:
            self._publish_by_default(state, message)
        else:
            publish(message)
            if state.listeners and not told:
                self._sharing.row(state, message)
        if chosen is not None:
            self._changes.announce_choice(state, chosen)

    def show(self, state: RoomState) -> Publish:
        """Shows a row to its room as one that came from elsewhere."""
        return partial(self._publish_by_default, state)

    def tick(self) -> None:
        """Look after rooms whose log may have rows that nobody was shown, and forget those that nobody is in."""
        self.homes.tick()
        now = self._clock.now()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        for state in self.all():
            if state.suspect_since is None:
                state.suspect_since = now if state.sequencer.waiting else None
            elif now - state.suspect_since >= HEAL_SECONDS:
                state.suspect_since = now
                _ = self._tasks.start(self._heal(state))
            # What may be stored without anybody knowing is told to the other servers first.
            doubtful = state.publishers and state.suspect_since is not None
            # Who loads it just now has told the others that it is here.
            if state.idle and not doubtful and self._sharing.coming(state.id) is None:
                del self._states[state.id]
                self._sharing.dropped(state)

    async def _heal(self, state: RoomState) -> None:
        """Publish from the log what is there and was not let out."""
        looks, more = state.looks, True
        try:
            for _ in range(HEAL_PAGES):
                page = await self._store.page_after(state.id, state.sequencer.last, HEAL_PAGE)
                await self._changes.look(state)
                for message in page.messages:
                    self._let_out(state, message)
                    self.homes.heard(state, message)
                more = page.has_more
                if not more:
                    break
        except Unavailable:
            state.quiet_since = None
            return
        now = self._clock.now()
        if more or state.sequencer.waiting or state.quiet_since is None:
            state.quiet_since = now
        elif looks == state.looks and now - state.quiet_since >= QUIET_SECONDS:
            state.suspect_since = state.quiet_since = None
