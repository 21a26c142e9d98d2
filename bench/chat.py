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

from figures import Figures, Load
from loads import SPECS, plan_of
from page import figures_page, write_plots
from report import alternately, file_system, machine, put_section, siblings
from servers import PEERS, SECRET, Key, Peer, allow_many_files, cores, play, started
from wire import Trouble

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PLOTS = "performance"


def measure(
    loads: Sequence[Load], peers: Sequence[Peer], seconds: float, repeat: int, files: int
) -> dict[tuple[Load, Key], list[Figures]]:
    """Everything, alternately.

    Raises:
        Trouble: a run failed.
    """
    found: dict[tuple[Load, Key], list[Figures]] = {}
    for load in loads:
        takers = [peer for peer in peers if load in peer.loads]
        for peer in takers:
            found[load, peer.key] = []
        for peer in alternately(takers, repeat):
            with tempfile.TemporaryDirectory() as folder, started(peer, Path(folder)) as server:
                plan = plan_of(load, server.url, server.pid, SECRET, seconds, files)
                try:
                    figures = play(plan)
                except Trouble as trouble:
                    raise Trouble(f"{load}, {peer.name}: {trouble}") from trouble
            found[load, peer.key].append(figures)
            print(_line(load, peer, figures), flush=True)
    return found


def _line(load: Load, peer: Peer, run: Figures) -> str:
    more = {
        "idle": f"  {run.each:.1f} KiB each",
        "storm": f"  all back after {run.whole:,.0f} ms",
        "pages": f"  sends {run.send_p50:.1f}, {run.send_p99:.1f} (alone {run.alone_p50:.1f}, {run.alone_p99:.1f})",
    }.get(load, "")
    return (
        f"{load:8} {peer.name:24} {run.rate:9,.0f}/s {run.server_us:8,.1f} µs  p50 {run.p50:.1f}  p99 {run.p99:.1f}"
        f"  {run.rss:.0f} MiB  cores {run.server:.0%} {run.generator:.0%}{more}"
    )


def main() -> int:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=8, help="of measuring, each time")
    parser.add_argument("--repeat", type=int, default=3, help="rounds, of which the median counts")
    for what, choices in (("load", get_args(Load)), ("peer", get_args(Key))):
        parser.add_argument(
            f"--{what}s", nargs="+", choices=choices, default=choices, metavar=what.upper(),
            help=f"these {what}s: {', '.join(choices)}",
        )  # fmt: skip
    parser.add_argument(
        "--write", action="store_true", help="put the tables and plots of these into docs/"
    )
    options = parser.parse_args()
    files = allow_many_files()
    load_before = os.getloadavg()[0]
    peers = [make() for key, make in PEERS.items() if key in options.peers]
    loads = [load for load in SPECS if load in options.loads]
    try:
        found = measure(loads, peers, options.seconds, options.repeat, files)
    except Trouble as trouble:
        print(f"FAILED: {trouble}", file=sys.stderr)
        return 1
    names: Mapping[Key, str] = {peer.key: peer.name for peer in peers}
    what = (
        f"Measured on {_machine()}; {_where()}, data on {file_system(Path(tempfile.gettempdir()))}; the median of "
        f"{options.repeat} rounds of {options.seconds:g} s, the servers in turn. Load of the machine before: "
        f"{load_before:.1f}."
    )
    if options.write:
        lines = figures_page(found, names, PLOTS)
        write_plots(found, names, DOCS / PLOTS)
        put_section(DOCS / "performance.md", "chat", [what, "", *lines])
    else:
        print("\n".join(["", what, "", *figures_page(found, names, None)]))
    return 0


def _machine() -> str:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return machine(
        f"Node {node.stdout.strip()}",
        *(f"{name} {metadata.version(name)}" for name in ("uvicorn", "uvloop", "picows")),
    )


def _where() -> str:
    server, load = cores()
    if server == load:
        return "server and load on ONE core, so that only the CPU times mean something"
    if siblings(server, load):
        return "server and load on two threads of one core"
    return "server and load on a core each"


if __name__ == "__main__":
    sys.exit(main())
