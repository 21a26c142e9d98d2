"""Remembering what was done: a step is done again only when something it was made from changed."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

BUILD_TABLES = ("build-system", "project")


def files_under(root: Path, patterns: Iterable[str]) -> list[Path]:
    """Return the files that the glob patterns name, in a stable order."""
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return sorted(found)


def digest_of(root: Path, patterns: Iterable[str], facts: Mapping[str, str]) -> str:
    """Hash the named files, by name and content, together with facts that are in no file."""
    total = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for path in files_under(root, patterns):
        name = path.relative_to(root).as_posix().encode()
        content = path.read_bytes()
        total.update(b"%d:%b%d:%b" % (len(name), name, len(content), content))
    return total.hexdigest()


def build_facts(pyproject: Path) -> str:
    """Return the part of a pyproject.toml that an installation depends on.

    The rest configures checkers; changing it installs nothing anew.
    """
    tables = tomllib.loads(pyproject.read_text())
    kept = {name: tables.get(name) for name in BUILD_TABLES}
    kept["hatch"] = tables.get("tool", {}).get("hatch")
    return json.dumps(kept, sort_keys=True)


class Stamps:
    """A folder with one small file per finished step, holding the hash of what it was made from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fresh(self, step: str, digest: str, outputs: Sequence[Path]) -> bool:
        """Tell whether a step was finished from just these inputs and its results are there."""
        try:
            recorded = self._path(step).read_text().strip()
        except OSError:
            return False
        return recorded == digest and all(output.exists() for output in outputs)

    def begin(self, step: str) -> None:
        """Forget a step before its work starts, so that an interrupted one is seen as undone."""
        self._path(step).unlink(missing_ok=True)

    def finish(self, step: str, digest: str) -> None:
        """Record a step as done, all or nothing."""
        self._folder.mkdir(parents=True, exist_ok=True)
        half = self._path(step).with_suffix(".new")
        half.write_text(f"{digest}\n")
        half.replace(self._path(step))

    def _path(self, step: str) -> Path:
        return self._folder / f"{step}.stamp"
