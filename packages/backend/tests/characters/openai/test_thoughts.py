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


THOUGHT = [
    ("yes", ""),
    ("<think>hm</think>yes", "hm"),
    ("\n<think>\nhm <b></b>\n</think>\n\nyes\n", "\nhm <b></b>\n"),
    ("<thought>hm</think></thought>yes", "hm</think>"),
    ("<think>a</think> <think>b</think> yes", "ab"),
    ("<think>for ever", "for ever"),
    ("<thin", ""),
]


@pytest.mark.parametrize(("answer", "thought"), THOUGHT)
@given(cuts=st.lists(st.integers(0, 40), max_size=6))
def test_what_is_thought_however_it_is_cut(answer: str, thought: str, cuts: list[int]) -> None:
    thoughts = Thoughts()
    places = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]
    taken = []
    for start, end in itertools.pairwise(places):
        thoughts.feed(answer[start:end])
        taken.append(thoughts.taken())
    thoughts.end()
    assert "".join(taken) + thoughts.taken() == thought
    assert thoughts.taken() == ""


def test_a_thought_is_not_held_back_until_it_ends() -> None:
    thoughts = Thoughts()
    thoughts.feed("<think>" + "x" * 100)
    assert len(thoughts.taken()) >= 100 - len("</think>")


def test_text_is_not_held_back() -> None:
    assert Thoughts().feed("y") == "y"
