"""When people were last seen is stored rarely, many together, and never too old."""

from hypothesis import given, strategies as st

from rejoinder.core.last_seen import BATCH, WAITING_MAX, LastSeen


def test_who_comes_is_stored_a_little_later_together_with_others() -> None:
    last = LastSeen(gather=5, renew=600)
    assert last.due(100, 0) == {}
    last.came("ann", 100, 1_000)
    assert last.due(100, 1_000) == {"ann": 1_000}
    last.came("ben", 101, 2_000)
    last.left("ann", 3_000)
    last.left("ann", 4_000)
    assert last.due(104.9, 5_000) == {}
    assert last.due(105, 5_000) == {"ben": 2_000, "ann": 4_000}
    assert last.due(200, 5_000) == {}


def test_who_stays_is_stored_every_ten_minutes() -> None:
    last = LastSeen(gather=5, renew=600)
    last.came("ann", 0, 0)
    last.came("ben", 0, 0)
    last.due(0, 0)
    last.left("ben", 1)
    last.due(5, 1)
    assert last.due(599, 599_000) == {}
    assert last.due(600, 600_000) == {"ann": 600_000}
    assert last.due(1_199, 1_199_000) == {}
    assert last.due(1_200, 1_200_000) == {"ann": 1_200_000}


def test_what_could_not_be_stored_is_tried_again_unless_it_is_older() -> None:
    last = LastSeen(gather=5, renew=600)
    last.came("ann", 0, 1)
    last.came("ben", 0, 1)
    batch = last.due(0, 1)
    last.left("ann", 7)
    last.give_back(batch)
    assert last.due(5, 8) == {"ann": 7, "ben": 1}


def test_it_is_bounded() -> None:
    last = LastSeen()
    for number in range(WAITING_MAX + 10):
        last.left(f"user {number}", 1)
    total = 0
    while batch := last.take():
        assert len(batch) <= BATCH
        total += len(batch)
    assert total == WAITING_MAX


@given(st.lists(st.tuples(st.sampled_from(["came", "left", "due", "fail"]), st.integers(0, 50))))
def test_what_is_stored_only_goes_forward(steps: list[tuple[str, int]]) -> None:
    last, stored, told = LastSeen(gather=0), 0, 0
    now = 0
    for what, wait in steps:
        now += wait
        if what == "came":
            last.came("ann", now, now)
            told = now
        elif what == "left":
            last.left("ann", now)
            told = now
        else:
            batch = last.due(now, now)
            if what == "fail":
                last.give_back(batch)
            elif batch:
                assert batch["ann"] >= stored
                stored = batch["ann"]
    rest = last.due(now, now)
    assert rest.get("ann", stored) >= told
