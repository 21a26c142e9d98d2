"""The server under test: our own over each of its carriers, or, with `CONFORMANCE_ORACLE=node`, the reference server,
which proves the tests.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.socket_io.program import started

OURS = [sys.executable, "-m", "rejoinder_socketio.conformance", "--port", "0"]
ORACLE = os.environ.get("CONFORMANCE_ORACLE", "")
COMMANDS = {
    "": {
        "straight": OURS,
        "straight on asyncio": [*OURS, "--loop", "asyncio"],
        "straight after uvicorn's HTTP": [*OURS, "--http"],
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


@pytest.fixture(scope="session", params=list(COMMANDS[ORACLE]))
def conformance_url(
    request: pytest.FixtureRequest, oracle: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Where the server listens: `/socket.io/` answers as the suites want, `/engine.io/` echoes."""
    log = tmp_path_factory.mktemp("conformance") / "stderr"
    with started(COMMANDS[oracle][request.param], log) as program:
        yield program.url
