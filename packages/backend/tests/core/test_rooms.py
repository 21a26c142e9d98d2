"""One order for a room, and who is in it."""

from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.profiles import deterministic

from rejoinder.core.rooms import People, Sequencer, Whereabouts


@deterministic
@given(st.integers(0, 5), st.permutations(range(1, 21)))
def test_any_order_of_arrivals_comes_out_in_order_once(last: int, order: list[int]) -> None:
    sequencer: Sequencer[str] = Sequencer(last)
    out: list[str] = []
    arrived: set[int] = set()
    for number in order:
        out += sequencer.in_order(last + number, f"entry {number}")
        arrived.add(number)
        whole = 0
        while whole + 1 in arrived:
            whole += 1
        assert sequencer.last == last + whole
        assert len(out) == whole, "what can go out goes out at once"
    assert out == [f"entry {number}" for number in range(1, 21)]


@deterministic
@given(st.lists(st.integers(1, 8), max_size=40))
def test_repeats_come_out_once(arrivals: list[int]) -> None:
    sequencer: Sequencer[int] = Sequencer(0)
    out = [entry for number in arrivals for entry in sequencer.in_order(number, number)]
    assert out == list(range(1, len(out) + 1))
    assert sequencer.last == len(out)


def test_what_was_there_before_does_not_come_out() -> None:
    sequencer: Sequencer[str] = Sequencer(7)
    assert sequencer.in_order(7, "old") == []
    assert sequencer.in_order(3, "older") == []
    assert sequencer.in_order(8, "new") == ["new"]


def test_nobody_is_in_a_room_twice() -> None:
    people = People()
    assert people.enter("1", "ann", "Ann")
    assert not people.enter("2", "ann", "Anna")
    assert not people.enter("2", "ann", "Anna")
    assert len(people) == 1
    assert [person.name for _, person in people.items()] == ["Anna"]
    assert (people.name("ann"), people.name("ben")) == ("Anna", "")
    assert sorted(people.connections()) == ["1", "2"]


def test_the_user_is_gone_with_the_last_connection() -> None:
    people = People()
    people.enter("1", "ann", "Ann")
    people.enter("2", "ann", "Ann")
    assert not people.leave("1")
    assert not people.leave("1")
    assert people.leave("2")
    assert "ann" not in people


def test_who_lost_the_connection_stays_until_the_time_given() -> None:
    people = People()
    people.enter("1", "ann", "Ann")
    people.lose("1", 300)
    assert "ann" in people
    assert list(people.connections()) == []
    assert people.expire(299.999) == []
    assert people.expire(300) == ["ann"]
    assert "ann" not in people


def test_who_comes_back_in_time_was_never_gone() -> None:
    people = People()
    people.enter("1", "ann", "Ann")
    people.lose("1", 300)
    assert not people.enter("2", "ann", "Ann")
    assert people.expire(1000) == []


def test_losing_one_of_two_connections_changes_nothing() -> None:
    people = People()
    people.enter("1", "ann", "Ann")
    people.enter("2", "ann", "Ann")
    people.lose("1", 300)
    assert people.expire(1000) == []
    assert list(people.connections()) == ["2"]


def test_connections_but_those_of_one() -> None:
    people = People()
    people.enter("1", "ann", "")
    people.enter("2", "ben", "")
    assert people.connections(but="ann") == ["2"]
    assert people.connections(but="nobody") == ["1", "2"]


USERS = ("ann", "ben", "eve")
connections = st.tuples(st.sampled_from(USERS), st.integers(1, 3))


class PeopleMachine(RuleBasedStateMachine):
    """Any sequence of entering, leaving, losing and time, against sets and a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.whereabouts = Whereabouts()
        self.people = People("room", self.whereabouts)
        self.now = 0.0
        self.inside: dict[str, set[str]] = {}
        self.absent: dict[str, float] = {}

    def _is_in(self, user: str) -> bool:
        return bool(self.inside.get(user)) or user in self.absent

    @rule(which=connections)
    def enter(self, which: tuple[str, int]) -> None:
        user, number = which
        fresh = not self._is_in(user)
        assert self.people.enter(f"{user} {number}", user, user.title()) == fresh
        self.inside.setdefault(user, set()).add(f"{user} {number}")
        self.absent.pop(user, None)

    @rule(which=connections)
    def leave(self, which: tuple[str, int]) -> None:
        user, number = which
        own = self.inside.get(user, set())
        last = own == {f"{user} {number}"}
        assert self.people.leave(f"{user} {number}") == last
        own.discard(f"{user} {number}")

    @rule(which=connections, absence=st.integers(0, 5))
    def lose(self, which: tuple[str, int], absence: int) -> None:
        user, number = which
        own = self.inside.get(user, set())
        if own == {f"{user} {number}"}:
            self.absent[user] = self.now + absence
        self.people.lose(f"{user} {number}", self.now + absence)
        own.discard(f"{user} {number}")

    @rule(passed=st.integers(0, 4))
    def expire(self, passed: int) -> None:
        self.now += passed
        gone = {user for user, until in self.absent.items() if until <= self.now}
        due = self.whereabouts.due(self.now)
        assert due == {"room"} if gone else due <= {"room"}
        assert set(self.people.expire(self.now)) == gone
        for user in gone:
            del self.absent[user]

    @invariant()
    def agrees(self) -> None:
        everywhere = {each for own in self.inside.values() for each in own}
        assert sorted(self.people.connections()) == sorted(everywhere)
        for user in USERS:
            assert (user in self.people) == self._is_in(user)
            assert self.whereabouts.of(user) == (("room",) if self._is_in(user) else ())
            others = everywhere - self.inside.get(user, set())
            assert sorted(self.people.connections(but=user)) == sorted(others)
            for number in range(1, 4):
                name = f"{user} {number}"
                assert self.people.has(name) == (name in everywhere)
        assert len(self.people) == sum(map(self._is_in, USERS))


PeopleMachine.TestCase.settings = deterministic
TestPeople = PeopleMachine.TestCase
