"""Break a server, or several, for some minutes while people chat, and check what was promised.

`make chaos MINUTES=2 SEED=1 DATABASE=sqlite` (or `mongodb`), or `make chaos SERVERS=3`.
"""

import argparse
import asyncio
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from pymongo.errors import PyMongoError

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "packages" / "backend")]

from tests.support.mongod import ReplicaSet  # noqa: E402 - the tests' way to start a mongod
from tests.support.redis import RedisServer  # noqa: E402 - and a Redis

from chaos import report, stored  # noqa: E402
from chaos.check import Findings, check  # noqa: E402
from chaos.crowd import Crowd, End, Size  # noqa: E402
from chaos.disk import Disk  # noqa: E402
from chaos.faults import Faults  # noqa: E402
from chaos.fleet import Fleet  # noqa: E402
from chaos.harm import Harm  # noqa: E402
from chaos.record import Recorder, Stored, in_time, now  # noqa: E402
from chaos.server import Server  # noqa: E402
from chaos.story import tell  # noqa: E402
from chaos.watch import Watch, watch_database  # noqa: E402

T = TypeVar("T")
DATABASE = "chaos"
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Plan:
    """One run."""

    seconds: float
    """How long things break, unless `rounds` of all that may break are over before that."""
    seed: int
    database: str = "sqlite"
    servers: int = 1
    """With more than one there is a Redis between them, and the database is MongoDB."""
    size: Size = field(default_factory=Size)
    calm: float = 1.0
    """How much longer the pauses between faults are."""
    hurry: float = 1.0
    """How much longer faults last."""
    members: int = 3
    faults: bool = True
    kinds: tuple[str, ...] = ()
    """What happens to servers and what they stand on, if not everything."""
    rounds: int = 0
    lies: str = ""
    flags: tuple[str, ...] = ()
    within: float = 90.0
    """How long it may take until everything is settled in the end."""
    quiet: float = 4.0
    whole: float = 5.0
    """How long it may take until everybody has everything, when nothing is broken or written any more: as is promised."""


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
        async with database_of(plan, folder) as mongo:
            fleet = fleet_of(plan, folder, disk, mongo)
            with Recorder(folder / "python.jsonl") as record:
                async with fleet:
                    unsettled = await _run(plan, fleet, folder, disk, mongo, record)
            rows = rows_of(fleet.servers[0], mongo)
    finally:
        disk.close()
    logs = [folder / "python.jsonl", folder / "node.jsonl"]
    logs += [server.generations for server in fleet.servers]
    logs = [log for log in logs if log.exists()]
    findings = check(in_time(logs), rows)
    tell(folder, findings.examples, in_time(logs), rows)
    (folder / "stored.json").write_bytes(msgspec.json.encode(rows))
    return Outcome(
        plan,
        findings,
        unsettled,
        fleet.defects(),
        fleet.starts,
        fleet.failed_starts,
        now() - begun,
    )


def fleet_of(plan: Plan, folder: Path, disk: Disk, mongo: ReplicaSet | None) -> Fleet:
    """The servers of a run, which are not started yet."""
    environment = {"CHAOS_LIES": plan.lies}
    if mongo is not None:
        environment["REJOINDER_DATABASE"] = mongo.url(DATABASE)
    servers = []
    for number in range(1, plan.servers + 1):
        name = f"server {number}"
        data = disk.folder / f"data {number}"
        servers.append(Server(name, folder / name, data, plan.flags, environment))
    return Fleet(servers, RedisServer(folder / "redis") if plan.servers > 1 else None)


def rows_of(server: Server, mongo: ReplicaSet | None) -> list[Stored]:
    """What is stored in the end."""
    if mongo is None:
        return stored.of_sqlite(server.data / "rejoinder.db")
    return stored.of_mongo(mongo.url(DATABASE))


@asynccontextmanager
async def database_of(plan: Plan, folder: Path) -> AsyncIterator[ReplicaSet | None]:
    """The database of a run, where it is not the embedded one."""
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
    fleet: Fleet,
    folder: Path,
    disk: Disk,
    mongo: ReplicaSet | None,
    record: Recorder,
) -> list[str]:
    async with Crowd(fleet, folder, record, plan.size, plan.seed) as crowd:
        rng = random.Random(f"{plan.seed} faults")  # noqa: S311 - it is to repeat itself
        harm = Harm(fleet, disk, rng, mongo, plan.hurry)
        faults = Faults(harm, crowd.links, record, rng, plan.calm, plan.kinds)
        look = partial(_unfinished, fleet.servers[0], mongo)
        watching = [_start(Watch(fleet, record).run())]
        if plan.servers == 1:
            watching.append(_start(watch_database(look, record)))
        work = [_start(crowd.move())]
        if plan.faults:
            work += [_start(faults.big(plan.rounds)), _start(faults.small())]
        done, _ = await asyncio.wait(
            work, timeout=plan.seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        for task in done:
            task.result()
        await faults.end()
        await crowd.hush()
        unsettled = await _pay(look, plan.within)
        newest = partial(_newest, fleet.servers[0], mongo)
        unsettled += await crowd.settle(End(plan.within, plan.quiet, plan.whole, newest))
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        return unsettled


async def _pay(look: Callable[[], stored.Unfinished], within: float) -> list[str]:
    """Wait until no answer is owed any more: what was left by the last kill comes late to those who watch."""
    deadline = now() + within
    trouble = ""
    while now() < deadline:
        try:
            owed = (await asyncio.to_thread(look)).owed
        except (sqlite3.Error, PyMongoError) as error:
            trouble = f"what is owed can't be read: {error}"
        else:
            if not owed:
                return []
            trouble = f"{len(owed)} questions wait for an answer"
        await asyncio.sleep(LOOK_SECONDS)
    return [trouble]


def _unfinished(server: Server, mongo: ReplicaSet | None) -> stored.Unfinished:
    if mongo is None:
        return stored.unfinished_of_sqlite(server.data / "rejoinder.db")
    return stored.unfinished_of_mongo(mongo.url(DATABASE))


def _newest(server: Server, mongo: ReplicaSet | None) -> dict[str, int]:
    if mongo is None:
        return stored.newest_of_sqlite(server.data / "rejoinder.db")
    return stored.newest_of_mongo(mongo.url(DATABASE))


def _start(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    return asyncio.get_running_loop().create_task(work)


async def until_told(work: Coroutine[Any, Any, T]) -> T:
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
    parser.add_argument("--database", choices=("sqlite", "mongodb"))
    parser.add_argument(
        "--servers", type=int, default=1, help="several share a MongoDB and a Redis"
    )
    parser.add_argument("--people", type=int, default=Size.people)
    parser.add_argument("--rate", type=float, default=Size.rate, help="things done a second, each")
    parser.add_argument("--members", type=int, default=3, help="members of the replica set")
    parser.add_argument("--lies", default="", help="break promises on purpose: see chaos/lies.py")
    parser.add_argument("--keep", type=Path, help="keep what was written down in this folder")
    parser.add_argument("--write", action="store_true", help="put it into docs/reliability.md")
    given = parser.parse_args()
    database = given.database or ("sqlite" if given.servers == 1 else "mongodb")
    if given.servers > 1 and database != "mongodb":
        parser.error("several servers need --database mongodb")
    plan = Plan(
        seconds=given.minutes * 60,
        seed=given.seed,
        database=database,
        servers=given.servers,
        members=given.members,
        size=Size(people=given.people, rate=given.rate),
        lies=given.lies,
    )
    folder = given.keep or Path(tempfile.mkdtemp(prefix="rejoinder-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome = asyncio.run(until_told(play(plan, folder)))
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
