"""What a client makes of snapshots and events, as the contract says, and complains about when it can't."""

from dataclasses import dataclass, field

from tests.service.world import Client

from rejoinder.protocol import events
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import ServerPayload, given
from rejoinder.testing import Closed


@dataclass(slots=True)
class View:
    """One room as one user sees it; it outlives connections, as a page's memory does."""

    room_id: str
    inside: bool = False
    last: int = 0
    """The number that was shown last."""
    rows: dict[int, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    writing: dict[str, int] = field(default_factory=dict)
    """Answers that are being written, each with the index that its next chunk must have."""
    gone: set[str] = field(default_factory=set)
    """Answers that have ended in this stay."""
    branches: dict[int, tuple[int | None, bool]] = field(default_factory=dict)
    """By its number, which row each follows (None: the one before it), and whether it was asked for beside another."""
    head: int = 0
    revision: int = 0
    doubtful: bool = False
    """A change was missed, so that the room is to be entered again."""

    @property
    def position(self) -> str | None:
        """The last message up to which everything is here and final."""
        found = None
        for seq in sorted(self.rows):
            if self.rows[seq] in self.writing:
                break
            found = self.rows[seq]
        return found

    def enter(self, snapshot: events.RoomSnapshot, position: str | None) -> None:
        """Take a snapshot in."""
        first = 1
        if snapshot.recovered:
            assert position is not None
            first = next(seq for seq, held in self.rows.items() if held == position) + 1
        else:
            self.rows.clear()
            self.texts.clear()
            if snapshot.messages:
                first = snapshot.messages[0].seq
        self.rows = {seq: held for seq, held in self.rows.items() if seq < first}
        self.writing.clear()
        self.gone.clear()
        self.inside = True
        self.last = snapshot.last_seq
        self.head = given(snapshot.head) or snapshot.last_seq
        self.revision = given(snapshot.revision) or 0
        self.doubtful = False
        for deleted in given(snapshot.deleted) or ():
            self.texts[deleted.message_id] = ""
        numbers = [message.seq for message in snapshot.messages]
        assert numbers == list(range(first, first + len(numbers))), "a hole in a snapshot"
        assert all(number <= self.last for number in numbers)
        if not (snapshot.recovered and snapshot.has_more):
            assert numbers[-1:] in ([self.last], []), "a part that looks whole"
            assert numbers or first == self.last + 1, "a part that looks whole"
        for stream in snapshot.streams:
            self.writing[stream.message_id] = stream.index
            self.texts[stream.message_id] = stream.content
        self.take(snapshot.messages)

    def take(self, messages: list[ChatMessage]) -> None:
        """Rows of a snapshot or of the history."""
        for message in messages:
            if message.seq > self.last:
                continue  # It comes as an event.
            assert (message.state == "streaming") == (message.id in self.writing), message
            if message.id in self.writing:
                assert message.content == self.texts[message.id], "two texts of one answer"
            self.rows[message.seq] = message.id
            self.texts[message.id] = message.content
            self._branch(message)

    def hear(self, payload: ServerPayload) -> None:
        """An event of this room."""
        assert self.inside, f"heard in a room that was not entered: {payload}"
        match payload:
            case ChatMessage():
                self._next(payload.seq, payload.id, payload.content)
                self._branch(payload)
                self._follow(payload.seq)
            case events.StreamStart():
                self._next(payload.seq, payload.message_id, "")
                self._branch(payload)
                self._follow(payload.seq)
                self.writing[payload.message_id] = 0
            case events.StreamChunk(message_id=message_id):
                assert payload.index == self.writing[message_id], "a chunk is missing or repeated"
                assert payload.offset == len(self.texts[message_id])
                self.texts[message_id] += payload.delta
                self.writing[message_id] += 1
            case (
                events.StreamEnd(message_id=message_id) | events.StreamError(message_id=message_id)
            ):
                assert message_id not in self.gone, "an answer ended twice"
                assert payload.content == self.texts[message_id], "shown is not what is stored"
                del self.writing[message_id]
                self.gone.add(message_id)
            case events.MessageChosen():
                assert payload.last_seq <= self.last, "chosen among what was not shown"
                if payload.revision > self.revision:
                    self.head = payload.head
                    for seq in range(payload.last_seq + 1, self.last + 1):
                        self._follow(seq)
                self._know(payload.revision)
            case events.MessageDeleted():
                self.texts[payload.message_id] = ""
                self._know(payload.revision)
            case _:
                return

    def _branch(self, row: ChatMessage | events.StreamStart) -> None:
        self.branches[row.seq] = (given(row.parent_seq), given(row.variant_of) is not None)

    def _follow(self, seq: int) -> None:
        parent, beside = self.branches[seq]
        if beside or self.head == (seq - 1 if parent is None else parent):
            self.head = seq

    def _know(self, revision: int) -> None:
        if revision > self.revision + 1:
            self.doubtful = True
        self.revision = max(self.revision, min(revision, self.revision + 1))

    def _next(self, seq: int, message_id: str, content: str) -> None:
        assert seq == self.last + 1, f"{seq} came after {self.last}"
        self.last = seq
        self.rows[seq] = message_id
        self.texts[message_id] = content


class Page:
    """A user's page: the views of rooms, over whichever connection there is."""

    def __init__(self, user_id: str, rooms: tuple[str, ...]) -> None:
        self.user_id = user_id
        self.views = {room_id: View(room_id) for room_id in rooms}
        self.client: Client | None = None
        self._read = 0

    def connected(self, client: Client) -> None:
        """There is a new connection, in no room."""
        self.disconnected()
        self.client = client

    def disconnected(self) -> None:
        """There is none any more; what it heard counts."""
        self.listen()
        self.client, self._read = None, 0
        for view in self.views.values():
            view.inside = False

    def listen(self) -> None:
        """Hear what has arrived by now."""
        if self.client is None:
            return
        entries = self.client.world.delivery.entries(self.client.id)
        for entry in entries[self._read :]:
            assert not isinstance(entry, Closed), "the server closed it"
            room_id = getattr(entry.payload, "room_id", None)
            if room_id is not None and entry.event != "room:rejoined":
                self.views[room_id].hear(entry.payload)
        self._read = len(entries)

    async def enter(self, room_id: str, *, with_position: bool, event: str) -> None:
        """Enter a room, and read what the snapshot left out."""
        if self.client is None:
            return
        view = self.views[room_id]
        self.listen()
        position = view.position if with_position else None
        revision = view.revision if position is not None else 0
        snapshot = await self.client.join(room_id, "echo", position, event, revision)
        self.listen()
        view.enter(snapshot, position)
        if not (snapshot.recovered and snapshot.has_more):
            return
        top = snapshot.messages[-1] if snapshot.messages else None
        after, reached = (top.id, top.seq) if top else (position, 0)
        while reached < snapshot.last_seq:
            page = await self.client.history(room_id, after=after, limit=2)
            self.listen()
            assert page.messages, "a page that was promised is empty"
            view.take(page.messages)
            after, reached = page.messages[-1].id, page.messages[-1].seq

    async def leave(self, room_id: str) -> None:
        """Leave a room."""
        if self.client is None:
            return
        ack = await self.client.call("room:leave", {"roomId": room_id})
        self.listen()
        assert isinstance(ack, events.Ack) == self.views[room_id].inside
        self.views[room_id].inside = False
