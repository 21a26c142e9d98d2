"""What is broken, when, and for how long: chosen from the seed, done to a running server, its disk, its database and its links."""

import asyncio
import random
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.mongod import Mongod, ReplicaSet

from chaos.disk import Disk
from chaos.link import DOWN, UP, Link, Way
from chaos.record import Fault, Recorder, now
from chaos.server import Server

TOGETHER = 0.3
SLOW_TIMES = 4
WAYS: tuple[Way, ...] = (UP, DOWN)

Happen = Callable[[], Coroutine[Any, Any, None]]


@dataclass
class Faults:
    """Breaks things at random moments until it is cancelled; then everything is in order again."""

    server: Server
    disk: Disk
    links: Sequence[Link]
    record: Recorder
    rng: random.Random
    mongo: ReplicaSet | None = None
    calm: float = 1.0
    """How much longer the pauses are."""
    _done: set[asyncio.Task[None]] = field(default_factory=set)

    def kinds(self) -> dict[str, Happen]:
        """All that may happen to the server and its database here."""
        kinds: dict[str, Happen] = {
            "server killed": self._kill,
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
        return kinds

    async def big(self) -> None:
        """One after the other, all kinds as often, in an order from the seed."""
        while True:
            kinds = list(self.kinds().items())
            self.rng.shuffle(kinds)
            for kind, happen in kinds:
                await asyncio.sleep(self.rng.uniform(2, 7) * self.calm)
                self.record(Fault(now(), kind))
                # A fault that has begun is seen through, so that all is in order at the end.
                await self._seen_through(self._with_kill(kind, happen()))
                self.record(Fault(now(), kind, ended=True))

    async def _with_kill(self, kind: str, happening: Coroutine[Any, Any, None]) -> None:
        """Have it happen; of those that are not about the server itself, some while the server is killed, too."""
        task = asyncio.get_running_loop().create_task(happening)
        if not kind.startswith("server") and self.rng.random() < TOGETHER:
            await asyncio.sleep(self.rng.uniform(0.2, 1.5))
            self.record(Fault(now(), "server killed"))
            await self.server.kill()
            await self.server.revive()
            self.record(Fault(now(), "server killed", ended=True))
        await task

    async def _seen_through(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await task
            raise

    async def small(self) -> None:
        """What happens to the ways between: several at the same time, each on another link."""
        while True:
            await asyncio.sleep(self.rng.expovariate(1.0 / self.calm) if self.calm else 0)
            whole = [link for link in self.links if not link.broken]
            if whole and len(self._done) < max(2, len(self.links) // 3):
                task = asyncio.get_running_loop().create_task(self._break(self.rng.choice(whole)))
                self._done.add(task)
                task.add_done_callback(self._done.discard)

    async def end(self) -> None:
        """Put the links in order."""
        for task in tuple(self._done):
            task.cancel()
        await asyncio.gather(*self._done, return_exceptions=True)
        for link in self.links:
            link.heal()

    # --- the server ------------------------------------------------------------------------------

    async def _kill(self) -> None:
        await self.server.kill()
        await asyncio.sleep(self.rng.choice((0, 0, 1, 3)))
        await self.server.revive()

    async def _end(self) -> None:
        await self.server.end()
        await asyncio.sleep(self.rng.choice((0, 1)))
        await self.server.revive()

    async def _stop(self) -> None:
        self.server.tell(signal.SIGSTOP)
        await asyncio.sleep(self.rng.choice((0.5, 2, 4, 7, 13)))
        self.server.tell(signal.SIGCONT)

    async def _jump(self) -> None:
        seconds = self.rng.choice((-3600, -30, -5, 5, 30, 3600, 86400))
        self.server.jump(seconds)
        await asyncio.sleep(self.rng.uniform(2, 6))
        self.server.jump(0)

    async def _fill(self) -> None:
        self._shrink_log()
        self.disk.fill(self.server.pid)
        await asyncio.sleep(self.rng.uniform(1, 6))
        self.disk.empty(self.server.pid)

    def _shrink_log(self) -> None:
        """So that the next commit needs room."""
        database = sqlite3.connect(self.server.data / "rejoinder.db", timeout=0.2)
        try:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError:
            pass
        finally:
            database.close()

    async def _lock(self) -> None:
        database = sqlite3.connect(
            self.server.data / "rejoinder.db", timeout=2, isolation_level=None
        )
        try:
            database.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(self.rng.choice((1, 4, 8)))
            database.execute("ROLLBACK")
        except sqlite3.OperationalError:
            pass
        finally:
            database.close()

    # --- the database ----------------------------------------------------------------------------

    async def _primary(self) -> Mongod:
        assert self.mongo is not None
        return await asyncio.to_thread(self.mongo.primary)

    async def _kill_mongod(self) -> None:
        primary = await self._primary()
        primary.kill()
        await asyncio.sleep(self.rng.choice((0, 1, 4)))
        # It ends with the thread that has started it, so that it is this one.
        primary.launch()
        await asyncio.to_thread(primary.answer)
        await self._primary()

    async def _hang_mongod(self) -> None:
        primary = await self._primary()
        primary.pause()
        await asyncio.sleep(self.rng.choice((0.5, 3, 6, 12)))
        primary.resume()
        await self._primary()

    async def _step_down(self) -> None:
        assert self.mongo is not None
        await self._primary()
        await asyncio.to_thread(self.mongo.step_down)
        await self._primary()

    # --- the links -------------------------------------------------------------------------------

    @asynccontextmanager
    async def _noted(self, kind: str, link: Link, about: str = "") -> AsyncIterator[None]:
        link.broken = True
        self.record(Fault(now(), kind, link.name, about))
        try:
            yield
        finally:
            link.heal()
            link.broken = False
            self.record(Fault(now(), kind, link.name, about, ended=True))

    async def _break(self, link: Link) -> None:
        rng = self.rng
        way, seconds = rng.choice(WAYS), rng.uniform(0.5, 6)
        kind = rng.choice(
            ("cut", "cut in frame", "half-open", "silence", "one way", "delay", "slow")
        )
        async with self._noted(kind, link, f"{way} {seconds:.1f} s"):
            match kind:
                case "cut":
                    link.cut()
                    return
                case "cut in frame":
                    link.cut_in_frame(way, rng.randrange(1 << 16))
                case "half-open":
                    link.half_open(way)
                    return
                case "silence":
                    link.hold(UP, DOWN)
                case "one way":
                    link.hold(way)
                case "delay":
                    link.delays[way] = rng.uniform(0.05, 1.5)
                case _:
                    link.rates[DOWN] = rng.choice((200, 1000, 4000))
                    seconds *= SLOW_TIMES
            await asyncio.sleep(seconds)
            if kind in ("silence", "one way") and rng.random() < 0.5:  # noqa: PLR2004 - lost, or late
                link.cut()
