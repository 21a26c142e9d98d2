"""The process that is attacked, from outside: its address, its memory, its log."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.socket_io.program import started

PACKAGE = Path(__file__).resolve().parents[3]
LISTENS = "0A"


class Target:
    """Used as `with Target(folder, "--asgi") as target`."""

    def __init__(
        self, folder: Path, *flags: str, prepare: Callable[[], None] | None = None
    ) -> None:
        self._flags = flags
        self._prepare = prepare
        self._log = folder / "stderr"
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        command = (sys.executable, "-m", "tests.socket_io.hostile.victim", *self._flags)
        program = self._stack.enter_context(
            started(command, self._log, cwd=PACKAGE, prepare=self._prepare)
        )
        self._process = program.process
        self.port = int(program.url.removeprefix("http://127.0.0.1:"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What it wrote on standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def forget_peak(self) -> None:
        """Let `peak` begin at what it has now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    @property
    def peak(self) -> float:
        """The most memory that it had since then, in MiB."""
        return self._memory("VmHWM")

    @property
    def memory(self) -> float:
        """The memory that it has, in MiB."""
        return self._memory("VmRSS")

    def _memory(self, what: str) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        [line] = [line for line in status.splitlines() if line.startswith(f"{what}:")]
        return int(line.split()[1]) / 1024

    @property
    def connections(self) -> int:
        """How many of its connections it has not closed."""
        rows = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        local = f"0100007F:{self.port:04X}"
        fields = [row.split() for row in rows]
        return sum(row[1] == local and row[3] != LISTENS and row[9] != "0" for row in fields)

    @property
    def cpu(self) -> float:
        """Seconds of a processor that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
