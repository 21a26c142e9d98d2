"""What all that measures has in common: turns, the machine, and figures that a program writes into a page itself."""

import os
import platform
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def alternately(things: Sequence[T], rounds: int) -> Iterator[T]:
    """All of them in each round, in the opposite order every other time."""
    for turn in range(rounds):
        yield from things if turn % 2 == 0 else things[::-1]


def machine(*programs: str) -> str:
    """What it was measured on, without a name or a path of it; `programs` with their versions."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = (
        f"{os.cpu_count()} cores ({model})",
        f"{memory:.0f} GiB",
        f"{platform.system()} {platform.release().partition('-')[0]}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        *programs,
    )
    return ", ".join(parts)


def siblings(one: int, other: int) -> bool:
    """Whether two of the system's cores are threads of one."""
    folders = [Path(f"/sys/devices/system/cpu/cpu{core}/topology") for core in (one, other)]
    found = [folder / "thread_siblings_list" for folder in folders]
    return all(file.exists() for file in found) and found[0].read_text() == found[1].read_text()


def file_system(folder: Path) -> str:
    """The kind of file system that a folder is on: on one in memory, to commit costs nothing."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    # The last one mounted on the nearest point is the one that is seen.
    holding = [
        (len(at), number, kind)
        for number, (_, at, kind, *_) in enumerate(mounts)
        if folder.is_relative_to(at)
    ]
    return max(holding)[2] if holding else "an unknown file system"


def put_section(page: Path, name: str, lines: Sequence[str]) -> None:
    """Replace what is between the two marks of that name."""
    begin, end = f"<!-- {name}: made by a command -->", f"<!-- {name}: end -->"
    text = page.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, also_found, after = rest.partition(end)
    if not (found and also_found):
        raise ValueError(f"{page.name} has no marks for {name}")
    page.write_text("\n".join([before + begin, "", *lines, "", end + after]), encoding="utf-8")
