"""What the service asks of whatever carries events to clients."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from rejoinder.protocol.catalogue import ServerEvent
from rejoinder.protocol.fields import ServerPayload

P = TypeVar("P", bound=ServerPayload)


class Delivery(Protocol):
    """Neither method waits, and what they are given goes out in the order of the calls."""

    def send(self, connections: Iterable[str], event: ServerEvent[P], payload: P) -> None:
        """Send an event to connections; those that are gone are passed over."""
        ...

    def close(self, connection: str) -> None:
        """Close a connection after everything that was sent to it."""
        ...
