"""The interface of a cluster: what one server of a chat asks of the others.

Two rules hold it together. The store is the truth: what goes over the bus may be lost, and then whoever missed it is told so and
reads the log. And a person's newest connection wins: `claim` decides that for all servers at once.

`rejoinder.testing.check_cluster` is the specification as tests.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rejoinder.core.connections import ConnectionPolicy
from rejoinder.core.sessions import Session


@dataclass(frozen=True, slots=True)
class Claim:
    """A connection as all servers know of it."""

    connection_id: str
    user_id: str
    device_id: str = ""
    room_id: str | None = None
    character_id: str | None = None
    since: int = 0
    """Its place among the user's connections: the higher wins. 0 until it has been claimed."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The connection is in: its place, and the session that the user had."""

    since: int
    session: Session | None


class Peers(Protocol):
    """What a cluster tells the server that it belongs to. None of this waits."""

    def heard(self, server: str, item: bytes) -> None:
        """Another server has sent that. What this raises keeps nothing else from being heard."""
        ...

    def replaced(self, connection_id: str) -> None:
        """A connection of this server has been replaced by a newer one, wherever that is."""
        ...

    def untold(self, server: str, connection_ids: Sequence[str]) -> None:
        """Connections of that server have been replaced from here, and it has not said that it knows.

        It may be cut off: then the store is the only way to it.
        """
        ...

    def listening(self, room_id: str, servers: Collection[str]) -> None:
        """After a failure: these others have people in the room."""
        ...

    def listed(self, room_id: str, servers: Collection[str]) -> None:
        """As a matter of course, every few minutes: these others have people in the room."""
        ...

    def missed(self, server: str | None) -> None:
        """Something was lost of what that server sent, or, for None, of what any of them sent."""
        ...

    def gone(self, server: str, *, ended: bool) -> None:
        """Another server has said that it ends, or has not been heard of for several seconds."""
        ...


class Cluster(Protocol):
    """The servers of a chat, as seen by one of them."""

    @property
    def server_id(self) -> str:
        """This server; another one after each start."""
        ...

    @property
    def alone(self) -> bool:
        """True if there can't be other servers."""
        ...

    @property
    def healthy(self) -> bool:
        """True if the others can be reached, and reach this one, as far as is known."""
        ...

    @property
    def doubted(self) -> bool:
        """True if this server may not be told something, as far as is known by now: sooner than it ceases to be `healthy`."""
        ...

    async def open(self, peers: Peers) -> None:
        """Take part; raises `ConfigurationError` with what to do when that can't be."""
        ...

    async def close(self) -> None:
        """Tell the others, and let go of everything."""
        ...

    # --- connections -----------------------------------------------------------------------------

    async def claim(self, claim: Claim, policy: ConnectionPolicy) -> Claimed:
        """Let a new connection in; those that it replaces are told where they are, whatever becomes of this server.

        The user's session is given out once. That of a connection whose server has died counts as kept.

        Raises:
            Unavailable: it is not known whether it is in.
        """
        ...

    def moved(self, claim: Claim) -> None:
        """A connection that was claimed is in another room, or took another character."""
        ...

    def release(self, connection_id: str, session: Session | None) -> None:
        """A connection has ended; its session, if it is to be kept. One that was replaced leaves none."""
        ...

    async def keep(self, session: Session) -> None:
        """A connection is about to be ended: its session, should the user come back before that is known."""
        ...

    async def connected(self, user_id: str) -> bool:
        """True if the user has a connection, anywhere.

        Raises:
            Unavailable: that is not known.
        """
        ...

    # --- rooms and the bus -----------------------------------------------------------------------

    async def listen(self, room_id: str, /) -> Collection[str]:
        """This server has something in that room from now on; the others that do.

        While they can't be reached nobody is returned, and `Peers.listening` tells later.
        """
        ...

    def ignore(self, room_id: str) -> None:
        """This server has nothing in that room any more."""
        ...

    async def servers(self) -> Collection[str]:
        """The other servers that live, as far as they have been heard of; one that has only just come may be missing.

        Raises:
            Unavailable: that is not known.
        """
        ...

    async def listeners(self, room_id: str, /) -> Collection[str]:
        """The other servers that have something in that room.

        Raises:
            Unavailable: that is not known.
        """
        ...

    def send(self, servers: Iterable[str], item: bytes) -> None:
        """Send that to each of these servers; what is sent in one go travels together, in the order of the calls.

        It may be lost; then the receiver is told that it has missed something, within a few seconds.
        """
        ...

    def tick(self) -> None:
        """Do what is due by now."""
        ...
