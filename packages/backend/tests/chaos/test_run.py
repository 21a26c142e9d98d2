"""Short runs with all that there is: faults of every kind that fits into the time, and clients in Python and TypeScript."""

import shutil
import tempfile
from pathlib import Path

import pytest
from chaos.crowd import Size
from chaos.run import Outcome, Plan, play

WHOLE_SECONDS = 20.0
"""What is promised, on a machine that is four times slower."""


async def kept_where_wrong(plan: Plan, folder: Path) -> Outcome:
    """A run that is to be clean; of one that is not everything is kept that explains it, where no later run takes it away."""
    outcome = await play(plan, folder)
    if not outcome.clean or outcome.defects:
        kept = Path(tempfile.mkdtemp(prefix="rejoinder-chaos-"))
        not_needed = shutil.ignore_patterns("mongo", "redis", "disk", "chaos.mjs")
        shutil.copytree(folder, kept, ignore=not_needed, dirs_exist_ok=True)
        wrong = (outcome.findings.examples, outcome.unsettled, outcome.defects)
        raise AssertionError(f"{wrong}; what was written down: {kept}")
    return outcome


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.timeout(150)
async def test_every_promise_is_kept_while_things_break(tmp_path: Path) -> None:
    size = Size(people=8, doubles=2, scripts=3, rooms=3, stay=8)
    plan = Plan(seconds=12.0, seed=11, size=size, calm=0.4, quiet=1.0, whole=WHOLE_SECONDS)
    outcome = await kept_where_wrong(plan, tmp_path)
    found = outcome.findings
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
        whole=WHOLE_SECONDS,
    )
    outcome = await kept_where_wrong(plan, tmp_path)
    found = outcome.findings
    assert found.figures["messages"] > 50
    assert set(found.faults) >= KINDS_OF_SEVERAL
