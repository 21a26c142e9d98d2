"""All attacks at full size, and a million malformed packets: what they cost the server, and the others. `make hostile`.

The server has one core; the good clients have the other one, which they share with the attacker, who gets what they leave.
`loop late` is how late the server's event loop came to what was due, alone and under the attack (p99): it is the part of the
others' wait that is the server's.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.socket_io.hostile.attacker import FUZZ, SECONDS
from tests.socket_io.hostile.attacks import ATTACKS
from tests.socket_io.hostile.good import good_clients
from tests.socket_io.hostile.target import PACKAGE, Target
from tests.socket_io.hostile.wire import WebSocket

MORE_MIB = 50.0
LOG_BYTES = 1024
TIMES = 2.0
HEAD = f"{'attack':20} {'seconds':>7} {'CPU':>6} {'memory':>8}  {'loop late':>17}  {'p99 alone':>9}  {'p99':>8}  {'times':>5}  connections, log"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _lateness(port: int) -> float:
    async with await WebSocket.join(port) as asking:
        [late] = await asking.call(1, "report", "late")
        return float(late)


async def _one(name: str, size: int, seed: int, core: int) -> list[str]:
    """Run one attack, and say what it cost; what is not as it must be."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Target(Path(folder), "--watch", prepare=lambda: os.sched_setaffinity(0, {core})) as target,
    ):
        async with good_clients(target.port) as good:
            await asyncio.sleep(SECONDS)
            alone, count = good.p99(), len(good.waits)
            calm = await _lateness(target.port)
            memory, cpu, began = target.memory, target.cpu, time.monotonic()
            target.forget_peak()
            attacker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.socket_io.hostile.attacker",
                str(target.port), name, str(size), str(seed),
                cwd=PACKAGE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            said, error = await attacker.communicate()
            late = await _lateness(target.port)
            seconds, cpu = time.monotonic() - began, target.cpu - cpu
            await good.more(1)
            more, wait = target.peak - memory, good.p99(count)
        log = target.log
        connections = int(said) if name == FUZZ and said else 0
        _say(
            f"{name:20} {seconds:7.1f} {cpu:6.1f} {more:4.1f} MiB  {calm:5.1f}, {late:5.1f} ms  {alone:6.1f} ms  {wait:5.1f} ms  {wait / alone:5.1f}"
            + (
                f"  {connections}, {len(log) / max(connections, 1):.0f} bytes each"
                if connections
                else ""
            )
        )
        wrong = [
            (attacker.returncode != 0, error.decode().strip().rpartition("\n")[2]),
            (not target.running, "the server has ended"),
            ("Traceback" in log, log[log.find("Traceback") :][:2000]),
            (more > MORE_MIB, f"memory grew by {more:.1f} MiB"),
            (wait > TIMES * alone, f"the others waited {wait / alone:.1f} times as long"),
            (name == FUZZ and len(log) > LOG_BYTES * connections, f"{len(log)} bytes of log"),
        ]
    return [f"{name}: {what}" for holds, what in wrong if holds]


def main() -> int:
    """Do them all; 0 if all is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--size", type=int, default=10, help="10: ten thousand handshakes, and so on"
    )
    parser.add_argument("--packets", type=int, default=1_000_000, help="malformed ones")
    parser.add_argument("--seed", type=int, default=1, help="of the malformed packets")
    names = [*ATTACKS, FUZZ]
    parser.add_argument("--attacks", nargs="+", choices=names, default=names, metavar="NAME",
                        help=", ".join(names))  # fmt: skip
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    _say(f"seed {given.seed}, size {given.size}\n{HEAD}")
    wrong: list[str] = []
    for name in given.attacks:
        size = given.packets if name == FUZZ else given.size
        wrong += asyncio.run(_one(name, size, given.seed, cores[0]))
    for line in wrong:
        _say(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
