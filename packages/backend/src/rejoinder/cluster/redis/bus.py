"""What goes from server to server: batches, numbered for each pair, so that a loss is seen.

A batch is one publish on the channel of its receiver, with everything that was said to it since the last one. A beat is a batch
without anything in it, and without a number of its own: it says how many there have been, so that the loss of the last one is
seen, too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

BATCH_BYTES = 512 * 1024
WAITING_BYTES = 16 * 1024 * 1024
"""Half of what Redis holds for a subscriber before it lets go of it, unless it is told otherwise."""


class Batch(msgspec.Struct, array_like=True, frozen=True):
    """What one server says to another."""

    sender: str
    number: int
    items: list[msgspec.Raw] = []


@dataclass(slots=True)
class Outbox:
    """What is to be said to other servers. Each item is JSON already, and is only put beside others, for whoever gets it."""

    me: str
    _items: dict[str, list[bytes]] = field(default_factory=dict)
    _bytes: int = 0
    _numbers: dict[str, int] = field(default_factory=dict)
    """Kept for good, since a server that was taken for gone may come back, and has not forgotten them."""
    _live: set[str] = field(default_factory=set)

    def put(self, servers: Iterable[str], item: bytes) -> None:
        """Say that to each of them. Too much at once is lost, as anything may be."""
        self._bytes += len(item)
        if self._bytes > WAITING_BYTES:
            self.lose()
        for server in servers:
            items = self._items.get(server)
            if items is None:
                items = self._items[server] = []
            items.append(item)

    def take(self) -> list[tuple[str, bytes]]:
        """Receivers and their batches."""
        gathered, self._items = self._items, {}
        small, self._bytes = self._bytes < BATCH_BYTES, 0
        batches: list[tuple[str, bytes]] = []
        for server, items in gathered.items():
            parts = [items] if small else _parted(items)
            batches += [(server, self._batch(server, part)) for part in parts]
        return batches

    def _batch(self, server: str, items: Sequence[bytes]) -> bytes:
        self._live.add(server)
        number = self._numbers[server] = self._numbers.get(server, 0) + 1
        return b'["%b",%d,[%b]]' % (self.me.encode(), number, b",".join(items))

    def lose(self) -> None:
        """What waits can't be said; who was to hear it will see that it is missing."""
        for server in self._items:
            self._live.add(server)
            self._numbers[server] = self._numbers.get(server, 0) + 1
        self._items.clear()
        self._bytes = 0

    def beats(self) -> list[tuple[str, bytes]]:
        """For each that is spoken to, how often that was; and for this server itself, that it lives."""
        return [
            (server, msgspec.json.encode(Batch(self.me, self._numbers.get(server, 0))))
            for server in (self.me, *self._live)
        ]

    def forget(self, server: str) -> None:
        """It is gone."""
        self._items.pop(server, None)
        self._live.discard(server)


@dataclass(slots=True)
class Inbox:
    """What has come from other servers."""

    _numbers: dict[str, int] = field(default_factory=dict)

    def take(self, batch: Batch) -> tuple[bool, bool]:
        """Note it down; whether it is new, and whether something that came before it is missing."""
        last = self._numbers.get(batch.sender, 0)
        expected = last + 1 if batch.items else last
        if batch.number > last:
            self._numbers[batch.sender] = batch.number
        return batch.number > last, batch.number > expected

    def forget(self, server: str) -> None:
        """It is gone."""
        self._numbers.pop(server, None)


def _parted(items: list[bytes]) -> Iterator[list[bytes]]:
    at = size = 0
    for end, item in enumerate(items, 1):
        size += len(item)
        if size >= BATCH_BYTES or end == len(items):
            yield items[at:end]
            at, size = end, 0
