"""Run the checks or the whole test suite, one part after the other, and sum up at the end.

A failing part does not stop the others: one run shows all there is to put right.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
FRONTEND = ROOT / "packages" / "frontend"
CONFIG = "packages/backend/pyproject.toml"
CODE = ("packages/backend/src", "packages/backend/tests", "tools", "bench", "chaos")
RULE = "-" * 72


@dataclass(frozen=True)
class Part:
    """One program of the suite."""

    name: str
    command: tuple[str, ...]
    cwd: Path = ROOT


@dataclass(frozen=True)
class Outcome:
    """How a part ended."""

    part: Part
    code: int
    seconds: float


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command of a program from the project's own environment."""
    return (str(BIN / name), *arguments)


CHECKS = (
    Part("ruff", tool("ruff", "check", *CODE)),
    Part("ruff format", tool("ruff", "format", "--check", *CODE)),
    Part("mypy", tool("mypy", "--config-file", CONFIG, *CODE)),
    Part("layers", tool("lint-imports", "--no-logo", CONFIG)),
    Part("hot path", tool("python", "bench/guard.py")),
    Part("generated files", tool("python", "tools/generate.py", "--check")),
    Part(
        "relay style",
        ("node_modules/.bin/biome", "ci", "--error-on-warnings", "../../bench/peers"),
        FRONTEND,
    ),
    Part("page checks", ("npm", "run", "--silent", "check"), FRONTEND),
)
TESTS = (
    Part("Python tests", tool("pytest", "-n", "2", "packages/backend/tests")),
    Part("TypeScript tests", ("npm", "test", "--silent"), FRONTEND),
    Part("browser tests", ("npm", "run", "--silent", "e2e"), FRONTEND),
)
SUITES: Mapping[str, Sequence[Part]] = {"check": CHECKS, "test": (*CHECKS, *TESTS)}


def run_part(part: Part) -> Outcome:
    """Run one part with its output shown as it comes."""
    print(f"\n{RULE}\n{part.name}: {' '.join(_short(word) for word in part.command)}", flush=True)
    started = time.monotonic()
    try:
        code = subprocess.run(
            part.command, cwd=part.cwd, env=_environment(), check=False
        ).returncode
    except OSError as error:
        print(f"{part.command[0]} could not be started: {error}")
        code = 1
    return Outcome(part, code, time.monotonic() - started)


def _short(word: str) -> str:
    return word.removeprefix(f"{ROOT}/")


def _environment() -> dict[str, str]:
    """Put the project's own programs first, for whatever a part starts in its turn."""
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return the closing lines: every part with its time, then the verdict."""
    width = max(len(outcome.part.name) for outcome in outcomes)
    lines = [
        f"{'ok    ' if outcome.code == 0 else 'FAILED'}  {outcome.part.name:{width}}"
        f"  {outcome.seconds:6.1f} s"
        for outcome in outcomes
    ]
    failed = [outcome.part.name for outcome in outcomes if outcome.code != 0]
    verdict = f"Failed: {', '.join(failed)}." if failed else "Everything is in order."
    return "\n".join([RULE, *lines, verdict])


def main(arguments: Sequence[str]) -> int:
    """Run the named suite; 0 only when every part ended well."""
    parser = argparse.ArgumentParser(description="Run the checks, or the checks and all tests.")
    parser.add_argument("suite", choices=sorted(SUITES))
    suite: str = parser.parse_args(arguments).suite
    try:
        outcomes = [run_part(part) for part in SUITES[suite]]
    except KeyboardInterrupt:
        print("\nInterrupted.")
        return 130
    print(f"\n{summary(outcomes)}", flush=True)
    return 0 if all(outcome.code == 0 for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
