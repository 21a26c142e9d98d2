"""Break a server for some minutes while people chat with it, and check what was promised.

`make chaos MINUTES=2 SEED=1 DATABASE=sqlite` (or `mongodb`).
"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "packages" / "backend")]

from tests.support.mongod import ReplicaSet  # noqa: E402 - the tests' way to start a mongod

from chaos import report, stored  # noqa: E402
from chaos.check import Findings, check  # noqa: E402
from chaos.crowd import Crowd, Size  # noqa: E402
from chaos.disk import Disk  # noqa: E402
from chaos.faults import Faults  # noqa: E402
from chaos.record import Online, Recorder, Stored, in_time, now  # noqa: E402
from chaos.server import OPERATOR, Server  # noqa: E402

WATCH_SECONDS = 0.5
DATABASE = "chaos"


@dataclass(frozen=True)
class Plan:
    """One run."""

    seconds: float
    seed: int
    database: str = "sqlite"
    size: Size = field(default_factory=Size)
    calm: float = 1.0
    members: int = 3
    faults: bool = True
    lies: str = ""
    flags: tuple[str, ...] = ()
    within: float = 90.0
    """How long it may take until everything is settled in the end."""
    quiet: float = 4.0


@dataclass
class Outcome:
    """What came of a run."""

    plan: Plan
    findings: Findings
    unsettled: list[str]
    defects: list[str]
    starts: int
    failed_starts: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether something happened, and nothing is wrong."""
        return self.findings.clean and not self.unsettled and self.findings.figures["acks"] > 0


async def play(plan: Plan, folder: Path) -> Outcome:
    """Make everybody come, break things, put them in order, let everything settle, and check."""
    begun = now()
    disk = Disk(folder / "disk")
    try:
        async with _database(plan, folder) as mongo:
            environment = {"CHAOS_LIES": plan.lies}
            if mongo is not None:
                environment["REJOINDER_DATABASE"] = mongo.url(DATABASE)
            server = Server(folder / "server", disk.folder / "data", plan.flags, environment)
            with Recorder(folder / "python.jsonl") as record:
                await server.start()
                try:
                    unsettled = await _run(plan, server, folder, disk, mongo, record)
                finally:
                    await server.kill()
            rows = _rows(server, mongo)
    finally:
        disk.close()
    logs = [folder / "python.jsonl", folder / "node.jsonl", server.generations]
    findings = check(in_time([log for log in logs if log.exists()]), rows)
    (folder / "stored.json").write_bytes(msgspec.json.encode(rows))
    return Outcome(
        plan,
        findings,
        unsettled,
        server.defects(),
        server.starts,
        server.failed_starts,
        now() - begun,
    )


def _rows(server: Server, mongo: ReplicaSet | None) -> list[Stored]:
    if mongo is None:
        return stored.of_sqlite(server.data / "rejoinder.db")
    return stored.of_mongo(mongo.url(DATABASE))


@asynccontextmanager
async def _database(plan: Plan, folder: Path) -> AsyncIterator[ReplicaSet | None]:
    if plan.database == "sqlite":
        yield None
        return
    replicas = ReplicaSet(folder / "mongo", plan.members)
    try:
        replicas.start()
        yield replicas
    finally:
        replicas.stop()


async def _run(
    plan: Plan,
    server: Server,
    folder: Path,
    disk: Disk,
    mongo: ReplicaSet | None,
    record: Recorder,
) -> list[str]:
    async with Crowd(server, folder, record, plan.size, plan.seed) as crowd:
        rng = random.Random(f"{plan.seed} faults")  # noqa: S311 - it is to repeat itself
        faults = Faults(server, disk, crowd.links, record, rng, mongo, plan.calm)
        watching = _start(_watch(server, record))
        work = [_start(crowd.move())]
        if plan.faults:
            work += [_start(faults.big()), _start(faults.small())]
        done, _ = await asyncio.wait(
            work, timeout=plan.seconds, return_when=asyncio.FIRST_EXCEPTION
        )
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        for task in done:
            task.result()
        await faults.end()
        unsettled = await crowd.settle(plan.within, plan.quiet)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return unsettled


def _start(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    return asyncio.get_running_loop().create_task(work)


async def _watch(server: Server, record: Recorder) -> None:
    """Ask the server, past all links, who has more than one connection."""
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    timeout = aiohttp.ClientTimeout(total=2)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
        while True:
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                url = f"http://127.0.0.1:{server.port}/api/connections"
                async with http.get(url) as response:
                    if response.status == 200:  # noqa: PLR2004 - OK
                        listed = await response.json()
                        sockets: dict[str, list[str]] = {}
                        for each in listed:
                            sockets.setdefault(each["id"], []).append(each["socketId"])
                        several = {user: ids for user, ids in sockets.items() if len(ids) > 1}
                        record(Online(now(), several))
            await asyncio.sleep(WATCH_SECONDS)


async def _until_told(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Do it; who ends the program leaves nothing behind."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    return await task


def main() -> int:
    """The command; 0 only where nothing is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, prog="make chaos")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "mongodb"), default="sqlite")
    parser.add_argument("--servers", type=int, choices=(1,), default=1, help="one, so far")
    parser.add_argument("--people", type=int, default=Size.people)
    parser.add_argument("--rate", type=float, default=Size.rate, help="things done a second, each")
    parser.add_argument("--members", type=int, default=3, help="members of the replica set")
    parser.add_argument("--lies", default="", help="break promises on purpose: see chaos/lies.py")
    parser.add_argument("--keep", type=Path, help="keep what was written down in this folder")
    parser.add_argument("--write", action="store_true", help="put it into docs/reliability.md")
    given = parser.parse_args()
    plan = Plan(
        seconds=given.minutes * 60,
        seed=given.seed,
        database=given.database,
        members=given.members,
        size=Size(people=given.people, rate=given.rate),
        lies=given.lies,
    )
    folder = given.keep or Path(tempfile.mkdtemp(prefix="rejoinder-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome = asyncio.run(_until_told(play(plan, folder)))
    except asyncio.CancelledError:
        print(f"\nInterrupted. What was written down: {folder}")
        return 130
    print("\n".join(report.lines(outcome)))
    clean = outcome.clean
    if given.write:
        report.write(outcome)
    if clean and given.keep is None:
        shutil.rmtree(folder)
    else:
        print(f"\nWhat was written down: {folder}")
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
