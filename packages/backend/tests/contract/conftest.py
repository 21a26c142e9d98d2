"""Servers and people for the tests of the contract. Servers are shared; rooms and users are each test's own."""

from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import seen
from tests.support.chat import Chat, Connect
from tests.support.process import ServerProcess, Start
from tests.support.tokens import token, unique


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that says it is about an event must have seen it on the wire."""
    seen.forget()
    result = yield
    for mark, noted in (("sends", seen.sent), ("receives", seen.received)):
        for marker in item.iter_markers(mark):
            missing = set(marker.args) - noted
            assert not missing, f"{mark} {missing}, says the test, and it never did"
    return result


def _served(folder: Path, *flags: str) -> Iterator[ServerProcess]:
    process = ServerProcess(folder, *flags).start()
    yield process
    code = process.stop()
    process.check_log()
    assert code == 0


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the defaults."""
    yield from _served(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="session")
def multi_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server where a person may have several connections, and where nothing lasts long."""
    yield from _served(
        tmp_path_factory.mktemp("multi"),
        "--connection-policy=multi",
        "--typing-timeout=0.5",
        "--presence-grace=0.5",
        "--session-timeout=1",
        "--session-sweep=0.2",
    )


@pytest.fixture(scope="session")
def members_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose rooms are for members."""
    yield from _served(tmp_path_factory.mktemp("members"), "--rooms=members")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers of the test's own."""
    started: list[ServerProcess] = []

    def starting(*flags: str, **options: Any) -> ServerProcess:
        process = ServerProcess(tmp_path / str(len(started)), *flags, **options)
        started.append(process)
        return process.start()

    yield starting
    for process in started:
        if process.running:
            process.stop()
        process.check_log()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects people; in the end it closes their connections and tells what was wrong with what they heard."""
    people: list[Chat] = []

    async def connecting(
        server: ServerProcess,
        user_id: str = "",
        *,
        auth: dict[str, Any] | None = None,
        **options: Any,
    ) -> Chat:
        user_id = user_id or unique("user")
        chat = Chat(
            server.url, user_id, {"token": token(user_id, name="Kim"), **(auth or {})}, **options
        )
        people.append(chat)
        return await chat.connect()

    yield connecting
    for chat in people:
        await chat.leave()
    assert [problem for chat in people for problem in chat.problems] == []


@pytest.fixture
def room() -> str:
    """The id of a room of the test's own."""
    return unique("room")
