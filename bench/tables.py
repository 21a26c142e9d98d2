"""The figures of the servers side by side, as Markdown."""

import statistics
from collections.abc import Callable, Mapping, Sequence

import msgspec

from figures import Figures, Load
from loads import SPECS
from servers import Key

Found = Mapping[tuple[Load, Key], Sequence[Figures]]
"""The figures of each load and server, one for each round."""
Names = Mapping[Key, str]
Column = tuple[str, Callable[[Figures, Sequence[Figures]], str]]
"""Its head, and what it says of the median and the runs."""

BUSY = 0.9
"""Share of a core above which it may be what sets the pace."""


def middle(runs: Sequence[Figures]) -> Figures:
    """The median of several runs, figure by figure."""
    names = Figures.__struct_fields__
    medians = {name: statistics.median(getattr(run, name) for run in runs) for name in names}
    return msgspec.convert({**medians, "units": round(medians["units"])}, Figures)


def cost(load: Load, run: Figures) -> float:
    """What servers are compared by: microseconds of CPU for a unit, or KiB for an idle connection."""
    return run.each if load == "idle" else run.server_us


def limited(runs: Sequence[Figures]) -> bool:
    """Whether the load generator may have set the pace."""
    return any(run.generator > BUSY > run.server for run in runs)


def load_table(load: Load, found: Found, names: Names) -> list[str]:
    """One row for each server."""
    columns = _columns(load)
    rows = [
        [names[key], *(say(middle(runs), runs) for _, say in columns)]
        for (of, key), runs in found.items()
        if of == load
    ]
    return table(["server", *(head for head, _ in columns)], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |".replace(" --- ", "---") for line in lines]


def _columns(load: Load) -> list[Column]:
    spec = SPECS[load]
    memory: Column = ("memory", lambda mid, _: f"{mid.rss:.0f} MiB")
    spread: Column = ("range", lambda _, runs: span([cost(load, run) for run in runs], 1))
    if load == "idle":
        return [
            ("connections", lambda mid, _: f"{mid.units:,}"),
            ("memory of a connection", lambda mid, _: f"{mid.each:.1f} KiB"),
            spread,
            memory,
        ]
    return [
        (f"{spec.units}/s", lambda mid, _: f"{mid.rate:,.0f}"),
        (f"server CPU for a {spec.unit}", lambda mid, _: f"{mid.server_us:,.1f} µs"),
        spread,
        ("p50", lambda mid, _: f"{mid.p50:,.1f} ms"),
        ("p99", lambda mid, _: f"{mid.p99:,.1f} ms"),
        *_MORE.get(load, ()),
        memory,
        ("server's core", lambda mid, _: f"{mid.server:.0%}"),
        ("load's core", _busy),
    ]


_MORE: Mapping[Load, Sequence[Column]] = {
    "storm": [("all are back after", lambda mid, _: f"{mid.whole:,.0f} ms")],
    "pages": [
        ("a send: p50, p99", lambda mid, _: f"{mid.send_p50:,.1f} ms, {mid.send_p99:,.1f} ms"),
        ("without pages", lambda mid, _: f"{mid.alone_p50:,.1f} ms, {mid.alone_p99:,.1f} ms"),
    ],
}


def _busy(_middle: Figures, runs: Sequence[Figures]) -> str:
    mark = " (the limit)" if limited(runs) else ""
    return f"{max(run.generator for run in runs):.0%}{mark}"


def span(values: Sequence[float], digits: int) -> str:
    """From the least to the greatest."""
    return f"{min(values):,.{digits}f} to {max(values):,.{digits}f}"
