"""Who is in a room on other servers, as far as those have said."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from rejoinder.core.presence import best
from rejoinder.protocol.events import PresenceStatus


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person in a room as their server shows them.

    `last_seen` in milliseconds since the epoch, None where others may not know it.
    """

    user_id: str
    name: str
    status: PresenceStatus
    last_seen: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what a server tells of its people, beginning with 0; without `whole` there are more than it tells of."""

    number: int = 0
    of: int = 1
    whole: bool = True

    @property
    def last(self) -> bool:
        """True if nothing comes after it."""
        return self.number >= self.of - 1


WHOLE = Part()


@dataclass(slots=True)
class Told:
    """Those whom a server has named since it began to tell of all."""

    parts: int = 0
    users: set[str] = field(default_factory=set)


class Others:
    """The people of other servers in one room. Those of a server that is gone stay, offline, until a time."""

    def __init__(self) -> None:
        self._of_server: dict[str, dict[str, Somebody]] = {}
        self._told: dict[str, Told] = {}
        """Of servers that are telling who is there: what they have said so far."""
        self._absent: dict[str, tuple[Somebody, float]] = {}

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._absent or any(
            user_id in people for people in self._of_server.values()
        )

    def __iter__(self) -> Iterator[Somebody]:
        """Each person once."""
        users = dict.fromkeys(user_id for people in self._of_server.values() for user_id in people)
        for user_id in dict.fromkeys((*users, *self._absent)):
            somebody = self.get(user_id)
            if somebody is not None:
                yield somebody

    def users(self) -> set[str]:
        """Who they are."""
        return set(self._absent).union(*self._of_server.values())

    @property
    def absent(self) -> bool:
        """True if somebody's server is gone."""
        return bool(self._absent)

    def get(self, user_id: str) -> Somebody | None:
        """The person, if they are there; in several places, as the one shows them where they are most present."""
        found = [people[user_id] for people in self._of_server.values() if user_id in people]
        if len(found) > 1:
            status = best(somebody.status for somebody in found)
            found = [somebody for somebody in found if somebody.status == status]
        if found:
            return found[0]
        known = self._absent.get(user_id)
        return None if known is None else known[0]

    def put(self, server: str, somebody: Somebody) -> None:
        """They are there, or are shown in another way from now on."""
        self._absent.pop(somebody.user_id, None)
        self._of_server.setdefault(server, {})[somebody.user_id] = somebody
        if server in self._told:
            self._told[server].users.add(somebody.user_id)

    def show(self, server: str, somebody: Somebody) -> bool:
        """They are shown in another way; False if they are not there."""
        people = self._of_server.get(server, {})
        known = people.get(somebody.user_id)
        if known is None:
            return False
        people[somebody.user_id] = replace(somebody, name=known.name)
        return True

    def hide(self, user_id: str) -> None:
        """Others may not know any more when they were last seen."""
        for people in self._of_server.values():
            if user_id in people:
                people[user_id] = replace(people[user_id], last_seen=None)
        if user_id in self._absent:
            somebody, until = self._absent[user_id]
            self._absent[user_id] = replace(somebody, last_seen=None), until

    def here(self, user_id: str) -> None:
        """They are on this server now; what was left of a server that is gone does not count any more."""
        self._absent.pop(user_id, None)

    def take(self, server: str, user_id: str) -> None:
        """They are not there any more."""
        self._of_server.get(server, {}).pop(user_id, None)

    def all_of(
        self, server: str, people: Iterable[Somebody], part: Part = WHOLE
    ) -> tuple[list[tuple[Somebody, Somebody | None]], list[str]]:
        """These are the people of that server, or a part of them. Those of the parts before must not be missing.

        Those who are new or are shown in another way, with how they were before; and, with the last part, those who are not in
        the room any more.
        """
        now = {somebody.user_id: somebody for somebody in people}
        changed = [
            (somebody, known)
            for somebody in now.values()
            if (known := self.get(somebody.user_id)) is None or known.status != somebody.status
        ]
        for user_id in now:
            self._absent.pop(user_id, None)
        there = self._of_server.setdefault(server, {})
        there.update(now)
        told = self._note(server, now, part)
        if told is None:
            return changed, []
        gone = [user_id for user_id in there if user_id not in told.users]
        for user_id in gone:
            del there[user_id]
        return changed, [user_id for user_id in gone if user_id not in self]

    def missed(self, server: str | None) -> None:
        """Something that this server (for None: any) has said was lost: what it is telling of all can't be whole any more."""
        if server is None:
            self._told.clear()
        else:
            self._told.pop(server, None)

    def _note(self, server: str, users: Iterable[str], part: Part) -> Told | None:
        """Note down a part; everything that was told once that is whole."""
        told = Told() if part.number == 0 else self._told.get(server)
        if told is None or told.parts != part.number:
            self._told.pop(server, None)
            return None
        told.parts += 1
        told.users.update(users)
        if not part.last:
            self._told[server] = told
            return None
        self._told.pop(server, None)
        return told if part.whole else None

    def lose(self, server: str, now_ms: int, until: float) -> list[Somebody]:
        """That server is gone: its people who are on no other one are offline, and stay until then."""
        lost = self._of_server.pop(server, {})
        self._told.pop(server, None)
        offline = [
            replace(
                somebody,
                status="offline",
                last_seen=None if somebody.last_seen is None else now_ms,
            )
            for somebody in lost.values()
            if somebody.user_id not in self
        ]
        for somebody in offline:
            self._absent[somebody.user_id] = somebody, until
        return offline

    def expire(self, now: float) -> list[str]:
        """Take out and return those who have been absent for too long."""
        gone = [user_id for user_id, (_, until) in self._absent.items() if until <= now]
        for user_id in gone:
            del self._absent[user_id]
        return gone
