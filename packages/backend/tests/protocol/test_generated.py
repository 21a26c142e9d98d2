"""What is generated from the catalogue is committed, and a drift is noticed."""

from pathlib import Path

import pytest

import generate


def test_the_committed_files_are_what_the_catalogue_says() -> None:
    for path, text in generate.outputs().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make generate`"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place to generate into that is no one's working copy."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    return tmp_path


def test_a_drift_fails_the_check_and_names_the_file(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    stale = elsewhere / "protocol" / "schema.json"
    stale.write_text(stale.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    capsys.readouterr()
    assert generate.main(["--check"]) == 1
    assert "protocol/schema.json" in capsys.readouterr().err
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_a_missing_file_fails_the_check_and_is_not_written(elsewhere: Path) -> None:
    assert generate.main(["--check"]) == 1
    assert list(elsewhere.iterdir()) == []
