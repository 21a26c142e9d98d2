"""The order of the set-up, and what a person reads when it can't go on."""

import argparse
import contextlib
import fcntl
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from provision.console import Runner, SetupError, say
from provision.stamps import Stamps, digest_of
from provision.steps import Project, Step
from provision.system import STAGES, install_packages, require_tools

ROOT = Path(__file__).resolve().parents[2]
STATE = ".setup"
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Let one set-up at a time work in this repository; the next waits."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is running here; waiting for it to end.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def carry_out(steps: Sequence[Step], root: Path, stamps: Stamps) -> int:
    """Do the steps that are out of date; return how many were."""
    digests: dict[str, str] = {}
    done = 0
    for step in steps:
        facts = {**step.facts, "after": digests.get(step.after, "")}
        digest = digests[step.name] = digest_of(root, step.inputs, facts)
        if stamps.fresh(step.name, digest, [root / output for output in step.outputs]):
            continue
        say(f"{step.title} ...")
        started = time.monotonic()
        stamps.begin(step.name)
        step.work()
        stamps.finish(step.name, digest)
        say(f"    done in {time.monotonic() - started:.0f} s")
        done += 1
    return done


def set_up(stage: str, root: Path) -> None:
    """Bring the repository to a stage."""
    started = time.monotonic()
    node = require_tools(stage)
    state = root / STATE
    with only_one(state):
        runner = Runner(root, state / "logs")
        install_packages(stage, runner)
        steps = [step for step in Project(root, runner, node).steps() if stage in step.stages]
        carry_out(steps, root, Stamps(state))
    say(f"Everything for this is installed ({time.monotonic() - started:.1f} s).")


def report_unexpected(root: Path, error: Exception) -> None:
    """Keep the details of an error nobody foresaw, and say in a sentence what it was."""
    text = f"The set-up failed: {type(error).__name__}: {error}"
    log = root / STATE / "logs" / "error.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc())
    except OSError:
        say(text)
    else:
        say(f"{text}. The details are in {log.relative_to(root)}.")


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Set up what the arguments name and return the exit code."""
    parser = argparse.ArgumentParser(description="Install what the project needs into the project.")
    parser.add_argument("stage", nargs="?", choices=STAGES, default="run", help="how much of it")
    stage: str = parser.parse_args(arguments).stage
    try:
        set_up(stage, root)
    except SetupError as error:
        say(str(error))
        return EXIT_FAILED
    except OSError as error:
        say(f"The set-up could not go on: {error}.")
        return EXIT_FAILED
    except KeyboardInterrupt:
        say("Interrupted. The same command again goes on from here.")
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 (a person gets a sentence, the log the traceback)
        report_unexpected(root, error)
        return EXIT_FAILED
    return 0
