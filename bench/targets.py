"""What each of ours costs against the servers of others, beside what was set as the target."""

from collections.abc import Mapping, Sequence

from figures import Figures, Load
from loads import SPECS
from servers import Key
from tables import Found, Names, cost, middle, span, table

OURS: Sequence[Key] = ("rejoinder", "bare", "floor")
OTHERS: Sequence[Key] = ("node", "python")

# Ratios of what a unit costs that are not to be exceeded: against Node's server, and against python-socketio.
RATIOS: Mapping[tuple[Key, Load], Mapping[Key, float]] = {
    ("bare", "fan-out"): {"node": 0.65, "python": 0.15},
    ("bare", "pairs"): {"node": 0.7, "python": 0.15},
    ("rejoinder", "fan-out"): {"node": 0.7, "python": 0.2},
    ("rejoinder", "pairs"): {"node": 1.0, "python": 0.25},
    ("rejoinder", "streams"): {"node": 0.8, "python": 0.2},
    ("rejoinder", "crowd"): {"node": 0.8, "python": 0.2},
    ("rejoinder", "connects"): {"node": 0.8, "python": 0.4},
}
IDLE_KIB = 16.0
"""Of an idle connection of the whole chat, at most."""


def target_table(found: Found, names: Names) -> list[str]:
    """One row for each of ours and load; nothing where there is none of others to compare with."""
    others = [key for key in OTHERS if any(of == key for _, of in found)]
    rows = [
        [
            f"{names[own]}, {load}: {'memory' if load == 'idle' else 'CPU'} for a {SPECS[load].unit}",
            *(_against(found, own, load, other) for other in others),
        ]
        for own in OURS
        for load in SPECS
        if (load, own) in found and any((load, other) in found for other in others)
    ]
    if not rows:
        return []
    return table(["ours", *(f"against {names[key]}" for key in others)], rows)


def _against(found: Found, own: Key, load: Load, other: Key) -> str:
    mine, theirs = found[load, own], found.get((load, other), ())
    if not theirs or cost(load, middle(theirs)) <= 0:
        return ""
    ratio = cost(load, middle(mine)) / cost(load, middle(theirs))
    told = f"{ratio:.2f} ({span(_ratios(load, mine, theirs), 2)})"
    limit = RATIOS.get((own, load), {}).get(other)
    return told if limit is None else f"{told}, at most {limit:g}: {_verdict(ratio <= limit)}"


def _ratios(load: Load, mine: Sequence[Figures], theirs: Sequence[Figures]) -> Sequence[float]:
    """Of each round: what else the machine did then, both had to bear."""
    pairs = [(cost(load, one), cost(load, other)) for one, other in zip(mine, theirs, strict=False)]
    return [one / other for one, other in pairs if other > 0]


def _verdict(met: bool) -> str:  # noqa: FBT001 - a word for each
    return "met" if met else "**not met**"


def idle_target(found: Found) -> list[str]:
    """What is said of the memory of an idle connection."""
    runs = found.get(("idle", "rejoinder"))
    if not runs:
        return []
    each = middle(runs).each
    return [
        "",
        f"An idle connection of the chat: {each:.1f} KiB, at most {IDLE_KIB:g} KiB: {_verdict(each <= IDLE_KIB)}.",
    ]
