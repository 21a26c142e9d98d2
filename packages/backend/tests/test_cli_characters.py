"""`rejoinder character`: cards in and out, from the command line."""

from pathlib import Path

import pytest
from tests.characters.cards.samples import V1, V2, V3, picture, text
from typer.testing import CliRunner

from rejoinder.characters.cards import read
from rejoinder.cli import app

runner = CliRunner(env={"COLUMNS": "1000", "TERM": "dumb"})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REJOINDER_DATA_DIR", raising=False)
    Path("ada.png").write_bytes(picture((b"ccv3", V3)))
    Path("two.json").write_bytes(text(V2))
    Path("one.json").write_bytes(text({**V1, "name": "Byron"}))
    Path("bad.png").write_bytes(b"no picture")


def run(*arguments: str) -> tuple[int, str, str]:
    result = runner.invoke(app, ["character", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_in_and_out() -> None:
    assert run("import", "ada.png", "one.json") == (
        0, "Ada is kept: ada\nByron is kept: byron\n", "",
    )  # fmt: skip
    assert run("import", "ada.png") == (0, "Ada was there already: ada\n", "")
    assert run("list") == (
        0, "ada: Ada (data/characters/ada.png)\nbyron: Byron (data/characters/byron.json)\n", "",
    )  # fmt: skip
    for name in ("out.json", "out.charx", "out.PNG"):
        code, said, _ = run("export", "ada", name)
        assert code == 0
        assert said.startswith(f"{name} is written.")
        assert ("picture did not fit" in said) == (name == "out.json")
        assert read(Path(name).read_bytes()).card.raw == V3
    assert run("export", "ada", "out.json") == (
        1, "", "rejoinder: out.json is there already: give another name.\n",
    )  # fmt: skip


def test_one_bad_file_does_not_keep_the_others_out() -> None:
    code, said, complaint = run("import", "bad.png", "two.json", "none.json")
    assert code == 1
    assert said == "Ada is kept: ada\n"
    assert complaint.startswith("rejoinder: bad.png: The file is no character card")
    assert "none.json can't be read: No such file" in complaint


def test_another_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("import", "two.json", "--data-dir", "other")[0] == 0
    assert Path("other/characters/ada.json").exists()
    monkeypatch.setenv("REJOINDER_DATA_DIR", "other")
    assert run("list")[1] == "ada: Ada (other/characters/ada.json)\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["export", "ada", "out.json"], "There is no card 'ada'"),
        (["export", "byron", "out.txt"], "end in .json, .png or .charx"),
        (["export", "byron", "no/such/out.png"], "can't be written"),
    ],
)
def test_what_cannot_be_exported(arguments: list[str], says: str) -> None:
    run("import", "one.json")
    code, _, complaint = run(*arguments)
    assert code == 1
    assert says in complaint


def test_a_damaged_card_is_named_in_the_list() -> None:
    run("import", "one.json", "two.json")
    Path("data/characters/ada.json").write_bytes(b"{")
    code, said, complaint = run("list")
    assert (code, said) == (0, "byron: Byron (data/characters/byron.json)\n")
    assert "ada.json: The file is no character card" in complaint
