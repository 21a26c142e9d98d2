"""Keys run out one span after they were started last."""

from hypothesis import given, strategies as st
from tests.profiles import deterministic

from rejoinder.core.deadlines import Deadlines


def test_a_key_runs_out_at_its_time() -> None:
    deadlines: Deadlines[str] = Deadlines(6)
    assert deadlines.start("a", 0)
    assert deadlines.expire(5.999) == []
    assert "a" in deadlines
    assert deadlines.expire(6) == ["a"]
    assert "a" not in deadlines
    assert deadlines.expire(100) == []


def test_starting_again_begins_anew() -> None:
    deadlines: Deadlines[str] = Deadlines(6)
    deadlines.start("a", 0)
    assert not deadlines.start("a", 5)
    assert deadlines.expire(10.999) == []
    assert deadlines.expire(11) == ["a"]
    assert deadlines.start("a", 11)


def test_a_cancelled_key_does_not_run_out() -> None:
    deadlines: Deadlines[str] = Deadlines(6)
    deadlines.start("a", 0)
    assert deadlines.cancel("a")
    assert not deadlines.cancel("a")
    assert deadlines.expire(100) == []


@deterministic
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 3), st.booleans())))
def test_agrees_with_looking_at_every_key(steps: list[tuple[str, float, bool]]) -> None:
    deadlines: Deadlines[str] = Deadlines(2)
    model: dict[str, float] = {}
    now = 0.0
    for key, passed, starts in steps:
        now += passed
        expired = deadlines.expire(now)
        assert sorted(expired) == sorted(each for each, due in model.items() if due <= now)
        for each in expired:
            del model[each]
        if starts:
            assert deadlines.start(key, now) == (key not in model)
            model[key] = now + 2
        else:
            assert deadlines.cancel(key) == (model.pop(key, None) is not None)
        assert len(deadlines) == len(model)
