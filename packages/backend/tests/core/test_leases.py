"""A save keeps the lease; a lease that ran out is looked for, and not right after a silence of the store."""

from hypothesis import given, strategies as st
from tests.profiles import deterministic

from rejoinder.core.leases import (
    LEASE_SECONDS,
    PARDON_SECONDS,
    RENEW_SECONDS,
    SAVE_SECONDS,
    SWEEP_SECONDS,
    Keeping,
    Sweeps,
)

STORE_SECONDS = 4.0
TICK_SECONDS = 0.25
PROMISED_SECONDS = 15.0


def test_without_new_text_the_lease_is_renewed() -> None:
    keeping = Keeping(leased_at=100)
    assert not keeping.begin(100 + RENEW_SECONDS - 0.01, 0)
    assert keeping.begin(100 + RENEW_SECONDS, 0)


def test_new_text_is_saved_sooner() -> None:
    keeping = Keeping(leased_at=100)
    assert not keeping.begin(100 + SAVE_SECONDS - 0.01, 7)
    assert keeping.begin(100 + SAVE_SECONDS, 7)
    keeping.ended(kept=True)
    # What was saved is not news.
    assert not keeping.begin(100 + 2 * SAVE_SECONDS, 7)
    assert keeping.begin(100 + 2 * SAVE_SECONDS, 8)


def test_one_save_at_a_time() -> None:
    keeping = Keeping(leased_at=0)
    assert keeping.begin(5, 1)
    assert not keeping.begin(50, 2)
    keeping.ended(kept=True)
    assert keeping.begin(50, 2)


def test_a_save_that_failed_is_tried_again_soon() -> None:
    keeping = Keeping(leased_at=0)
    assert keeping.begin(3, 0)
    keeping.ended(kept=False)
    assert not keeping.begin(3 + SAVE_SECONDS - 0.01, 0)
    assert keeping.begin(3 + SAVE_SECONDS, 0)
    keeping.ended(kept=True)
    assert not keeping.begin(4 + SAVE_SECONDS, 0)


@given(st.lists(st.tuples(st.floats(0, STORE_SECONDS), st.booleans()), max_size=30))
@deterministic
def test_a_lease_never_runs_out_while_every_other_save_succeeds(
    saves: list[tuple[float, bool]],
) -> None:
    """Each save takes as long as a store may be silent that is not taken for gone."""
    keeping, now, leased_until, failed = Keeping(0), 0.0, LEASE_SECONDS, False
    for takes, fails in saves:
        while not keeping.begin(now, 0):
            now += TICK_SECONDS
        failed = fails and not failed and takes <= 1
        if not failed:
            # The lease is counted from before the save, and holds when it is over.
            assert now + takes <= leased_until
            leased_until = now + LEASE_SECONDS
        now += takes
        keeping.ended(kept=not failed)


def test_it_is_looked_again_and_again_and_one_at_a_time() -> None:
    sweeps = Sweeps()
    assert sweeps.begin(0), "the first look is due at once"
    assert not sweeps.begin(100)
    assert sweeps.answered(100)
    sweeps.done()
    assert sweeps.begin(100)
    sweeps.done()
    assert not sweeps.begin(100 + SWEEP_SECONDS - 0.01)
    assert sweeps.begin(100 + SWEEP_SECONDS)


def test_after_a_silence_nobody_is_taken_for_gone_for_a_while() -> None:
    sweeps = Sweeps()
    assert sweeps.begin(0)
    sweeps.failed()
    sweeps.done()
    assert sweeps.begin(50)
    assert not sweeps.answered(50)
    sweeps.done()
    assert sweeps.begin(53)
    assert not sweeps.answered(50 + PARDON_SECONDS - 0.01)
    assert sweeps.answered(50 + PARDON_SECONDS)


def test_the_promise_holds_with_some_seconds_to_spare() -> None:
    """A server that has just renewed dies; another one has just looked when the lease runs out."""
    assert LEASE_SECONDS + SWEEP_SECONDS + TICK_SECONDS < PROMISED_SECONDS - 2
