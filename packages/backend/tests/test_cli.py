"""The command line says what there is, and what is wrong, in sentences."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from rejoinder.cli import app
from rejoinder.settings import PREFIX, Settings

runner = CliRunner(env={"COLUMNS": "1000", "TERM": "dumb"})


def test_the_help_lists_every_setting_with_its_variable_and_default() -> None:
    result = runner.invoke(app, ["serve", "--help"])
    assert result.exit_code == 0
    # Lines are wrapped to some width: what matters is the text of each option.
    text = " ".join(result.output.split())
    for name, field in Settings.model_fields.items():
        flag = f" --{name.replace('_', '-')} "
        assert text.count(flag) == 1
        option = text[text.index(flag) :].split(" --", 2)[1].partition(" --")[0]
        if option.strip() == flag.strip(" -") + " /":
            option = text[text.index(flag) :].split(" --", 3)[2]
        assert f"(env {PREFIX}{name.upper()})" in option
        assert "[default: " in option
        assert field.description is not None
        assert field.description.partition(" ")[0] in option


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "a"], "--port (REJOINDER_PORT)"),
        (["--mode", "test"], "--mode (REJOINDER_MODE)"),
    ],
)
def test_a_wrong_setting_is_a_sentence_and_exit_code_2(arguments: list[str], says: str) -> None:
    result = runner.invoke(app, ["serve", *arguments])
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_server_that_cannot_start_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    arguments = ["--mode", "production", "--data-dir", str(tmp_path), "--no-model"]
    result = runner.invoke(app, ["serve", *arguments], env={"REJOINDER_JWT_SECRET": ""})
    assert result.exit_code == 1
    assert "REJOINDER_JWT_SECRET" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_command_it_shows_the_commands() -> None:
    result = runner.invoke(app, [])
    assert "serve" in result.output
