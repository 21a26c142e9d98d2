"""Read what the test runners report, so that the last lines of a run name each test that failed.

A test that failed and passed when it was tried again is unsteady. It doesn't fail the run, and it is named all the same:
it is a defect, of the test or of what it tests.
"""

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

MESSAGE_CHARACTERS = 120


@dataclass(frozen=True)
class Trouble:
    """A test that failed, and the beginning of why."""

    test: str
    message: str

    def __str__(self) -> str:
        return f"{self.test}: {self.message}"


@dataclass(frozen=True)
class Report:
    """The tests of one run that failed, and those that passed only when they were tried again."""

    failed: tuple[Trouble, ...] = ()
    unsteady: tuple[Trouble, ...] = ()


def read_junit(path: Path) -> Report:
    """The failures in a JUnit file; an empty report where there is no such file, as after a crash."""
    if not path.is_file():
        return Report()
    failed: list[Trouble] = []
    for case in ET.parse(path).iter("testcase"):  # noqa: S314 - see above
        problem = case.find("failure")
        if problem is None:
            problem = case.find("error")
        if problem is not None:
            module = case.get("classname", "").removeprefix("packages.backend.")
            name = f"{module}::{case.get('name', '')}"
            failed.append(Trouble(name, _short(problem.get("message", ""))))
    return Report(tuple(failed))


def read_vitest(path: Path) -> Report:
    """The failures in Vitest's JSON; an empty report where there is no such file."""
    if not path.is_file():
        return Report()
    failed: list[Trouble] = []
    unsteady: list[Trouble] = []
    for file in json.loads(path.read_text())["testResults"]:
        name = Path(file["name"]).name
        if file["status"] == "failed" and not file["assertionResults"]:
            failed.append(Trouble(name, _short(file["message"])))
        for test in file["assertionResults"]:
            messages = test["failureMessages"]
            trouble = Trouble(f"{name}: {test['fullName']}", _short("".join(messages[:1])))
            if test["status"] == "failed":
                failed.append(trouble)
            elif messages:
                unsteady.append(trouble)
    return Report(tuple(failed), tuple(unsteady))


def _short(message: str) -> str:
    line = next((each.strip() for each in message.splitlines() if each.strip()), "no message")
    return line if len(line) <= MESSAGE_CHARACTERS else line[: MESSAGE_CHARACTERS - 1] + "…"
