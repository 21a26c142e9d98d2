"""A server that breaks a promise on purpose is found out, whichever promise it is; one that keeps them all is not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chaos.check import ENDED_SECONDS, KILL
from chaos.crowd import Size
from chaos.run import Outcome, Plan, play
from chaos.violations import COLUMNS, Column

from chaos import lies

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.timeout(60)]

FEW = Size(people=6, doubles=0, scripts=0, rooms=3, rate=12, asks=0.12, stay=60)
CAUGHT: dict[str, Column] = {
    "lose-row": "missing",
    "send-twice": "doubled",
    "swap": "order",
    "skip": "hole",
    "change-chunk": "text",
    "change-message": "text",
    "store-other-text": "text",
    "no-end": "no end",
    "end-twice": "two ends",
    "keep-streaming": "streaming",
    "generate-again": "generations",
    "forget-question": "no answer",
    "lose-ack": "unanswered",
    "refuse-stored": "refused",
}
LEAVE = "leave-unfinished"
TOGETHER = (
    ("lose-row",),
    ("forget-question",),
    ("send-twice", "no-end"),
    ("swap", "change-chunk"),
    ("skip", "end-twice"),
    ("change-message", "keep-streaming"),
    ("store-other-text", "lose-ack"),
    ("generate-again", "refuse-stored"),
)
"""Lies that don't disturb each other, since a server takes a while to start."""


async def short(folder: Path, *told: str, within: float = 1.5, **changes: Any) -> Outcome:
    """A few seconds with a few people, and nothing that breaks."""
    plan = Plan(
        seconds=2.5,
        seed=5,
        size=FEW,
        faults=False,
        lies=",".join(told),
        within=within,
        quiet=0.5,
        whole=1.0,
    )
    return await play(replace(plan, **changes), folder)


@pytest.mark.parametrize("told", TOGETHER, ids=" and ".join)
async def test_lies_are_found_out(tmp_path: Path, told: tuple[str, ...]) -> None:
    # A second answer comes after the first one has ended, when the question is sent again.
    outcome = await short(tmp_path, *told, seconds=5.0 if "generate-again" in told else 2.5)
    counts = outcome.findings.counts
    for lie in told:
        assert counts[CAUGHT[lie]] > 0, (lie, outcome.findings.examples, outcome.findings.figures)
    assert not outcome.clean


async def test_two_connections_of_a_user_are_found_out(tmp_path: Path) -> None:
    flags = ("--connection-policy", "multi")
    size = Size(people=3, doubles=3, scripts=0, rooms=1, rate=4)
    outcome = await short(tmp_path, size=size, seconds=6.0, flags=flags)
    assert outcome.findings.counts["connections"] > 0


@pytest.mark.timeout(150)
async def test_what_is_never_ended_after_a_kill_is_found_out(tmp_path: Path) -> None:
    # So long as this nothing settles.
    within = ENDED_SECONDS + 3
    outcome = await short(
        tmp_path, LEAVE, faults=True, kinds=(KILL,), rounds=1, seconds=30, within=within
    )
    assert outcome.findings.counts["late end"] > 0, outcome.findings.figures


async def test_nothing_is_found_where_nobody_lies(tmp_path: Path) -> None:
    outcome = await short(tmp_path, within=20)
    assert outcome.clean, (outcome.findings.examples, outcome.unsettled)
    assert outcome.findings.figures["generations"] > 0
    assert outcome.findings.figures["acks of duplicates"] > 0


def test_every_column_has_a_lie() -> None:
    assert {*CAUGHT.values(), "connections", "late end"} == set(COLUMNS)
    assert {lie for told in TOGETHER for lie in told} == set(CAUGHT)
    assert {*CAUGHT, LEAVE} == {*lies.OF_STORE, *lies.OF_DELIVERY, *lies.OF_ACKS, lies.FORGET}
