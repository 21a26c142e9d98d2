"""What a server holds of a room while somebody is in it.

`RoomState.in_order` gives the room its one order: committed rows may come back from the store in any order, and are
let out by `seq` without a hole.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

E = TypeVar("E")


@dataclass(slots=True)
class Person:
    """Somebody in a room, over whichever connections."""

    name: str
    connections: set[str] = field(default_factory=set)
    absent_until: float | None = None
    """Without a connection: when they count as gone."""


class Sequencer(Generic[E]):
    """Lets entries out by their number, each once, the next only when all before it are out."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._held: dict[int, E] = {}

    @property
    def last(self) -> int:
        """The number that was let out last."""
        return self._last

    @property
    def waiting(self) -> bool:
        """True if an entry is held back because one before it is missing."""
        return bool(self._held)

    def in_order(self, number: int, entry: E) -> list[E]:
        """Take an entry in; those that may go out now, in order."""
        if number <= self._last:
            return []
        self._held.setdefault(number, entry)
        ready: list[E] = []
        while self._last + 1 in self._held:
            self._last += 1
            ready.append(self._held.pop(self._last))
        return ready


class Whereabouts:
    """Which rooms each user is in, so that nobody has to look for them in every room."""

    def __init__(self) -> None:
        self._rooms: dict[str, set[str]] = {}
        self._due: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._rooms)

    def of(self, user_id: str) -> tuple[str, ...]:
        """The rooms that the user is in."""
        return tuple(self._rooms.get(user_id, ()))

    def enter(self, user_id: str, room_id: str) -> None:
        """The user is in that room from now on."""
        self._rooms.setdefault(user_id, set()).add(room_id)

    def leave(self, user_id: str, room_id: str) -> None:
        """The user is not in that room any more."""
        rooms = self._rooms.get(user_id)
        if rooms is not None:
            rooms.discard(room_id)
            if not rooms:
                del self._rooms[user_id]

    def absent(self, room_id: str, until: float) -> None:
        """Somebody is absent from that room, and counts as gone after that time."""
        heapq.heappush(self._due, (until, room_id))

    def due(self, now: float) -> set[str]:
        """The rooms in which somebody may count as gone by now; each is named once for each absence."""
        rooms: set[str] = set()
        while self._due and self._due[0][0] <= now:
            rooms.add(heapq.heappop(self._due)[1])
        return rooms


class People:
    """Who is in a room. Nobody is in it twice, however many connections they have."""

    def __init__(self, room_id: str = "", whereabouts: Whereabouts | None = None) -> None:
        """`whereabouts` are kept for all rooms together."""
        self._room_id = room_id
        self._whereabouts = Whereabouts() if whereabouts is None else whereabouts
        self._people: dict[str, Person] = {}
        self._user_of: dict[str, str] = {}
        self._absent: set[str] = set()
        self._all: tuple[str, ...] | None = None
        self._background: set[str] = set()
        self._viewers: tuple[str, ...] | None = None

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._people

    def __len__(self) -> int:
        return len(self._people)

    def items(self) -> Iterator[tuple[str, Person]]:
        """Each user id with the person."""
        return iter(self._people.items())

    def name(self, user_id: str) -> str:
        """The name of somebody who is here; "" of others."""
        person = self._people.get(user_id)
        return person.name if person is not None else ""

    def has(self, connection_id: str) -> bool:
        """True if that connection has entered."""
        return connection_id in self._user_of

    def is_absent(self, user_id: str) -> bool:
        """True if the user is here, and has no connection."""
        return user_id in self._absent

    def connections(self, *, but: str | None = None) -> Sequence[str]:
        """All connections in the room, without those of the user `but`."""
        if but is None:
            # This is asked for everything that is sent to the room.
            if self._all is None:
                self._all = tuple(self._user_of)
            return self._all
        return [connection_id for connection_id, user_id in self._user_of.items() if user_id != but]

    def viewers(self) -> Sequence[str]:
        """The connections that have the room in view."""
        if not self._background:
            return self.connections()
        if self._viewers is None:
            self._viewers = tuple(each for each in self._user_of if each not in self._background)
        return self._viewers

    def enter(
        self, connection_id: str, user_id: str, name: str, *, background: bool = False
    ) -> bool:
        """A connection enters, with the room in view or not; True if the user was not here before."""
        person = self._people.get(user_id)
        fresh = person is None
        if person is None:
            person = self._people[user_id] = Person(name)
            self._whereabouts.enter(user_id, self._room_id)
        person.name = name
        person.connections.add(connection_id)
        person.absent_until = None
        self._absent.discard(user_id)
        self._user_of[connection_id] = user_id
        self._changed(connection_id)
        if background:
            self._background.add(connection_id)
        return fresh

    def leave(self, connection_id: str) -> bool:
        """A connection leaves; True if the user is gone with it."""
        self._changed(connection_id)
        user_id = self._user_of.pop(connection_id, None)
        if user_id is None:
            return False
        person = self._people[user_id]
        person.connections.discard(connection_id)
        if person.connections:
            return False
        self._forget(user_id)
        return True

    def remove(self, user_id: str) -> list[str]:
        """The user is gone, with all their connections, which are returned."""
        person = self._people.get(user_id)
        if person is None:
            return []
        self._forget(user_id)
        connections = sorted(person.connections)
        for connection_id in connections:
            del self._user_of[connection_id]
            self._changed(connection_id)
        return connections

    def lose(self, connection_id: str, absent_until: float) -> None:
        """A connection is gone; without another the user stays here, absent, until then."""
        self._changed(connection_id)
        user_id = self._user_of.pop(connection_id, None)
        if user_id is None:
            return
        person = self._people[user_id]
        person.connections.discard(connection_id)
        if not person.connections:
            person.absent_until = absent_until
            self._absent.add(user_id)
            self._whereabouts.absent(self._room_id, absent_until)

    def expire(self, now: float) -> list[str]:
        """Take out and return those who have been absent for too long."""
        if not self._absent:
            return []
        gone = [
            user_id
            for user_id in self._absent
            if (until := self._people[user_id].absent_until) is not None and until <= now
        ]
        for user_id in gone:
            self._forget(user_id)
        return gone

    def _changed(self, connection_id: str) -> None:
        self._all = self._viewers = None
        self._background.discard(connection_id)

    def _forget(self, user_id: str) -> None:
        del self._people[user_id]
        self._absent.discard(user_id)
        self._whereabouts.leave(user_id, self._room_id)
