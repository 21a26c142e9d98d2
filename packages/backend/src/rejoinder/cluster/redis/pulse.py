"""The beat of one server, and what follows from it: who else lives, and whether the others reach this one.

A beat goes through Redis twice: as a command, and over the server's own channel, so that a subscription which is deaf alone is noticed.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, Protocol

import structlog

from rejoinder.cluster.redis import keys as names
from rejoinder.cluster.redis.bus import Outbox
from rejoinder.cluster.redis.keys import Keys
from rejoinder.cluster.redis.lane import Lane
from rejoinder.errors import Unavailable

BEAT_SECONDS: Final = 1.0
DOUBT_SECONDS: Final = 1.3
"""A beat that should have come back by now has not."""
DEAF_SECONDS: Final = 2.5
AGAIN_SECONDS: Final = 0.3


class Body(Protocol):
    """What the beat keeps alive."""

    def give_up(self, connection_id: str) -> None:
        """A connection of this server has been replaced."""
        ...

    def lose(self, server: str) -> None:
        """Another server has not been heard of for several seconds."""
        ...

    def hear_anew(self) -> None:
        """The subscription is deaf."""
        ...

    def tell_again(self) -> Coroutine[Any, Any, None]:
        """Something may be lost either way; everything is to be said again, and asked for."""
        ...

    def renew(self) -> Coroutine[Any, Any, object]:
        """Everything in Redis is to live on."""
        ...


class Pulse:
    """Beats, and judges by what comes back."""

    def __init__(self, server_id: str, keys: Keys, lane: Lane, outbox: Outbox, body: Body) -> None:
        self._server_id = server_id
        self._keys = keys
        self._lane = lane
        self._outbox = outbox
        self._body = body
        self._beaten = self._heard = float("-inf")
        self._deaf_since = self._steady_since = 0.0
        self._seen: dict[str, float] = {}
        self._beating: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[Any] | None = None
        self._renewed_at = 0.0
        self.stale = False
        """Whether something may be lost that has not been asked for yet."""
        self.healthy = False
        self.reached = asyncio.Event()
        self._log = structlog.get_logger("rejoinder.cluster")

    @property
    def doubted(self) -> bool:
        """True if this server may not be told something, as far as is known by now."""
        return _now() - self._heard > DOUBT_SECONDS

    def begin(self) -> None:
        """Beat from now on."""
        self._deaf_since = _now()
        self._beating = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Beat no more."""
        for task in (self._beating, self._telling):
            if task is not None:
                task.cancel()
                await asyncio.wait((task,))

    # --- what is heard -----------------------------------------------------------------------------

    def heard(self) -> None:
        """A beat of this server has come back over its channel."""
        self._heard = _now()

    def lost(self) -> None:
        """The subscription has begun, or is gone: until its own beat comes back it counts as deaf."""
        self.stale = True
        self._heard = float("-inf")

    def met(self, server: str) -> None:
        """Another server has said something."""
        self._seen[server] = _now()

    def forget(self, server: str) -> None:
        """It is gone."""
        self._seen.pop(server, None)

    def others(self) -> list[str]:
        """The other servers that live, as far as is known."""
        return [server for server in self._seen if server != self._server_id]

    def renewed(self) -> None:
        """Everything in Redis has just been renewed."""
        self._renewed_at = _now()

    # --- beating -----------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                await self._beat()
            except Unavailable:
                self._log.debug("a beat was not answered")
            except Exception:  # noqa: BLE001 - the next one may succeed
                self._log.exception("a beat failed")
            self._judge()
            await asyncio.sleep(BEAT_SECONDS if self.healthy else AGAIN_SECONDS)

    async def _beat(self) -> None:
        keys = (self._keys.servers, self._keys.owed(self._server_id))
        beat = self._lane.script("beat", keys, self._server_id, names.LOST_MS, names.FORGET_MS)
        before, alive, owed = await self._lane.ask(beat, probe=True)
        now = _now()
        if before < 0 or before > names.LOST_MS:
            # The others have taken this server for gone, or Redis has forgotten it.
            self.stale = True
        if now - self._beaten > DEAF_SECONDS:
            self._steady_since = now
        self._beaten = now
        for connection_id in owed:
            self._body.give_up(connection_id.decode())
        for server, age in alive:
            seen = self._seen.get(server.decode(), now - age / 1000)
            self._seen[server.decode()] = max(seen, now - age / 1000)
        self._miss(now)
        for server, batch in self._outbox.beats():
            self._lane.tell(("PUBLISH", self._keys.channel(server), batch))
        # Its own beat comes back before it is asked whether it did.
        await self._lane.ask(("PING",))
        await asyncio.sleep(0)

    def _miss(self, now: float) -> None:
        lost = names.LOST_MS / 1000
        if now - self._steady_since <= lost:
            # A Redis that was started anew may not know yet of all that live.
            return
        for server, seen in tuple(self._seen.items()):
            if now - seen > lost:
                self._body.lose(server)

    def _judge(self) -> None:
        now = _now()
        hears = now - self._heard <= DEAF_SECONDS
        if hears or not self._lane.up:
            self._deaf_since = now
        elif now - self._deaf_since > DEAF_SECONDS:
            self._log.warning("the subscription is deaf; it is made anew")
            self._deaf_since = now
            self._body.hear_anew()
        reached = hears and self._lane.up and now - self._beaten <= DEAF_SECONDS
        if not reached:
            self.stale = True
        elif self._telling is None or self._telling.done():
            if self.stale:
                self._telling = asyncio.create_task(self._tell_again())
            elif now - self._renewed_at >= names.RENEW_SECONDS:
                self._telling = asyncio.create_task(self._body.renew())
        self._is(reached and not self.stale)

    async def _tell_again(self) -> None:
        self.stale = False
        await self._body.tell_again()
        self._is(not self.stale)

    def _is(self, healthy: bool) -> None:  # noqa: FBT001 - as an adjective
        if healthy != self.healthy:
            if healthy:
                self._log.info("the cluster is reached", server=self._server_id)
            else:
                self._log.warning("the cluster is out of reach")
        self.healthy = healthy
        if healthy:
            self.reached.set()


def _now() -> float:
    return asyncio.get_running_loop().time()
