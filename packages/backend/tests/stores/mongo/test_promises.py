"""The store for production keeps the promises of every store."""

from collections.abc import Callable

import pytest

from rejoinder.stores.mongo import MongoStore
from rejoinder.testing.store import STORE_CHECKS, Check


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
async def test_keeps_the_promise(check: Check, make: Callable[[], MongoStore]) -> None:
    await check(make)
