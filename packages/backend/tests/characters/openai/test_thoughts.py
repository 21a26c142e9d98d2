import itertools

import pytest
from hypothesis import given, strategies as st

from rejoinder.characters.openai.thoughts import Thoughts

TABLE = [
    ("yes", "yes"),
    (" yes <think>no</think>", " yes <think>no</think>"),
    ("<think>hm</think>yes", "yes"),
    ("\n<think>\nhm <b></b>\n</think>\n\nyes\n", "yes\n"),
    ("<thinking>hm</thinking>yes", "yes"),
    ("<thought>hm</think></thought>yes", "yes"),
    ("<think>a</think> <think>b</think> yes", "yes"),
    ("<think>for ever", ""),
    ("<think></think>", ""),
    ("<thin", "<thin"),
    ("<thing>", "<thing>"),
    ("<", "<"),
    (" ", " "),
    ("", ""),
]


@pytest.mark.parametrize(("answer", "text"), TABLE)
@given(cuts=st.lists(st.integers(0, 40), max_size=6))
def test_what_is_text_however_it_is_cut(answer: str, text: str, cuts: list[int]) -> None:
    thoughts = Thoughts()
    places = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]
    given_ = [thoughts.feed(answer[start:end]) for start, end in itertools.pairwise(places)]
    assert "".join(given_) + thoughts.end() == text


def test_text_is_not_held_back() -> None:
    assert Thoughts().feed("y") == "y"
