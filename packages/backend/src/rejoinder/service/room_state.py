"""What one server knows of a room: who is in it, what is written in it, whose turn it is."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Self

from rejoinder.core.branches import Branches, newest_below, parent_of
from rejoinder.core.following import Following
from rejoinder.core.joining import Joining
from rejoinder.core.others import Others
from rejoinder.core.rooms import People, Sequencer
from rejoinder.core.streams import StreamText
from rejoinder.protocol.events import ChatMessage, DoubleTexting
from rejoinder.service.marks import Marks
from rejoinder.stores.records import PLACES, place_behind

Publish = Callable[[ChatMessage], None]


@dataclass(slots=True)
class LiveStream:
    """A generation that runs: its row, its text, who asked for it."""

    row: ChatMessage
    asked_by: str
    text: StreamText = field(default_factory=StreamText)
    chunk_at: float = 0.0
    heard_at: float = -inf
    """Of one that another server writes: when that server last told more of it."""
    wanted_at: float = -inf
    """When it was asked for what is missing."""

    @classmethod
    def elsewhere(cls, row: ChatMessage) -> Self:
        """One that another server writes, as far as it has been saved."""
        stream = cls(row, "")
        stream.text.write(row.content)
        stream.text.take_chunk()
        return stream


@dataclass(frozen=True, slots=True)
class PendingTurn:
    """An answer that was asked for: the id its row will have, and the message it answers.

    `beside` is the answer that it is to stand beside, if any; with `goes_on` it begins with the text of that. `behind` is the
    last `seq` that was known when it was asked for, unless it was asked for with its question.
    """

    message_id: str
    asked_by: str
    character_id: str
    question: ChatMessage
    beside: ChatMessage | None = None
    goes_on: bool = False
    behind: int | None = None

    @property
    def place(self) -> int:
        """When it was asked for, in the order of the room; it is about that in which it is its turn."""
        return self.question.seq * PLACES if self.behind is None else place_behind(self.behind)


@dataclass(frozen=True, slots=True)
class RoomRules:
    """Who of the characters is in a room, in the order of coming, and what becomes of an answer when its user sends again."""

    characters: tuple[str, ...] = ()
    double_texting: DoubleTexting | None = None
    """None leaves it to the server."""


@dataclass(slots=True)
class RoomState:
    """What one server knows of one room."""

    id: str
    sequencer: Sequencer[Callable[[], None]]
    branches: Branches = field(default_factory=Branches)
    leader: str = ""
    """The row on its way, if it still is, that the conversation goes on from."""
    people: People = field(default_factory=People)
    listeners: set[str] = field(default_factory=set)
    """The other servers that have something in the room."""
    parted_until: float = -inf
    """So long after a server that had something in it went out of reach, it may still live, and have answers written."""
    others: Others = field(default_factory=Others)
    joining: Joining = field(default_factory=Joining)
    """Of all rooms of this server: connections with a poor line."""
    streams: dict[str, LiveStream] = field(default_factory=dict)
    """The answers that this server writes."""
    elsewhere: Following[LiveStream] = field(default_factory=Following)
    """Those of other servers, or of servers that are gone, that people here know of."""
    marks: Marks = field(default_factory=Marks)
    turns: deque[PendingTurn] = field(default_factory=deque)
    answering: PendingTurn | None = None
    rules: RoomRules | None = None
    """As far as they are known, which they are as long as somebody is in it."""
    spoke: str | None = None
    """The character that began to answer last, since this is here."""
    publishers: dict[str, Publish] = field(default_factory=dict)
    """How rows are to be published that may or may not be stored yet, by their ids."""
    suspect_since: float | None = None
    """When it was noticed, or last looked at, that the log may have rows that nobody was shown."""
    quiet_since: float | None = None
    """Since when the log can be read again, and everything in it has been shown."""
    looks: int = 0
    """How often the log was to be looked at: what is asked for while it is being read is asked for again."""
    title: str | None = None
    titling: bool = False
    """A title is being made for it."""
    unindexed: bool = True
    """There may be rows that are not in the index of the search."""
    in_use: int = 0
    """Operations under way that hold on to this state."""
    storing: int = 0
    """Rows on their way from here into the log."""

    @property
    def idle(self) -> bool:
        """True if nothing would be lost by forgetting this."""
        held = self.in_use or self.storing
        return not (self.people or self.streams or self.turns or self.answering or held)

    def stream(self, message_id: str) -> LiveStream | None:
        """The answer, wherever it is written, as people here see it."""
        return self.streams.get(message_id) or self.elsewhere.get(message_id)

    def distrust(self) -> None:
        """Have the store looked at soon."""
        self.quiet_since = None
        if self.suspect_since is None:
            self.suspect_since = -inf

    def parent_at_head(self, message_id: str) -> int | None:
        """What a row with that id is to follow, where the head is not the log's last row."""
        if self.leader in self.publishers:
            return None
        self.leader = message_id
        return self.branches.head

    def place_answer(
        self, message_id: str, question: ChatMessage, beside: ChatMessage | None
    ) -> int | None:
        """What an answer is to follow that is about to be stored; None for the log's last row."""
        if beside is None:
            return self.parent_of_answer(question)
        self.leader = message_id
        return parent_of(beside)

    def parent_of_answer(self, question: ChatMessage) -> int | None:
        """What an answer to that message is to follow; None for the log's last row."""
        last = self.sequencer.last
        if self.leader in self.publishers:
            return newest_below(question.seq, self.branches.forks, last)
        return self.branches.leaf_for(question.seq, last)
