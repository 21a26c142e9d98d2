from collections.abc import AsyncIterator

import pytest

from rejoinder.characters import CharacterInfo, Characters, Delta, EchoCharacter, Turn
from rejoinder.errors import ConfigurationError


def named(character_id: str, name: str = "Somebody") -> EchoCharacter:
    return EchoCharacter(CharacterInfo(id=character_id, name=name))


def test_finds_what_was_added_and_lists_it_in_that_order() -> None:
    characters = Characters()
    second, first = named("b"), named("a")
    characters.add(second)
    characters.add(first)
    assert characters.get("a") is first
    assert characters.get("b") is second
    assert characters.get("c") is None
    assert characters.list() == (second.info, first.info)


def test_two_sets_share_nothing() -> None:
    characters = Characters()
    characters.add(named("a"))
    assert Characters().list() == ()


def test_refuses_an_id_that_is_taken() -> None:
    characters = Characters()
    characters.add(named("a"))
    with pytest.raises(ConfigurationError, match="two characters with the id 'a'"):
        characters.add(named("a"))


@pytest.mark.parametrize("character_id", ["a", "a" * 128, "char_456", "스몰", "two words"])
def test_takes_ids_of_printable_characters(character_id: str) -> None:
    characters = Characters()
    characters.add(named(character_id))
    assert characters.get(character_id) is not None


@pytest.mark.parametrize("character_id", ["", "a" * 129, "a\n", "a\x00b", "\u202e", "\ud800"])
def test_refuses_other_ids(character_id: str) -> None:
    with pytest.raises(ConfigurationError, match="an id of 1 to 128 printable characters"):
        Characters().add(named(character_id))


@pytest.mark.parametrize("name", ["", "  ", "two\nlines"])
def test_refuses_a_name_that_cannot_be_shown(name: str) -> None:
    with pytest.raises(ConfigurationError, match="a name that can be shown"):
        Characters().add(named("a", name))


class Stubborn:
    """A character that says when it is closed, and may fail at it."""

    def __init__(
        self, character_id: str, closed: list[str], failure: Exception | None = None
    ) -> None:
        self.info = CharacterInfo(id=character_id, name="Stubborn")
        self._closed = closed
        self._failure = failure

    async def reply(self, turn: Turn) -> AsyncIterator[Delta]:
        yield "no"

    async def aclose(self) -> None:
        self._closed.append(self.info.id)
        if self._failure:
            raise self._failure


async def test_closes_all_of_them_even_if_one_fails() -> None:
    closed: list[str] = []
    failure = OSError("stuck")
    characters = Characters()
    for character in (Stubborn("a", closed), Stubborn("b", closed, failure), Stubborn("c", closed)):
        characters.add(character)
    with pytest.raises(ExceptionGroup) as raised:
        await characters.aclose()
    assert raised.value.exceptions == (failure,)
    assert closed == ["c", "b", "a"]
    await characters.aclose()
    assert closed == ["c", "b", "a"]
