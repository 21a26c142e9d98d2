"""A removal wins over an entering, however the two interleave."""

from rejoinder.core.gate import Gate


def test_who_is_on_the_way_when_a_removal_begins_is_barred() -> None:
    gate = Gate()
    with (
        gate.passing("room", "ann") as ann,
        gate.passing("room", "ben") as ben,
        gate.passing("other", "ann") as elsewhere,
    ):
        with gate.closed("room", "ann"):
            assert ann.barred
        assert ann.barred, "also when the removal is over"
        assert not ben.barred
        assert not elsewhere.barred
    assert len(gate) == 0


def test_who_sets_out_during_a_removal_is_barred_and_after_it_is_not() -> None:
    gate = Gate()
    with gate.closed("room", "ann"):
        with gate.closed("room", "ann"):
            pass
        with gate.passing("room", "ann") as during:
            assert during.barred
    with gate.passing("room", "ann") as after:
        assert not after.barred
    assert len(gate) == 0
