"""The operator's file of characters, and what is made of it."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.characters.cards.samples import V2, V3, picture, text

from rejoinder.characters import CharacterInfo
from rejoinder.characters.cards import Library, read
from rejoinder.characters.cast import cast
from rejoinder.characters.file import CharactersFile, Described, read_characters
from rejoinder.characters.local import LocalCharacter, LocalModel, LocalModelSettings
from rejoinder.characters.openai import Endpoint, OpenAICharacter, Patience
from rejoinder.errors import ConfigurationError

WHOLE = """
[endpoints.main]
base_url = "https://api.example.org/v1"
key_env = "MAIN_KEY"
model = "large"
context_tokens = 100_000
max_tokens = 2000
max_tokens_field = "max_completion_tokens"
temperature = 1
extra = { top_p = 0.9 }
headers = { X-Title = "chat" }
ask_tokens = false
ask_usage = false
patience = { first = 90, between = 20, whole = 300, tries = 2 }

[endpoints.near]
base_url = "http://127.0.0.1:11434/v1"

[cards]
endpoint = "near"

[[characters]]
id = "sage"
name = "Sage"
description = "Knows."
greeting = "Ask."
system_prompt = "You know."
endpoint = "main"
model = "small"
temperature = 0.1

[[characters]]
card = "ada.png"
endpoint = "near"

[[characters]]
id = "countess"
card = "ada.png"
endpoint = "local"
"""


def variable(name: str) -> str:
    return {"MAIN_KEY": "sk-1\n"}.get(name, "")


def file(folder: Path, content: str) -> Path:
    path = folder / "characters.toml"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_whole_file(tmp_path: Path) -> None:
    (tmp_path / "ada.png").write_bytes(picture((b"ccv3", V3)))
    described = read_characters(file(tmp_path, WHOLE), variable)
    main = Endpoint(
        base_url="https://api.example.org/v1",
        key="sk-1",
        model="small",
        context_tokens=100_000,
        max_tokens=2000,
        max_tokens_field="max_completion_tokens",
        temperature=0.1,
        extra={"top_p": 0.9},
        headers={"X-Title": "chat"},
        ask_tokens=False,
        ask_usage=False,
        patience=Patience(first=90, between=20, whole=300, tries=2),
    )
    near = Endpoint(base_url="http://127.0.0.1:11434/v1")
    sage, ada, countess = described.characters
    assert sage == Described(
        "sage", (CharacterInfo("sage", "Sage", "Knows.", "Ask."), "You know."), main
    )
    assert (ada.id, ada.endpoint, countess.id, countess.endpoint) == ("ada", near, "countess", None)
    assert ada.told == countess.told == read(picture((b"ccv3", V3))).card
    assert described.cards == near


ENDPOINT = '[endpoints.a]\nbase_url = "http://a/v1"\n'
SAGE = '[[characters]]\nid = "sage"\nname = "Sage"\n'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[", "characters.toml: "),
        ("colour = 1", "unknown field `colour`"),
        ('[endpoints.a]\nkey = "sk-1"', "unknown field `key`|missing required field `base_url`"),
        ("[endpoints.a]\nbase_url = 5", r"Expected `str`, got `int`"),
        ('[endpoints.a]\nbase_url = "a"', "Set base_url"),
        (f'{ENDPOINT}key_env = "NO_KEY"', "Set the variable NO_KEY"),
        (f"{ENDPOINT}max_tokens = 0", "Set max_tokens"),
        (f"{ENDPOINT}patience = {{ tries = 0 }}", "Set tries"),
        ('[endpoints.local]\nbase_url = "http://a/v1"', "something else"),
        ('[cards]\nendpoint = "b"', "no endpoint 'b'"),
        (f'{SAGE}endpoint = "b"', r"describe it under \[endpoints\.b\]"),
        (SAGE, "missing required field `endpoint`"),
        ('[[characters]]\nname = "Sage"\nendpoint = "local"', "an id of 1 to 128"),
        ('[[characters]]\nid = "sage"\nendpoint = "local"', "a name that can be shown"),
        (f'{SAGE}endpoint = "local"\nmodel = "m"', "Leave model out"),
        (f'{SAGE}card = "a.png"\nendpoint = "local"', "Leave name, description"),
        ('[[characters]]\ncard = "a.png"\nendpoint = "local"', "a.png can't be read"),
        (
            '[[characters]]\ncard = "bad.png"\nendpoint = "local"',
            "bad.png: The file is no character",
        ),
        (f'{ENDPOINT}{SAGE}endpoint = "a"\ntemperature = 9', "Set temperature"),
    ],
)
def test_says_what_is_wrong_with_a_file(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ConfigurationError, match=says) as wrong:
        read_characters(file(tmp_path, content), variable)
    assert str(wrong.value).startswith(f"{tmp_path}/characters.toml: ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml can't be read: No such file"):
        read_characters(tmp_path / "none.toml", variable)


def local_model() -> LocalModel:
    return LocalModel(LocalModelSettings(path=Path("none.gguf")))


async def test_the_cast(tmp_path: Path) -> None:
    (tmp_path / "ada.png").write_bytes(picture((b"ccv3", V3)))
    library = Library(tmp_path / "data")
    library.add(text({**V2, "data": {**V2["data"], "name": "Byron"}}))
    described = read_characters(file(tmp_path, WHOLE), variable)
    made = list(cast(described, library, local_model(), locale="ko"))
    assert [(each.info.id, each.info.name, type(each)) for each in made] == [
        ("sage", "Sage", OpenAICharacter),
        ("ada", "Ada", OpenAICharacter),
        ("countess", "Ada", LocalCharacter),
        ("byron", "Byron", OpenAICharacter),
    ]
    assert made[1].info.greeting == "Hello 당신, hand me that wheel."
    for each in made:
        await each.aclose()


async def test_cards_are_spoken_for_by_the_local_model_where_nothing_is_said(
    tmp_path: Path,
) -> None:
    library = Library(tmp_path)
    library.add(text(V2))
    (made,) = cast(CharactersFile(), library, local_model())
    assert isinstance(made, LocalCharacter)
    await made.aclose()


def test_one_card_does_not_stop_a_server(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.add(text(V2))
    library.add(text({**V2, "data": {**V2["data"], "name": "Byron"}}))
    (library.folder / "ada.json").write_bytes(b"{")
    (library.folder / "smol.json").write_bytes(text(V2))
    endpoint = Endpoint(base_url="http://a/v1")
    with capture_logs() as logs:
        made = list(cast(CharactersFile(cards=endpoint), library, None))
        assert [each.info.id for each in made] == ["byron"]
        assert list(cast(CharactersFile(), library, None)) == []
    assert [(log["event"], log["character_id"]) for log in logs] == [
        ("a card can't be used", "ada"),
        ("a card has the id of another character", "smol"),
        ("a card has nobody to speak for it", "ada"),
        ("a card has nobody to speak for it", "byron"),
        ("a card has the id of another character", "smol"),
    ]


def test_a_character_of_the_file_that_has_nobody_does(tmp_path: Path) -> None:
    described = read_characters(file(tmp_path, f'{SAGE}endpoint = "local"'), variable)
    with pytest.raises(ConfigurationError, match="'sage' needs the local model"):
        list(cast(described, Library(tmp_path), None))
