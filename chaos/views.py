"""Promises about what is shown: each viewer hears every row once, in order, each text as it is stored, each end once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chaos.record import (
    Closed,
    Entered,
    Heard,
    Left,
    Message,
    Opened,
    Paged,
    Payload,
    Record,
    Shown,
    Stored,
)
from chaos.violations import Violation, Violations

ENDS = ("message:stream:end", "message:stream:error")


@dataclass(slots=True)
class _Stay:
    """From a snapshot to the next one, or to the end of the connection."""

    last: int
    streams: dict[str, tuple[int, str]]
    skipped: set[int] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    doubts: list[Violation] = field(default_factory=list)
    """Chunks that are missing: of one who is slow they are left out, if it is told so after that."""


@dataclass
class _Viewer:
    """One client in one room, over all its connections."""

    name: str
    room: str
    stay: _Stay | None = None
    heard: set[str] = field(default_factory=set)
    places: dict[str, int] = field(default_factory=dict)

    def says(self, what: str) -> str:
        return f"{self.name} in {self.room}: {what}"

    @property
    def place(self) -> tuple[str, str]:
        return self.name, self.room

    def leave(self, t: float) -> Violations:
        """The stay is over: what was passed over in it did not come."""
        stay, self.stay = self.stay, None
        if stay is not None and stay.skipped:
            missed = sorted(stay.skipped)[:5]
            yield Violation("hole", self.says(f"{missed} did not come"), t, self.place)
        if stay is not None:
            yield from stay.doubts

    def lose(self, t: float) -> Violations:
        """The connection is gone, and with it what it was still to be told."""
        if self.stay is not None:
            self.stay.doubts.clear()
        yield from self.leave(t)

    def enter(self, entered: Entered) -> Violations:
        yield from self.leave(entered.t)
        snapshot = entered.snapshot
        numbers = [message.seq for message in snapshot.messages]
        first = numbers[0] if numbers else snapshot.last_seq + 1
        if snapshot.recovered:
            held = self.places.get(entered.position)
            if held is not None:
                first = held + 1
        last = numbers[-1] if numbers else first - 1
        whole = numbers == list(range(first, last + 1))
        cut = last < snapshot.last_seq and not (snapshot.recovered and snapshot.has_more)
        looks_whole = not (snapshot.recovered or snapshot.has_more) and first != 1
        if not whole or cut or looks_whole or last > snapshot.last_seq:
            says = (
                f"a snapshot to {snapshot.last_seq} after {first - 1} has {numbers[:3]} to {last}"
            )
            yield Violation("hole", self.says(says), entered.t, self.place)
        for message in snapshot.messages:
            self.places[message.id] = message.seq
        streams = {each.message_id: (each.index, each.content) for each in snapshot.streams}
        self.stay = _Stay(snapshot.last_seq, streams)

    def page(self, paged: Paged) -> Violations:
        numbers = [message.seq for message in paged.messages]
        if numbers and numbers != list(range(numbers[0], numbers[-1] + 1)):
            says = f"a page has a hole: {numbers}"
            yield Violation("hole", self.says(says), paged.t, self.place)
        for message in paged.messages:
            self.places[message.id] = message.seq
        held = self.places.get(paged.after)
        if held is not None and numbers and numbers[0] != held + 1:
            says = f"a page after {held} begins at {numbers[0]}"
            yield Violation("hole", self.says(says), paged.t, self.place)

    def hear(self, t: float, event: str, payload: Payload) -> Violations:
        stay = self.stay
        if stay is None:
            return
        match event:
            case "message:new":
                yield from self._new(stay, t, payload.id, payload.seq)
            case "message:stream:start":
                yield from self._new(stay, t, payload.message_id, payload.seq)
                stay.streams[payload.message_id] = (0, "")
            case "message:stream:chunk":
                yield from self._chunk(stay, t, payload)
            case "message:stream:end" | "message:stream:error":
                yield from self._end(stay, t, payload)
            case "room:resync":
                # It was told, so that what it passed over is no hole.
                self.stay = None
            case _:
                pass

    def _new(self, stay: _Stay, t: float, message_id: str, seq: int) -> Violations:
        if message_id in self.heard:
            yield Violation("doubled", self.says(f"{message_id} ({seq}) came twice as new"), t)
        elif seq in stay.skipped:
            stay.skipped.discard(seq)
            yield Violation("order", self.says(f"{seq} came after {stay.last}"), t)
        elif seq <= stay.last:
            says = f"{message_id} ({seq}) came as new after {stay.last}"
            yield Violation("doubled", self.says(says), t)
        else:
            stay.skipped.update(range(stay.last + 1, seq))
        self.heard.add(message_id)
        self.places[message_id] = seq
        stay.last = max(stay.last, seq)

    def _chunk(self, stay: _Stay, t: float, payload: Payload) -> Violations:
        message_id = payload.message_id
        if message_id not in stay.streams:
            yield Violation("text", self.says(f"a chunk of {message_id}, which does not run"), t)
            return
        index, text = stay.streams[message_id]
        if (payload.index, payload.offset) != (index, len(text)):
            says = f"chunk {payload.index} at {payload.offset} of {message_id} came for {index} at {len(text)}"
            yield Violation("text", self.says(says), t)
        text = text[: payload.offset] + payload.delta
        stay.streams[message_id] = (payload.index + 1, text)

    def _end(self, stay: _Stay, t: float, payload: Payload) -> Violations:
        message_id = payload.message_id
        if message_id in stay.ended:
            yield Violation("two ends", self.says(f"{message_id} ended twice"), t)
            return
        stay.ended.add(message_id)
        if message_id not in stay.streams:
            yield Violation("two ends", self.says(f"{message_id} ended, which did not run"), t)
            return
        _, text = stay.streams.pop(message_id)
        if text != payload.content:
            says = (
                f"{message_id} was put together as {len(text)} and ended as {len(payload.content)}"
            )
            wrong = Violation("text", self.says(says), t)
            if payload.content.startswith(text):
                stay.doubts.append(wrong)
            else:
                yield wrong


class Views:
    """Follows every viewer, and compares what they were told with what is stored."""

    def __init__(self) -> None:
        self._viewers: dict[tuple[str, str], _Viewer] = {}
        self._told: list[tuple[str, float, str, int, str, str]] = []
        self._shown: list[Shown] = []
        self.events: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.entries = 0
        self.recovered = 0

    def _viewer(self, client: str, room: str) -> _Viewer:
        viewer = self._viewers.get((client, room))
        if viewer is None:
            viewer = self._viewers[client, room] = _Viewer(client, room)
        return viewer

    def take(self, record: Record) -> Violations:
        match record:
            case Entered():
                self.entries += 1
                self.recovered += record.snapshot.recovered
                for message in record.snapshot.messages:
                    self._note(record.client, record.t, message)
                yield from self._viewer(record.client, record.room).enter(record)
            case Paged():
                for message in record.messages:
                    self._note(record.client, record.t, message)
                yield from self._viewer(record.client, record.room).page(record)
            case Heard(payload=payload):
                self._count(record)
                viewer = self._viewer(record.client, payload.room_id)
                yield from viewer.hear(record.t, record.event, payload)
            case _:
                yield from self._over(record)

    def _over(self, record: Record) -> Violations:
        match record:
            case Opened() | Closed():
                for viewer in self._viewers.values():
                    if viewer.name == record.client:
                        yield from viewer.lose(record.t)
            case Left():
                yield from self._viewer(record.client, record.room).leave(record.t)
            case Shown():
                self._shown.append(record)
            case _:
                pass

    def _count(self, heard: Heard) -> None:
        event, payload = heard.event, heard.payload
        self.events[event] = self.events.get(event, 0) + 1
        if event == "message:new":
            self._told.append(
                (heard.client, heard.t, payload.id, payload.seq, payload.content, payload.state)
            )
        elif event in ENDS:
            state = payload.state if event == ENDS[0] else "failed"
            self.ends[state] = self.ends.get(state, 0) + 1
            self._told.append(
                (heard.client, heard.t, payload.message_id, 0, payload.content, state)
            )

    def _note(self, client: str, t: float, message: Message) -> None:
        """A row that is final in a snapshot or a page is so for good."""
        if message.state != "streaming":
            self._told.append((client, t, message.id, message.seq, message.content, message.state))

    def end(
        self, stored: Mapping[str, Stored], rooms: Mapping[str, Sequence[Stored]]
    ) -> Violations:
        for client, t, message_id, seq, content, state in self._told:
            row = stored.get(message_id)
            if row is None:
                says = f"{client} was shown {message_id} ({seq}), which is not stored"
                yield Violation("missing", says, t)
            elif seq not in (0, row.seq):
                says = f"{client} was shown {message_id} as {seq}, and it is stored as {row.seq}"
                yield Violation("order", says, t)
            elif (content, state) != (row.content, row.state):
                says = (
                    f"{client} was shown {message_id} {state} with {len(content)}, "
                    f"and it is stored {row.state} with {len(row.content)}"
                )
                yield Violation("text", says, t)
        for viewer in self._viewers.values():
            if viewer.stay is not None:
                for message_id in viewer.stay.streams:
                    yield Violation("no end", viewer.says(f"{message_id} never ended"))
                yield from viewer.leave(0)
        for shown in self._shown:
            yield from compare(shown, rooms.get(shown.room, ()))


def compare(shown: Shown, log: Sequence[Stored]) -> Violations:
    """What a client shows of a room, beside the room's log."""
    where = f"{shown.client} shows {shown.room}"
    numbers = [row.seq for row in shown.rows]
    if numbers != sorted(numbers):
        yield Violation("order", f"{where} out of order", shown.t)
    if len(set(numbers)) < len(numbers) or len({row.id for row in shown.rows}) < len(numbers):
        yield Violation("doubled", f"{where} with a row twice", shown.t)
    first = min(numbers, default=len(log) + 1)
    last = len(log) if shown.final else max(numbers, default=first - 1)
    lacking = sorted(set(range(first, last + 1)) - set(numbers))
    if lacking:
        says = f"{where} from {first} without {lacking[:5]} ({len(lacking)} of {last})"
        yield Violation("hole", says, shown.t, (shown.client, shown.room))
    elif shown.final and log and not numbers:
        says = f"{where} empty, and it has {len(log)}"
        yield Violation("hole", says, shown.t, (shown.client, shown.room))
    places = {row.seq: row for row in log}
    for row in shown.rows:
        yield from _compare_row(where, shown, row, places.get(row.seq))


def _compare_row(where: str, shown: Shown, row: Message, kept: Stored | None) -> Violations:
    if kept is None:
        yield Violation(
            "missing", f"{where} with {row.id} ({row.seq}), which is not stored", shown.t
        )
    elif kept.id != row.id:
        yield Violation("order", f"{where} with {row.id} as {row.seq}, which is {kept.id}", shown.t)
    elif row.state == "streaming" and not shown.final:
        if not (kept.content.startswith(row.content) or row.content.startswith(kept.content)):
            yield Violation("text", f"{where} with another beginning of {row.id}", shown.t)
    elif (row.content, row.state) != (kept.content, kept.state):
        says = (
            f"{where} with {row.id} {row.state} of {len(row.content)}, "
            f"stored {kept.state} of {len(kept.content)}"
        )
        yield Violation("no end" if row.state == "streaming" else "text", says, shown.t)
