"""Who is in a room on other servers."""

from dataclasses import replace

from rejoinder.core.others import Others, Somebody

ANN = Somebody("ann", "Ann", "online", 5)
BEN = Somebody("ben", "Ben", "online", 5)


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
