"""The servers of a run: one or several, behind something that hands clients on to any that listens; and the Redis between them."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.support.redis import RedisServer

from chaos.link import Link
from chaos.server import Server

NOWHERE = 9
"""A port where nobody listens."""


@dataclass
class Fleet:
    """All servers; `async with` starts them, and kills them in the end."""

    servers: Sequence[Server]
    redis: RedisServer | None = None
    ways: dict[str, Link] = field(default_factory=dict)
    """Each server's own way to Redis, by the server's name."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        try:
            if self.redis is not None:
                # It ends with the thread that has started it, so that it is this one.
                self._stack.callback(self.redis.start().stop)
                await self._lay(self.redis)
            for server in self.servers:
                await server.start()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.kill()
        await self._stack.aclose()

    async def _lay(self, redis: RedisServer) -> None:
        for server in self.servers:
            way = Link(f"redis of {server.name}", lambda: redis.port)
            self.ways[server.name] = await self._stack.enter_async_context(way)
            url = f"redis://127.0.0.1:{way.port}/0"
            server.environment = {**server.environment, "REJOINDER_REDIS": url}

    async def kill(self) -> None:
        """`kill -9` all of them at once."""
        await asyncio.gather(*(server.kill() for server in self.servers))

    def target(self, rng: random.Random) -> Callable[[], int]:
        """What a load balancer does for a client: a port of any server that listens, another one each time."""

        def port() -> int:
            there = [server.port for server in self.servers if server.listens]
            return rng.choice(there) if there else NOWHERE

        return port

    @property
    def starts(self) -> int:
        return sum(server.starts for server in self.servers)

    @property
    def failed_starts(self) -> int:
        return sum(server.failed_starts for server in self.servers)

    def defects(self) -> list[str]:
        """Lines of the logs that tell of a defect."""
        return [f"{each.name}: {line}" for each in self.servers for line in each.defects()]
