"""What every store must do, as a suite that runs against any of them.

The checks are the specification of `rejoinder.stores.base.Store`. Each is a small function named after what it holds.
For a store of your own, run them all from one test:

    async def test_store(tmp_path):
        await check_store(lambda: MyStore(tmp_path / "chat.db"))

or, so that each failure has a line of its own, one by one with pytest:

    @pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
    async def test_store(check, tmp_path):
        await check(lambda: MyStore(tmp_path / "chat.db"))

`make` returns a store that is not open yet; it is called more than once, and each store that it makes must show the same
data (some checks close one and open the next). The checks use ids that nothing else has, so a database may be shared by
all of them, and with others.
"""

from rejoinder.testing.store import (
    appending,
    branches,
    casts,
    debts,
    deletion,
    durability,
    groups,
    moving,
    people,
    reading,
    removals,
    rooms,
    searching,
    streams,
    titles,
    turns,
)
from rejoinder.testing.store.tools import Check, Make

__all__ = ["STORE_CHECKS", "Check", "Make", "check_store"]

STORE_CHECKS: tuple[Check, ...] = (
    *appending.CHECKS,
    *groups.CHECKS,
    *reading.CHECKS,
    *streams.CHECKS,
    *rooms.CHECKS,
    *removals.CHECKS,
    *titles.CHECKS,
    *searching.CHECKS,
    *moving.CHECKS,
    *durability.CHECKS,
    *deletion.CHECKS,
    *branches.CHECKS,
    *casts.CHECKS,
    *people.CHECKS,
    *debts.CHECKS,
    *turns.CHECKS,
)


async def check_store(make: Make) -> None:
    """Put a store through everything that the chat may ask of one.

    Args:
        make: Returns a store that is not open yet, over the same data each time. What it makes is closed here.

    Raises:
        AssertionError: the store broke a promise of `Store`; a note on it names the check.
    """
    for check in STORE_CHECKS:
        try:
            await check(make)
        except BaseException as error:
            error.add_note(f"in the check {getattr(check, '__name__', check)}")
            raise
