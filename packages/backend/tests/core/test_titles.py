"""Titles: one line that can be shown, cut where nobody minds."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from rejoinder.core.titles import MADE_LENGTH, cleaned, shortened, title_of
from rejoinder.protocol.constants import TITLE_LENGTH_MAX

FAMILY, FLAG, THUMB = "👨‍👩‍👧‍👦", "🇰🇷", "👍🏽"
HAN = unicodedata.normalize("NFD", "한")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("안녕하세요", "안녕하세요"),
        ("  What is\ta cat?  \nAnd a dog?", "What is a cat?"),
        ("\n\n---\n```python\n# A heading\ntext", "A heading"),
        ("# 제목\n본문", "제목"),
        ("- one\n- two", "one"),
        ("> quoted", "quoted"),
        ("…", ""),
        ("", ""),
        ("\u202eabc\x00\x1b[31m", "abc [31m"),
        ("👋", "👋"),
        (
            "우리 고양이가 요즘 밥을 잘 안 먹는데 어떻게 하면 좋을까요 걱정이 됩니다",
            "우리 고양이가 요즘 밥을 잘 안 먹는데 어떻게 하면 좋을까요…",
        ),
        ("a" * 100, "a" * (MADE_LENGTH - 1) + "…"),
        ("가" * 100, "가" * (MADE_LENGTH - 1) + "…"),
    ],
)
def test_a_title_is_the_first_line_that_says_something(text: str, title: str) -> None:
    assert title_of(text).startswith(title.removesuffix("…"))
    assert len(title_of(text)) <= MADE_LENGTH


@pytest.mark.parametrize("whole", [FAMILY, FLAG, THUMB, HAN, "e\u0301", "❤️"])
def test_nothing_is_cut_that_is_seen_as_one(whole: str) -> None:
    text = whole * 30
    for length in range(len(whole) + 2, 3 * len(whole) + 2):
        kept = shortened(text, length)
        assert kept.endswith("…")
        assert kept[:-1] == whole * ((len(kept) - 1) // len(whole)), (length, kept)


@given(st.text(max_size=300))
def test_a_title_can_always_be_shown(text: str) -> None:
    for title in (cleaned(text), title_of(text)):
        assert len(title) <= TITLE_LENGTH_MAX
        assert all(c.isprintable() or c == "\u200d" for c in title)
        assert title == title.strip()
        assert cleaned(title) == title
