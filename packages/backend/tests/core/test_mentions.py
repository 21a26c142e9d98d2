import pytest
from hypothesis import given, strategies as st

from rejoinder.core.mentions import mentioned, next_in_turn

NAMES = {"ada": "Ada", "adam": "Adam Smith", "sara": "사라", "c++": "C++", "no": ""}


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("@Ada, what do you think?", "ada"),
        ("What do you think, @ADA?", "ada"),
        ("@Adam Smith and @Ada", "adam"),
        ("@Adam and @Ada", "adam"),  # By the id.
        ("@Ada and @Adam Smith", "ada"),
        ("@Adamant", None),
        ("@사라야 안녕", "sara"),
        ("mail@ada.org", None),
        ("@@Ada", None),
        ("Ada?", None),
        ("(@Ada)", "ada"),
        ("@c++ or @Ada", "c++"),
        ("@", None),
        ("", None),
    ],
)
def test_who_is_named(text: str, who: str | None) -> None:
    assert mentioned(text, NAMES) == who


@given(st.text(), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4))
def test_whoever_is_named_is_one_of_them(text: str, names: dict[str, str]) -> None:
    assert mentioned(text, names) in {None, *names}


@pytest.mark.parametrize(
    ("last", "next_"), [(None, "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("gone", "a")]
)
def test_whose_turn_it_is(last: str | None, next_: str) -> None:
    assert next_in_turn(["a", "b", "c"], last) == next_


def test_nobody_s_turn() -> None:
    assert next_in_turn([], "a") is None
