"""What a process makes of its settings."""

from pathlib import Path

import pytest

from rejoinder.errors import ConfigurationError
from rejoinder.run import characters_file, local_character
from rejoinder.settings import load


async def test_the_local_model_has_the_window_and_the_answer_it_is_given() -> None:
    character = local_character(load(model_context=2048, model_tokens=1900))
    assert character.model.settings.context_tokens == 2048
    await character.aclose()
    with pytest.raises(ConfigurationError, match=r"from 1 to 960.*--no-model"):
        local_character(load(model_tokens=1900))


def test_keys_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "characters.toml"
    endpoint = '[endpoints.main]\nbase_url = "http://a/v1"\nkey_env = "A_KEY_OF_THE_TESTS"\n'
    path.write_text(f'{endpoint}[cards]\nendpoint = "main"')
    monkeypatch.setenv("A_KEY_OF_THE_TESTS", "sk-1")
    described = characters_file(load(characters=path))
    assert described.cards is not None
    assert described.cards.key == "sk-1"
    monkeypatch.delenv("A_KEY_OF_THE_TESTS")
    with pytest.raises(ConfigurationError, match="Set the variable A_KEY_OF_THE_TESTS"):
        characters_file(load(characters=path))
    assert characters_file(load()).characters == ()
