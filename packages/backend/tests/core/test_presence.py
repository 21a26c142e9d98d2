"""Offline is who has had no connection for ten seconds, away who looks at none."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rejoinder.core.presence import Change, Presence, best
from rejoinder.protocol.events import ConnectedStatus

OFFLINE = [Change("ann", "offline")]


def known(presence: Presence) -> None:
    presence.hide("ann", hides=False)


def test_the_first_connection_is_news() -> None:
    presence = Presence()
    assert presence.status("ann") == "offline"
    assert presence.last_seen("ann") is None
    assert presence.connected("ann", "1", 0, 1_000)
    known(presence)
    assert (presence.status("ann"), presence.last_seen("ann")) == ("online", 1_000)
    assert not presence.connected("ann", "2", 0, 2_000)
    assert presence.last_seen("ann") == 2_000


def test_offline_after_ten_seconds_of_grace() -> None:
    presence = Presence()
    presence.connected("ann", "1", 0, 1_000)
    known(presence)
    assert not presence.disconnected("ann", "1", 50, 5_000)
    assert presence.expire(59.999) == []
    assert presence.status("ann") == "online"
    assert presence.expire(60) == OFFLINE
    assert (presence.status("ann"), presence.last_seen("ann")) == ("offline", 5_000)
    assert presence.expire(100) == []


def test_back_within_the_grace_nobody_is_told() -> None:
    presence = Presence()
    presence.connected("ann", "1", 0, 1_000)
    presence.disconnected("ann", "1", 50, 5_000)
    assert not presence.connected("ann", "2", 59.999, 6_000)
    assert presence.expire(1_000) == []
    assert presence.status("ann") == "online"


def test_each_disconnect_begins_a_grace_of_its_own() -> None:
    presence = Presence()
    presence.connected("ann", "1", 0, 0)
    presence.disconnected("ann", "1", 50, 0)
    presence.connected("ann", "2", 51, 0)
    presence.disconnected("ann", "2", 58, 9_000)
    assert presence.expire(67.999) == []
    assert presence.expire(68) == OFFLINE


def test_back_after_the_grace_is_news() -> None:
    presence = Presence()
    presence.connected("ann", "1", 0, 0)
    presence.disconnected("ann", "1", 50, 0)
    presence.expire(60)
    assert presence.connected("ann", "2", 61, 20_000)
    assert presence.expire(1_000) == []


def test_when_somebody_was_last_seen_is_known_for_a_while() -> None:
    presence = Presence(grace=10, kept=300)
    presence.connected("ann", "1", 0, 1_000)
    known(presence)
    presence.disconnected("ann", "1", 0, 2_000)
    presence.expire(10)
    assert presence.expire(309.9) == []
    assert presence.last_seen("ann") == 2_000
    assert presence.expire(310) == []
    assert presence.last_seen("ann") is None
    assert presence.users() == []


def test_away_is_news_once_and_outlives_a_reconnect() -> None:
    presence = Presence()
    presence.connected("ann", "1", 0, 0)
    assert presence.set("ann", "1", "away", 1_000)
    assert not presence.set("ann", "1", "away", 2_000)
    presence.disconnected("ann", "1", 50, 3_000)
    assert not presence.connected("ann", "2", 51, 4_000)
    assert presence.status("ann") == "away"
    assert presence.set("ann", "2", "online", 5_000)


def test_who_was_away_and_says_nothing_is_online_after_the_grace() -> None:
    presence = Presence()
    presence.connected("ann", "1", 0, 0)
    presence.set("ann", "1", "away", 1_000)
    presence.disconnected("ann", "1", 50, 3_000)
    presence.connected("ann", "2", 51, 4_000)
    assert presence.expire(60.999) == []
    assert presence.expire(61) == [Change("ann", "online")]
    assert presence.status("ann") == "online"


def test_a_connection_that_takes_over_says_nothing_by_that() -> None:
    presence = Presence()
    presence.connected("ann", "1", 0, 0)
    presence.set("ann", "1", "away", 1_000)
    assert not presence.connected("ann", "2", 5, 5_000)
    assert not presence.disconnected("ann", "1", 6, 6_000), "the new one has not spoken yet"
    assert presence.status("ann") == "away"
    assert presence.set("ann", "2", "online", 7_000)


def test_away_is_who_is_away_with_all_connections() -> None:
    presence = Presence()
    presence.connected("ann", "1", 0, 0)
    presence.connected("ann", "2", 0, 0)
    assert not presence.set("ann", "1", "away", 1)
    assert presence.set("ann", "2", "away", 2)
    assert presence.set("ann", "1", "online", 3)
    assert presence.disconnected("ann", "1", 10, 4), "the one that is left is away"
    assert presence.status("ann") == "away"
    assert presence.expire(100) == [], "and is there"


def test_who_is_not_connected_cannot_be_set() -> None:
    presence = Presence()
    assert not presence.set("ann", "1", "away", 0)
    presence.disconnected("ann", "1", 0, 0)
    assert presence.status("ann") == "offline"
    assert presence.expire(100) == []
    presence.connected("ann", "2", 0, 0)
    assert not presence.set("ann", "1", "away", 0), "a connection that is gone"


def test_when_somebody_was_last_seen_is_hidden_until_they_are_known_not_to_mind() -> None:
    presence = Presence()
    assert not presence.hide("ann", hides=False), "nobody is there"
    presence.connected("ann", "1", 0, 1_000)
    assert presence.last_seen("ann") is None
    assert presence.hide("ann", hides=False)
    assert presence.last_seen("ann") == 1_000
    assert presence.hide("ann", hides=True)
    assert not presence.hide("ann", hides=True)
    assert presence.last_seen("ann") is None
    presence.disconnected("ann", "1", 0, 2_000)
    presence.expire(10)
    assert presence.last_seen("ann") is None


def test_the_best_of_several() -> None:
    assert best([]) == "offline"
    assert best(["offline", "away"]) == "away"
    assert best(["away", "online", "offline"]) == "online"


USERS = st.sampled_from(["ann", "ben"])
CONNECTIONS = st.sampled_from(["1", "2", "3"])


class Converges(RuleBasedStateMachine):
    """Whatever happens, who has been told of every change knows how everybody is shown; and when nothing happens any
    more, that is what their connections have said.
    """

    def __init__(self) -> None:
        super().__init__()
        self.presence = Presence(grace=10, kept=60)
        self.now = 0.0
        self.told = dict.fromkeys(("ann", "ben"), "offline")
        self.said: dict[str, dict[str, ConnectedStatus | None]] = {"ann": {}, "ben": {}}

    def _tell(self, user: str, *, news: bool) -> None:
        status = self.presence.status(user)
        assert news == (status != self.told[user]), "news is what changes how somebody is shown"
        self.told[user] = status

    @rule(user=USERS, connection=CONNECTIONS)
    def connect(self, user: str, connection: str) -> None:
        if connection not in self.said[user]:
            self.said[user][connection] = None
            wall = round(self.now * 1000)
            news = self.presence.connected(user, connection, self.now, wall)
            self._tell(user, news=news)

    @rule(user=USERS, connection=CONNECTIONS)
    def disconnect(self, user: str, connection: str) -> None:
        self.said[user].pop(connection, None)
        wall = round(self.now * 1000)
        self._tell(user, news=self.presence.disconnected(user, connection, self.now, wall))

    @rule(
        user=USERS,
        connection=CONNECTIONS,
        status=st.sampled_from(["online", "away"]),
    )
    def say(self, user: str, connection: str, status: ConnectedStatus) -> None:
        if connection in self.said[user]:
            self.said[user][connection] = status
        wall = round(self.now * 1000)
        self._tell(user, news=self.presence.set(user, connection, status, wall))

    @rule(seconds=st.sampled_from([1, 5, 11, 100]))
    def wait(self, seconds: int) -> None:
        before = dict(self.told)
        self.now += seconds
        for change in self.presence.expire(self.now):
            assert change.status != before[change.user_id]
            self.told[change.user_id] = change.status

    @invariant()
    def everybody_is_shown_as_was_told(self) -> None:
        for user, status in self.told.items():
            assert self.presence.status(user) == status

    @invariant()
    def who_is_connected_is_not_offline(self) -> None:
        for user, said in self.said.items():
            if said:
                assert self.presence.status(user) != "offline"

    def teardown(self) -> None:
        self.wait(11)
        for user, said in self.said.items():
            settled = [status or "online" for status in said.values()]
            assert self.told[user] == best(settled), (user, said)
        self.wait(100)
        left = {user for user, said in self.said.items() if said}
        assert set(self.presence.users()) == left, "nothing is left of who is gone"


TestConverges = Converges.TestCase
