"""Promises about what is sent: acknowledged is stored, once, in order, and everything is answered."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos.record import Acked, Confirmed, Record, Replied, Sent, Stored
from chaos.violations import Violation, Violations

PASSING = frozenset({"unavailable", "rate_limited"})


@dataclass(slots=True)
class _Message:
    first: Sent
    floor: int
    times: int = 0
    seq: int = 0
    acked_at: float = 0.0
    confirmed: bool = False
    refused: str = ""

    @property
    def there(self) -> bool:
        return self.seq > 0 or self.confirmed


@dataclass
class Sends:
    """Follows every message from its first sending."""

    messages: dict[str, _Message] = field(default_factory=dict)
    transmissions: int = 0
    acks: int = 0
    duplicates: int = 0
    refusals: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    slowest: float = 0.0
    _reached: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _lines: dict[tuple[str, int, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def take(self, record: Record) -> Violations:
        match record:
            case Sent():
                self._sent(record)
            case Acked(ok=True):
                yield from self._acked(record)
            case Acked():
                self._refused(record)
            case Confirmed(id=message_id) if message_id in self.messages:
                self.messages[message_id].confirmed = True
            case Replied(event="conflict", ok=True):
                yield Violation("doubled", f"{record.id} was taken with two texts", record.t)
            case _:
                pass

    def _sent(self, sent: Sent) -> None:
        self.transmissions += 1
        message = self.messages.get(sent.id)
        if message is None:
            message = self.messages[sent.id] = _Message(sent, self._reached[sent.room])
            self._lines[sent.client, sent.conn, sent.room].append(sent.id)
        message.times += 1

    def _acked(self, ack: Acked) -> Violations:
        self.acks += 1
        self.duplicates += ack.duplicate
        message = self.messages.get(ack.id)
        if message is None:
            yield Violation("doubled", f"{ack.id} was acknowledged, which nobody sent", ack.t)
            return
        if message.seq not in (0, ack.seq):
            yield Violation(
                "doubled", f"{ack.id} was acknowledged as {message.seq} and as {ack.seq}", ack.t
            )
        if not message.seq:
            message.seq, message.acked_at = ack.seq, ack.t
            self.slowest = max(self.slowest, ack.t - message.first.t)
        self._reached[ack.room] = max(self._reached[ack.room], ack.seq)

    def _refused(self, ack: Acked) -> None:
        self.refusals[ack.code] += 1
        if ack.code not in PASSING and ack.id in self.messages:
            self.messages[ack.id].refused = ack.code

    def end(self, stored: Mapping[str, Stored]) -> Violations:
        for message_id, message in self.messages.items():
            row = stored.get(message_id)
            if row is None:
                yield from _absent(message_id, message)
            else:
                yield from _present(row, message)
        yield from self._strangers(stored)
        yield from self._lines_in_order(stored)

    def _strangers(self, stored: Mapping[str, Stored]) -> Violations:
        said: dict[str, str] = {}
        for row in stored.values():
            if row.role != "user":
                continue
            if row.id not in self.messages:
                yield Violation("doubled", f"{row.id} is stored, and nobody sent it")
            other = said.setdefault(row.content, row.id)
            if other != row.id:
                yield Violation("doubled", f"{other} and {row.id} are stored with the same text")

    def _lines_in_order(self, stored: Mapping[str, Stored]) -> Violations:
        """What was sent once over one connection has the order in which it was sent."""
        for (client, conn, _), line in self._lines.items():
            last = 0
            for message_id in line:
                message, row = self.messages[message_id], stored.get(message_id)
                if row is None or message.times > 1 or not message.seq:
                    continue
                if row.seq < last:
                    says = f"{message_id} of {client} (connection {conn}) has seq {row.seq}, after {last}"
                    yield Violation("order", says, message.first.t)
                last = row.seq


def _absent(message_id: str, message: _Message) -> Violations:
    if message.there:
        says = f"{message_id} was acknowledged as {message.seq} and is not stored"
        yield Violation("missing", says, message.acked_at)
    elif not message.refused:
        yield Violation("unanswered", f"{message_id} was never answered", message.first.t)


def _present(row: Stored, message: _Message) -> Violations:
    sent = message.first
    if row.content != sent.content:
        yield Violation("text", f"{row.id} is stored with another text than was sent", sent.t)
    if row.room != sent.room:
        yield Violation("order", f"{row.id} is stored in {row.room} and was sent to {sent.room}")
    if message.seq not in (0, row.seq):
        says = f"{row.id} was acknowledged as {message.seq} and is stored as {row.seq}"
        yield Violation("order", says, message.acked_at)
    if row.seq <= message.floor:
        says = (
            f"{row.id} has seq {row.seq}; {message.floor} was acknowledged before it was first sent"
        )
        yield Violation("order", says, sent.t)
    if message.refused and not message.there:
        yield Violation("refused", f"{row.id} was refused ({message.refused}) and is stored")
    elif not message.there and not message.refused:
        yield Violation("unanswered", f"{row.id} is stored and was never acknowledged", sent.t)
