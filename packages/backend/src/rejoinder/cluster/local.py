"""The cluster of one server, with nobody else in it."""

from collections.abc import Collection, Iterable
from uuid import uuid4

from rejoinder.cluster.base import Claim, Claimed, Peers
from rejoinder.core.clock import Clock
from rejoinder.core.connections import ConnectionPolicy
from rejoinder.core.sessions import Session, Sessions

NOBODY: Collection[str] = frozenset()


class LocalCluster:
    """Everything is in this process."""

    def __init__(self, clock: Clock, session_timeout: float, sweep_interval: float = 60.0) -> None:
        self.server_id = uuid4().hex
        self._clock = clock
        self._sessions = Sessions(session_timeout)
        self._claims: dict[str, Claim] = {}
        self._of_user: dict[str, set[str]] = {}
        self._count = 0
        self._sweep_interval = sweep_interval
        self._sweep_at = clock.now() + sweep_interval
        self._peers: Peers | None = None

    @property
    def alone(self) -> bool:
        return True

    @property
    def healthy(self) -> bool:
        return True

    @property
    def doubted(self) -> bool:
        return False

    async def open(self, peers: Peers) -> None:
        self._peers = peers

    async def close(self) -> None:
        self._peers = None

    async def claim(self, claim: Claim, policy: ConnectionPolicy) -> Claimed:
        for older in tuple(self._of_user.get(claim.user_id, ())):
            if rivals(policy, self._claims[older], claim):
                self._drop(older)
                if self._peers is not None:
                    self._peers.replaced(older)
        self._count += 1
        self._claims[claim.connection_id] = claim
        self._of_user.setdefault(claim.user_id, set()).add(claim.connection_id)
        return Claimed(self._count, self._sessions.take(claim.user_id, self._clock.now()))

    def moved(self, claim: Claim) -> None:
        """Nobody else needs to know."""

    def release(self, connection_id: str, session: Session | None) -> None:
        if self._drop(connection_id) and session is not None:
            self._sessions.keep(session, self._clock.now())

    async def keep(self, session: Session) -> None:
        self._sessions.keep(session, self._clock.now())

    async def connected(self, user_id: str) -> bool:
        return user_id in self._of_user

    async def listen(self, _room_id: str, /) -> Collection[str]:
        return NOBODY

    def ignore(self, room_id: str) -> None:
        """Nobody else needs to know."""

    async def servers(self) -> Collection[str]:
        return NOBODY

    async def listeners(self, _room_id: str, /) -> Collection[str]:
        return NOBODY

    def send(self, servers: Iterable[str], item: bytes) -> None:
        """There is nobody to send it to."""

    def tick(self) -> None:
        now = self._clock.now()
        if now >= self._sweep_at:
            self._sweep_at = now + self._sweep_interval
            self._sessions.sweep(now)

    def _drop(self, connection_id: str) -> bool:
        claim = self._claims.pop(connection_id, None)
        if claim is None:
            return False
        own = self._of_user[claim.user_id]
        own.discard(connection_id)
        if not own:
            del self._of_user[claim.user_id]
        return True


def rivals(policy: ConnectionPolicy, one: Claim, other: Claim) -> bool:
    """True if only one of two connections of a user may be."""
    return policy == "single" or (policy == "per-device" and one.device_id == other.device_id)
