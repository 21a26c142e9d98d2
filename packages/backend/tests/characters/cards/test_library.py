from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from tests.characters.cards.samples import V2, V3, picture, text

from rejoinder.characters.cards import Library, UnusableCard
from rejoinder.characters.cards.library import id_for
from rejoinder.errors import ConfigurationError


def named(name: str) -> bytes:
    return text({**V2, "data": {**V2["data"], "name": name}})


def test_keeps_files_as_they_are(tmp_path: Path) -> None:
    library = Library(tmp_path / "data")
    assert library.paths() == {}
    drawn = picture((b"ccv3", V3))
    assert library.add(drawn) == ("ada", True)
    assert library.add(text(V2)) == ("ada-2", True)
    assert library.add(drawn) == ("ada", False)
    assert library.add(text(V2)) == ("ada-2", False)
    assert sorted(path.name for path in library.folder.iterdir()) == ["ada-2.json", "ada.png"]
    assert (library.folder / "ada.png").read_bytes() == drawn
    shelved = library.get("ada")
    assert (shelved.id, shelved.file.card.name, shelved.file.format) == ("ada", "Ada", "png")


def test_names_of_other_characters_are_taken(tmp_path: Path) -> None:
    library = Library(tmp_path)
    assert library.add(named("Smol")) == ("smol-2", True)
    assert library.add(named("ECHO")) == ("echo-2", True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ada Lovelace", "ada-lovelace"),
        ("에이다 (Ada)", "에이다-ada"),
        ("../../etc/passwd", "etc-passwd"),
        ("a/b\\c:d\x00", "a-b-c-d"),
        ("CON.", "con"),
        ("…", "card"),
        ("_-_", "card"),
    ],
)
def test_ids_are_names_of_files(name: str, expected: str) -> None:
    assert id_for(name) == expected


@given(st.text(max_size=300))
def test_any_name_makes_an_id(name: str) -> None:
    made = id_for(name)
    assert 0 < len(made.encode()) <= 100
    assert made.isprintable()
    assert not set(made) & set("/\\.:\0 ")


def test_what_cannot_be_used_is_not_kept(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with pytest.raises(UnusableCard):
        library.add(b"no card")
    assert not library.folder.exists()


def test_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(tmp_path)
    with pytest.raises(ConfigurationError, match="no card 'ada'"):
        library.get("ada")
    with pytest.raises(ConfigurationError, match=r"no card '\.\./secret'"):
        library.get("../secret")
    library.add(text(V2))
    monkeypatch.setattr("rejoinder.characters.cards.library.MAX_CARDS", 1)
    with pytest.raises(ConfigurationError, match="1 cards already"):
        library.add(text(V3))
    (library.folder / "ada.json").write_bytes(b"{")
    with pytest.raises(ConfigurationError, match=r"ada\.json: The file is no character card"):
        library.get("ada")
    blocked = Library(library.folder / "ada.json")
    with pytest.raises(ConfigurationError, match="can't be written"):
        blocked.add(text(V2))


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.add(text(V2))
    (library.folder / "notes.txt").write_text("mine")
    (library.folder / ".ada.json.7").write_text("{")
    (library.folder / "folder.json").mkdir()
    assert list(library.paths()) == ["ada"]
