"""The run of everything says at its end which tests failed, and which passed only when they were tried again."""

import json
import sys
from pathlib import Path

from checks import Outcome, Part, run_part, summary
from reports import Report, Trouble, read_junit, read_vitest

JUNIT = """<testsuites><testsuite>
<testcase classname="packages.backend.tests.core.test_a" name="test_good" />
<testcase classname="packages.backend.tests.core.test_a" name="test_bad"><failure message="assert 1 == 2&#10;more" /></testcase>
<testcase classname="packages.backend.tests.core.test_a" name="test_set_up"><error message="" /></testcase>
</testsuite></testsuites>"""
BAD = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2]); sys.exit(1)"
GOOD = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('<testsuites/>')"


def failing(count: int) -> str:
    cases = "".join(
        f'<testcase classname="t" name="n{at}"><failure message="no" /></testcase>'
        for at in range(count)
    )
    return f"<testsuites>{cases}</testsuites>"


def part(report: Path, first: str, again: str, failures: int = 1) -> Part:
    python = (sys.executable, "-c")
    words = (str(report), failing(failures))
    return Part("tests", (*python, first, *words), report=report, again=(*python, again, *words))


def test_junit_failures_and_errors_are_found(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    path.write_text(JUNIT)
    assert read_junit(path).failed == (
        Trouble("tests.core.test_a::test_bad", "assert 1 == 2"),
        Trouble("tests.core.test_a::test_set_up", "no message"),
    )


def test_vitest_failures_are_told_from_unsteady_tests(tmp_path: Path) -> None:
    def case(name: str, status: str, *messages: str) -> dict[str, object]:
        return {"fullName": name, "status": status, "failureMessages": messages}

    path = tmp_path / "report.json"
    results = [
        {
            "name": "/x/a.test.ts",
            "status": "failed",
            "message": "",
            "assertionResults": [
                case("good", "passed"),
                case("shaky", "passed", "Error: late\n  at x"),
                case("bad", "failed", "Error: " + "x" * 200),
            ],
        },
        {"name": "/x/b.test.ts", "status": "failed", "message": "no such", "assertionResults": []},
    ]
    path.write_text(json.dumps({"testResults": results}))
    report = read_vitest(path)
    assert report.unsteady == (Trouble("a.test.ts: shaky", "Error: late"),)
    assert [each.test for each in report.failed] == ["a.test.ts: bad", "b.test.ts"]
    assert len(report.failed[0].message) == 120


def test_a_runner_that_crashed_has_no_report(tmp_path: Path) -> None:
    assert read_junit(tmp_path / "none.xml") == read_vitest(tmp_path / "none.json") == Report()


def test_a_test_that_passes_when_tried_again_is_unsteady(tmp_path: Path) -> None:
    outcome = run_part(part(tmp_path / "report.xml", BAD, GOOD))
    assert outcome.code == 0
    assert outcome.report == Report(unsteady=(Trouble("t::n0", "no"),))
    assert summary([outcome]).splitlines()[-1] == "unsteady: t::n0: no"


def test_a_test_that_fails_twice_fails_the_run(tmp_path: Path) -> None:
    outcome = run_part(part(tmp_path / "report.xml", BAD, BAD))
    assert outcome.code == 1
    assert summary([outcome]).splitlines()[-2:] == ["Failed: tests.", "failed: t::n0: no"]


def test_many_failures_are_not_tried_again(tmp_path: Path) -> None:
    outcome = run_part(part(tmp_path / "report.xml", BAD, GOOD, failures=4))
    assert outcome.code == 1
    assert len(outcome.report.failed) == 4


def test_a_part_that_ends_badly_without_a_failed_test_fails_the_run(tmp_path: Path) -> None:
    assert run_part(part(tmp_path / "report.xml", BAD, GOOD, failures=0)).code == 1


def test_the_summary_names_only_so_many_failures() -> None:
    failed = tuple(Trouble(f"t{at}", "no") for at in range(50))
    lines = summary([Outcome(Part("tests", ()), 1, 1.0, Report(failed))]).splitlines()
    assert [line for line in lines if line.startswith("failed: ")] == [
        f"failed: t{at}: no" for at in range(10)
    ]
