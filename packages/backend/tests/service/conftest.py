"""A world for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.service.world import World, running


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as started:
        yield started
