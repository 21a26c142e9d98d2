"""What is said of the figures: the comparison with the targets, then each load with its table and its plot."""

from collections.abc import Sequence
from pathlib import Path

from figures import Load
from loads import SPECS
from plots import Bar, bars
from servers import Key
from tables import Found, Names, cost, limited, load_table, middle
from targets import OURS, idle_target, target_table

HOW_TO_READ = (
    "The range is that of the rounds. The server's core: how busy the server kept it; the load's core: how busy the load "
    "generator kept it at most."
)
LIMIT = (
    "Where the load's core is marked as the limit, the load generator was busier than the server: that server may do more "
    "in a second than is shown, and its CPU for a unit holds all the same."
)
NO_LIMIT = "In no run was the load generator the limit."
RATIOS = "What each of ours costs for one of others' (in parentheses the range of the rounds), and the targets where there is one:"


def loads_of(found: Found) -> list[Load]:
    """The loads that were measured."""
    return [load for load in SPECS if any(of == load and runs for (of, _), runs in found.items())]


def figures_page(found: Found, names: Names, plots: str | None) -> list[str]:
    """All of it as Markdown, with the plots out of that folder."""
    lines = [f"{HOW_TO_READ} {LIMIT if any(map(limited, found.values())) else NO_LIMIT}"]
    targets = target_table(found, names)
    if targets:
        lines += ["", RATIOS, "", *targets]
    lines += idle_target(found)
    for load in loads_of(found):
        spec = SPECS[load]
        lines += ["", f"**{load}**: {spec.how}{_fewer(load, found)}", ""]
        if plots:
            lines += [f"![{_title(load)}]({plots}/{load}.svg)", ""]
        lines += load_table(load, found, names)
    return lines


def _fewer(load: Load, found: Found) -> str:
    """Say so where a process may not have as many files as the load has connections."""
    if load != "idle":
        return ""
    count = min(run.units for (of, _), runs in found.items() if of == load for run in runs)
    due = SPECS[load].clients
    return "" if count == due else f" Here {count:,} and not {due:,}: the limit of open files."


def _title(load: Load) -> str:
    what = "memory (KiB)" if load == "idle" else "server CPU (µs)"
    return f"{load}: {what} for a {SPECS[load].unit}, less is better"


def plot(load: Load, found: Found, names: Names) -> str:
    """The cost of a unit for each server, as SVG."""
    rows = []
    for (of, key), runs in found.items():
        if of == load:
            costs = [cost(load, run) for run in runs]
            value = cost(load, middle(runs))
            told = f"{value:,.1f} {'KiB' if load == 'idle' else 'µs'}"
            rows.append(Bar(names[key], _kind(key), value, min(costs), max(costs), told))
    return bars(_title(load), rows)


def _kind(key: Key) -> str:
    if key == "floor":
        return "floor"
    return "ours" if key in OURS else "other"


def write_plots(found: Found, names: Names, folder: Path) -> Sequence[Path]:
    """A file for each load."""
    folder.mkdir(exist_ok=True)
    written = []
    for load in loads_of(found):
        path = folder / f"{load}.svg"
        path.write_text(plot(load, found, names), encoding="utf-8")
        written.append(path)
    return written
