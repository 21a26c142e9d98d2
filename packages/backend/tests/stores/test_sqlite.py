"""The embedded store keeps the promises of every store."""

from pathlib import Path

import pytest

from rejoinder.stores.sqlite import SqliteStore
from rejoinder.testing.store import STORE_CHECKS, Check


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
async def test_keeps_the_promise(check: Check, tmp_path: Path) -> None:
    await check(lambda: SqliteStore(tmp_path / "chat.db"))
