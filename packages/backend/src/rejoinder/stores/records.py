"""What a store keeps and tells, and the bounds that all stores share. Times are milliseconds since the epoch."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from msgspec import UNSET

from rejoinder.errors import Conflict, NotFound, Unavailable
from rejoinder.protocol.events import ChatMessage, MessageState, Role

LEASE_AHEAD_MS: Final = 30_000
ROOMS_SEARCHED: Final = 1000
"""Of somebody with more rooms, those that changed last are searched."""
EXAMINED_MAX: Final = 20_000
"""Messages that one search looks at."""
TAIL_ROOMS: Final = 50
TAIL_ROWS: Final = 200
"""Where there is no index to ask: the newest messages of so many rooms are looked through, so many of each."""
GONE: Final = "This room was deleted."
TAKEN: Final = "This message id belongs to another message. Send it with a new id."
TitledBy = Literal["first", "model", "person"]
"""Where a title comes from: the first message, a model that was asked for one, or a person, who has the last word."""
Position = tuple[int, str]
"""Where a message stands among all: its time and its id."""
FORKS_LOOK: Final = 50
"""A list of rooms looks at so many of the newest forks of each."""
FORKS_MAX: Final = 10_000
"""So many forks of a room, the newest, are told of; what was chosen among older ones stays as it is."""
UNREAD_MAX: Final = 100
"""What is unread is counted so far."""
UNREAD_LOOK: Final = 1_000
"""So many rows after the mark are looked at for it: one's own are among them."""
REMOVAL_KEPT_SECONDS: Final = 3600
"""So long it is kept who was removed from a room."""
PLACES: Final = 1 << 16
"""Between two questions there is room for so many answers that were asked for later."""
EndState = Literal["complete", "stopped", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Debt:
    """An answer that was promised and has no row yet; whoever gives it appends a row with that id."""

    answer_id: str
    question_id: str
    room_id: str
    character_id: str
    until: int
    """Until when the server that has promised it is to be taken for alive, unless it renews that."""
    beside: str | None = None
    """The answer that it is to stand beside, if any."""
    behind: int | None = field(default=None, compare=False)
    """Of one that is not kept with its question: the `seq` behind which its turn is, if whoever promises it knows that."""


@dataclass(frozen=True, slots=True)
class InTurn:
    """The answers of a room that are not whole yet, by their ids."""

    running: frozenset[str]
    """Those whose rows are `streaming`."""
    owed: tuple[str, ...]
    """Those that have no row yet, in the order in which it is their turn."""


def place_of(seq: int, place: int | None) -> int:
    """Where an answer that is owed stands in its room: with its question, unless it was given a place of its own."""
    return seq * PLACES if place is None else place


def place_behind(seq: int, places: Iterable[int] = ()) -> int:
    """A place behind the question of that number, and behind these places, and before the next question."""
    return max(seq * PLACES, *places, 0) + 1


@dataclass(slots=True)
class Draft:
    """A row before the store has given it its place. Nobody changes one; that it is not frozen makes it for a third of the time."""

    id: str
    room_id: str
    role: Role
    sender_id: str
    content: str
    state: MessageState
    timestamp: int
    character_id: str | None = None
    reply_to: str | None = None
    metadata: dict[str, Any] | None = None
    lease_until: int | None = None
    """Of a row that is `streaming`: until when its server is to be taken for alive, unless it renews that."""
    parent_seq: int | None = None
    """The row that it follows, where that is not the one before it."""
    variant_of: str | None = None
    owes: Debt | None = None
    """Of a question: the answer that is promised with it."""


@dataclass(frozen=True, slots=True)
class Appended:
    """The stored row; `duplicate` if it was there already."""

    message: ChatMessage
    duplicate: bool


def is_same(stored: ChatMessage, draft: Draft) -> bool:
    """True if the draft is a repetition of the row that has its id."""
    if (stored.room_id, stored.sender_id) != (draft.room_id, draft.sender_id):
        return False
    return stored.content == draft.content or stored.deleted_at is not UNSET


Outcome = Appended | Conflict | NotFound | Unavailable
"""What came of a draft; of one that is `Unavailable` it is not known whether it is stored."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of `seq`; `has_more` in the direction that was asked for."""

    messages: list[ChatMessage]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Room:
    """A room; `created` if the call that returned it made it."""

    id: str
    created_by: str
    created_at: int
    character_id: str | None = None
    created: bool = False
    title: str | None = None
    titled_by: TitledBy | None = None
    deleted_at: int | None = None
    """Of a room that was deleted, of which nothing else is known any more."""
    revision: int = 0
    """Counts what was chosen and what was deleted in it."""
    characters: tuple[str, ...] = ()
    """Those who are in it, once there was a second one; `character_id` is the first of them."""
    double_texting: str | None = None
    """What becomes of an answer when its user sends again meanwhile, if the room has a rule of its own."""


def characters_of(room: Room) -> tuple[str, ...]:
    """The characters who are in a room, in the order of coming."""
    if room.characters or room.character_id is None:
        return room.characters
    return (room.character_id,)


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether somebody belongs to a room, and which was the last time that they were removed from it, as far as that is kept."""

    member: bool
    removal: str = ""
    """Another one each time; "" for none."""
    name: str = ""
    """What the member was called when they entered; "" where they have not been there, or have no name."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """What is kept of the room that somebody comes to, and of them in it."""

    room: Room | None
    """None also for one that was deleted."""
    membership: Membership
    hides_last_seen: bool | None = False
    """Whether others may not know when they were last seen; None where it could not be found out."""


@dataclass(frozen=True, slots=True)
class StoredMember:
    """Somebody who belongs to a room."""

    user_id: str
    name: str
    joined_at: int


@dataclass(frozen=True, slots=True)
class StoredMark:
    """How far somebody has read a room."""

    user_id: str
    message_id: str
    seq: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Erased:
    """A row whose text is gone, since when, and the room's revision with that."""

    message_id: str
    deleted_at: int
    revision: int


@dataclass(frozen=True, slots=True)
class StoredPerson:
    """What is kept of somebody whatever room they are in."""

    user_id: str
    hides_last_seen: bool = False
    last_seen: int | None = None
    """When they were last connected, as far as that was told to the store."""


@dataclass(frozen=True, slots=True)
class RoomOverview:
    """A room in somebody's list."""

    room: Room
    updated_at: int
    last_seq: int
    read_seq: int
    last_message: ChatMessage | None
    unread: int = 0
    """How many rows after `read_seq` are not one's own: at most `UNREAD_MAX`, of the first `UNREAD_LOOK`."""
    preview: ChatMessage | None = None
    """The last row of the path that is chosen, where that is not the log's last one."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found, the newest first; `complete` unless something was too much to look through."""

    messages: list[ChatMessage]
    has_more: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class Indexed:
    """How many rows can be found by a search now that could not before, and the rooms that are to be asked for again."""

    rows: int
    left: list[str]


@dataclass(frozen=True, slots=True)
class Totals:
    """How much a store holds."""

    rooms: int
    messages: int


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did: from which version of the tables to which, and each step in words."""

    before: int
    after: int
    steps: tuple[str, ...]
