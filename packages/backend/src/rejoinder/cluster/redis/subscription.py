"""What one server hears: its own channel, subscribed to again and again."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from rejoinder.cluster.redis.wire import Wire

AGAIN_SECONDS: Final = 0.3


class Subscription:
    """Hands on what comes, until it is stopped."""

    def __init__(
        self,
        client: "Redis",
        channel: str,
        take: Callable[[bytes], None],
        lost: Callable[[], None],
    ) -> None:
        """`take` is given each message; `lost` is called where some may not have come."""
        self._client = client
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
            wire = Wire(self._client)
            try:
                await wire.say([("SUBSCRIBE", self._channel)])
                await wire.hear()
                # What was sent before is lost.
                self._lost()
                while True:
                    kind, _, data = await wire.hear()
                    if kind == b"message":
                        self._take(data)
            except (RedisError, OSError, TimeoutError):
                self._log.debug("the subscription was lost")
            finally:
                await wire.drop()
            self._lost()
            await asyncio.sleep(AGAIN_SECONDS)
