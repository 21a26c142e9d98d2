"""A silence is waited for once, and then asked after by one at a time."""

from rejoinder.core.breaker import Breaker


def test_everybody_is_let_in_while_there_are_answers() -> None:
    breaker = Breaker()
    assert breaker.admits(0)
    assert breaker.admits(0)
    breaker.answered()
    assert breaker.admits(1)


def test_a_quick_refusal_is_no_silence() -> None:
    breaker = Breaker(patience=2)
    assert breaker.admits(0)
    breaker.failed(0, 1.9)
    assert breaker.admits(1.9)


def test_after_a_silence_one_at_a_time_may_try() -> None:
    breaker = Breaker(patience=2, pause=1)
    assert breaker.admits(0)
    breaker.failed(0, 4)
    assert not breaker.admits(4.9)
    assert breaker.admits(5)
    assert not breaker.admits(5)
    breaker.failed(5, 9)
    assert not breaker.admits(9.9)
    assert breaker.admits(10)
    breaker.answered()
    assert breaker.admits(10)
    assert breaker.admits(10)


def test_one_who_asked_before_the_silence_may_end_it() -> None:
    breaker = Breaker(patience=2, pause=1)
    assert breaker.admits(0)
    assert breaker.admits(1)
    breaker.failed(0, 4)
    breaker.answered()
    assert breaker.admits(4)


def test_a_try_that_is_refused_at_once_keeps_the_others_out() -> None:
    breaker = Breaker(patience=2, pause=1)
    assert breaker.admits(0)
    breaker.failed(0, 4)
    assert breaker.admits(5)
    breaker.failed(5, 5)
    assert not breaker.admits(5.9)
    assert breaker.admits(6)


def test_one_who_did_not_ask_leaves_the_try_to_the_next() -> None:
    breaker = Breaker(patience=2, pause=1)
    assert breaker.admits(0)
    breaker.failed(0, 4)
    assert breaker.admits(5)
    breaker.left()
    assert breaker.admits(5)
    assert not breaker.admits(5)
