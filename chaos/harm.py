"""What is done to the servers, the database and Redis: each a fault from its beginning until all is in order again."""

import asyncio
import random
import signal
import sqlite3
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from tests.support.mongod import Mongod, ReplicaSet
from tests.support.redis import RedisServer

from chaos.disk import Disk
from chaos.fleet import Fleet
from chaos.link import DOWN, UP, Link
from chaos.server import Server

Happen = Callable[[], Coroutine[Any, Any, None]]
ALL_AT_ONCE = 0.15
"""Of the kills of a server, how many are kills of all servers."""
JUMPS = (-3600, -30, -5, 5, 30, 3600, 86400)
SMALL_JUMPS = (-4, -2, 2, 4)
"""By which the clocks of servers of one chat may differ."""


@dataclass
class Harm:
    """Does it. Where there are several servers, it is done to one of them, by chance."""

    fleet: Fleet
    disk: Disk
    rng: random.Random
    mongo: ReplicaSet | None = None
    hurry: float = 1.0
    """By which times are multiplied that something is left broken."""

    def kinds(self) -> dict[str, Happen]:
        """All that may happen here."""
        kinds: dict[str, Happen] = {
            "server killed": self.kill,
            "server ended": self._end,
            "server stopped": self._stop,
            "clock jumped": self._jump,
        }
        if self.mongo is None:
            kinds |= {"disk full": self._fill, "database locked": self._lock}
        else:
            kinds |= {
                "mongod killed": self._kill_mongod,
                "mongod hung": self._hang_mongod,
                "mongod stepped down": self._step_down,
            }
        if self.fleet.redis is not None:
            kinds |= {
                "redis killed": self._kill_redis,
                "redis started empty": self._empty_redis,
                "redis hung": self._hang_redis,
                "server cut off from redis": self._cut_off,
                "connection to redis deaf": self._deafen,
            }
        return kinds

    async def _for(self, *seconds: float) -> None:
        """Leave it so for one of these times."""
        await asyncio.sleep(self.rng.choice(seconds) * self.hurry)

    # --- the servers -----------------------------------------------------------------------------

    def _one(self) -> Server:
        return self.rng.choice(self.fleet.servers)

    async def kill(self) -> None:
        """`kill -9` a server, and start it again."""
        everybody = len(self.fleet.servers) > 1 and self.rng.random() < ALL_AT_ONCE
        chosen = list(self.fleet.servers) if everybody else [self._one()]
        await asyncio.gather(*(server.kill() for server in chosen))
        await self._for(0, 0, 1, 3)
        await asyncio.gather(*(server.revive() for server in chosen))

    async def _end(self) -> None:
        server = self._one()
        await server.end()
        await self._for(0, 1)
        await server.revive()

    async def _stop(self) -> None:
        server = self._one()
        server.tell(signal.SIGSTOP)
        await self._for(*((0.5, 2, 4, 7, 13) if len(self.fleet.servers) == 1 else (2, 7, 20)))
        server.tell(signal.SIGCONT)

    async def _jump(self) -> None:
        server = self._one()
        server.jump(self.rng.choice(JUMPS if len(self.fleet.servers) == 1 else SMALL_JUMPS))
        await self._for(self.rng.uniform(2, 6))
        server.jump(0)

    # --- the embedded database -------------------------------------------------------------------

    async def _fill(self) -> None:
        server = self._one()
        _shrink_log(server)
        self.disk.fill(server.pid)
        await self._for(self.rng.uniform(1, 6))
        self.disk.empty(server.pid)

    async def _lock(self) -> None:
        path = self._one().data / "rejoinder.db"
        database = sqlite3.connect(path, timeout=2, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
            await self._for(1, 4, 8)
            database.execute("ROLLBACK")
        except sqlite3.OperationalError:
            pass
        finally:
            database.close()

    # --- MongoDB ---------------------------------------------------------------------------------

    async def _primary(self) -> Mongod:
        assert self.mongo is not None
        return await asyncio.to_thread(self.mongo.primary)

    async def _kill_mongod(self) -> None:
        primary = await self._primary()
        primary.kill()
        await self._for(0, 1, 4)
        # It ends with the thread that has started it, so that it is this one.
        primary.launch()
        await asyncio.to_thread(primary.answer)
        await self._primary()

    async def _hang_mongod(self) -> None:
        primary = await self._primary()
        primary.pause()
        await self._for(0.5, 3, 6, 12)
        primary.resume()
        await self._primary()

    async def _step_down(self) -> None:
        assert self.mongo is not None
        await self._primary()
        await asyncio.to_thread(self.mongo.step_down)
        await self._primary()

    # --- Redis -----------------------------------------------------------------------------------

    @property
    def _redis(self) -> RedisServer:
        assert self.fleet.redis is not None
        return self.fleet.redis

    async def _kill_redis(self) -> None:
        self._redis.kill()
        await self._for(1, 3, 8)
        self._redis.start()

    async def _empty_redis(self) -> None:
        self._redis.kill()
        self._redis.start()

    async def _hang_redis(self) -> None:
        self._redis.pause()
        await self._for(0.5, 2, 6, 12)
        self._redis.resume()

    def _way(self) -> Link:
        return self.fleet.ways[self._one().name]

    async def _cut_off(self) -> None:
        """From Redis alone: refused, or in silence, in which what is said may come later or never."""
        way = self._way()
        loudly = self.rng.random() < 0.5  # noqa: PLR2004 - as often as not
        if loudly:
            way.refuses = True
            way.cut()
        else:
            way.hold(UP, DOWN)
        await self._for(1, 4, 8, 15)
        if not loudly and self.rng.random() < 0.5:  # noqa: PLR2004 - lost, or late
            way.cut()
        way.heal()

    async def _deafen(self) -> None:
        """One of its connections to Redis, and perhaps the one that it hears the others over."""
        way = self._way()
        way.mute_one(self.rng.randrange(1 << 16))
        await self._for(3, 8)
        way.heal()


def _shrink_log(server: Server) -> None:
    """So that the next commit needs room."""
    database = sqlite3.connect(server.data / "rejoinder.db", timeout=0.2)
    try:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError:
        pass
    finally:
        database.close()
