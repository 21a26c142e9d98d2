"""Restart two servers, one after the other, while an answer runs in each of many rooms, and check what was promised.

`make rolling ROOMS=500`. In each room somebody asks, again as soon as the answer has ended, and somebody else watches, on the
other server. Nothing else goes wrong, so that not one answer may end before it is complete.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "packages" / "backend")]

from chaos import deeds  # noqa: E402
from chaos.check import Findings, check  # noqa: E402
from chaos.crowd import token_of  # noqa: E402
from chaos.device import Device, Habits, Identity  # noqa: E402
from chaos.disk import Disk  # noqa: E402
from chaos.fleet import Fleet  # noqa: E402
from chaos.record import Fault, Recorder, in_time, now  # noqa: E402
from chaos.report import PAGE, machine, put_section  # noqa: E402
from chaos.run import Plan, database_of, fleet_of, rows_of, until_told  # noqa: E402
from chaos.server import Server  # noqa: E402
from chaos.watch import Watch  # noqa: E402

SERVERS = 2
LOOK_SECONDS = 0.25
QUIET_SECONDS = 2.0
NEARLY_ALL = 0.95
"""Of the rooms; in the others an answer has just ended."""
OK = 200


@dataclass(frozen=True)
class Roll:
    """One rolling restart."""

    rooms: int = 500
    pieces: int = 12
    pause_ms: int = 2000
    """Between two pieces of an answer."""
    drain: float = 90.0
    """Seconds that a server takes at most to hand everything over."""
    within: float = 120.0
    """How long anything else may take."""
    seed: int = 1


@dataclass
class Outcome:
    """What came of it."""

    roll: Roll
    findings: Findings
    states: dict[str, int]
    """The answers, by how they have ended."""
    running: list[int] = field(default_factory=list)
    """How many answers ran when each server was told to end."""
    restarts: list[float] = field(default_factory=list)
    """Seconds from then until the server was there again."""
    moves: int = 0
    """Connections that were made anew."""
    unsettled: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether all answers are complete, and nothing is wrong."""
        whole = set(self.states) == {"complete"}
        return whole and self.findings.clean and not (self.unsettled or self.defects)


@dataclass(frozen=True)
class Straight:
    """To any server that listens, another one each time."""

    port: Callable[[], int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port()}"


async def play(roll: Roll, folder: Path) -> Outcome:
    """Have everybody come, restart the servers, let everything settle, and check."""
    plan = Plan(0, roll.seed, "mongodb", SERVERS, members=1, flags=(f"--drain={roll.drain:g}",))
    disk = Disk(folder / "disk")
    try:
        async with database_of(plan, folder) as mongo:
            fleet = fleet_of(plan, folder, disk, mongo)
            for server in fleet.servers:
                server.patience = roll.drain + roll.within
            with Recorder(folder / "python.jsonl") as record:
                async with (
                    fleet,
                    aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
                ):
                    crowd = Crowd(roll, fleet, record, http)
                    rolled = await crowd.run()
            rows = rows_of(fleet.servers[0], mongo)
    finally:
        disk.close()
    logs = [folder / "python.jsonl", *(server.generations for server in fleet.servers)]
    rolled.findings = check(in_time(logs), rows)
    rolled.states = dict(Counter(row.state for row in rows if row.role == "character"))
    rolled.defects = fleet.defects()
    return rolled


class Crowd:
    """Who asks, and who watches."""

    def __init__(
        self, roll: Roll, fleet: Fleet, record: Recorder, http: aiohttp.ClientSession
    ) -> None:
        self._roll = roll
        self._fleet = fleet
        self._record = record
        self._http = http
        self._asking = [self._device(number, "asks") for number in range(roll.rooms)]
        self._watching = [self._device(number, "watches") for number in range(roll.rooms)]

    @property
    def _devices(self) -> Sequence[Device]:
        return (*self._asking, *self._watching)

    def _device(self, number: int, does: str) -> Device:
        name = f"{does}-{number}"
        rng = random.Random(f"{self._roll.seed} {name}")  # noqa: S311 - it is to repeat itself
        identity = Identity(name, name, token_of(name), lambda: [f"room-{number}"])
        act = self._ask if does == "asks" else _nothing
        habits = Habits(rate=4.0, window=1, asks=1.0, act=act, tick=0.25, beat=10.0)
        way = Straight(self._fleet.target(rng))
        return Device(identity, way, self._record, self._http, habits, rng)

    def _ask(self, device: Device) -> None:
        for view in device.views.values():
            # What was asked has its answer by the time that the next thing is done, or is on its way to it.
            answered = {row.reply_to for row in view.rows.values()}
            waits = any(draft.id not in answered for draft in view.acked)
            if view.inside and not (view.outbox or view.running or waits):
                deeds.ask(device, view, self._roll.pieces, self._roll.pause_ms)

    async def run(self) -> Outcome:
        """All of it, up to the end of the clients."""
        loop = asyncio.get_running_loop()
        outcome = Outcome(self._roll, check((), ()), {})
        lives = [loop.create_task(device.live()) for device in self._devices]
        lives.append(loop.create_task(Watch(self._fleet, self._record).run()))
        try:
            for server in self._fleet.servers:
                outcome.running.append(await self._all_run())
                outcome.restarts.append(await self._restart(server))
            await self._all_run()
            outcome.unsettled = await self._settle()
            for device in self._devices:
                device.show(final=True)
            outcome.moves = sum(device.connections - 1 for device in self._devices)
        finally:
            for task in lives:
                task.cancel()
            await asyncio.gather(*lives, return_exceptions=True)
        return outcome

    async def _all_run(self) -> int:
        """Wait until there is an answer in all rooms that has just begun or runs; how many run."""
        deadline = now() + self._roll.within
        while True:
            running = self._running()
            if running >= self._roll.rooms * NEARLY_ALL or now() > deadline:
                return running
            await asyncio.sleep(LOOK_SECONDS)

    def _running(self) -> int:
        return sum(bool(view.running) for each in self._asking for view in each.views.values())

    async def _restart(self, server: Server) -> float:
        begun = now()
        self._record(Fault(begun, "server ended"))
        await server.end()
        await server.start()
        await self._ready(server)
        self._record(Fault(now(), "server ended", ended=True))
        return now() - begun

    async def _ready(self, server: Server) -> None:
        deadline = now() + self._roll.within
        while now() < deadline:
            with suppress(aiohttp.ClientError):
                async with self._http.get(f"http://127.0.0.1:{server.port}/readyz") as response:
                    if response.status == OK:
                        return
            await asyncio.sleep(LOOK_SECONDS)

    async def _settle(self) -> list[str]:
        for device in self._devices:
            device.quiet = True
        deadline = now() + self._roll.within
        while True:
            troubles = [
                f"{each.name}: {each.trouble}" for each in self._devices if not each.settled
            ]
            if not troubles and now() - self._record.written_at > QUIET_SECONDS:
                return []
            if now() > deadline:
                return troubles or ["answers are still being written"]
            await asyncio.sleep(LOOK_SECONDS)


def _nothing(_device: Device) -> None:
    """Who only watches does nothing."""


def lines(outcome: Outcome) -> Iterator[str]:
    """What came of it, for the terminal and for the page."""
    roll, found = outcome.roll, outcome.findings
    answers = sum(outcome.states.values())
    yield f"`make rolling ROOMS={roll.rooms}`: two servers, MongoDB, Redis; in each of {roll.rooms:,} rooms one asks and one watches."
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| answers that ran when each server was told to end | {' and '.join(map(str, outcome.running))} |"
    yield f"| until it was there again | {' and '.join(f'{each:.0f} s' for each in outcome.restarts)} |"
    yield f"| connections that moved | {outcome.moves:,} |"
    yield f"| answers in all, of {roll.pieces * roll.pause_ms / 1000:g} s each | {answers:,} |"
    yield f"| of them complete | {outcome.states.get('complete', 0):,} |"
    yield f"| events heard | {found.figures['events']:,} |"
    wrong = {column: count for column, count in found.counts.items() if count}
    yield f"| broken promises, in all columns of the tables above | {wrong or 0} |"
    yield ""
    yield f"On {machine()}."


def main() -> int:
    """The command; 0 only where nothing is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, prog="make rolling")
    parser.add_argument("--rooms", type=int, default=Roll.rooms)
    parser.add_argument("--keep", type=Path, help="keep what was written down in this folder")
    parser.add_argument("--write", action="store_true", help="put it into docs/reliability.md")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="rejoinder-rolling-"))
    folder.mkdir(parents=True, exist_ok=True)
    outcome = asyncio.run(until_told(play(Roll(rooms=given.rooms), folder)))
    print("\n".join(lines(outcome)))
    for trouble in (*outcome.findings.examples, *outcome.unsettled, *outcome.defects):
        print(f"  {trouble}")
    if given.write:
        put_section(PAGE, "rolling restart", list(lines(outcome)))
    if outcome.clean and given.keep is None:
        shutil.rmtree(folder)
    else:
        print(f"\nWhat was written down: {folder}")
    return 0 if outcome.clean else 1


if __name__ == "__main__":
    sys.exit(main())
