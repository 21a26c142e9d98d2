"""The examples of docs/characters.md, and its table of fields."""

import re
from dataclasses import fields
from pathlib import Path

from tests.characters.cards.samples import V3, picture

from rejoinder import CharacterInfo, ChatServer
from rejoinder.characters.file import read_characters
from rejoinder.characters.openai import Endpoint, OpenAICharacter

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "characters.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_file_of_characters_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "ada.png").write_bytes(picture((b"ccv3", V3)))
    path = tmp_path / "characters.toml"
    path.write_text(block("toml"), encoding="utf-8")
    described = read_characters(path, lambda name: {"MAIN_KEY": "sk-1"}[name])
    assert [each.id for each in described.characters] == ["sage", "ada"]
    assert described.cards is not None


async def test_the_program_of_ones_own_runs(tmp_path: Path) -> None:
    import os  # noqa: PLC0415 - the example's own

    os.environ.setdefault("MAIN_KEY", "sk-1")
    chat = ChatServer(data_dir=tmp_path, echo=False)
    exec(block("python"), {"chat": chat, "os": os})
    (info,) = chat._characters.list()
    assert info == CharacterInfo(id="sage", name="Sage")
    character = chat._characters.get("sage")
    assert isinstance(character, OpenAICharacter)
    await character.aclose()


def test_every_field_of_an_endpoint_is_told() -> None:
    table = PAGE.partition("in `[endpoints.NAME]`")[2].partition("\n\n")[0]
    told = set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:])))
    assert told == ({field.name for field in fields(Endpoint)} - {"key"}) | {"key_env"}
    for field in fields(Endpoint):
        if isinstance(field.default, int) and not isinstance(field.default, bool):
            assert f"| `{field.name}` | {field.default} |" in table
