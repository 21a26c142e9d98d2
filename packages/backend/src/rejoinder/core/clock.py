"""Time as the rest of the package asks for it."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Two times and a way to wait."""

    def wall_ms(self) -> int:
        """Milliseconds since the epoch, for what people and logs are shown."""
        ...

    def now(self) -> float:
        """Seconds that only go forward, for every rule about how long something lasts."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
