"""Reads what was written down, and what is stored in the end, and says what is wrong. It knows no server and no time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

from chaos import script
from chaos.record import (
    Acked,
    Asked,
    Fault,
    Generated,
    Heard,
    Online,
    Record,
    Replied,
    Stored,
    Unfinished,
)
from chaos.sends import Sends
from chaos.views import Views
from chaos.violations import COLUMNS, Column, Violation, Violations

TWO_SECONDS = 2.0
KILL = "server killed"
DEATHS = (KILL, "server ended")
ENDED_SECONDS = 15.0
CLOCK = "clock jumped"
CLOCK_SECONDS = 5.0
"""How long leases may still be those that a wrong clock gave."""
LOOK_SECONDS = 1.0
"""How long after the end of an answer somebody looks whether it has ended."""
EXAMPLES = 5


@dataclass
class Findings:
    """What a run came to."""

    counts: dict[Column, int]
    examples: list[Violation]
    faults: dict[str, int]
    figures: dict[str, int]
    slowest_ack: float
    slowest_recovery: float
    slowest_end: float
    """From a server's death to the end of an answer that it left, at a viewer who came back, whatever was broken meanwhile."""
    slowest_left: float
    """The same in the database, and from when nothing was broken any more, which is when a server was there again at the latest."""

    @property
    def clean(self) -> bool:
        return not any(self.counts.values())


@dataclass
class Generations:
    """Promises about answers: one for a question, and one more for each time that another one was asked for."""

    requests: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    promised: dict[str, float] = field(default_factory=dict)
    """Other answers that were acknowledged, by their ids, and when."""

    def take(self, record: Record) -> Violations:
        match record:
            case Asked(event="message:regenerate"):
                self.requests[record.id] += 1
            case Generated():
                self.calls[record.question] += 1
            case Replied(event="message:regenerate", ok=True, made=made) if made:
                self.promised[made] = record.t
            case _:
                pass
        yield from ()

    def end(self, stored: Sequence[Stored], asked: set[str]) -> Violations:
        answers: dict[str, list[Stored]] = defaultdict(list)
        texts = {row.id: row.content for row in stored if row.role == "user"}
        for missing in sorted(self.promised.keys() - {row.id for row in stored}):
            says = f"another answer, {missing}, was acknowledged, and is not there"
            yield Violation("no answer", says, self.promised[missing])
        for row in stored:
            if row.role == "character":
                answers[row.reply_to].append(row)
                yield from _as_said(row, texts.get(row.reply_to))
        for question in texts:
            found = answers[question]
            named = [question, *(row.id for row in found)]
            allowed = (question in asked) + sum(self.requests[each] for each in named)
            if len(found) > allowed:
                says = f"{question} has {len(found)} answers, and {allowed} were asked for"
                yield Violation("generations", says)
            if self.calls[question] > len(found):
                says = f"{question} was answered {self.calls[question]} times, and {len(found)} are stored"
                yield Violation("generations", says)


def _as_said(row: Stored, question: str | None) -> Violations:
    if question is None:
        yield Violation("missing", f"{row.id} answers {row.reply_to}, which is not stored")
        return
    plan = script.answer(question)
    if row.state == "streaming":
        yield Violation("streaming", f"{row.id} in {row.room} is still streaming")
    whole = row.state == "complete" or (row.state == "failed" and plan.fails)
    if not plan.text.startswith(row.content) or (whole and plan.text != row.content):
        yield Violation("text", f"{row.id} ({row.state}) is stored with a text that was not said")


@dataclass
class Connections:
    """A user has one connection, but for the moment in which a newer one takes over."""

    _since: dict[tuple[str, ...], float] = field(default_factory=dict)

    def take(self, record: Record) -> Violations:
        if not isinstance(record, Online):
            return
        now = {(user, *sorted(ids)) for user, ids in record.sockets.items()}
        self._since = {key: self._since.get(key, record.t) for key in now}
        for key, since in self._since.items():
            if record.t - since > TWO_SECONDS:
                says = f"{key[0]} has {len(key) - 1} connections for {record.t - since:.1f} s"
                yield Violation("connections", says, record.t)


@dataclass
class Recoveries:
    """How long it was from the end of a fault to the next acknowledgement of something new."""

    slowest: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    slowest_end: float = 0.0
    _healed: float | None = None
    _died: float | None = None

    def take(self, record: Record) -> Violations:
        match record:
            case Fault(ended=True, target=""):
                self._healed = record.t
            case Fault(ended=False):
                self.faults[record.kind] += 1
                if record.kind in DEATHS:
                    self._died = record.t if record.kind == KILL else None
                if not record.target:
                    self._healed = None
            case Acked(ok=True, duplicate=False) if self._healed is not None:
                self.slowest = max(self.slowest, record.t - self._healed)
                self._healed = None
            case Heard(event="message:stream:end", payload=payload) if self._died is not None:
                if payload.state == "interrupted":
                    self.slowest_end = max(self.slowest_end, record.t - self._died)
            case _:
                pass
        yield from ()


@dataclass
class Leavings:
    """What a server had begun or promised is ended in time when it is killed. Only where there is no other server."""

    slowest: float = 0.0
    _leases: dict[str, int] = field(default_factory=dict)
    _left: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Since when nothing is broken, and the lease that the dead server gave it."""
    _broken: int = 0
    _clock: float = -inf
    """When a clock was wrong last."""

    def take(self, record: Record) -> Violations:
        match record:
            case Fault(kind=kind, target="", ended=False):
                if kind == CLOCK:
                    self._clock = inf
                self._broken += 1
                if kind == KILL and record.t - self._clock > CLOCK_SECONDS:
                    self._left |= {key: (record.t, until) for key, until in self._leases.items()}
            case Fault(kind=kind, target="", ended=True):
                if kind == CLOCK:
                    self._clock = record.t
                self._broken -= 1
                self._restart(record.t)
            case Unfinished(leases=leases):
                self._leases = leases
                yield from self._look(record.t)
            case _:
                pass

    def _restart(self, t: float) -> None:
        self._left = {key: (t, until) for key, (_, until) in self._left.items()}

    def _look(self, t: float) -> Violations:
        for key, (since, until) in tuple(self._left.items()):
            if key not in self._leases:
                del self._left[key]
                if not self._broken:
                    self.slowest = max(self.slowest, t - since)
            elif self._leases[key] > until:
                # A server has taken it over: the question was sent again.
                del self._left[key]
            elif not self._broken and t - since > ENDED_SECONDS + LOOK_SECONDS:
                del self._left[key]
                yield Violation("late end", f"{key} has not ended after {t - since:.1f} s", t)


def check(log: Iterable[Record], stored: Sequence[Stored]) -> Findings:
    """Go through the records, in the order of their times, and then through the rows."""
    sends, views, generations = Sends(), Views(), Generations()
    connections, recoveries, leavings = Connections(), Recoveries(), Leavings()
    found: list[Violation] = []
    for record in log:
        for auditor in (sends, views, generations, connections, recoveries, leavings):
            found += auditor.take(record)
    by_id = {row.id: row for row in stored}
    rooms = _rooms(stored)
    asked = {key for key, each in sends.messages.items() if each.first.asks}
    found += _whole(rooms)
    found += sends.end(by_id)
    found += views.end(by_id, rooms)
    found += generations.end(stored, asked)
    answered = {row.reply_to for row in stored}
    for key in sorted(asked - answered):
        message = sends.messages[key]
        if message.seq:
            found.append(Violation("no answer", f"{key} has no answer", message.acked_at))
    counts = Counter(violation.column for violation in found)
    shown: Counter[Column] = Counter()
    examples = []
    for violation in found:
        shown[violation.column] += 1
        if shown[violation.column] <= EXAMPLES:
            examples.append(violation)
    return Findings(
        counts={column: counts[column] for column in COLUMNS},
        examples=examples,
        faults=dict(sorted(recoveries.faults.items())),
        figures={
            "messages": len(sends.messages),
            "sends": sends.transmissions,
            "acks": sends.acks,
            "acks of duplicates": sends.duplicates,
            **{f"refusals: {code}": count for code, count in sorted(sends.refusals.items())},
            "events": sum(views.events.values()),
            "resyncs": views.events.get("room:resync", 0),
            "entries": views.entries,
            "entries that were caught up": views.recovered,
            "generations": sum(generations.calls.values()),
            **{f"ends heard: {state}": count for state, count in sorted(views.ends.items())},
            "rows stored": len(stored),
            "rooms": len(rooms),
        },
        slowest_ack=sends.slowest,
        slowest_recovery=recoveries.slowest,
        slowest_end=recoveries.slowest_end,
        slowest_left=leavings.slowest,
    )


def _rooms(stored: Sequence[Stored]) -> dict[str, list[Stored]]:
    rooms: dict[str, list[Stored]] = defaultdict(list)
    for row in sorted(stored, key=lambda row: row.seq):
        rooms[row.room].append(row)
    return rooms


def _whole(rooms: dict[str, list[Stored]]) -> Violations:
    for room, rows in rooms.items():
        numbers = [row.seq for row in rows]
        if numbers != list(range(1, len(rows) + 1)):
            lacking = sorted(set(range(1, numbers[-1] + 1)) - set(numbers))[:5]
            yield Violation("hole", f"the log of {room} is not 1 to {len(rows)}: without {lacking}")
