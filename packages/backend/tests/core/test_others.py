"""Who is in a room on other servers."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.profiles import deterministic

from rejoinder.core.others import Others, Part, Somebody

ANN = Somebody("ann", "Ann", "online", 5)
BEN = Somebody("ben", "Ben", "online", 5)
EVE = Somebody("eve", "Eve", "online", 5)


def ids(others: Others) -> list[str]:
    return sorted(each.user_id for each in others)


def test_somebody_on_two_servers_is_there_until_both_say_otherwise() -> None:
    others = Others()
    others.put("one", ANN)
    others.put("two", ANN)
    assert ids(others) == ["ann"]
    others.take("one", "ann")
    assert "ann" in others
    others.take("two", "ann")
    assert "ann" not in others


def test_on_several_servers_somebody_is_as_present_as_on_any() -> None:
    others = Others()
    others.put("one", replace(ANN, status="away"))
    others.put("two", ANN)
    others.put("three", replace(ANN, status="offline"))
    assert others.get("ann") == ANN
    assert list(others) == [ANN]
    others.take("two", "ann")
    assert [each.status for each in others] == ["away"]


def test_when_somebody_was_last_seen_is_forgotten_when_they_hide_it() -> None:
    others = Others()
    others.put("one", ANN)
    others.put("two", BEN)
    others.lose("two", 7, until=10.0)
    others.hide("ann")
    others.hide("ben")
    others.hide("nobody")
    assert [each.last_seen for each in others] == [None, None]
    assert [each.last_seen for each in others.lose("one", 9, until=10.0)] == [None]


def test_how_somebody_is_shown_is_kept_with_their_name() -> None:
    others = Others()
    others.put("one", ANN)
    assert others.show("one", Somebody("ann", "", "away", 9))
    assert others.get("ann") == replace(ANN, status="away", last_seen=9)
    assert not others.show("two", ANN)
    assert not others.show("one", BEN)


def test_a_server_that_says_everything_again_is_compared_with_before() -> None:
    others = Others()
    assert others.all_of("one", [ANN, BEN]) == ([(ANN, None), (BEN, None)], [])
    away = replace(BEN, status="away")
    assert others.all_of("one", [away]) == ([(away, BEN)], ["ann"])
    others.put("two", away)
    assert others.all_of("one", []) == ([], []), "Ben is on the other one"


def test_people_of_a_server_that_is_gone_are_offline_until_a_time() -> None:
    others = Others()
    others.put("one", ANN)
    others.put("one", BEN)
    others.put("two", BEN)
    # They were seen until now, whenever they had come.
    assert others.lose("one", 7, until=10.0) == [replace(ANN, status="offline", last_seen=7)]
    assert ids(others) == ["ann", "ben"]
    assert others.expire(9.9) == []
    assert others.expire(10.0) == ["ann"]
    assert not others.absent
    assert ids(others) == ["ben"]


def test_who_comes_back_is_not_absent_any_more() -> None:
    others = Others()
    others.put("one", ANN)
    others.put("one", BEN)
    others.lose("one", 7, until=10.0)
    others.put("two", ANN)
    others.here("ben")
    assert others.expire(10.0) == []
    others = Others()
    others.put("one", ANN)
    (offline,) = others.lose("one", 7, until=10.0)
    assert others.all_of("one", [ANN]) == ([(ANN, offline)], [])
    assert others.expire(10.0) == []


def test_who_was_not_named_is_gone_only_when_all_parts_have_come() -> None:
    others = Others()
    for somebody in (ANN, BEN):
        others.put("one", somebody)
    assert others.all_of("one", [EVE], Part(0, 3)) == ([(EVE, None)], [])
    assert ids(others) == ["ann", "ben", "eve"]
    assert others.all_of("one", [], Part(1, 3)) == ([], [])
    assert others.all_of("one", [ANN], Part(2, 3)) == ([], ["ben"])
    assert ids(others) == ["ann", "eve"]


@pytest.mark.parametrize("lost", [0, 1])
def test_parts_of_which_one_was_lost_take_nobody_away(lost: int) -> None:
    others = Others()
    others.all_of("one", [ANN, BEN])
    parts = [([ANN], Part(0, 3)), ([BEN], Part(1, 3)), ([EVE], Part(2, 3))]
    del parts[lost]
    for people, part in parts:
        assert others.all_of("one", people, part)[1] == []
    assert ids(others) == ["ann", "ben", "eve"]


def test_parts_of_two_tellings_do_not_make_one() -> None:
    others = Others()
    others.all_of("one", [ANN, BEN])
    others.all_of("one", [ANN], Part(0, 2))
    others.missed("one")
    # The first part of the second telling was lost.
    assert others.all_of("one", [EVE], Part(1, 2))[1] == []
    assert ids(others) == ["ann", "ben", "eve"]
    others.all_of("one", [EVE], Part(0, 2))
    others.missed(None)
    assert others.all_of("one", [], Part(1, 2))[1] == []


def test_who_comes_and_who_goes_between_two_parts_count() -> None:
    others = Others()
    others.all_of("one", [ANN])
    others.all_of("one", [ANN], Part(0, 2))
    others.put("one", BEN)
    others.take("one", "ann")
    assert others.all_of("one", [EVE], Part(1, 2)) == ([(EVE, None)], [])
    assert ids(others) == ["ben", "eve"]


def test_where_there_are_more_than_are_told_of_nobody_is_taken_for_gone() -> None:
    others = Others()
    others.all_of("one", [ANN, BEN])
    assert others.all_of("one", [ANN], Part(whole=False))[1] == []
    assert ids(others) == ["ann", "ben"]


class Server(RuleBasedStateMachine):
    """One server tells of its people, in parts and one by one, over a bus that may lose; a loss is noticed with what comes next."""

    def __init__(self) -> None:
        super().__init__()
        self.others = Others()
        self.there: set[str] = set()
        self.shown: set[str] = set()
        self.bus: list[tuple[str, Any]] = []
        self.telling: list[list[str]] = []
        self.parts = 0
        self.lost = self.ever_lost = False

    @rule(user=st.sampled_from("abcd"))
    def comes(self, user: str) -> None:
        self.there.add(user)
        self.bus.append(("put", user))

    @rule(user=st.sampled_from("abcd"))
    def goes(self, user: str) -> None:
        self.there.discard(user)
        self.bus.append(("take", user))

    @rule(size=st.integers(1, 2), parts=st.integers(1, 2))
    def tells(self, size: int, parts: int) -> None:
        users = sorted(self.there)
        self.telling = [users[at : at + size] for at in range(0, len(users), size)] or [[]]
        self.parts = len(self.telling)
        self.goes_on(parts)

    @rule(parts=st.integers(1, 2))
    def goes_on(self, parts: int) -> None:
        for _ in range(min(parts, len(self.telling))):
            part = Part(self.parts - len(self.telling), self.parts)
            some = [user for user in self.telling.pop(0) if user in self.there]
            self.bus.append(("part", (some, part, frozenset(self.there))))

    @rule(count=st.integers(1, 4), lose=st.integers(0, 4).map(lambda drawn: drawn == 4))
    def arrive(self, count: int, lose: bool) -> None:  # noqa: FBT001 - drawn
        batch, self.bus = self.bus[:count], self.bus[count:]
        if lose and batch:
            self.lost = self.ever_lost = True
            return
        if self.lost and batch:
            self.lost = False
            self.others.missed("one")
        for kind, what in batch:
            if kind == "put":
                if what not in self.others:
                    self.shown.add(what)
                self.others.put("one", replace(ANN, user_id=what))
            elif kind == "take":
                self.others.take("one", what)
                self.shown.discard(what)
            else:
                some, part, there = what
                people = [replace(ANN, user_id=user) for user in some]
                changed, left = self.others.all_of("one", people, part)
                assert not there.intersection(left), "nobody is taken for gone who is there"
                self.shown.update(each.user_id for each, known in changed if known is None)
                self.shown.difference_update(left)

    @invariant()
    def what_was_shown_is_what_is_known(self) -> None:
        assert self.shown == set(ids(self.others))

    @invariant()
    def without_a_loss_it_is_right(self) -> None:
        if not self.ever_lost and not self.bus:
            assert self.shown == self.there

    def teardown(self) -> None:
        # The rest arrives, and then all of it once more, as after a loss.
        self.arrive(len(self.bus), lose=False)
        self.tells(2, 9)
        self.arrive(len(self.bus), lose=False)
        assert self.shown == self.there


TestServer = Server.TestCase
TestServer.settings = settings(deterministic, max_examples=200, stateful_step_count=30)
