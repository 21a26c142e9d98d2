"""Real MongoDB servers for the tests: on free ports of this machine, with their data in a test's folder."""

import os
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pymongo
from pymongo.errors import PyMongoError
from tests.support.ports import end_with_parent, free_port, until_open

START_SECONDS = 30.0
SET = "rs0"


def program() -> str:
    """The `mongod` of the package that the tests install, else the machine's."""
    bundled = Path(sysconfig.get_path("purelib")) / "fiftyone" / "db" / "bin"
    found = shutil.which("mongod", path=f"{bundled}{os.pathsep}{os.environ.get('PATH', '')}")
    assert found is not None, "there is no mongod: `make setup STAGE=test` installs one on Linux"
    return found


class Mongod:
    """One server process; it can be killed, stopped in its tracks, and started again on its data."""

    def __init__(
        self, folder: Path, *, set_name: str | None = SET, flags: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self._flags = [*flags, *(["--replSet", set_name] if set_name else [])]
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> Self:
        """Start it, without waiting for it."""
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [
                *(program(), "--dbpath", str(data), "--logpath", str(self.folder / "log")),
                *(
                    "--port",
                    str(self.port),
                    "--bind_ip",
                    "127.0.0.1",
                    "--nounixsocket",
                    "--logappend",
                ),
                *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"),
                *("--setParameter", "enableTestCommands=1"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                *self._flags,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # A Ctrl-C at the terminal is for the test run.
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - one call into the kernel, no lock is taken
        )
        return self

    def answer(self) -> Self:
        """Wait until it answers."""
        assert self._process is not None
        until_open(self.port, self._process, self.folder / "log", START_SECONDS)
        return self

    def start(self) -> Self:
        return self.launch().answer()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """`kill -9`."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it; its data is thrown away, so that it need not be gentle."""
        if self.running:
            self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it hang: its connections stay open, and nothing answers."""
        self._signal(signal.SIGSTOP)
        # The signal only asks; a command that comes before the process stands still would be answered.
        assert self._process is not None
        os.waitpid(self._process.pid, os.WUNTRACED)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(START_SECONDS)

    @contextmanager
    def admin(self, **options: Any) -> Iterator["pymongo.MongoClient[dict[str, Any]]"]:
        """A client of this very server."""
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            self.host, directConnection=True, **options
        )
        with client:
            yield client

    def fail_point(self, name: str, mode: object, **data: object) -> None:
        """Set a failpoint."""
        with self.admin() as client:
            client.admin.command({"configureFailPoint": name, "mode": mode, "data": data})

    def fail_commands(self, *commands: str, times: int, **data: object) -> None:
        """Let the next commands of these names fail in some way, also after they were done."""
        self.fail_point("failCommand", {"times": times}, failCommands=list(commands), **data)


class ReplicaSet:
    """One server or several that elect a primary; elections are quick."""

    def __init__(self, folder: Path, count: int = 1) -> None:
        self.members = [Mongod(folder / f"member {number}") for number in range(count)]

    def start(self) -> Self:
        for member in self.members:
            member.launch()
        for member in self.members:
            member.answer()
        with self.members[0].admin() as client:
            client.admin.command({"replSetInitiate": self._config()})
        self.primary()
        return self

    def _config(self) -> dict[str, object]:
        return {
            "_id": SET,
            "members": [{"_id": n, "host": each.host} for n, each in enumerate(self.members)],
            "settings": {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200},
        }

    def url(self, database: str) -> str:
        hosts = ",".join(member.host for member in self.members)
        return f"mongodb://{hosts}/{database}?replicaSet={SET}"

    def client(self, **options: Any) -> "pymongo.MongoClient[dict[str, Any]]":
        return pymongo.MongoClient(self.url("admin"), **options)

    def primary(self) -> Mongod:
        """The member that is written to, once there is one and the others follow it."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with self.client(serverSelectionTimeoutMS=2000) as client:
                    client.meta.settled.update_one(
                        {"_id": 1}, {"$currentDate": {"at": True}}, upsert=True
                    )
                    address = client.primary
            except PyMongoError:
                continue
            for member in self.members:
                if address is not None and member.port == address[1]:
                    return member
        raise AssertionError("no primary was elected")

    def secondaries(self) -> list[Mongod]:
        primary = self.primary()
        return [member for member in self.members if member is not primary]

    def step_down(self) -> None:
        """Have another member become the primary."""
        with self.client() as client:
            # It may be elected again after that many seconds, lest a later test finds nobody who may.
            client.admin.command("replSetStepDown", 2, secondaryCatchUpPeriodSecs=1)

    def mend(self) -> None:
        """Start what was killed, let go of what was stopped, end what fails, wait for a primary."""
        for member in self.members:
            if member.running:
                member.resume()
                for name in ("failCommand", "stopReplProducer"):
                    member.fail_point(name, "off")
            else:
                member.start()
        self.primary()

    def stop(self) -> None:
        for member in self.members:
            member.stop()
