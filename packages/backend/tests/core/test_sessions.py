"""A session is kept for five minutes and given out once."""

from rejoinder.core.sessions import Session, Sessions
from rejoinder.protocol.constants import SESSION_TIMEOUT_MS

TIMEOUT = SESSION_TIMEOUT_MS / 1000
ANN = Session("ann", "room", "echo", 1_000)
BEN = Session("ben", None, None, 2_000)


def test_is_given_out_within_the_timeout() -> None:
    sessions = Sessions(TIMEOUT)
    sessions.keep(ANN, 10)
    assert sessions.take("ann", 10 + TIMEOUT - 0.001) == ANN


def test_is_gone_at_exactly_the_timeout() -> None:
    sessions = Sessions(TIMEOUT)
    sessions.keep(ANN, 10)
    assert sessions.take("ann", 10 + TIMEOUT) is None


def test_is_given_out_once() -> None:
    sessions = Sessions(TIMEOUT)
    sessions.keep(ANN, 10)
    assert sessions.take("ann", 11) == ANN
    assert sessions.take("ann", 11) is None


def test_is_given_to_its_user_only() -> None:
    sessions = Sessions(TIMEOUT)
    sessions.keep(ANN, 10)
    assert sessions.take("ben", 11) is None
    assert sessions.take("ann", 11) == ANN


def test_a_newer_one_replaces_the_older_and_begins_anew() -> None:
    sessions = Sessions(TIMEOUT)
    sessions.keep(ANN, 0)
    newer = Session("ann", "other", None, 3_000)
    sessions.keep(newer, 100)
    assert len(sessions) == 1
    assert sessions.take("ann", TIMEOUT + 50) == newer


def test_can_be_forgotten() -> None:
    sessions = Sessions(TIMEOUT)
    sessions.keep(ANN, 0)
    sessions.forget("ann")
    sessions.forget("nobody")
    assert sessions.take("ann", 0) is None


def test_a_sweep_drops_what_has_expired_and_nothing_else() -> None:
    sessions = Sessions(TIMEOUT)
    sessions.keep(ANN, 0)
    sessions.keep(BEN, 1)
    assert sessions.sweep(TIMEOUT - 0.001) == []
    assert sessions.sweep(TIMEOUT) == [ANN]
    assert len(sessions) == 1
    assert sessions.take("ben", TIMEOUT) == BEN


def test_one_kept_anew_is_not_swept_by_its_old_time() -> None:
    sessions = Sessions(TIMEOUT)
    sessions.keep(ANN, 0)
    sessions.keep(BEN, 1)
    sessions.keep(ANN, 2)
    assert sessions.sweep(TIMEOUT + 1) == [BEN]
    assert sessions.take("ann", TIMEOUT + 1) == ANN


def test_beyond_the_limit_the_oldest_goes() -> None:
    sessions = Sessions(TIMEOUT, limit=2)
    for number in range(3):
        sessions.keep(Session(f"user {number}", None, None, 0), number)
    assert len(sessions) == 2
    assert sessions.take("user 0", 3) is None
    assert sessions.take("user 1", 3) is not None
