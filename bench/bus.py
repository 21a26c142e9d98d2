"""Measure what it costs servers to tell each other something over Redis: CPU of all of them for each batch that one sends and one hears.

They pass a turn around: whoever has it says something to all others, and the next one goes on when it has heard that. So each
batch is one of its own, and nobody waits for a clock. A real Redis runs beside it; its time is told apart.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from pathlib import Path

import structlog
import uvloop

from rejoinder.cluster.redis import RedisCluster

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "packages" / "backend"))

from tests.support.redis import RedisServer  # noqa: E402 - the tests' way to start a Redis

from report import machine  # noqa: E402

ITEM = b'["Row","room",["%b"]]' % (b"A message as people send them, not long. " * 5)
ROOM = "room"
WARM_UP = 500


class Player:
    """One server: says `items` things when it is its turn, and counts."""

    def __init__(self, cluster: RedisCluster, items: int) -> None:
        self._cluster = cluster
        self._items = items
        self._heard = 0
        self._others: list[str] = []
        self._before = ""
        self.turns = 0
        self.goal = 0
        self.reached = asyncio.Event()

    def seat(self, servers: Sequence[str]) -> None:
        """All know the same order."""
        at = servers.index(self._cluster.server_id)
        self._before = servers[at - 1]
        self._others = [server for server in servers if server != self._cluster.server_id]

    def say(self) -> None:
        """Have the turn."""
        for _ in range(self._items):
            self._cluster.send(self._others, ITEM)

    def heard(self, server: str, item: bytes) -> None:  # noqa: ARG002 - as the protocol has it
        """Count, and go on with whose turn it is after that."""
        if server != self._before:
            return
        self._heard += 1
        if self._heard == self._items:
            self._heard = 0
            self.turns += 1
            if self.turns >= self.goal:
                self.reached.set()
            self.say()

    def replaced(self, connection_id: str) -> None: ...
    def untold(self, server: str, connection_ids: Sequence[str]) -> None: ...
    def listening(self, room_id: str, servers: Collection[str]) -> None: ...
    def listed(self, room_id: str, servers: Collection[str]) -> None: ...
    def missed(self, server: str | None) -> None: ...
    def gone(self, server: str, *, ended: bool) -> None: ...


async def play(url: str, number: int, count: int, items: int, turns: int) -> None:
    """Be one of the servers; prints its seconds of CPU."""
    cluster = RedisCluster(url, 300)
    player = Player(cluster, items)
    await cluster.open(player)
    _ = await cluster.listen(ROOM)
    while len(servers := [*await cluster.listeners(ROOM), cluster.server_id]) < count:  # noqa: ASYNC110 - it is to cost nothing
        await asyncio.sleep(0.05)
    player.seat(sorted(servers))
    await asyncio.sleep(0.5)
    player.goal = WARM_UP
    if number == 0:
        player.say()
    _ = await player.reached.wait()
    player.reached.clear()
    player.goal, before = WARM_UP + turns, time.process_time()
    _ = await player.reached.wait()
    print(time.process_time() - before, flush=True)
    # The others need it yet, and it is ended when all have told.
    _ = await asyncio.Event().wait()


def measure(redis: RedisServer, database: int, count: int, items: int, turns: int) -> float:
    """Microseconds of all servers' CPU for each batch that goes from one to another."""
    players = [
        subprocess.Popen(
            [
                *(sys.executable, __file__, "--play", redis.url(database), "--number", str(number)),
                *("--servers", str(count), "--items", str(items), "--turns", str(turns)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for number in range(count)
    ]
    try:
        seconds = sum(float(player.stdout.readline()) for player in players if player.stdout)
    finally:
        for player in players:
            player.kill()
            player.communicate()
    return seconds / (turns * count * (count - 1)) * 1e6


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--items", type=int, default=1, help="how many things are said in a turn")
    parser.add_argument("--turns", type=int, default=20_000, help="of each server")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--play", metavar="URL", default="", help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.play:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(play(given.play, given.number, given.servers, given.items, given.turns))
        return
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        redis = RedisServer(Path(folder) / "redis").start()
        try:
            costs = [
                measure(redis, database, given.servers, given.items, given.turns)
                for database in range(given.rounds)
            ]
        finally:
            redis.stop()
    costs.sort()
    print(
        f"{given.servers} servers, {given.items} items in a batch: {costs[len(costs) // 2]:.1f} µs of CPU for a batch "
        f"that is sent and heard ({costs[0]:.1f} to {costs[-1]:.1f})"
    )


if __name__ == "__main__":
    main()
