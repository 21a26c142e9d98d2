"""A real Redis server for the tests: on a free port of this machine, without anything on the disk."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support.ports import end_with_parent, free_port, until_open

START_SECONDS = 20.0


class RedisServer:
    """One process; it can be killed, stopped in its tracks, and started again, always empty."""

    def __init__(self, folder: Path, port: int = 0, flags: Sequence[str] = ()) -> None:
        self.folder = folder
        self._flags = flags
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self) -> Self:
        program = shutil.which("redis-server")
        assert program is not None, "there is no redis-server: `make setup STAGE=test` installs it"
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "log"
        self._process = subprocess.Popen(
            [
                *(program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder),
                *("--save", "", "--appendonly", "no", "--databases", "1000"),
                *("--logfile", str(log), *self._flags),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - one call into the kernel, no lock is taken
        )
        until_open(self.port, self._process, log, START_SECONDS)
        return self

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(START_SECONDS)

    stop = kill

    def pause(self) -> None:
        """Let it hang: its connections stay open, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
