"""The server under test: our own over each of its carriers, or, with `CONFORMANCE_ORACLE=node`, the reference server,
which proves the tests.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

START_SECONDS = 20.0
END_SECONDS = 10.0
READY = "ready: "
OURS = [sys.executable, "-m", "rejoinder_socketio.conformance", "--port", "0"]
ORACLE = os.environ.get("CONFORMANCE_ORACLE", "")
COMMANDS = {
    "": {
        "straight": OURS,
        "straight on asyncio": [*OURS, "--loop", "asyncio"],
        "asgi": [*OURS, "--asgi"],
    },
    "node": {"node": ["node", str(Path(__file__).parent / "official" / "oracle.mjs")]},
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "official(engine_io, socket_io): the number of the case in the official suites"
    )


@pytest.fixture(scope="session")
def oracle() -> str:
    """The name of the reference server that stands in for ours; empty if none does."""
    return ORACLE


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
            if not part:
                pytest.fail(f"{process.args!r} did not start: {told!r} {log.read_text()}")
            told += part
    line = told.decode().partition("\n")[0]
    assert line.startswith(READY), line
    return line.removeprefix(READY)


@pytest.fixture(scope="session", params=list(COMMANDS[ORACLE]))
def conformance_url(
    request: pytest.FixtureRequest, oracle: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Where the server listens: `/socket.io/` answers as the suites want, `/engine.io/` echoes."""
    log = tmp_path_factory.mktemp("conformance") / "stderr"
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            COMMANDS[oracle][request.param],
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        yield _announced(process, log)
    finally:
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
