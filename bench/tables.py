"""The figures of the servers side by side, as Markdown."""

import statistics
from collections.abc import Mapping, Sequence

import msgspec

from figures import Figures, Load

Found = Mapping[tuple[Load, str], Sequence[Figures]]
"""The figures of each load and server, one for each round."""

BUSY = 0.9
"""Share of a core above which it may be what sets the pace."""

UNITS: Mapping[Load, tuple[str, str]] = {
    "fan-out": ("delivery", "deliveries"),
    "pairs": ("send", "sends"),
    "streams": ("chunk", "chunks"),
    "connects": ("connect", "connects"),
    "idle": ("connection", "connections"),
}


def middle(runs: Sequence[Figures]) -> Figures:
    """The median of several runs, figure by figure."""
    names = Figures.__struct_fields__
    medians = {name: statistics.median(getattr(run, name) for run in runs) for name in names}
    return msgspec.convert({**medians, "units": round(medians["units"])}, Figures)


def load_table(load: Load, found: Found) -> list[str]:
    """One row for each server."""
    own = {name: runs for (of, name), runs in found.items() if of == load}
    if load == "idle":
        return [
            "| server | memory of a connection | range | memory of the server |",
            "|---|---|---|---|",
            *(
                f"| {name} | {middle(runs).each:.1f} KiB | {_range([run.each for run in runs])} "
                f"| {middle(runs).rss:.0f} MiB |"
                for name, runs in own.items()
            ),
        ]
    unit, units = UNITS[load]
    return [
        f"| server | {units}/s | server CPU for a {unit} | range | p50 | p99 | memory | server's core | load's core |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_row(name, runs) for name, runs in own.items()),
    ]


def _row(name: str, runs: Sequence[Figures]) -> str:
    mid = middle(runs)
    busy = max(run.generator for run in runs)
    limited = any(run.generator > BUSY > run.server for run in runs)
    mark = " (the limit)" if limited else ""
    return (
        f"| {name} | {mid.rate:,.0f} | {mid.server_us:,.1f} µs | {_range([r.server_us for r in runs])} "
        f"| {mid.p50:,.1f} ms | {mid.p99:,.1f} ms | {mid.rss:.0f} MiB | {mid.server:.0%} | {busy:.0%}{mark} |"
    )


def _range(values: Sequence[float]) -> str:
    return f"{min(values):,.1f} to {max(values):,.1f}"


def ratio_table(found: Found, own: str) -> list[str]:
    """What ours costs against each of the others: server CPU for a unit, and memory for an idle connection."""
    loads = list(dict.fromkeys(load for load, _ in found))
    others = list(dict.fromkeys(name for _, name in found if name != own))
    if not others:
        return []
    lines = [
        f"| {own} | " + " | ".join(f"against {name}" for name in others) + " |",
        "|---|" + "---|" * len(others),
    ]
    for load in loads:
        what = "memory" if load == "idle" else "CPU"
        ratios = [_ratio(load, found, own, name) for name in others]
        if any(ratios):
            lines.append(f"| {load}: {what} for a {UNITS[load][0]} | " + " | ".join(ratios) + " |")
    return lines


def _ratio(load: Load, found: Found, own: str, other: str) -> str:
    if not ((load, own) in found and (load, other) in found):
        return ""
    mine, theirs = middle(found[load, own]), middle(found[load, other])
    values = (mine.each, theirs.each) if load == "idle" else (mine.server_us, theirs.server_us)
    return f"{values[0] / values[1]:.2f}" if values[1] > 0 else "-"
