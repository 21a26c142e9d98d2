"""What keeps the server from starting is told in one sentence that says what to do, and by the exit code."""

import re
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.process import ServerProcess, run


def refused(arguments: list[str], code: int, *, env: dict[str, str] | None = None) -> str:
    """Start the server, which refuses; its sentence."""
    ended = run("serve", "--no-model", *arguments, env=env)
    assert ended.returncode == code, ended
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    [line] = ended.stderr.splitlines()
    assert line.startswith("rejoinder: ")
    assert line.endswith(".")
    return line


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program has."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--port", "many"),
        ("--port", "70000"),
        ("--mode", "staging"),
        ("--rooms", "closed"),
        ("--connection-policy", "none"),
        ("--send-rate", "0"),
        ("--send-rate", "fast"),
        ("--payload-limit", "10"),
        ("--session-timeout", "-5"),
        ("--jwt-secret", "short"),
    ],
)
def test_a_wrong_setting(tmp_path: Path, flag: str, value: str) -> None:
    line = refused(["--data-dir", str(tmp_path / "data"), f"{flag}={value}"], code_of(flag))
    assert "REJOINDER_" + flag.removeprefix("--").replace("-", "_").upper() in line


def code_of(flag: str) -> int:
    # Whether a secret is long enough is seen when the server is made of its settings.
    return 1 if flag == "--jwt-secret" else 2


def test_a_wrong_setting_in_the_environment(tmp_path: Path) -> None:
    env = {"REJOINDER_SEND_RATE": "fast"}
    line = refused(["--data-dir", str(tmp_path / "data")], 2, env=env)
    assert "--send-rate" in line
    assert "REJOINDER_SEND_RATE" in line


def test_an_unknown_flag(tmp_path: Path) -> None:
    ended = run("serve", "--no-such-flag")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "--no-such-flag" in ended.stderr


def test_production_without_a_way_to_check_tokens(tmp_path: Path) -> None:
    line = refused(["--mode=production", "--data-dir", str(tmp_path / "data")], 1)
    assert "REJOINDER_JWT_SECRET" in line


def test_a_taken_port(tmp_path: Path, taken: int) -> None:
    line = refused(["--port", str(taken), "--data-dir", str(tmp_path / "data")], 1)
    assert str(taken) in line
    assert "--port" in line


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_of_another_machine(tmp_path: Path, host: str) -> None:
    line = refused(["--host", host, "--port=0", "--data-dir", str(tmp_path / "data")], 1)
    assert host in line
    assert "--host" in line


@pytest.mark.parametrize("model", ["missing", "a directory", "no model"])
def test_a_model_file_that_cannot_be_used(tmp_path: Path, model: str) -> None:
    path = tmp_path / "model.gguf"
    if model == "a directory":
        path.mkdir()
    if model == "no model":
        path.write_text("this is no model")
    ended = run(
        "serve", "--port=0", "--data-dir", str(tmp_path / "data"), "--model-path", str(path)
    )
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stderr
    [line] = ended.stderr.splitlines()
    assert str(path) in line
    assert "--no-model" in line


@pytest.mark.parametrize("place", ["data", "data/below"])
def test_a_file_in_place_of_the_data_directory(tmp_path: Path, place: str) -> None:
    (tmp_path / "data").write_text("not a directory")
    line = refused(["--port=0", "--data-dir", str(tmp_path / place)], 1)
    assert str(tmp_path) in line
    assert "--data-dir" in line


def test_a_data_directory_that_may_not_be_written_to(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    # For the superuser the mode means nothing, and so the file system itself has to refuse.
    if subprocess.run(["chattr", "+i", str(data)], capture_output=True, check=False).returncode:
        data.chmod(0o500)
        try:
            (data / "probe").touch()
        except PermissionError:
            pass
        else:
            pytest.skip("nothing here can make a directory read-only")
    try:
        line = refused(["--port=0", "--data-dir", str(data)], 1)
    finally:
        subprocess.run(["chattr", "-i", str(data)], capture_output=True, check=False)
        data.chmod(0o700)
    assert "--data-dir" in line


def test_a_data_directory_that_another_server_has(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path).start()
    try:
        line = refused(["--port=0", "--data-dir", str(server.data_dir)], 1)
    finally:
        server.stop()
    assert str(server.data_dir) in line
    assert "--data-dir" in line


def test_a_database_of_a_newer_version(tmp_path: Path) -> None:
    database = tmp_path / "rejoinder.db"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    line = refused(["--port=0", "--data-dir", str(tmp_path)], 1)
    assert "newer version" in line
    assert str(database) in line


@pytest.mark.parametrize(
    "content", [b"this is no database" * 100, b"SQLite format 3\0" + b"x" * 4096]
)
def test_a_database_file_that_is_garbage(tmp_path: Path, content: bytes) -> None:
    database = tmp_path / "rejoinder.db"
    database.write_bytes(content)
    line = refused(["--port=0", "--data-dir", str(tmp_path)], 1)
    assert str(tmp_path) in line
    assert database.read_bytes() == content, "what may be somebody's data is left alone"


def test_a_secret_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short\n")
    line = refused(["--port=0", "--data-dir", str(tmp_path)], 1)
    assert re.search(r"secret\b.*delete", line)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--redis=localhost:6379"], "begins with redis://"),
        (["--redis=redis://localhost:6379"], "the embedded database is one server's"),
        (
            [
                "--redis=redis://127.0.0.1:9",
                "--database=mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100",
            ],
            "MongoDB",
        ),
    ],
)
def test_a_redis_that_can_not_be_used(tmp_path: Path, flags: list[str], says: str) -> None:
    line = refused(["--data-dir", str(tmp_path / "data"), *flags], 1)
    assert says in line
