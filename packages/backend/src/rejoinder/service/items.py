"""What servers say to each other about rooms. Each is a JSON array that begins with its kind."""

from typing import Literal

from msgspec import Struct

from rejoinder.core.branches import Choice
from rejoinder.core.others import Somebody
from rejoinder.protocol.events import ChatMessage, DoubleTexting, PresenceStatus, ReadMoved
from rejoinder.protocol.rest import ListedConnection
from rejoinder.stores.records import Draft, EndState

How = Literal["quiet", "join", "rejoin"]
StopOutcome = Literal["stopped", "unknown", "forbidden"]
HandedOutcome = Literal["new", "stored", "taken", "gone", "refused"]


class Item(Struct, array_like=True, frozen=True, tag=True):
    """Something that is said; `room` says where."""

    room: str


class Here(Item, frozen=True):
    """This server has something in the room, and tells of everything in it from now on.

    `people` are those that are in it here, or a part of them.
    """

    people: list[Somebody]
    answer: bool
    """True if the other one is to say the same."""
    part: int = 0
    parts: int = 1
    whole: bool = True
    """False if there are more people than are told of."""
    new: bool = False
    """True if it had nothing in the room until now, so that there is nothing that it might not have told."""


class Away(Item, frozen=True):
    """This server has nothing in the room (any more)."""


class Row(Item, frozen=True):
    """A row of the log."""

    row: ChatMessage


class HandOn(Item, frozen=True):
    """A message for the room's home to store; it had been handed `after` before it, if that is not known to be stored."""

    after: str
    draft: Draft


class Handed(Item, frozen=True):
    """What became of it; `row` is the one that was there before. A new one is told of as any row, and what is refused its sender stores."""

    message_id: str
    outcome: HandedOutcome
    row: ChatMessage | None = None


class Piece(Item, frozen=True):
    """More of an answer."""

    message_id: str
    offset: int
    text: str


class Thinks(Item, frozen=True):
    """More of what a character thinks before it answers."""

    message_id: str
    index: int
    text: str


class Want(Item, frozen=True):
    """Whoever writes that answer is to say it from there on."""

    message_id: str
    offset: int


class Ended(Item, frozen=True):
    """An answer of that length has ended, and is stored."""

    message_id: str
    length: int
    state: EndState
    error: str | None = None
    usage: tuple[int, int] | None = None


class Entered(Item, frozen=True):
    """Somebody has entered."""

    who: Somebody
    how: How


class LeftRoom(Item, frozen=True):
    """Somebody has left, for this server."""

    user_id: str


class Shown(Item, frozen=True):
    """How somebody is shown."""

    user_id: str
    status: PresenceStatus
    last_seen: int | None


class Hides(Item, frozen=True):
    """Whether others may not know any more when somebody was last seen; `room` says nothing."""

    user_id: str
    hides: bool


class Types(Item, frozen=True):
    """Somebody types, or has ceased to."""

    user_id: str
    on: bool


class HasRead(Item, frozen=True):
    """A read mark has moved."""

    mark: ReadMoved


class Chosen(Item, frozen=True):
    """A branch was chosen."""

    choice: Choice


class Erased(Item, frozen=True):
    """The texts of messages are gone for good."""

    message_ids: list[str]
    user_id: str
    deleted_at: int
    revision: int


class Expelled(Item, frozen=True):
    """Somebody may not be in the room any more."""

    user_id: str


class Retitled(Item, frozen=True):
    """The room has another title."""

    title: str


class Ruled(Item, frozen=True):
    """Others of the characters are in the room, or its rule is another."""

    characters: list[str]
    double_texting: DoubleTexting | None = None


class Deleted(Item, frozen=True):
    """The room was deleted; these were its members."""

    users: list[str]


class Supersedes(Item, frozen=True):
    """A user has asked again: what was asked before that place is not to be answered to them any more.

    With `merged_with` only what waits for that character; it is answered together with this.
    """

    user_id: str
    place: int
    merged_with: str | None = None


class Stop(Item, frozen=True):
    """Whoever writes the answer is to end it, if it was this user who asked for it."""

    message_id: str
    asked_by: str
    call: str


class Stopped(Item, frozen=True):
    """What came of it."""

    call: str
    outcome: StopOutcome


class WhoIsHere(Item, frozen=True):
    """Who is connected to that server: with ids above `after`, of one user or (for "") of all; `room` says nothing."""

    call: str
    after: str
    limit: int
    user_id: str


class AreHere(Item, frozen=True):
    """These are, in the order of their ids."""

    call: str
    connections: list[ListedConnection]
    has_more: bool


AnyItem = (
    Here
    | Away
    | Row
    | HandOn
    | Handed
    | Piece
    | Thinks
    | Want
    | Ended
    | Entered
    | LeftRoom
    | Shown
    | Hides
    | Types
    | HasRead
    | Chosen
    | Erased
    | Expelled
    | Retitled
    | Ruled
    | Deleted
    | Supersedes
    | Stop
    | Stopped
    | WhoIsHere
    | AreHere
)
