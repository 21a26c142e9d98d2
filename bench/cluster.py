"""Measure what it costs that several servers are one chat: CPU of the servers for each event that reaches a client, and commands
that Redis and MongoDB are given, with 1, 2 and 3 servers and the same people in the same rooms, spread over them.

The figures go into docs/performance.md (see `--write`). A real Redis and a real mongod run beside it; their time is not counted.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvloop
from redis.asyncio import Redis

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "packages" / "backend"))

from tests.support.mongod import ReplicaSet  # noqa: E402 - the tests' way to start a mongod
from tests.support.process import SECRET, ServerProcess  # noqa: E402
from tests.support.redis import RedisServer  # noqa: E402

from people import token_of  # noqa: E402
from report import machine, put_section  # noqa: E402
from wire import Connection, Listener, Run  # noqa: E402

PEOPLE = 60
FEW, FEW_MESSAGES = 6, 1200
ALL_MESSAGES = 6000
WORDS = 150
STREAMS = 12
ROOMS = ("room", "room 2", "room 3")
COLUMNS = (
    f"CPU for a message delivered, {FEW} at a time",
    "Redis for a message",
    "MongoDB for a message",
    f"CPU for a message delivered, {PEOPLE} at a time",
    "MongoDB for a message",
    "CPU for a chunk delivered",
    "Redis for a chunk",
)
EXPIRES = 4_102_444_800.0
SECONDS = 120.0
IDLE_SECONDS = 4.0
IDLE_MORE = 0.03
"""Seconds of CPU a second by which servers may seem busier than they are."""
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = ROOT / "docs" / "performance.md"


class Counting(Listener):
    """Counts what comes."""

    def __init__(self) -> None:
        self.messages = self.chunks = self.ends = 0

    def hear(self, event: bytes, _frame: bytes) -> None:
        self.messages += event.startswith(b'42["message:new"')
        self.chunks += event.startswith(b'42["message:stream:chunk"')
        self.ends += event.startswith(b'42["message:stream:end"')


@dataclass(frozen=True)
class Cost:
    """Of one load: microseconds of the servers' CPU for each delivery, without what they use when nothing happens; for each event
    what Redis and MongoDB were given.
    """

    cpu: float
    publishes: float
    others: float
    inserts: float
    """Those that are refused, since another server was quicker, count as well."""
    reads: float


@dataclass(frozen=True)
class Running:
    """All that runs."""

    servers: list[ServerProcess]
    redis: RedisServer | None
    mongod: ReplicaSet


@contextmanager
def running(count: int) -> Iterator[Running]:
    """Servers; with more than one, over a Redis."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mongod = ReplicaSet(folder / "mongod").start()
        stack.callback(mongod.stop)
        flags = ["--database", mongod.url("bench"), "--send-rate=1e6", "--send-burst=1000000"]
        flags += ["--event-rate=1e6", "--event-burst=1000000", "--drain=0"]
        redis = RedisServer(folder / "redis").start() if count > 1 else None
        if redis is not None:
            stack.callback(redis.stop)
            flags += ["--redis", redis.url()]
        servers: list[ServerProcess] = []
        for number in range(count):
            server = ServerProcess(folder / f"server {number}", *flags).start()
            stack.callback(server.stop)
            servers.append(server)
        yield Running(servers, redis, mongod)


def cpu(servers: list[ServerProcess]) -> float:
    """Seconds of CPU that they have had."""
    total = 0.0
    for server in servers:
        stat = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        total += (int(stat[11]) + int(stat[12])) / TICKS
    return total


async def cpu_a_second(servers: list[ServerProcess], seconds: float) -> float:
    """What they use, for that long."""
    used, began = cpu(servers), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu(servers) - used) / (time.monotonic() - began)


async def until_idle(servers: list[ServerProcess], idle_cpu: float) -> None:
    """Wait until they do no more than without anybody: messages are put into the index of the search later."""
    async with asyncio.timeout(SECONDS):
        while await cpu_a_second(servers, 1.0) > idle_cpu + IDLE_MORE:
            pass


async def commands(redis: RedisServer | None) -> tuple[int, int]:
    """Publishes, and everything else, that Redis was given by now."""
    if redis is None:
        return 0, 0
    async with Redis.from_url(redis.url(), decode_responses=True) as client:
        stats = await client.info("commandstats")
    publishes = int(stats.get("cmdstat_publish", {}).get("calls", 0))
    called = sum(
        int(each["calls"])
        for name, each in stats.items()
        if name.split("_", 1)[1] in {"evalsha", "srem", "ping"}
    )
    return publishes, called


def operations(mongod: ReplicaSet) -> tuple[int, int]:
    """Inserts into the log, and reads of it, that MongoDB was given by now."""
    with mongod.client() as client:
        counted = client.admin.command("top")["totals"]["bench.chat_messages"]
    return int(counted["insert"]["count"]), int(counted["queries"]["count"])


@asynccontextmanager
async def people(servers: list[ServerProcess]) -> AsyncIterator[list[tuple[Connection, Counting]]]:
    """People in the same rooms, one after the other on each server."""
    run, clients = Run(), list[tuple[Connection, Counting]]()
    for number in range(PEOPLE):
        counting = Counting()
        token = token_of(f"user {number}", SECRET.encode(), EXPIRES)
        client = Connection(run, b'{"token":"%b"}' % token.encode(), counting)
        await client.open(servers[number % len(servers)].url)
        for room in ROOMS:
            await client.call("room:join", {"roomId": room, "characterId": "echo"})
        clients.append((client, counting))
    yield clients
    for client, _ in clients:
        client.close()


async def until(clients: list[tuple[Connection, Counting]], name: str, count: int) -> None:
    """Wait until all have heard so many."""
    async with asyncio.timeout(SECONDS):
        while any(getattr(counting, name) < count for _, counting in clients):  # noqa: ASYNC110 - it is to cost nothing
            await asyncio.sleep(0.05)


async def measure(count: int) -> list[Cost]:
    """Messages to all, of a few at a time and of all; then answers that all watch."""
    with running(count) as all_of_it:
        servers, redis = all_of_it.servers, all_of_it.redis
        async with people(servers) as clients:
            await asyncio.sleep(1.5)
            idle_cpu = await cpu_a_second(servers, IDLE_SECONDS)
            costs: list[Cost] = []
            for load in (
                partial(send_all, FEW, FEW_MESSAGES),
                partial(send_all, PEOPLE, ALL_MESSAGES),
                stream_all,
            ):
                used, before, began = cpu(servers), await commands(redis), time.monotonic()
                inserted, read = operations(all_of_it.mongod)
                events, delivered = await load(clients)
                await until_idle(servers, idle_cpu)
                publishes, others = await commands(redis)
                inserts, reads = operations(all_of_it.mongod)
                # What servers say without anybody saying anything: a beat, a ping and a publish to each, every second.
                lasted = time.monotonic() - began
                idle = lasted * count if redis is not None else 0
                costs.append(
                    Cost(
                        (cpu(servers) - used - lasted * idle_cpu) / delivered * 1e6,
                        max(publishes - before[0] - idle * count, 0) / events,
                        max(others - before[1] - idle * 2, 0) / events,
                        (inserts - inserted) / events,
                        (reads - read) / events,
                    )
                )
            return costs


async def send_all(
    at_once: int, count: int, clients: list[tuple[Connection, Counting]]
) -> tuple[int, int]:
    """Messages of so many people at a time, who wait for each other."""
    before = clients[0][1].messages
    for number in range(0, count, at_once):
        senders = clients[number % PEOPLE :][:at_once]
        text = {"roomId": ROOMS[0], "content": "A message as people send them, not long. " * 2}
        await asyncio.gather(*(client.call("message:send", text) for client, _ in senders))
    await until(clients, "messages", before + count)
    return count, count * PEOPLE


async def stream_all(clients: list[tuple[Connection, Counting]]) -> tuple[int, int]:
    """Answers, one at a time in each room."""
    before = sum(counting.chunks for _, counting in clients)
    for number in range(STREAMS):
        question = {"roomId": ROOMS[number % len(ROOMS)], "content": f"/count {WORDS} 10"}
        await clients[number][0].call("message:send:stream", question)
    await until(clients, "ends", STREAMS)
    delivered = sum(counting.chunks for _, counting in clients) - before
    return clients[0][1].chunks, delivered


async def main(*, write: bool) -> None:
    """Measure, print, and write it down."""
    loads = (
        f"{PEOPLE} people in one room, spread over the servers: {FEW_MESSAGES} messages of {FEW} of them at a time, {ALL_MESSAGES} of all "
        f"of them at a time, then {STREAMS} answers in three rooms, that all watch. Without the CPU that servers use when nothing happens."
    )
    lines = [
        machine(),
        "",
        loads,
        "",
        f"| servers | {' | '.join(COLUMNS)} |",
        f"|{'---|' * (len(COLUMNS) + 1)}",
    ]
    for count in (1, 2, 3):
        few, many, chunks = await measure(count)
        lines.append(
            f"| {count} | {few.cpu:.1f} µs | {few.publishes:.2f} publishes, {few.others:.2f} others "
            f"| {few.inserts:.2f} inserts, {few.reads:.2f} reads | {many.cpu:.1f} µs | {many.inserts:.2f} inserts, {many.reads:.2f} reads "
            f"| {chunks.cpu:.1f} µs | {chunks.publishes:.2f} publishes, {chunks.others:.2f} others |"
        )
        print(lines[-1], flush=True)
    print("\n".join(lines))
    if write:
        put_section(PAGE, "cluster", lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into the document")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(write=given.write))
