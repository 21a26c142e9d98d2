"""Reading from a client that can be held, for carriers that read in a coroutine."""

import asyncio


class Holding:
    """While it is held, `readable` does not return."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: asyncio.Future[None] | None = None

    def hold_reading(self) -> None:
        """Take nothing more from the client for now."""
        if self._held is None:
            self._held = asyncio.get_running_loop().create_future()

    def resume_reading(self) -> None:
        """Go on reading."""
        held, self._held = self._held, None
        if held is not None:
            held.set_result(None)

    async def readable(self) -> None:
        """Return when the client's next packet may be taken."""
        if self._held is not None:
            await asyncio.shield(self._held)
