"""Rooms in which several servers write at the same time: all their messages are stored by one of them, the room's home.

Each insert costs about the same, however many rows are in it, and servers that write into the same room compete for its next
number. So a server hands the messages of a busy room on to its home, which stores them with its own and tells all the others
of them.

Nothing depends on it. Any server may store at any time, whichever it takes for the home, and what was handed on and is not
answered for within a second or two is stored from here; the store knows it by its id.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

from rejoinder.core.clock import Clock
from rejoinder.core.homes import BUSY_SECONDS, home_of
from rejoinder.errors import Conflict, NotFound, Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.items import Handed, HandedOutcome, HandOn
from rejoinder.service.room_state import RoomState
from rejoinder.service.sharing import Sharing
from rejoinder.service.storing import ENDING, Addition, Outcome
from rejoinder.stores.records import GONE, TAKEN, Appended

ANSWER_SECONDS = 1.0
DISTRUST_SECONDS = 10.0
"""A server that has not answered in time is handed nothing on for so long."""


@dataclass(slots=True)
class Home:
    """What is known of where a busy room's messages are stored."""

    busy_until: float
    target: str = ""
    """Where those that are away were handed on to."""
    away: dict[str, Addition] = field(default_factory=dict)
    """Handed on and not heard of yet, in their order, by the ids of their rows."""
    waiting: dict[str, Addition] = field(default_factory=dict)
    """To be handed on when what went before them from here is in the log."""
    again: dict[str, list[Addition]] = field(default_factory=dict)
    """Repetitions of these; they are stored from here when it is known what became of the first."""
    taken: dict[str, str] = field(default_factory=dict)
    """The last row that each server has handed on to here."""


class Homes:
    """Hands rows on, and takes those of others, for one server."""

    def __init__(
        self,
        clock: Clock,
        sharing: Sharing,
        store: Callable[[Addition], None],
        settle: Callable[[Addition, Appended | Conflict | NotFound], None],
    ) -> None:
        """`store` stores a row from here; `settle` is told what became of one that was handed on."""
        self._clock = clock
        self._sharing = sharing
        self._store = store
        self._settle = settle
        self.rooms: dict[str, Home] = {}
        """Those in which several servers write, or have just written."""
        self._distrusted: dict[str, float] = {}

    # --- for who sends -----------------------------------------------------------------------------

    def hand_on(self, addition: Addition) -> bool:
        """Have the room's home store a message; False if it is to be stored from here."""
        state, draft = addition.state, addition.draft
        home = self.rooms.get(state.id)
        if home is None or draft.role != "user":
            return False
        if (home.away or home.waiting) and home.target not in state.listeners:
            # It is gone: what it was handed is stored from here, before this.
            self._take_back(state, home)
            return False
        if draft.id in home.away or draft.id in home.waiting:
            home.again.setdefault(draft.id, []).append(addition)
            return True
        if not home.away and not home.waiting:
            home.target = self._target(state, home)
            if not home.target:
                return False
        state.in_use += 1
        if state.storing or home.waiting:
            addition.since = self._clock.now()
            home.waiting[draft.id] = addition
        else:
            self._say(home, addition)
        return True

    def stored(self, state: RoomState) -> None:
        """What this server was storing in a room is in the log, or has failed."""
        home = self.rooms.get(state.id)
        if home is not None and home.waiting and not state.storing:
            waiting, home.waiting = home.waiting, {}
            for addition in waiting.values():
                self._say(home, addition)

    def heard(self, state: RoomState, message: ChatMessage) -> None:
        """Another server has told of a row, or the log has it."""
        home = self.rooms.get(state.id)
        addition = None if home is None else home.away.get(message.id)
        if home is not None and addition is not None:
            addition.row = message
            self._settle_known(home, addition)
        elif message.role == "user" and (state.storing or (home is not None and home.away)):
            busy_until = self._clock.now() + BUSY_SECONDS
            if home is None:
                self.rooms[state.id] = Home(busy_until)
            else:
                home.busy_until = busy_until

    def answered(self, state: RoomState, said: Handed) -> None:
        """The home says what became of a row; one that is new it tells all of."""
        home = self.rooms.get(state.id)
        addition = None if home is None else home.away.get(said.message_id)
        if home is None or addition is None:
            return
        if said.outcome == "refused":
            self._take_back(state, home)
        elif said.outcome == "new":
            addition.new = True
            self._settle_known(home, addition)
        else:
            self._end(home, addition)
            if said.row is not None:
                self._settle(addition, Appended(said.row, duplicate=True))
            else:
                gone = said.outcome == "gone"
                self._settle(addition, NotFound(GONE) if gone else Conflict(TAKEN))

    def tick(self) -> None:
        """Store from here what nobody has answered for, and forget what is over."""
        if not self.rooms:
            return
        now = self._clock.now()
        for room_id, home in tuple(self.rooms.items()):
            addition = next(chain(home.away.values(), home.waiting.values()), None)
            if addition is None:
                if now >= home.busy_until:
                    del self.rooms[room_id]
                continue
            away = addition.state.listeners
            if now - addition.since >= ANSWER_SECONDS or home.target not in away:
                self._take_back(addition.state, home)

    def close(self) -> None:
        """This server ends; who waits is told to send again, which doubles nothing."""
        for home in self.rooms.values():
            for addition in _all(home):
                addition.answer(Unavailable(ENDING))

    # --- for the home ------------------------------------------------------------------------------

    def take(self, server: str, state: RoomState, said: HandOn) -> bool:
        """True if a row of that server is to be stored here: the one that it had handed on before has come, too.

        So what one server sends gets into the log in the order in which it was sent, whatever the bus has lost.
        """
        home = self.rooms.get(state.id)
        if home is None:
            home = self.rooms[state.id] = Home(self._clock.now() + BUSY_SECONDS)
        before = home.taken.get(server, "")
        if server not in state.listeners or (said.after and said.after != before):
            return False
        home.busy_until = self._clock.now() + BUSY_SECONDS
        home.taken[server] = said.draft.id
        return True

    def tell(self, server: str, said: HandOn, outcome: Outcome) -> None:
        """Tell that server what became of its row; what a new one is it hears as all others do."""
        if not isinstance(outcome, Appended):
            handed = Handed(said.room, said.draft.id, _KINDS.get(type(outcome), "refused"))
        elif outcome.duplicate:
            handed = Handed(said.room, said.draft.id, "stored", outcome.message)
        else:
            handed = Handed(said.room, said.draft.id, "new")
        self._sharing.say((server,), handed)

    def refuse(self, server: str, said: HandOn) -> None:
        """Have that server store its row itself."""
        self._sharing.say((server,), Handed(said.room, said.draft.id, "refused"))

    # --- parts -------------------------------------------------------------------------------------

    def _target(self, state: RoomState, home: Home) -> str:
        """The server that is to store the room's messages; "" if that is this one."""
        now, cluster = self._clock.now(), self._sharing.cluster
        if now >= home.busy_until or not state.listeners or not cluster.healthy:
            return ""
        target = home_of(state.id, (cluster.server_id, *state.listeners))
        if target == cluster.server_id or now < self._distrusted.get(target, 0.0):
            return ""
        return target

    def _say(self, home: Home, addition: Addition) -> None:
        addition.since = self._clock.now()
        after = next(reversed(home.away), "")
        home.away[addition.draft.id] = addition
        item = HandOn(addition.state.id, after, addition.draft)
        self._sharing.say((home.target,), item)

    def _settle_known(self, home: Home, addition: Addition) -> None:
        """Once it is known what the row is, and that it is there by this draft and by no other one."""
        if addition.new and addition.row is not None:
            self._end(home, addition)
            addition.answer(Appended(addition.row, duplicate=False))

    def _end(self, home: Home, addition: Addition) -> None:
        del home.away[addition.draft.id]
        addition.state.in_use -= 1
        for repetition in home.again.pop(addition.draft.id, ()):
            self._store(repetition)

    def _take_back(self, state: RoomState, home: Home) -> None:
        if home.away:
            now = self._clock.now()
            left = {key: until for key, until in self._distrusted.items() if until > now}
            self._distrusted = left | {home.target: now + DISTRUST_SECONDS}
        additions = _all(home)
        state.in_use -= len(home.away) + len(home.waiting)
        home.away.clear()
        home.waiting.clear()
        home.again.clear()
        for addition in additions:
            self._store(addition)


def _all(home: Home) -> list[Addition]:
    """All that is not settled, in order."""
    firsts = (*home.away.values(), *home.waiting.values())
    return [each for first in firsts for each in (first, *home.again.get(first.draft.id, ()))]


_KINDS: dict[type, HandedOutcome] = {Conflict: "taken", NotFound: "gone"}
