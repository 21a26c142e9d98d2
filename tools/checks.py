"""Run the checks or the whole test suite, one part after the other, and sum up at the end.

A failing part does not stop the others: one run shows all there is to put right. The last lines name what failed. Tests
with real processes and browsers are tried once more if only a few failed; those that pass then are named as unsteady.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reports import Report, read_junit, read_vitest

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
FRONTEND = ROOT / "packages" / "frontend"
CONFIG = "packages/backend/pyproject.toml"
CODE = ("packages/backend/src", "packages/backend/tests", "tools", "bench", "chaos")
REPORTS = ROOT / "test-results"
RULE = "-" * 72
TRIED_AGAIN = 3
"""Up to so many failed tests are tried once more; with more of them something is broken, not unsteady."""
SHOWN = 10
"""So many failed tests are named at the end."""

Read = Callable[[Path], Report]
NOTHING = Report()


@dataclass(frozen=True)
class Part:
    """One program of the suite."""

    name: str
    command: tuple[str, ...]
    cwd: Path = ROOT
    report: Path | None = None
    read: Read = read_junit
    again: tuple[str, ...] | None = None
    """Runs those tests again that failed the last time, and writes the same report."""


@dataclass(frozen=True)
class Outcome:
    """How a part ended."""

    part: Part
    code: int
    seconds: float
    report: Report = NOTHING


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
PYTHON_REPORT = REPORTS / "python.xml"
PYTEST = tool("pytest", f"--junitxml={PYTHON_REPORT}")


def _vitest(name: str, command: tuple[str, ...]) -> Part:
    report = REPORTS / f"{name.partition(' ')[0].lower()}.json"
    reporters = ("--reporter=default", "--reporter=json", f"--outputFile.json={report}")
    return Part(name, (*command, "--", *reporters), FRONTEND, report, read_vitest)


TESTS = (
    Part(
        "Python tests",
        # More than a machine of two cores has, since most of them wait for servers and databases.
        (*PYTEST, "-n", "4", "--dist=worksteal", "packages/backend/tests"),
        report=PYTHON_REPORT,
        again=(
            *PYTEST,
            "--last-failed",
            "--last-failed-no-failures=none",
            "packages/backend/tests",
        ),
    ),
    _vitest("TypeScript tests", ("npm", "test", "--silent")),
    _vitest("browser tests", ("npm", "run", "--silent", "e2e")),
)
SUITES: Mapping[str, Sequence[Part]] = {"check": CHECKS, "test": (*CHECKS, *TESTS)}


def run_part(part: Part) -> Outcome:
    """Run one part with its output shown as it comes, and what failed of it once more, if that is little."""
    first = _run(part)
    if first.code == 0 or part.again is None or not 0 < len(first.report.failed) <= TRIED_AGAIN:
        return first
    second = _run(replace(part, command=part.again))
    seconds = first.seconds + second.seconds
    if second.code != 0:
        return replace(second, seconds=seconds)
    return replace(second, seconds=seconds, report=Report(unsteady=first.report.failed))


def _run(part: Part) -> Outcome:
    print(f"\n{RULE}\n{part.name}: {' '.join(_short(word) for word in part.command)}", flush=True)
    if part.report is not None:
        part.report.parent.mkdir(exist_ok=True)
        part.report.unlink(missing_ok=True)
    started = time.monotonic()
    try:
        code = subprocess.run(
            part.command, cwd=part.cwd, env=_environment(), check=False
        ).returncode
    except OSError as error:
        print(f"{part.command[0]} could not be started: {error}")
        code = 1
    report = NOTHING if part.report is None else part.read(part.report)
    return Outcome(part, code, time.monotonic() - started, report)


def _short(word: str) -> str:
    return word.replace(f"{ROOT}/", "")


def _environment() -> dict[str, str]:
    """Put the project's own programs first, for whatever a part starts in its turn."""
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return the closing lines: every part with its time, the verdict, and each test that did not pass at once."""
    width = max(len(outcome.part.name) for outcome in outcomes)
    lines = [
        f"{'ok    ' if outcome.code == 0 else 'FAILED'}  {outcome.part.name:{width}}"
        f"  {outcome.seconds:6.1f} s"
        for outcome in outcomes
    ]
    failed = [outcome.part.name for outcome in outcomes if outcome.code != 0]
    verdict = f"Failed: {', '.join(failed)}." if failed else "Everything is in order."
    unsteady = [f"unsteady: {each}" for outcome in outcomes for each in outcome.report.unsteady]
    broken = [f"failed: {each}" for outcome in outcomes for each in outcome.report.failed]
    return "\n".join([RULE, *lines, verdict, *unsteady, *broken[:SHOWN]])


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
