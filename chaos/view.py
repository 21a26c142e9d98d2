"""What a Python client holds of a room, and what it does when it finds that it lacks something."""

from collections import deque
from dataclasses import dataclass, field

from chaos.record import Message, Payload, Snapshot


@dataclass(slots=True)
class Draft:
    """A message on its way; `sent` says over which connection it went out last, and when."""

    id: str
    content: str
    asks: bool
    conn: int = 0
    at: float = 0.0
    not_before: float = 0.0


@dataclass(slots=True)
class View:
    """One room; it outlives connections, as a page's memory does. `outbox` outlives the page as well."""

    room: str
    inside: bool = False
    damaged: bool = False
    leaving: bool = False
    last: int = 0
    rows: dict[int, Message] = field(default_factory=dict)
    running: dict[str, Message] = field(default_factory=dict)
    has_older: bool = False
    outbox: dict[str, Draft] = field(default_factory=dict)
    acked: deque[Draft] = field(default_factory=lambda: deque(maxlen=20))
    own_answers: deque[str] = field(default_factory=lambda: deque(maxlen=8))

    @property
    def whole(self) -> bool:
        """Whether nothing is missing between the oldest row held and the newest one known."""
        if not self.rows:
            return self.last == 0
        return max(self.rows) - min(self.rows) + 1 == len(self.rows) and self.last in self.rows

    @property
    def position(self) -> str:
        """The last row up to which everything is here and final."""
        found, expected = "", min(self.rows, default=0)
        for seq in sorted(self.rows):
            if seq != expected or self.rows[seq].state == "streaming":
                break
            found, expected = self.rows[seq].id, seq + 1
        return found

    @property
    def hole_after(self) -> str:
        """The last row before something is missing."""
        seq = min(self.rows)
        while seq + 1 in self.rows:
            seq += 1
        return self.rows[seq].id

    def forget(self) -> None:
        """The page was loaded anew."""
        self.rows.clear()
        self.outside()
        self.last = 0

    def outside(self) -> None:
        """The connection is gone, or the room was left."""
        self.inside = self.leaving = False
        self.running.clear()

    def enter(self, snapshot: Snapshot) -> None:
        if not snapshot.recovered:
            self.rows.clear()
            self.has_older = snapshot.has_more
        self.inside, self.damaged = True, False
        self.running.clear()
        self.last = snapshot.last_seq
        # What was running may have ended meanwhile, and come on a later page only: without it there is a hole.
        for seq in [seq for seq, row in self.rows.items() if row.state == "streaming"]:
            del self.rows[seq]
        for message in snapshot.messages:
            self.rows[message.seq] = message
        for stream in snapshot.streams:
            row = self.rows.get(stream.seq)
            if row is None:
                if stream.seq < min(self.rows, default=0):
                    continue
                row = self.rows[stream.seq] = Message(id=stream.message_id, seq=stream.seq)
            row.content, row.state = stream.content, "streaming"
            self.running[row.id] = row

    def page(self, messages: list[Message]) -> None:
        """Rows of the history; what is followed live is ahead of them."""
        for message in messages:
            held = self.rows.get(message.seq)
            if message.state != "streaming":
                self.rows[message.seq] = message
                self.running.pop(message.id, None)
            elif held is None:
                self.rows[message.seq] = message
                self.damaged = True

    def hear(self, event: str, payload: Payload) -> None:
        """An event of this room."""
        match event:
            case "message:new":
                row = Message(
                    payload.id, payload.seq, payload.sender_id, payload.content, payload.state
                )
                self._new(row)
            case "message:stream:start":
                row = Message(
                    payload.message_id, payload.seq, state="streaming", reply_to=payload.reply_to
                )
                self._new(row)
                self.running[row.id] = row
            case "message:stream:chunk":
                found = self.running.get(payload.message_id)
                if found is None:
                    self.damaged = True
                else:
                    found.content = found.content[: payload.offset] + payload.delta
            case "message:stream:end" | "message:stream:error":
                self._end(payload)
            case "room:resync":
                self.damaged = True
            case _:
                pass

    def _new(self, row: Message) -> None:
        if row.seq > self.last + 1:
            self.damaged = True
        self.last = max(self.last, row.seq)
        self.rows.setdefault(row.seq, row)

    def _end(self, payload: Payload) -> None:
        row = self.running.pop(payload.message_id, None)
        if row is None:
            self.damaged = True
        else:
            row.content, row.state = payload.content, payload.state or "failed"
