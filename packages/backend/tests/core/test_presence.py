"""Offline is who has had no connection for ten seconds."""

from rejoinder.core.presence import Presence


def test_the_first_connection_is_news() -> None:
    presence = Presence()
    assert presence.status("ann") == "offline"
    assert presence.last_seen("ann") is None
    assert presence.connected("ann", 1_000)
    assert (presence.status("ann"), presence.last_seen("ann")) == ("online", 1_000)
    assert not presence.connected("ann", 2_000)
    assert presence.last_seen("ann") == 2_000


def test_offline_after_ten_seconds_of_grace() -> None:
    presence = Presence()
    presence.connected("ann", 1_000)
    presence.disconnected("ann", 50, 5_000)
    assert presence.expire(59.999) == []
    assert presence.status("ann") == "online"
    assert presence.expire(60) == [("ann", 5_000)]
    assert presence.status("ann") == "offline"
    assert presence.expire(100) == []


def test_back_within_the_grace_nobody_is_told() -> None:
    presence = Presence()
    presence.connected("ann", 1_000)
    presence.disconnected("ann", 50, 5_000)
    assert not presence.connected("ann", 6_000)
    assert presence.expire(1_000) == []
    assert presence.status("ann") == "online"


def test_each_disconnect_begins_a_grace_of_its_own() -> None:
    presence = Presence()
    presence.connected("ann", 0)
    presence.disconnected("ann", 50, 0)
    presence.connected("ann", 0)
    presence.disconnected("ann", 58, 9_000)
    assert presence.expire(67.999) == []
    assert presence.expire(68) == [("ann", 9_000)]


def test_back_after_the_grace_is_news() -> None:
    presence = Presence()
    presence.connected("ann", 0)
    presence.disconnected("ann", 50, 0)
    presence.expire(60)
    assert presence.connected("ann", 20_000)


def test_away_is_news_once_and_outlives_a_reconnect() -> None:
    presence = Presence()
    presence.connected("ann", 0)
    assert presence.set("ann", "away", 1_000)
    assert not presence.set("ann", "away", 2_000)
    presence.disconnected("ann", 50, 3_000)
    assert not presence.connected("ann", 4_000)
    assert presence.status("ann") == "away"
    assert presence.set("ann", "online", 5_000)


def test_who_is_not_connected_cannot_be_set() -> None:
    presence = Presence()
    assert not presence.set("ann", "away", 0)
    presence.disconnected("ann", 0, 0)
    assert presence.status("ann") == "offline"
    assert presence.expire(100) == []
