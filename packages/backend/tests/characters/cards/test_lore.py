"""The rules of a lorebook, one row each."""

import time
from typing import Any

import pytest

from rejoinder.characters.cards.lore import brought_up
from rejoinder.characters.cards.model import Entry, Lorebook
from rejoinder.characters.cards.patterns import MAX_TEXT, TURN_SECONDS, Patterns


def found(
    entries: list[Entry], *said: str, patterns: Patterns | None = None, **book: Any
) -> list[str]:
    lorebook = Lorebook(tuple(entries), **book)
    return [each.text for each in brought_up(lorebook, said, patterns or Patterns())]


def entry(*keys: str, content: str = "x", **more: Any) -> Entry:
    return Entry(keys, content, **more)


TABLE: dict[str, tuple[Entry, str, bool]] = {
    "a word": (entry("cat"), "my cat sleeps", True),
    "another word": (entry("cat"), "my dog sleeps", False),
    "one of several": (entry("dog", "cat"), "my cat", True),
    "in a longer word": (entry("cat"), "concatenate", False),
    "in a longer word and alone": (entry("cat"), "concatenate the cat", True),
    "with a sign beside it": (entry("cat"), "(cat).", True),
    "with a particle": (entry("고양이"), "고양이가 잔다", True),
    "Latin with a particle": (entry("Ada"), "Ada가 온다", True),
    "several words": (entry("black cat"), "the Black Cat", True),
    "of another case": (entry("CAT"), "cat", True),
    "of another case where that counts": (entry("CAT", case_sensitive=True), "cat", False),
    "of the same case where that counts": (entry("CAT", case_sensitive=True), "a CAT", True),
    "an empty key": (entry("", " "), "anything", False),
    "no key": (entry(), "anything", False),
    "always": (entry(constant=True), "anything", True),
    "switched off": (entry("cat", enabled=False, constant=True), "cat", False),
    "without text": (entry("cat", content=" \n"), "cat", False),
    "both of two": (entry("cat", selective=True, secondary_keys=("mat",)), "cat on a mat", True),
    "one of two": (entry("cat", selective=True, secondary_keys=("mat",)), "cat", False),
    "one of two where that is enough": (entry("cat", secondary_keys=("mat",)), "cat", True),
    "no second key": (entry("cat", selective=True), "cat", True),
    "a pattern": (entry(r"c[aou]t\b", use_regex=True), "a CUT", True),
    "a pattern of its case": (entry("cut", use_regex=True, case_sensitive=True), "CUT", False),
    "a pattern between slashes": (entry("/c.t/s", use_regex=True), "c\nt", True),
    "a pattern between slashes without i": (entry("/cat/", use_regex=True), "CAT", False),
    "a pattern between slashes with i": (entry("/cat/i", use_regex=True, case_sensitive=True), "CAT", True),
    "no pattern": (entry("c(at", use_regex=True), "c(at", False),
    "a pattern that looks around": (entry("(?=c)cat", use_regex=True), "cat", False),
    "a pattern that is too long": (entry("a?" * 501, use_regex=True), "a", False),
    "a pattern is no word": (entry("c.t", "cat", use_regex=False), "cut", False),
    "a pattern and always": (entry("dog", use_regex=True, constant=True), "cat", False),
    "told to": (entry(content="@@activate\nx"), "anything", True),
    "told not to": (entry("cat", content="@@dont_activate\nx"), "cat", False),
    "told not to, but to": (entry(content="@@dont_activate\n@@activate\n\nx"), "cat", True),
    "kept out": (entry("cat", content="@@exclude_keys dog, cow\nx"), "a cat and a cow", False),
    "not kept out": (entry("cat", content="@@exclude_keys dog\nx"), "a cat and a cow", True),
    "more keys": (entry("cat", content="@@additional_keys mat,hat\nx"), "a cat in a hat", True),
    "not more keys": (entry("cat", content="@@additional_keys mat,hat\nx"), "a cat", False),
    "an unknown one": (entry("cat", content="@@unheard_of 4\nx"), "cat", True),
    "a fallback": (entry(content="@@unheard_of 4\n@@@activate\nx"), "anything", True),
    "the second fallback": (entry(content="@@no\n@@@nor\n@@@activate\nx"), "anything", True),
    "a fallback that is not needed": (
        entry("cat", content="@@additional_keys mat\n@@@activate\nx"), "cat", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_what_brings_an_entry_up(name: str) -> None:
    asked, said, is_found = TABLE[name]
    assert found([asked], said) == (["x"] if is_found else [])


def test_in_the_order_of_insertion() -> None:
    entries = [
        entry(constant=True, content=name, insertion_order=order)
        for name, order in (("c", 3), ("b", 1), ("a", -1), ("d", 3), ("b2", 1))
    ]
    assert found(entries, "hi") == ["a", "b", "b2", "c", "d"]


@pytest.mark.parametrize(
    ("depth", "content", "is_found"),
    [
        (None, "x", True),
        (3, "x", True),
        (2, "x", False),
        (0, "x", False),
        (2, "@@scan_depth 3\nx", True),
        (3, "@@scan_depth 2\nx", False),
        (2, "@@scan_depth many\nx", False),
    ],
)
def test_so_many_messages_are_looked_at(depth: int | None, content: str, *, is_found: bool) -> None:
    said = ("a cat", "yes", "no")
    assert found([entry("cat", content=content)], *said, scan_depth=depth) == (
        ["x"] if is_found else []
    )


def test_without_a_depth_the_newest_ten() -> None:
    assert found([entry("cat")], "a cat", *["no"] * 9) == ["x"]
    assert found([entry("cat")], "a cat", *["no"] * 10) == []


def test_entries_bring_up_entries_where_that_is_wanted() -> None:
    chain = [entry(f"k{number}", content=f"k{number + 1}") for number in range(8)]
    assert found(chain, "k0") == ["k1"]
    assert found(chain, "k0", recursive_scanning=True) == ["k1", "k2", "k3", "k4"]
    assert found([entry("a", content="a"), entry("b")], "a", recursive_scanning=True) == ["a"]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (entry(constant=True), "before_char"),
        (entry(constant=True, position="after_char"), "after_char"),
        (entry(constant=True, content="@@position scenario\nx"), "scenario"),
        (entry(constant=True, content="@@position nowhere\nx"), "before_char"),
    ],
)
def test_where_it_belongs(given: Entry, place: str) -> None:
    (each,) = brought_up(Lorebook((given,)), ["hi"], Patterns())
    assert each.place == place


def test_a_rank_is_the_priority_or_else_the_order() -> None:
    ranked = [
        entry(constant=True, insertion_order=5),
        entry(constant=True, insertion_order=5, priority=1),
    ]
    assert [each.rank for each in brought_up(Lorebook(tuple(ranked)), [""], Patterns())] == [5, 1]


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a*)*b", "(a|a)*b", r"(?:(?:a{30}){30})b", "(a?){500}b", r"(\w+\s?)*\d{9}$"],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    """Each of these takes a backtracking engine years, or all memory there is; the limit is for a busy machine."""
    began = time.process_time()
    assert found([entry(pattern, use_regex=True)], "a" * 100_000 + "!") == []
    assert time.process_time() - began < 1


def test_the_time_of_a_turn_is_for_all_keys() -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += TURN_SECONDS / 4
        return now

    entries = [entry(constant=True, content=str(number)) for number in range(10)]
    assert found(entries, "hi", patterns=Patterns(clock)) == ["0", "1", "2"]


def test_a_pattern_looks_at_the_newest_text() -> None:
    text = "cat" + "x" * MAX_TEXT + "dog"
    assert Patterns().matches(text, "dog", case_sensitive=True)
    assert not Patterns().matches(text, "cat", case_sensitive=True)


def test_without_the_library_no_pattern_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rejoinder.characters.cards.patterns.find_spec", lambda _: None)
    assert not Patterns().matches("cat", "cat", case_sensitive=True)
