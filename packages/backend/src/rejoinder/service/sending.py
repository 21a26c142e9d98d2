"""Messages of one connection that are on their way into the log, more than one at a time."""

import asyncio

AT_ONCE = 256


class Sending:
    """How many of a connection's sends the store has not answered yet.

    They are stored in the order in which they came, so that the next need not wait for the last: what a client sends
    after a time without a connection takes one commit, and not one for each. Everything else waits for all of them.
    """

    __slots__ = ("_idle", "count")

    def __init__(self) -> None:
        self.count = 0
        self._idle: asyncio.Future[None] | None = None

    def end(self) -> None:
        """One has been answered."""
        self.count -= 1
        if not self.count and self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    async def idle(self) -> None:
        """Return when all have been answered."""
        if self.count:
            if self._idle is None:
                self._idle = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._idle)
