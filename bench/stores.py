"""Measure the stores side by side: acknowledged appends a second, and pages of history out of rooms of several sizes.

Both run in the same process on the same disk, alternately, so that whatever else the machine does hits both alike. The
figures go into docs/performance.md (see `--write`), between two marks, with what was measured on.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "packages" / "backend"))

from tests.support.mongod import ReplicaSet  # noqa: E402 - the tests' way to start a mongod

from rejoinder.protocol.events import ChatMessage  # noqa: E402
from rejoinder.protocol.fields import iso  # noqa: E402
from rejoinder.stores.base import Store  # noqa: E402
from rejoinder.stores.mongo import MongoStore  # noqa: E402
from rejoinder.stores.sqlite import SqliteStore  # noqa: E402
from rejoinder.testing.store.tools import NOW, draft, fresh  # noqa: E402
from report import machine, put_section  # noqa: E402

SENDERS = 100
ROOMS = (1, 10, 100)
PAGE = 50
FILL = 1000
TEXT = "안녕하세요, a message as people send them: not long, not short. " * 2
WARM_UP = 0.5
PLACES = ("newest", "middle", "oldest")

Make = Callable[[], Store]


@dataclass(frozen=True)
class Figures:
    """One run: how many a second, and how long one took, in milliseconds."""

    rate: float
    p50: float
    p99: float


@asynccontextmanager
async def opened(make: Make) -> AsyncIterator[Store]:
    """A store that is open within the block."""
    store = make()
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def figures(times: Sequence[float], seconds: float) -> Figures:
    """What the times of single calls come to."""
    percentiles = statistics.quantiles(times, n=100, method="inclusive")
    return Figures(len(times) / seconds, percentiles[49] * 1000, percentiles[98] * 1000)


def middle(runs: Sequence[Figures]) -> Figures:
    """The median of several runs, figure by figure."""
    return Figures(
        statistics.median(run.rate for run in runs),
        statistics.median(run.p50 for run in runs),
        statistics.median(run.p99 for run in runs),
    )


async def append_all_the_time(store: Store, rooms: int, seconds: float) -> Figures:
    """People who each send the next message when the last is acknowledged."""
    room_ids = [fresh("room") for _ in range(rooms)]
    for room_id in room_ids:
        await store.create_room(room_id, "owner", NOW, None)
    times: list[float] = []
    start = time.perf_counter() + WARM_UP
    end = start + seconds

    async def send(number: int) -> None:
        room_id = room_ids[number % rooms]
        while (begun := time.perf_counter()) < end:
            await store.append(draft(room_id, TEXT, f"sender {number}"))
            if begun >= start:
                times.append(time.perf_counter() - begun)

    await asyncio.gather(*map(send, range(SENDERS)))
    return figures(times, time.perf_counter() - start)


async def fill(store: Store, room_id: str, size: int) -> None:
    """A room with that many messages."""
    await store.create_room(room_id, "owner", NOW, None)
    for first in range(1, size + 1, FILL):
        await store.put_messages(
            [
                ChatMessage(
                    id=f"{room_id} {seq}",
                    room_id=room_id,
                    seq=seq,
                    role="user",
                    sender_id=f"sender {seq % SENDERS}",
                    content=TEXT,
                    state="complete",
                    timestamp=iso(NOW + seq),
                )
                for seq in range(first, min(first + FILL, size + 1))
            ]
        )


async def read_pages(store: Store, room_id: str, size: int, count: int) -> dict[str, Figures]:
    """A page at both ends and in the middle, one after the other."""
    readings: dict[str, Callable[[], Awaitable[object]]] = {
        "newest": lambda: store.page_before(room_id, None, PAGE),
        "middle": lambda: store.page_before(room_id, size // 2, PAGE),
        "oldest": lambda: store.page_after(room_id, 0, PAGE),
    }
    found: dict[str, Figures] = {}
    for place, read in readings.items():
        times = []
        for _ in range(count):
            begun = time.perf_counter()
            await read()
            times.append(time.perf_counter() - begun)
        found[place] = figures(times, sum(times))
    return found


def append_table(runs: dict[tuple[str, int], list[Figures]], names: Sequence[str]) -> list[str]:
    """The figures of appending as Markdown."""
    lines = [
        "| rooms | " + " | ".join(f"{name}: acked/s | p50 | p99" for name in names) + " |",
        "|---|" + "---|" * 3 * len(names),
    ]
    for rooms in ROOMS:
        found = [middle(runs[name, rooms]) for name in names]
        cells = " | ".join(f"{f.rate:,.0f} | {f.p50:.1f} ms | {f.p99:.1f} ms" for f in found)
        lines.append(f"| {rooms} | {cells} |")
    return lines


def page_table(
    runs: dict[tuple[str, int, str], list[Figures]], names: Sequence[str], sizes: Sequence[int]
) -> list[str]:
    """The figures of pages as Markdown."""
    lines = [
        "| messages in the room | page | " + " | ".join(f"{n}: p50 | p99" for n in names) + " |",
        "|---|---|" + "---|" * 2 * len(names),
    ]
    for size in sizes:
        for place in PLACES:
            found = [middle(runs[name, size, place]) for name in names]
            cells = " | ".join(f"{f.p50:.2f} ms | {f.p99:.2f} ms" for f in found)
            lines.append(f"| {size:,} | {place} | {cells} |")
    return lines


async def measure(makes: dict[str, Make], options: argparse.Namespace) -> list[str]:
    """Everything, alternately; the tables."""
    names = list(makes)
    appends: dict[tuple[str, int], list[Figures]] = {}
    pages: dict[tuple[str, int, str], list[Figures]] = {}
    for turn in range(options.rounds):
        for rooms in ROOMS:
            for name in names if turn % 2 == 0 else names[::-1]:
                async with opened(makes[name]) as store:
                    run = await append_all_the_time(store, rooms, options.seconds)
                appends.setdefault((name, rooms), []).append(run)
                print(
                    f"{name:8} {rooms:4} rooms {run.rate:8,.0f}/s  p50 {run.p50:.1f}  p99 {run.p99:.1f}"
                )
    for size in options.sizes:
        for name in names:
            async with opened(makes[name]) as store:
                await fill(store, f"room of {size}", size)
            print(f"{name:8} filled {size:,}")
        for turn in range(options.rounds):
            for name in names if turn % 2 == 0 else names[::-1]:
                async with opened(makes[name]) as store:
                    found = await read_pages(store, f"room of {size}", size, options.pages)
                for place, figure in found.items():
                    pages.setdefault((name, size, place), []).append(figure)
                    print(f"{name:8} {size:9,} {place}  p50 {figure.p50:.2f}  p99 {figure.p99:.2f}")
    how = (
        f"Appends: {SENDERS} senders, spread over the rooms, each of whom sends the next message ({len(TEXT.encode())} "
        "bytes) when the last is acknowledged, so that it is on the disk."
    )
    return [
        how,
        "",
        *append_table(appends, names),
        "",
        f"History: a page of {PAGE} messages.",
        "",
        *page_table(pages, names, options.sizes),
    ]


def main() -> None:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5, help="of appending, each time")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is taken")
    parser.add_argument("--pages", type=int, default=500, help="readings of each page and round")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument(
        "--write", action="store_true", help="put the tables into docs/performance.md"
    )
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        mongod = ReplicaSet(Path(folder) / "mongod").start()
        try:
            with mongod.client() as client:
                version = str(client.server_info()["version"])
            makes: dict[str, Make] = {
                "SQLite": lambda: SqliteStore(Path(folder) / "sqlite" / "rejoinder.db"),
                "MongoDB": lambda: MongoStore(mongod.url("bench")),
            }
            tables = uvloop.run(measure(makes, options))
        finally:
            mongod.stop()
    what = (
        f"Measured on {machine(f'MongoDB {version}')}; both stores on the same disk, MongoDB as a set of one; the median of "
        f"{options.rounds} rounds of {options.seconds:g} s, alternately. Load of the machine before: {load:.1f}."
    )
    section = [what, "", *tables]
    if options.write:
        put_section(ROOT / "docs" / "performance.md", "stores", section)
    else:
        print("\n".join(section))


if __name__ == "__main__":
    main()
