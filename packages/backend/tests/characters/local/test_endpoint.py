import socket
import threading
from collections.abc import Iterator

import pytest

from rejoinder.characters.local import endpoint as module
from rejoinder.characters.local.endpoint import Endpoint
from rejoinder.characters.local.engine import EngineError


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Endpoint, socket.socket]]:
    """An endpoint without a Unix socket, and what listens there."""
    monkeypatch.setattr(module, "_private_directory", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        endpoint = Endpoint()
        assert endpoint.host == "127.0.0.1"
        endpoint.opened(f"http://127.0.0.1:{listening.getsockname()[1]}")
        yield endpoint, listening
        endpoint.close()


def answer_once(listening: socket.socket, answer: bytes) -> threading.Thread:
    def run() -> None:
        connection, _ = listening.accept()
        with connection:
            asked = b""
            while not asked.endswith(b"[1]"):
                asked += connection.recv(65536)
            connection.sendall(answer)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}', {"a": 1}),
        (b'HTTP/1.1 500 No\r\nContent-Length: 8\r\n\r\n{"a": 2}', {"a": 2}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3", {}),
    ],
)
def test_answers(
    loopback: tuple[Endpoint, socket.socket], answer: bytes, expected: dict[str, int]
) -> None:
    endpoint, listening = loopback
    thread = answer_once(listening, answer)
    assert endpoint.post("/path", [1]) == expected
    thread.join()


@pytest.mark.parametrize(
    "answer", [b"", b"what?\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{"]
)
def test_answers_that_are_none(loopback: tuple[Endpoint, socket.socket], answer: bytes) -> None:
    endpoint, listening = loopback
    thread = answer_once(listening, answer)
    with pytest.raises(EngineError, match="the model did not answer"):
        endpoint.post("/path", [1])
    thread.join()


def test_every_server_has_a_key_of_its_own() -> None:
    endpoints = [Endpoint() for _ in range(2)]
    assert len({endpoint.key for endpoint in endpoints}) == 2
    assert all(len(endpoint.key) >= 32 for endpoint in endpoints)
    for endpoint in endpoints:
        endpoint.close()
