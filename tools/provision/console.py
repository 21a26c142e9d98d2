"""Telling the person what happens, and running programs without drowning them in output."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HEARTBEAT = 5.0
TAIL_LINES = 25
HINT_WIDTH = 72


class SetupError(Exception):
    """Something the person can put right; the text says how."""


def say(text: str) -> None:
    """Print a line at once, so that progress is seen through a pipe as well."""
    print(text, flush=True)


def hint_from(log: Path) -> str:
    """Return the newest line of a log that says what its program is doing."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    # Warnings repeat what a person configured; they stay in the log.
    meaningful = [line.strip() for line in lines if line.strip() and "warn" not in line.lower()]
    return meaningful[-1][:HINT_WIDTH] if meaningful else ""


def tail_of(log: Path) -> str:
    """Return the end of a log, indented, for a failure's report."""
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join(f"  | {line}" for line in lines)


class Runner:
    """Runs the programs of one set-up, each into a log of its own."""

    def __init__(self, root: Path, logs: Path) -> None:
        self.root = root
        self.logs = logs

    def run(
        self,
        command: Sequence[str],
        *,
        log: str,
        failure: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run a program to its end; raise `SetupError` with its last words when it fails."""
        self.logs.mkdir(parents=True, exist_ok=True)
        path = self.logs / f"{log}.log"
        started = time.monotonic()
        done = threading.Event()
        watcher = threading.Thread(target=self._report, args=(path, started, done), daemon=True)
        try:
            with path.open("wb") as out:
                process = subprocess.Popen(
                    command,
                    cwd=cwd or self.root,
                    env={**os.environ, "NO_COLOR": "1", **(env or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                )
                watcher.start()
                try:
                    code = process.wait()
                except BaseException:
                    process.terminate()
                    process.wait()
                    raise
        except FileNotFoundError as error:
            message = f"{failure} The program {command[0]} was not found."
            raise SetupError(message) from error
        finally:
            done.set()
        if code != 0:
            message = f"{tail_of(path)}\n{failure} The whole output is in {self._shown(path)}."
            raise SetupError(message)

    def _shown(self, path: Path) -> Path:
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path

    @staticmethod
    def _report(path: Path, started: float, done: threading.Event) -> None:
        while not done.wait(HEARTBEAT):
            say(f"    {time.monotonic() - started:3.0f} s  {hint_from(path)}".rstrip())
