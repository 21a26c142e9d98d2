"""A short run with all that there is: faults of every kind that fits into the time, and clients in Python and TypeScript."""

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
