"""Programs of others, on ports of this machine."""

import ctypes
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PAUSE = 0.02
LOG_TAIL = 2000
PR_SET_PDEATHSIG = 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_with_parent() -> None:
    """A test run that is killed leaves no server behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def until_open(port: int, process: "subprocess.Popen[bytes]", log: Path, seconds: float) -> None:
    """Return when something listens there; fails with the end of the log when the process ends, or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        said = log.read_text(errors="replace")[-LOG_TAIL:] if log.exists() else ""
        assert process.poll() is None, f"{process.args!r} ended: {said}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            # The program tells nobody that it listens: there is no event to wait for.
            time.sleep(PAUSE)
        else:
            return
    raise AssertionError(f"{process.args!r} did not start within {seconds} s")
