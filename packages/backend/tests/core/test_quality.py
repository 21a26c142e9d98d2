"""How good a line is, by the examples that the client's tests read as well."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from rejoinder.core import quality
from rejoinder.core.quality import FAIR, LOST_MS, MARGIN, ORDER, POOR, STEADY, WINDOW, Line

FILE = Path(__file__).parents[4] / "protocol" / "fixtures" / "quality" / "cases.json"
FIXTURE: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
trips = st.floats(min_value=0, max_value=2 * LOST_MS)


def test_the_numbers_are_those_of_the_client() -> None:
    assert FIXTURE["numbers"] == {
        "window": WINDOW,
        "enough": quality.ENOUGH,
        "steady": STEADY,
        "margin": MARGIN,
        "lostMs": LOST_MS,
        "fair": {"rtt": FAIR.rtt, "jitter": FAIR.jitter, "lost": FAIR.lost},
        "poor": {"rtt": POOR.rtt, "jitter": POOR.jitter, "lost": POOR.lost},
    }


@pytest.mark.parametrize("case", FIXTURE["cases"], ids=lambda case: case["name"])
def test_the_examples(case: dict[str, Any]) -> None:
    line = Line()
    assert [line.heard(trip) for trip in case["trips"]] == case["qualities"]


@given(st.lists(trips, max_size=60))
def test_it_never_gets_better_twice_within_a_few_round_trips(all_trips: list[float]) -> None:
    line, better_at = Line(), -STEADY
    for number, trip in enumerate(all_trips):
        before = ORDER.index(line.quality)
        if ORDER.index(line.heard(trip)) < before:
            assert number - better_at >= STEADY
            better_at = number


@given(st.lists(trips, max_size=30), st.floats(min_value=0, max_value=FAIR.rtt * MARGIN - 1))
def test_a_line_that_is_good_for_long_enough_is_good(before: list[float], trip: float) -> None:
    line = Line()
    for each in before:
        line.heard(each)
    for _ in range(WINDOW + STEADY):
        line.heard(trip)
    assert line.quality == "good"
