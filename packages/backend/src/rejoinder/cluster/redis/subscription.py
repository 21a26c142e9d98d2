"""What one server hears: its own channel, subscribed to again and again."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from rejoinder.cluster.redis.address import Address
from rejoinder.cluster.redis.resp import ErrorReply, ProtocolError, Reply, encode

AGAIN_SECONDS: Final = 0.3


class Subscription:
    """Hands on what comes, until it is stopped."""

    def __init__(
        self,
        address: Address,
        channel: str,
        take: Callable[[bytes], None],
        lost: Callable[[], None],
    ) -> None:
        """`take` is given each message; `lost` is called where some may not have come."""
        self._address = address
        self._channel = channel
        self._take = take
        self._lost = lost
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("rejoinder.cluster")

    def begin(self) -> None:
        """Subscribe, instead of what there was before."""
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Hear nothing any more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                connection = await self._address.connect(self._hear)
                try:
                    connection.say(encode((("SUBSCRIBE", self._channel),)))
                    await connection.ended
                finally:
                    connection.end()
            except (ErrorReply, OSError):
                self._log.debug("the subscription was lost")
            self._lost()
            await asyncio.sleep(AGAIN_SECONDS)

    def _hear(self, replies: list[Reply]) -> None:
        for reply in replies:
            match reply:
                case [b"message", _, bytes() as data]:
                    self._take(data)
                case [b"subscribe", *_]:
                    # What was sent before is lost.
                    self._lost()
                case _:
                    raise ProtocolError("Redis has not subscribed this server to its channel")
