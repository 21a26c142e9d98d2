"""What is broken, and when: chosen from the seed. `harm` does it to the servers and what they stand on; the links are here."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from chaos.harm import Harm
from chaos.link import DOWN, UP, Link, Way
from chaos.record import Fault, Recorder, now

TOGETHER = 0.3
SLOW_TIMES = 4
WAYS: tuple[Way, ...] = (UP, DOWN)


@dataclass
class Faults:
    """Breaks things at random moments until it is cancelled; then everything is in order again."""

    harm: Harm
    links: Sequence[Link]
    record: Recorder
    rng: random.Random
    calm: float = 1.0
    """How much longer the pauses are."""
    kinds: Sequence[str] = ()
    """The big ones, if not all."""
    _done: set[asyncio.Task[None]] = field(default_factory=set)

    async def big(self, rounds: int = 0) -> None:
        """One after the other, all kinds as often, in an order from the seed; so many rounds, or without end."""
        for _ in range(rounds) if rounds else count():
            kinds = [
                each
                for each in self.harm.kinds().items()
                if each[0] in self.kinds or not self.kinds
            ]
            self.rng.shuffle(kinds)
            for kind, happen in kinds:
                await asyncio.sleep(self.rng.uniform(2, 7) * self.calm)
                self.record(Fault(now(), kind))
                # A fault that has begun is seen through, so that all is in order at the end.
                await self._seen_through(self._with_kill(kind, happen()))
                self.record(Fault(now(), kind, ended=True))

    async def _with_kill(self, kind: str, happening: Coroutine[Any, Any, None]) -> None:
        """Have it happen; of those that are not about a server itself, some while a server is killed, too."""
        task = asyncio.get_running_loop().create_task(happening)
        if not kind.startswith("server") and self.rng.random() < TOGETHER:
            await asyncio.sleep(self.rng.uniform(0.2, 1.5))
            self.record(Fault(now(), "server killed"))
            await self.harm.kill()
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
        """Put the links in order: also who talks to nobody, and has not noticed yet, is told."""
        for task in tuple(self._done):
            task.cancel()
        await asyncio.gather(*self._done, return_exceptions=True)
        for link in self.links:
            link.heal()
            link.tell_the_other()

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
