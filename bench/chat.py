"""Measure the chat beside other Socket.IO servers: what a delivery, a send, a chunk, a connect costs the server.

Each run is a new server process on one core and a load generator on another, the servers in turn, and each round in the
opposite order, so that whatever else the machine does hits all alike. A run in which a server loses, repeats or reorders
anything ends it all. The figures go into docs/performance.md (see `--write`), between two marks.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import get_args

from figures import Figures, Load, Plan
from report import alternately, file_system, machine, put_section, siblings
from servers import (
    SECRET,
    Peer,
    Running,
    allow_many_files,
    cores,
    node,
    play,
    python,
    rejoinder,
    started,
)
from tables import Found, load_table, ratio_table
from wire import Trouble

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 30.0
WARM_UP = 0.25

# Clients, members of a room, senders among them.
SIZES: Mapping[Load, tuple[int, int, int]] = {
    "fan-out": (500, 500, 8),
    "pairs": (200, 2, 2),
    "streams": (50, 1, 1),
    "connects": (16, 1, 0),
    "idle": (1000, 2, 0),
}
OURS_ALONE: Sequence[Load] = ("streams",)
HOW: Mapping[Load, str] = {
    "fan-out": "One room of 500, of whom 8 send, each the next message when the last is acked and delivered to all 500. "
    "Milliseconds: from a send to each delivery.",
    "pairs": "200 users in rooms of two; each sends the next message when the last is acked and delivered to both. "
    "Milliseconds: until then.",
    "streams": "50 characters write about 50 deltas a second each, with a viewer each; the server joins deltas to chunks. "
    "Milliseconds: from one chunk to the next. The load is fixed, not all that the server can do.",
    "connects": "16 at a time connect with a token, join a room of their own, and go. "
    "Milliseconds: from the TCP connect to the ack of the join.",
    "idle": "1,000 connections, in rooms of two, after 100 others: what the server's resident memory grew by for each.",
}


def plan_of(load: Load, server: Running, seconds: float) -> Plan:
    """The full size of that load."""
    clients, room_size, senders = SIZES[load]
    return Plan(
        load=load,
        url=server.url,
        pid=server.pid,
        secret=SECRET,
        seconds=seconds,
        warm_up=seconds * WARM_UP,
        patience=PATIENCE,
        clients=clients,
        room_size=room_size,
        senders=senders,
    )


def measure(
    loads: Sequence[Load], peers: Sequence[Peer], seconds: float, repeat: int
) -> dict[tuple[Load, str], list[Figures]]:
    """Everything, alternately.

    Raises:
        Trouble: a run failed.
    """
    found: dict[tuple[Load, str], list[Figures]] = {}
    for load in loads:
        takers = [peer for peer in peers if peer is peers[0] or load not in OURS_ALONE]
        for peer in takers:
            found[load, peer.name] = []
        for peer in alternately(takers, repeat):
            with tempfile.TemporaryDirectory() as folder, started(peer, Path(folder)) as server:
                try:
                    figures = play(plan_of(load, server, seconds))
                except Trouble as trouble:
                    raise Trouble(f"{load}, {peer.name}: {trouble}") from trouble
            found[load, peer.name].append(figures)
            print(
                f"{load:8} {peer.name:24} {figures.rate:9,.0f}/s {figures.server_us:8,.1f} µs"
                f"  p50 {figures.p50:.1f}  p99 {figures.p99:.1f}  {figures.rss:.0f} MiB"
                f"  load's core {figures.generator:.0%}",
                flush=True,
            )
    return found


def main() -> int:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=8, help="of measuring, each time")
    parser.add_argument("--repeat", type=int, default=3, help="rounds, of which the median counts")
    parser.add_argument(
        "--only", nargs="+", choices=get_args(Load), default=get_args(Load), metavar="LOAD",
        help=f"these loads: {', '.join(get_args(Load))}",
    )  # fmt: skip
    parser.add_argument(
        "--write", action="store_true", help="put the tables into docs/performance.md"
    )
    options = parser.parse_args()
    allow_many_files()
    load_before = os.getloadavg()[0]
    peers = [rejoinder(), node(), python()]
    loads: list[Load] = [load for load in get_args(Load) if load in options.only]
    try:
        found = measure(loads, peers, options.seconds, options.repeat)
    except Trouble as trouble:
        print(f"FAILED: {trouble}", file=sys.stderr)
        return 1
    node_version = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    programs = (f"Node {node_version}", f"uvicorn {metadata.version('uvicorn')}")
    what = (
        f"Measured on {machine(*programs)}; {_where()}, data on "
        f"{file_system(Path(tempfile.gettempdir()))}; the median "
        f"of {options.repeat} rounds of {options.seconds:g} s, the servers in turn. Load of the machine before: "
        f"{load_before:.1f}. The range is that of the rounds. The server's core: how busy the server kept it; the load's core: how busy the load "
        "generator kept it at most."
    )
    lines = [what, *_sections(loads, found, peers[0].name)]
    if options.write:
        put_section(ROOT / "docs" / "performance.md", "chat", lines)
    else:
        print("\n".join(["", *lines]))
    return 0


def _where() -> str:
    server, load = cores()
    if server == load:
        return "server and load on ONE core, so that only the CPU times mean something"
    if siblings(server, load):
        return "server and load on two threads of one core"
    return "server and load on a core each"


def _sections(loads: Sequence[Load], found: Found, own: str) -> list[str]:
    lines = ["", *ratio_table(found, own)]
    for load in loads:
        lines += ["", f"**{load}**: {HOW[load]}", "", *load_table(load, found)]
    return lines


if __name__ == "__main__":
    sys.exit(main())
