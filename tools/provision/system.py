"""What the operating system has to bring along, and how a person gets it."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from provision.console import Runner, SetupError, say

OLDEST_NODE = (20, 19)
FONTS = Path("/usr/share/fonts")

# What is set up is one of these: enough to run the server, to check the code, or to test it all.
STAGES = ("run", "check", "test")
ALWAYS = frozenset(STAGES)
FOR_PEOPLE = frozenset({"run", "test"})
FOR_CODE = frozenset({"check", "test"})
FOR_TESTS = frozenset({"test"})

Which = Callable[[str], str | None]


@dataclass(frozen=True)
class SystemPackage:
    """A Debian package, how its presence shows, and which stages need it."""

    name: str
    stages: frozenset[str]
    purpose: str
    command: str = ""
    fonts: tuple[str, ...] = ()
    required: bool = True

    def present(self, which: Which) -> bool:
        """Tell whether it is there, from whatever source the person installed it."""
        if self.command:
            return which(self.command) is not None
        return any(next(FONTS.glob(pattern), None) for pattern in self.fonts)


SYSTEM_PACKAGES = (
    SystemPackage("chromium", FOR_TESTS, "the browser tests", command="chromium"),
    SystemPackage(
        "redis-server", FOR_TESTS, "the tests of several servers", command="redis-server"
    ),
    SystemPackage(
        "nginx-light", FOR_TESTS, "the test of several servers behind a proxy", command="nginx"
    ),
    SystemPackage(
        "fonts-nanum",
        FOR_TESTS,
        "Korean text in the browser tests",
        fonts=(
            "**/Nanum*",
            "**/NotoSansCJK*",
            "**/NotoSansKR*",
        ),
        required=False,
    ),
)


def node_version(text: str) -> tuple[int, int] | None:
    """Read what `node --version` prints."""
    match = re.match(r"v(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def ask_node(which: Which) -> str:
    """Return what `node --version` prints, or nothing when there is no Node.js."""
    node = which("node")
    if node is None:
        return ""
    try:
        answer = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()


def missing_tools(stage: str, *, which: Which, node: str, has_venv: bool) -> list[str]:
    """Return one sentence for each tool that this project can't install into itself."""
    sentences = []
    if not has_venv:
        sentences.append(
            "Python's venv module is missing: install it with `apt-get install python3-venv`."
        )
    wanted = "{}.{}".format(*OLDEST_NODE)
    version = node_version(node)
    if version is None:
        sentences.append(f"Node.js is missing: install version {wanted} or newer, with npm.")
    elif version < OLDEST_NODE:
        sentences.append(
            f"Node.js {wanted} or newer is needed, this is {node}: install a newer one."
        )
    if version is not None and which("npm") is None:
        sentences.append("npm is missing: install it with `apt-get install npm`.")
    if stage in FOR_CODE:
        sentences += [
            f"{tool} is missing: install it with `apt-get install {tool}`."
            for tool in ("git", "make")
            if which(tool) is None
        ]
    return sentences


def require_tools(stage: str) -> str:
    """Raise `SetupError` unless the tools are there; return Node's version."""
    node = ask_node(shutil.which)
    has_venv = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    missing = missing_tools(stage, which=shutil.which, node=node, has_venv=has_venv)
    if missing:
        raise SetupError("\n".join(missing))
    return node


def missing_packages(
    stage: str, which: Which, packages: Iterable[SystemPackage] = SYSTEM_PACKAGES
) -> list[SystemPackage]:
    """Return the packages of the table that a stage needs and the system lacks."""
    return [one for one in packages if stage in one.stages and not one.present(which)]


def how_to_install(packages: Iterable[SystemPackage]) -> str:
    """Say in one sentence what to install by hand, and what for."""
    listed = list(packages)
    reasons = ", ".join(f"{one.name} (for {one.purpose})" for one in listed)
    names = " ".join(one.name for one in listed)
    return f"The system lacks {reasons}: install with `sudo apt-get install {names}`."


def install_packages(stage: str, runner: Runner, *, is_root: bool | None = None) -> None:
    """Install what the stage needs from Debian, or say what a person has to install."""
    missing = missing_packages(stage, shutil.which)
    if not missing:
        return
    root = os.geteuid() == 0 if is_root is None else is_root
    if not root or shutil.which("apt-get") is None:
        if any(one.required for one in missing):
            raise SetupError(how_to_install(missing))
        say(f"Going on without it: {how_to_install(missing)}")
        return
    names = [one.name for one in missing]
    say(f"Installing from Debian: {', '.join(names)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    patient = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
    runner.run(
        ["apt-get", *patient, "update"],
        log="apt-update",
        failure="The lists of Debian's packages could not be fetched.",
        env=quiet,
    )
    runner.run(
        ["apt-get", *patient, "install", "-y", "--no-install-recommends", *names],
        log="apt-install",
        failure=how_to_install(missing),
        env=quiet,
    )
