"""Short runs with all that there is: faults of every kind that fits into the time, and clients in Python and TypeScript."""

from pathlib import Path

import pytest
from chaos.crowd import Size
from chaos.run import Plan, play


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.timeout(150)
async def test_every_promise_is_kept_while_things_break(tmp_path: Path) -> None:
    size = Size(people=8, doubles=2, scripts=3, rooms=3, stay=8)
    plan = Plan(seconds=12.0, seed=11, size=size, calm=0.4, quiet=1.0)
    outcome = await play(plan, tmp_path)
    found = outcome.findings
    assert outcome.clean, (found.examples, outcome.unsettled)
    assert outcome.defects == []
    assert found.figures["messages"] > 50
    assert found.figures["entries that were caught up"] > 0
    assert len(found.faults) > 3


KINDS_OF_SEVERAL = {
    "server killed",
    "server ended",
    "server stopped",
    "clock jumped",
    "mongod killed",
    "mongod hung",
    "mongod stepped down",
    "redis killed",
    "redis started empty",
    "redis hung",
    "server cut off from redis",
    "connection to redis deaf",
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.timeout(600)
async def test_every_promise_is_kept_on_three_servers(tmp_path: Path) -> None:
    """Each fault once, and shorter than in `make chaos SERVERS=3`."""
    plan = Plan(
        seconds=400.0,
        seed=12,
        database="mongodb",
        servers=3,
        rounds=1,
        size=Size(people=8, doubles=3, scripts=2, rooms=2, rate=2, stay=30),
        calm=0.2,
        hurry=0.4,
        flags=("--drain=2",),
        quiet=1.0,
    )
    outcome = await play(plan, tmp_path)
    found = outcome.findings
    assert outcome.clean, (found.examples, outcome.unsettled)
    assert outcome.defects == []
    assert found.figures["messages"] > 50
    assert set(found.faults) >= KINDS_OF_SEVERAL
