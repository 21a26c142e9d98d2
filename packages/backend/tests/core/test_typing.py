"""Typing ends by itself after six seconds."""

from rejoinder.core.typing import Typing


def test_ends_by_itself_after_six_seconds() -> None:
    typing = Typing()
    typing.start("room", "ann", 100)
    assert typing.expire(105.999) == []
    assert typing.expire(106) == [("room", "ann")]
    assert typing.expire(200) == []


def test_going_on_keeps_it_alive() -> None:
    typing = Typing()
    typing.start("room", "ann", 100)
    typing.start("room", "ann", 105)
    assert typing.expire(110.999) == []
    assert typing.expire(111) == [("room", "ann")]


def test_stopping_is_news_once() -> None:
    typing = Typing()
    typing.start("room", "ann", 100)
    assert typing.stop("room", "ann")
    assert not typing.stop("room", "ann")
    assert typing.expire(200) == []


def test_rooms_and_users_are_apart() -> None:
    typing = Typing()
    typing.start("room", "ann", 100)
    typing.start("room", "ben", 101)
    typing.start("other", "ann", 102)
    assert not typing.stop("other", "ben")
    assert typing.expire(107) == [("room", "ann"), ("room", "ben")]
    assert typing.stop("other", "ann")
