"""A delivery that keeps what it is given."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from rejoinder.protocol.catalogue import ServerEvent
from rejoinder.protocol.fields import ServerPayload

P = TypeVar("P", bound=ServerPayload)


@dataclass(frozen=True, slots=True)
class Sent:
    """An event as one connection was to get it."""

    event: str
    payload: ServerPayload


@dataclass(frozen=True, slots=True)
class Closed:
    """Here the connection was to be closed."""


Entry = Sent | Closed


class RecordingDelivery:
    """A `Delivery` that records for each connection what it was to get, in order.

    What is sent to a connection after it was closed is recorded, too: a client would not get it, but a test may want to
    know that somebody tried.
    """

    def __init__(self) -> None:
        self._logs: dict[str, list[Entry]] = {}

    def send(self, connections: Iterable[str], event: ServerEvent[P], payload: P) -> None:
        """Record the event for each of the connections.

        Raises:
            TypeError: the payload is not the one that the catalogue declares for the event.
        """
        if not isinstance(payload, event.payload):
            raise TypeError(
                f"{event.name} takes {event.payload.__name__}, not {type(payload).__name__}"
            )
        for connection in connections:
            self._log(connection).append(Sent(event.name, payload))

    def close(self, connection: str) -> None:
        """Record that the connection was to be closed."""
        self._log(connection).append(Closed())

    def entries(self, connection: str) -> tuple[Entry, ...]:
        """Everything of one connection, the oldest first."""
        return tuple(self._logs.get(connection, ()))

    def names(self, connection: str) -> list[str]:
        """The names of the events of one connection, the oldest first."""
        return [entry.event for entry in self.entries(connection) if isinstance(entry, Sent)]

    def payloads(self, connection: str, event: ServerEvent[P]) -> list[P]:
        """The payloads of one event on one connection, the oldest first."""
        return [
            entry.payload
            for entry in self.entries(connection)
            if isinstance(entry, Sent)
            and entry.event == event.name
            and isinstance(entry.payload, event.payload)
        ]

    def closed(self, connection: str) -> bool:
        """True if the connection was to be closed."""
        return Closed() in self.entries(connection)

    def clear(self, connection: str | None = None) -> None:
        """Forget what was recorded, for one connection or for all."""
        if connection is None:
            self._logs.clear()
        else:
            self._logs.pop(connection, None)

    def _log(self, connection: str) -> list[Entry]:
        return self._logs.setdefault(connection, [])
