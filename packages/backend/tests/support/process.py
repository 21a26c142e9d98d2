"""A real server process: `rejoinder serve`, its address, its log, its end."""

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

COMMAND = str(Path(sys.executable).parent / "rejoinder")
SECRET = "a-secret-for-tests-that-is-long-enough"
OPERATOR = "operator-of-the-tests"
START_SECONDS = 20.0
END_SECONDS = 10.0


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without settings of the machine that the tests run on."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("REJOINDER_")}
    return clean | dict(given or {})


def run(
    *arguments: str, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """`rejoinder` with these arguments, to its end."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )


class ServerProcess:
    """A server on a free port of this machine; `folder` holds its data and its log."""

    def __init__(self, folder: Path, *flags: str, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self._flags = flags
        self._env = {
            "REJOINDER_JWT_SECRET": SECRET,
            "REJOINDER_OPERATOR_TOKEN": OPERATOR,
            "REJOINDER_DATA_DIR": str(self.data_dir),
            **(env or {}),
        }
        self._log = folder / "stderr"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.known: list[str] = []
        """Errors in the log that a test knows of, and says why they are there."""

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process that runs."""
        assert self._process is not None, "the server was not started"
        return self._process

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What the server wrote on standard error."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def start(self) -> Self:
        """Start it and wait until it has told its address."""
        self.folder.mkdir(parents=True, exist_ok=True)
        flags = ("--host", "127.0.0.1", "--port", "0", "--no-model", *self._flags)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [COMMAND, "serve", *flags],
                env=environment(self._env),
                stdout=subprocess.PIPE,
                stderr=log,
                # A Ctrl-C at the terminal is for the test run; the server is ended by its id.
                start_new_session=True,
            )
        self.url = self._announced(time.monotonic() + START_SECONDS)
        return self

    def _announced(self, deadline: float) -> str:
        out = self.process.stdout
        assert out is not None
        told = b""
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while b"\n" not in told:
                left = deadline - time.monotonic()
                part = os.read(out.fileno(), 4096) if selector.select(max(left, 0)) else b""
                if not part:
                    self.kill()
                    raise AssertionError(f"the server did not start: {told!r} {self.log}")
                told += part
        found = re.search(r"http://[\w.:\[\]]+", told.decode())
        assert found is not None, told
        return found[0]

    def kill(self) -> None:
        """`kill -9`."""
        self._end(signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        return self._end(number)

    def _end(self, number: signal.Signals) -> int:
        process = self.process
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(END_SECONDS)
            raise AssertionError(f"the server did not end on {number.name}") from None
        finally:
            if process.stdout is not None:
                process.stdout.close()

    def check_log(self) -> None:
        """Each line is one of the server's own, and none tells of a defect."""
        for line in self.log.splitlines():
            record = json.loads(line)
            assert {"event", "level", "timestamp"} <= record.keys(), line
            level = record["level"]
            excused = any(known in line for known in self.known)
            assert excused or level not in {"error", "critical"}, line


class Start(Protocol):
    """The fixture that starts a server of the test's own."""

    def __call__(self, *flags: str, **options: Any) -> ServerProcess: ...
