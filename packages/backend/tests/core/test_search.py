"""What is looked for, and where it stands in a text."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from rejoinder.core.search import (
    PAIRS,
    QUERY_MAX,
    SNIPPET_LENGTH,
    SPANS_MAX,
    TERMS_MAX,
    folded,
    matches,
    pairs,
    snippet,
    spans,
    wanted,
)

TEXTS = st.text(
    alphabet="가나강아지ㄱ각고양이 abAB.ßéÉ\u0301Ａﬁ👋\u1100\u1161\u11a8\n", max_size=60
)


def _marked(query: str, text: str) -> list[str]:
    looked_for = wanted(query)
    assert looked_for is not None
    return [text[start:end] for start, end in spans(looked_for, text)]


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("고양", "우리 고양이와 고양시", ["고양", "고양"]),
        ("고양이 우리", "우리 고양이와", ["우리", "고양이"]),
        (
            "고양",
            unicodedata.normalize("NFD", "우리 고양이"),
            [unicodedata.normalize("NFD", "고양")],
        ),
        (unicodedata.normalize("NFD", "고양"), "우리 고양이", ["고양"]),
        ("STRASSE", "eine Straße!", ["Straße"]),
        ("s", "aß", ["ß"]),
        ("fi", "a ﬁn", ["ﬁ"]),
        ("i", "a ﬁn", ["ﬁ"]),
        ("cafe\u0301", "Un CAFÉ.", ["CAFÉ"]),
        ("aa", "aaaaa", ["aa", "aa"]),
        ("ab bc", "xabcx", ["abc"]),
        ("nothing", "else", []),
    ],
)
def test_marks_what_was_looked_for(query: str, text: str, marked: list[str]) -> None:
    assert _marked(query, text) == marked


@pytest.mark.parametrize("query", ["", " \t\n ", "\u3000"])
def test_nothing_is_nothing_to_look_for(query: str) -> None:
    assert wanted(query) is None


def test_a_query_is_bounded() -> None:
    long = wanted("가" * (QUERY_MAX + 50))
    many = wanted(" ".join(f"t{n}" for n in range(TERMS_MAX + 5)))
    assert long is not None
    assert many is not None
    assert len(long.terms[0]) == QUERY_MAX
    assert len(many.terms) == TERMS_MAX
    a = wanted("a")
    assert a is not None
    assert len(spans(a, "a " * 500)) == SPANS_MAX


def test_a_long_text_is_shown_around_the_match() -> None:
    looked_for = wanted("고양이")
    assert looked_for is not None
    text = "처음 " * 100 + "여기 고양이가 있다 " + "끝 " * 100
    shown = snippet(looked_for, text)
    assert len(shown.text) <= SNIPPET_LENGTH
    assert text[shown.offset : shown.offset + len(shown.text)] == shown.text
    assert [shown.text[a:b] for a, b in shown.matches] == ["고양이"]
    assert shown.text.startswith("처음 ")
    assert snippet(looked_for, "고양이").text == "고양이"


@given(TEXTS, st.integers(0, 60), st.integers(1, 10))
def test_every_part_of_a_text_is_found_in_it(text: str, start: int, length: int) -> None:
    """Also by its pairs, or the index would leave it out."""
    plain = folded(text)
    looked_for = wanted(plain[start : start + length])
    if looked_for is None:
        return
    assert matches(looked_for, text)
    assert looked_for.pairs <= pairs(text)
    for a, b in spans(looked_for, text):
        assert 0 <= a < b <= len(text)
    shown = snippet(looked_for, text)
    assert text[shown.offset :].startswith(shown.text)
    for a, b in shown.matches:
        assert 0 <= a < b <= len(shown.text)


@given(st.text(max_size=200), st.text(max_size=20))
def test_no_text_is_too_strange(text: str, query: str) -> None:
    assert all(0 <= pair < PAIRS for pair in pairs(text))
    looked_for = wanted(query)
    if looked_for is not None:
        assert bool(spans(looked_for, text)) or not matches(looked_for, text)
        _ = snippet(looked_for, text)


@given(TEXTS)
def test_normal_forms_make_no_difference(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    assert len({frozenset(pairs(form)) for form in forms}) == 1
