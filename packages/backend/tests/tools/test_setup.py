"""The set-up does what is needed, only what is needed, and says what it can't do itself."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provision import main as setup
from provision.console import Runner, SetupError
from provision.main import carry_out, only_one
from provision.stamps import Stamps, build_facts, digest_of
from provision.steps import Project, Step
from provision.system import (
    ALWAYS,
    STAGES,
    SYSTEM_PACKAGES,
    Which,
    how_to_install,
    install_packages,
    missing_packages,
    missing_tools,
    node_version,
)

ROOT = Path(__file__).resolve().parents[4]
GOOD_NODE = "v20.19.0"


def lookup(*present: str) -> Which:
    return lambda name: f"/usr/bin/{name}" if name in present else None


class Counter:
    """A step's work that counts how often it was done, and can fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.failure: BaseException | None = None

    def __call__(self) -> None:
        self.calls += 1
        if self.failure is not None:
            raise self.failure


def step(work: Callable[[], None], name: str = "one", **given: tuple[str, ...] | str) -> Step:
    return Step(
        name,
        "Doing something",
        ALWAYS,
        work,
        inputs=tuple(given.get("inputs", ())),
        outputs=tuple(given.get("outputs", ())),
        facts={"fact": str(given.get("fact", ""))},
        after=str(given.get("after", "")),
    )


class TestStamps:
    def test_does_a_step_once(self, tmp_path: Path) -> None:
        work, stamps = Counter(), Stamps(tmp_path / "state")
        (tmp_path / "in.lock").write_text("a==1")
        steps = [step(work, inputs=("in.lock",))]

        assert carry_out(steps, tmp_path, stamps) == 1
        assert carry_out(steps, tmp_path, stamps) == 0
        assert work.calls == 1

    def test_a_changed_input_means_work_again(self, tmp_path: Path) -> None:
        work, stamps = Counter(), Stamps(tmp_path / "state")
        (tmp_path / "in.lock").write_text("a==1")
        steps = [step(work, inputs=("in.lock",))]
        carry_out(steps, tmp_path, stamps)

        (tmp_path / "in.lock").write_text("a==2")
        carry_out(steps, tmp_path, stamps)

        assert work.calls == 2

    def test_a_file_that_came_or_moved_means_work_again(self, tmp_path: Path) -> None:
        source = tmp_path / "src"
        source.mkdir()
        (source / "a.ts").write_text("text")
        first = digest_of(tmp_path, ["src/**/*"], {})

        (source / "a.ts").rename(source / "b.ts")
        moved = digest_of(tmp_path, ["src/**/*"], {})
        (source / "c.ts").write_text("")
        added = digest_of(tmp_path, ["src/**/*"], {})

        assert len({first, moved, added}) == 3

    def test_a_changed_fact_means_work_again(self, tmp_path: Path) -> None:
        work, stamps = Counter(), Stamps(tmp_path / "state")

        carry_out([step(work, fact="Python 3.11")], tmp_path, stamps)
        carry_out([step(work, fact="Python 3.12")], tmp_path, stamps)

        assert work.calls == 2

    def test_a_lost_output_means_work_again(self, tmp_path: Path) -> None:
        work, stamps = Counter(), Stamps(tmp_path / "state")
        output = tmp_path / "out"
        output.write_text("made")
        steps = [step(work, outputs=("out",))]
        carry_out(steps, tmp_path, stamps)

        output.unlink()
        carry_out(steps, tmp_path, stamps)

        assert work.calls == 2

    def test_what_builds_on_a_step_is_done_again_after_it(self, tmp_path: Path) -> None:
        base, upper, stamps = Counter(), Counter(), Stamps(tmp_path / "state")
        for content in ("a", "b"):
            (tmp_path / "in.lock").write_text(content)
            steps = [step(base, inputs=("in.lock",)), step(upper, name="two", after="one")]
            carry_out(steps, tmp_path, stamps)

        assert (base.calls, upper.calls) == (2, 2)

    @pytest.mark.parametrize("failure", [SetupError("no network"), KeyboardInterrupt()])
    def test_an_interrupted_step_is_done_again(
        self, tmp_path: Path, failure: BaseException
    ) -> None:
        work, stamps = Counter(), Stamps(tmp_path / "state")
        (tmp_path / "in.lock").write_text("a==1")
        steps = [step(work, inputs=("in.lock",))]
        carry_out(steps, tmp_path, stamps)
        (tmp_path / "in.lock").write_text("a==2")
        work.failure = failure
        with pytest.raises(type(failure)):
            carry_out(steps, tmp_path, stamps)

        # Back at the old inputs: what is installed is half of the new ones.
        (tmp_path / "in.lock").write_text("a==1")
        work.failure = None
        carry_out(steps, tmp_path, stamps)

        assert work.calls == 3

    def test_a_change_to_a_checkers_rules_installs_nothing(self, tmp_path: Path) -> None:
        pyproject = tmp_path / "pyproject.toml"
        pyproject.write_text('[project]\nname = "a"\n[tool.ruff]\nline-length = 80\n')
        before = build_facts(pyproject)

        pyproject.write_text('[project]\nname = "a"\n[tool.ruff]\nline-length = 100\n')
        assert build_facts(pyproject) == before

        pyproject.write_text('[project]\nname = "b"\n[tool.ruff]\nline-length = 100\n')
        assert build_facts(pyproject) != before


class TestSystem:
    @pytest.mark.parametrize(
        ("text", "version"),
        [("v20.19.4\n", (20, 19)), ("v8.0.0", (8, 0)), ("", None), ("node 20", None)],
    )
    def test_reads_the_version_of_node(self, text: str, version: tuple[int, int] | None) -> None:
        assert node_version(text) == version

    def test_a_complete_system_lacks_nothing(self) -> None:
        which = lookup("node", "npm", "git", "make")
        assert missing_tools("test", which=which, node=GOOD_NODE, has_venv=True) == []

    @pytest.mark.parametrize(
        ("present", "node", "has_venv", "named"),
        [
            (("npm", "git", "make"), "", True, "Node.js is missing"),
            (("node", "npm", "git", "make"), "v18.20.4", True, "Node.js 20.19 or newer"),
            (("node", "npm", "git", "make"), "v20.18.1", True, "Node.js 20.19 or newer"),
            (("node", "git", "make"), GOOD_NODE, True, "npm is missing"),
            (("node", "npm", "git", "make"), GOOD_NODE, False, "python3-venv"),
            (("node", "npm", "make"), GOOD_NODE, True, "git is missing"),
            (("node", "npm", "git"), GOOD_NODE, True, "make is missing"),
        ],
    )
    def test_each_missing_tool_gets_one_sentence(
        self,
        present: tuple[str, ...],
        node: str,
        has_venv: bool,  # noqa: FBT001 (pytest hands it over by name)
        named: str,
    ) -> None:
        sentences = missing_tools("test", which=lookup(*present), node=node, has_venv=has_venv)

        assert len(sentences) == 1
        assert named in sentences[0]
        assert "install" in sentences[0]

    def test_running_needs_neither_git_nor_a_browser(self) -> None:
        which = lookup("node", "npm")
        assert missing_tools("run", which=which, node=GOOD_NODE, has_venv=True) == []
        assert missing_packages("run", which) == []

    def test_a_page_that_does_not_build_keeps_nobody_from_generating(self) -> None:
        project = Project(ROOT, Runner(ROOT, ROOT), GOOD_NODE)
        needed = {
            stage: [one.name for one in project.steps() if stage in one.stages] for stage in STAGES
        }

        assert "page" not in needed["check"]
        assert "python-dev" not in needed["run"]
        assert {*needed["run"], *needed["check"], "python-mongod"} == {*needed["test"]}

    def test_the_tests_need_a_browser(self) -> None:
        names = [package.name for package in missing_packages("test", lookup())]
        assert "chromium" in names
        assert "chromium" not in [one.name for one in missing_packages("test", lookup("chromium"))]

    def test_without_root_it_says_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(SetupError) as caught:
            install_packages("test", Runner(tmp_path, tmp_path / "logs"), is_root=False)

        text = str(caught.value)
        assert "chromium (for the browser tests)" in text
        assert "apt-get install chromium" in text
        assert "\n" not in text

    def test_names_every_package_in_one_command(self) -> None:
        names = " ".join(package.name for package in SYSTEM_PACKAGES)
        assert how_to_install(SYSTEM_PACKAGES).endswith(f"`sudo apt-get install {names}`.")


class TestRunner:
    def test_a_failing_program_shows_its_last_words(self, tmp_path: Path) -> None:
        runner = Runner(tmp_path, tmp_path / "logs")

        with pytest.raises(SetupError, match="No luck") as caught:
            runner.run(
                [sys.executable, "-c", "print('last words'); raise SystemExit(3)"],
                log="a",
                failure="No luck.",
            )

        assert "  | last words" in str(caught.value)
        assert "logs/a.log" in str(caught.value)

    def test_a_missing_program_is_named(self, tmp_path: Path) -> None:
        runner = Runner(tmp_path, tmp_path / "logs")

        with pytest.raises(SetupError, match="no-such-program was not found"):
            runner.run(["no-such-program"], log="a", failure="No luck.")

    def test_an_incomplete_checkout_is_named(self, tmp_path: Path) -> None:
        project = Project(tmp_path, Runner(tmp_path, tmp_path / "logs"), GOOD_NODE)

        with pytest.raises(SetupError, match=r"package-lock\.json is missing"):
            project.npm_install()


class TestCommand:
    def test_a_missing_tool_ends_it_with_a_sentence_and_code_1(self, tmp_path: Path) -> None:
        ended = subprocess.run(
            [sys.executable, str(ROOT / "tools" / "setup.py"), "run"],
            env={"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

        assert ended.returncode == 1
        assert "Node.js is missing" in ended.stdout
        assert "Traceback" not in ended.stdout + ended.stderr

    @pytest.mark.parametrize(
        ("failure", "code", "sentence"),
        [
            (SetupError("Node.js is missing."), 1, "Node.js is missing."),
            (OSError(28, "No space left on device"), 1, "No space left on device"),
            (KeyboardInterrupt(), 130, "Interrupted."),
            (ValueError("odd"), 1, "ValueError: odd"),
        ],
    )
    def test_no_failure_shows_a_traceback(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        failure: BaseException,
        code: int,
        sentence: str,
    ) -> None:
        def fail(*_: object) -> None:
            raise failure

        monkeypatch.setattr(setup, "set_up", fail)

        assert setup.main(["run"], tmp_path) == code
        shown = "".join(capfd.readouterr())
        assert sentence in shown
        assert "Traceback" not in shown

    def test_keeps_the_details_of_an_unforeseen_failure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise ValueError

        monkeypatch.setattr(setup, "set_up", fail)
        setup.main(["run"], tmp_path)

        assert "Traceback" in (tmp_path / ".setup" / "logs" / "error.log").read_text()


def test_a_second_setup_waits_for_the_first(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from provision.main import only_one\n"
        "with only_one(Path(sys.argv[1])): print('inside')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    with only_one(tmp_path):
        second = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert second.stdout is not None
        assert second.stdout.readline().startswith("Another set-up is running")
        assert second.poll() is None

    rest, _ = second.communicate(timeout=30)
    assert rest == "inside\n"
    assert second.returncode == 0
