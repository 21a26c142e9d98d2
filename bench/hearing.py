"""Rooms that tell all their members the same in the same order, and members who check that, byte for byte.

Who hears something first reads it. From then on it is due to all others of the room, at the same place and as the same bytes,
and to compare those costs a fraction of reading them. So every delivery is counted, and its order checked, for next to nothing.
"""

import time
from array import array
from collections.abc import Callable

from wire import Listener, Trouble


class Tally:
    """What all members count together."""

    def __init__(self) -> None:
        self.deliveries = 0
        self.times = array("d")
        """Seconds of each delivery, from the `begun` of what was delivered."""

    def forget_times(self) -> None:
        """Begin anew."""
        self.times = array("d")


class Due:
    """What a room tells: the frame that each of its members has to get, and how many have not got it yet."""

    __slots__ = ("begun", "frame", "missing", "on_all", "size")

    def __init__(self, frame: bytes, begun: float, on_all: Callable[[float], None]) -> None:
        self.frame = frame
        self.size = len(frame)
        self.begun = begun
        self.missing = 0
        self.on_all = on_all
        """Called with the time when the last member has got it."""


class Room:
    """What its members are told, by place: 0, 1, 2 and so on."""

    prefix = b""
    """How the events begin that all members have to get."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.members: list[Member] = []
        self.due: dict[int, Due] = {}

    def read(self, event: bytes, frame: bytes, place: int) -> Due:
        """Read what nobody has heard yet.

        Raises:
            Trouble: it can't come at that place.
        """
        raise NotImplementedError


class Member(Listener):
    """One who hears a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.place = 0
        """Of what comes next; so many have come."""
        room.members.append(self)

    def recognise(self, data: bytes, at: int) -> int:
        due_at = self._room.due
        place = first = self.place
        due = due_at.get(place)
        if due is None or not data.startswith(due.frame, at):
            return at
        now = time.perf_counter()
        tally = self._room.tally
        times = tally.times
        while due is not None and data.startswith(due.frame, at):
            at += due.size
            place += 1
            times.append(now - due.begun)
            due.missing -= 1
            if not due.missing:
                del due_at[place - 1]
                due.on_all(now)
            due = due_at.get(place)
        self.place = place
        tally.deliveries += place - first
        return at

    def hear(self, event: bytes, frame: bytes) -> None:
        room = self._room
        if not event.startswith(room.prefix):
            return
        if self.place in room.due:
            raise Trouble(
                f"lost, repeated or out of order: a member got {event[:300]!r} "
                f"where {room.due[self.place].frame[:300]!r} was due"
            )
        due = room.read(event, frame, self.place)
        due.missing = len(room.members)
        room.due[self.place] = due
        self.recognise(frame, 0)
