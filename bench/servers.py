"""The servers that are measured, each a process on a core of its own, and the load generator on another."""

import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Literal, get_args

import msgspec

from figures import Figures, Load, Outcome, Plan
from wire import Trouble

HERE = Path(__file__).resolve().parent
MODULES = HERE.parent / "packages" / "frontend" / "node_modules"
SECRET = "the-secret-of-a-server-that-is-only-measured"  # noqa: S105 - it opens nothing
START_SECONDS = 30.0
END_SECONDS = 10.0
SPARE_SECONDS = 300.0
LIMITLESS = "1000000"

Key = Literal["rejoinder", "bare", "floor", "node", "python"]
ALL: Sequence[Load] = get_args(Load)
IN_MEMORY: Sequence[Load] = tuple(load for load in ALL if load != "pages")
OF_FLOOR: Sequence[Load] = ("fan-out", "pairs", "connects", "idle")
RELAY: Mapping[str, str] = {"RELAY_SECRET": SECRET, "PYTHONPATH": str(HERE)}


@dataclass(frozen=True)
class Peer:
    """A server and how it is started; `{data}` in its command is a folder of its own."""

    key: Key
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    loads: Sequence[Load] = IN_MEMORY


@dataclass(frozen=True)
class Running:
    """A server that is up."""

    pid: int
    url: str


def rejoinder() -> Peer:
    """The whole chat, as `make run` starts it, with the limits raised that keep one user from sending so much."""
    raised = [
        word
        for name in ("send", "event")
        for word in (f"--{name}-rate", LIMITLESS, f"--{name}-burst", LIMITLESS)
    ]
    program = str(Path(sys.executable).parent / "rejoinder")
    return Peer(
        "rejoinder",
        "rejoinder",
        [program, "serve", "--port", "0", "--no-model", "--data-dir", "{data}", *raised],
        {"REJOINDER_JWT_SECRET": SECRET},
        ALL,
    )


def bare() -> Peer:
    """The chat's own Socket.IO server alone, doing the same in memory."""
    return Peer("bare", "its server alone", _script("bare.py"), RELAY)


def floor() -> Peer:
    """A loop over picows that writes prepared frames."""
    return Peer("floor", "floor (prepared frames)", _script("floor.py"), RELAY, OF_FLOOR)


def node() -> Peer:
    """Node's Socket.IO server, doing the same in memory."""
    version = json.loads((MODULES / "socket.io" / "package.json").read_text(encoding="utf-8"))[
        "version"
    ]
    return Peer(
        "node",
        f"Node socket.io {version}",
        ["node", str(HERE / "peers" / "relay.mjs")],
        {**RELAY, "NODE_ENV": "production"},
    )


def python() -> Peer:
    """python-socketio on uvicorn, doing the same in memory."""
    name = f"python-socketio {metadata.version('python-socketio')}"
    return Peer("python", name, _script("relay.py"), RELAY)


def _script(name: str) -> Sequence[str]:
    return [sys.executable, str(HERE / "peers" / name)]


PEERS: Mapping[Key, Callable[[], Peer]] = {
    "rejoinder": rejoinder,
    "bare": bare,
    "floor": floor,
    "node": node,
    "python": python,
}


def cores() -> tuple[int, int]:
    """The core of the server and that of the load; the same one where there is no other."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started within the block runs on that core, with all its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_many_files() -> int:
    """Let this process and those it starts have as many files as the system allows them; how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


@contextmanager
def started(peer: Peer, folder: Path) -> Iterator[Running]:
    """That server, up within the block.

    Raises:
        Trouble: it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [word.replace("{data}", str(folder / "data")) for word in peer.command]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REJOINDER_")}
    log = folder / "log"
    with log.open("wb") as errors, on_core(cores()[0]):
        process = subprocess.Popen(
            command,
            env={**clean, **peer.environment},
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    try:
        yield Running(process.pid, _address(peer, process, log))
    finally:
        _end(process)


def _address(peer: Peer, process: "subprocess.Popen[bytes]", log: Path) -> str:
    out = process.stdout
    if out is None or not select.select([out], [], [], START_SECONDS)[0]:
        raise Trouble(f"{peer.name} did not start in time")
    # Servers tell their address in one short line, which arrives whole.
    line = out.readline().decode()
    found = re.search(r"http://[\d.]+:\d+", line)
    if found is None:
        raise Trouble(f"{peer.name} did not start: {line}{log.read_text(encoding='utf-8')[-500:]}")
    return found[0]


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END_SECONDS)
    finally:
        if process.stdout is not None:
            process.stdout.close()


def play(plan: Plan) -> Figures:
    """Let the load generator do that.

    Raises:
        Trouble: the server lost, repeated or reordered something, or refused it.
    """
    with on_core(cores()[1]):
        process = subprocess.Popen(
            [sys.executable, str(HERE / "play.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    try:
        answer, _ = process.communicate(
            msgspec.json.encode(plan),
            timeout=plan.warm_up + plan.seconds + plan.patience + SPARE_SECONDS,
        )
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise Trouble(f"the load generator ended with {process.returncode}")
    outcome = msgspec.json.decode(answer, type=Outcome)
    if outcome.figures is None:
        raise Trouble(outcome.trouble)
    return outcome.figures
