"""Files on their way in, from strangers on lines of any kind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.requests import Request

from rejoinder.errors import InvalidPayload, TooLarge, Unavailable

FILE_BYTES: Final = 32 << 20
HELD_BYTES: Final = 4 * FILE_BYTES
FILE_SECONDS: Final = 60.0
STALLED_SECONDS: Final = 15.0
RETRY_AFTER_MS: Final = 5000


class Uploads:
    """Takes them in: none waits for another, and all together hold no more than so many bytes."""

    def __init__(
        self, held_bytes: int = HELD_BYTES, stalled_seconds: float = STALLED_SECONDS
    ) -> None:
        self._room = held_bytes
        self._stalled_seconds = stalled_seconds

    @asynccontextmanager
    async def file(self, request: Request) -> AsyncIterator[bytes]:
        """The body of a request; its bytes count as held within the block.

        Raises:
            InvalidPayload: it took more than a minute, or nothing came for 15 s.
            TooLarge: it has more than 32 MiB.
            Unavailable: there is no room for it beside the others.
        """
        parts, received, taken = request.stream(), bytearray(), 0
        end = asyncio.get_running_loop().time() + FILE_SECONDS
        try:
            while part := await self._next(parts, end):
                self._room -= len(part)
                taken += len(part)
                if taken > FILE_BYTES:
                    raise TooLarge(f"The file is larger than {FILE_BYTES >> 20} MiB.")
                if self._room < 0:
                    raise Unavailable(
                        "Too many files are arriving at once. Send it again in a moment.",
                        RETRY_AFTER_MS,
                    )
                received += part
            content = bytes(received)
            del received
            yield content
        finally:
            self._room += taken

    async def _next(self, parts: AsyncIterator[bytes], end: float) -> bytes:
        """What comes next; nothing is the end."""
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(end, now + self._stalled_seconds)):
                return await anext(parts, b"")
        except TimeoutError:
            raise InvalidPayload("The file took too long to arrive. Send it again.") from None
