import pytest
from hypothesis import given, strategies as st

from rejoinder.characters.cards.macros import Macros

TABLE = [
    ("Hi {{user}}, I am {{char}}.", "Hi Kim, I am Ada."),
    ("{{CHAR}} {{ User }} <char> <BOT> <user>", "Ada Kim Ada Ada Kim"),
    ("{{original}} {{original}}", "be kind "),
    ("a{{// a note}}b{{comment: c}}{{hidden_key:d}}", "ab"),
    ("{{reverse:abc}}", "cba"),
    ("{{random:one}}{{pick::two}}", "onetwo"),
    (r"{{random:a\,b}}", "a,b"),
    ("{{roll:1}}{{roll:d1}}", "11"),
    ("{{roll:0}} {{roll:x}} {{roll:}}", "{{roll:0}} {{roll:x}} {{roll:}}"),
    ("{{roll:٣}}", "{{roll:٣}}"),
    (
        "{{unknown}} {{unknown:1}} {char} {{}} {{{{}}",
        "{{unknown}} {{unknown:1}} {char} {{}} {{{{}}",
    ),
    ("<script>{{char}}</script>", "<script>Ada</script>"),
    ("{{__class__}} {0} %s {{char.__init__}}", "{{__class__}} {0} %s {{char.__init__}}"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_what_they_stand_for(text: str, expected: str) -> None:
    assert Macros("Ada", "Kim", "seed").expand(text, "be kind") == expected


def test_without_an_original_it_stays() -> None:
    assert Macros("Ada", "Kim").expand("{{original}}") == "{{original}}"


def test_what_is_brought_in_is_not_looked_at_again() -> None:
    macros = Macros("{{user}}", "{{char}}\n\x00!")
    assert (
        macros.expand("{{char}} {{user}} {{original}}", "{{char}}") == "{{user}} {{char}}! {{char}}"
    )


def test_a_name_is_cut() -> None:
    assert Macros("a" * 1000, "b").expand("{{char}}") == "a" * 128


def test_chance_is_the_same_for_the_same_turn() -> None:
    text = "{{random:a,b,c,d,e}}{{roll:1000}}" * 5
    assert Macros("A", "B", "1").expand(text) == Macros("A", "B", "1").expand(text)
    seen = {Macros("A", "B", str(seed)).expand("{{random:a,b}}") for seed in range(30)}
    assert seen == {"a", "b"}
    picked = {Macros("A", "B", str(seed)).expand("{{pick:a,b,c,d}}") for seed in range(30)}
    assert len(picked) == 1
    assert {Macros("A", "B", str(seed)).expand("{{roll:d3}}") for seed in range(50)} == {
        "1",
        "2",
        "3",
    }


@given(st.text("{}:/,charuse<>1 ", max_size=60))
def test_any_text_has_an_end(text: str) -> None:
    assert isinstance(Macros("Ada", "Kim").expand(text, "x"), str)
