"""A server in a process of its own that says in its first line where it listens."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 20.0
END_SECONDS = 15.0
READY = "ready: "


@dataclass(frozen=True)
class Program:
    """A server that runs, and its address."""

    process: "subprocess.Popen[bytes]"
    url: str


@contextmanager
def started(
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path | None = None,
    prepare: Callable[[], None] | None = None,
) -> Iterator[Program]:
    """That server, up within the block; what it writes on standard error goes to the log.

    Raises:
        AssertionError: it does not start, and why.
        subprocess.TimeoutExpired: it did not end when it was told to.
    """
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 - there are no threads here
        )
    try:
        yield Program(process, _announced(process, log))
    finally:
        _end(process)


def _announced(process: "subprocess.Popen[bytes]", log: Path) -> str:
    out = process.stdout
    assert out is not None
    deadline = time.monotonic() + START_SECONDS
    told = b""
    with selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_READ)
        while b"\n" not in told:
            left = max(deadline - time.monotonic(), 0)
            part = os.read(out.fileno(), 4096) if selector.select(left) else b""
            assert part, f"{process.args!r} did not start: {told!r} {log.read_text()}"
            told += part
    line = told.decode().partition("\n")[0]
    assert line.startswith(READY), line
    return line.removeprefix(READY)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END_SECONDS)
        raise
    finally:
        assert process.stdout is not None
        process.stdout.close()
