"""What a run came to, as text: for the terminal, and for docs/reliability.md."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.crowd import Size
from chaos.violations import COLUMNS, MEANING

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "bench"))

from report import machine, put_section  # noqa: E402 - what measures writes its pages in the same way

__all__ = ["PAGE", "lines", "machine", "put_section", "summary", "write"]

if TYPE_CHECKING:
    from chaos.run import Outcome

PAGE = ROOT / "docs" / "reliability.md"
SHOWN = 40


def lines(outcome: "Outcome") -> Iterator[str]:
    """Everything, with examples of what is wrong."""
    yield from summary(outcome)
    found = outcome.findings
    if found.examples:
        yield from ("", "What is wrong:")
        for violation in found.examples[:SHOWN]:
            yield f"  {violation.t:.3f} {violation.column}: {violation.says}"
    if outcome.unsettled:
        yield from ("", "What did not settle:", *(f"  {each}" for each in outcome.unsettled))
    if outcome.defects:
        yield from ("", f"Defects in the server's log: {len(outcome.defects)}")
        yield from (f"  {line[:600]}" for line in outcome.defects[:5])


def summary(outcome: "Outcome") -> Iterator[str]:
    """The tables."""
    plan, found = outcome.plan, outcome.findings
    yield f"`{command(outcome)}`: {outcome.seconds / 60:.1f} minutes in all, {outcome.starts} starts of {'the server' if plan.servers == 1 else 'servers'}"
    yield f"({outcome.failed_starts} of them before what it stands on could be used)."
    yield ""
    yield from table("what happened", {**found.figures})
    yield ""
    yield from table("what was broken", found.faults)
    yield ""
    yield "| what must not be | | |"
    yield "|---|---|---|"
    for column in COLUMNS:
        yield f"| {column} | {MEANING[column]} | {found.counts[column]} |"
    yield ""
    yield f"From the end of a fault to the next new ack: {found.slowest_recovery:.1f} s at most."
    yield f"From writing to the ack, through everything: {found.slowest_ack:.1f} s at most."
    yield f"From a kill to the end of an answer, at who came back, whatever was broken meanwhile: {found.slowest_end:.1f} s at most."
    if plan.servers == 1:
        yield f"From when a server and its database were there again to the end of what a kill had left: {found.slowest_left:.1f} s at most."
    servers = "" if plan.servers == 1 else f"; {plan.servers} servers"
    yield f"Seed {plan.seed}; {plan.database}{servers}; on {machine()}."


def table(head: str, figures: Mapping[str, int]) -> Iterator[str]:
    """Names with their counts."""
    yield f"| {head} | |"
    yield "|---|---|"
    for name, count in figures.items():
        yield f"| {name} | {count:,} |"


def command(outcome: "Outcome") -> str:
    """How to repeat it."""
    plan = outcome.plan
    servers = "" if plan.servers == 1 else f" SERVERS={plan.servers}"
    return f"make chaos MINUTES={plan.seconds / 60:g} SEED={plan.seed} DATABASE={plan.database}{servers}{_given(plan.size)}"


def _given(size: Size) -> str:
    usual = Size()
    given = [
        f"--{name} {value:g}"
        for name, value in (("people", size.people), ("rate", size.rate))
        if value != getattr(usual, name)
    ]
    return f' ARGS="{" ".join(given)}"' if given else ""


def write(outcome: "Outcome") -> None:
    """Into the page, in the section of that database, or of several servers."""
    plan = outcome.plan
    where = plan.database if plan.servers == 1 else "several servers"
    put_section(PAGE, f"chaos on {where}", list(summary(outcome)))
