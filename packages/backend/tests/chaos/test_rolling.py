"""A rolling restart, smaller than `make rolling` does it."""

from pathlib import Path

import pytest
from chaos.rolling import Roll, play

ROOMS = 50


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.timeout(400)
async def test_a_rolling_restart_under_running_answers_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    outcome = await play(Roll(ROOMS, pieces=12, pause_ms=400, drain=25), tmp_path)
    found = outcome.findings
    assert outcome.clean, (found.examples, outcome.unsettled, outcome.defects, outcome.states)
    # All were moved once at least, and there was something to lose.
    assert outcome.moves >= 2 * ROOMS
    assert min(outcome.running) >= ROOMS * 0.9
