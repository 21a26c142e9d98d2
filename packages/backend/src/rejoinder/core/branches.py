"""A room's log is one sequence; a conversation in it is a path through the tree that is laid over it.

Each row follows the row before it in the log, unless it names another one by `parentSeq` (0: it follows nothing). A row that
names its parent is a fork, and the rows after it go on from there. The rows that follow the same one are its alternatives to
each other: answers, edited messages, greetings. The path that is shown, and that the next prompt sees, ends at the head and
goes back from parent to parent, so that two numbers and the rows at hand are enough to tell it.

The head moves on with a row that follows it, and to a fork that stands beside another row (`variantOf`), since whoever asked
for that wants to see it. Otherwise it is where somebody chose last.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from rejoinder.protocol.events import ChatMessage

GONE_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Fork:
    """A row that names the row it follows; `beside` if it was asked for beside another one."""

    seq: int
    parent: int
    beside: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody has chosen the branch with that message: it ended at `head` when the log ended at `at`.

    `revision` counts the changes of a room; of two choices the one with the higher holds. `timestamp` in milliseconds.
    """

    message_id: str
    user_id: str
    timestamp: int
    head: int
    at: int
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Branching:
    """What a store knows of a room's branches: its revision, the last choice, the forks in the order of `seq`."""

    revision: int = 0
    choice: Choice | None = None
    forks: tuple[Fork, ...] = ()


def parent_of(row: ChatMessage) -> int:
    """The `seq` of the row that this one follows; 0 if it follows nothing."""
    return row.seq - 1 if isinstance(row.parent_seq, UnsetType) else row.parent_seq


def path(rows: Sequence[ChatMessage], head: int) -> list[ChatMessage]:
    """Of rows in the order of `seq` those on the path that ends at the head, in that order.

    What is missing among them counts as ordinary: the next one before it is taken in its place.
    """
    taken: list[ChatMessage] = []
    wanted = head
    for row in reversed(rows):
        if row.seq <= wanted:
            taken.append(row)
            wanted = parent_of(row)
    return taken[::-1]


def head_after(head: int, at: int, forks: Iterable[Fork], last: int) -> int:
    """Where the head is after the rows up to `last`, if it was there when the log ended at `at`."""
    for fork in forks:
        if not at < fork.seq <= last:
            continue
        if head == at:
            head = fork.seq - 1
        at = fork.seq
        if fork.beside or fork.parent == head:
            head = at
    return last if head == at else head


def head_of(known: Branching, last: int) -> int:
    """Where the path ends that is chosen, by what a store knows; of the forks the newest are enough."""
    return Branches(last, known).head


def newest_below(seq: int, forks: Iterable[Fork], last: int) -> int:
    """The newest row that follows that one, over however many others; itself if none does."""
    rows = [(seq, last)]
    """From where to where rows are known to follow it."""
    for fork in forks:
        if fork.seq <= seq:
            continue
        start, end = rows[-1]
        if end == last:
            rows[-1] = (start, fork.seq - 1)
        if any(first <= fork.parent <= final for first, final in rows):
            rows.append((fork.seq, last))
    return rows[-1][1]


def leads_to(seq: int, row: int, forks: Sequence[Fork]) -> bool:
    """True if the path that ends at that row goes through `seq`."""
    while seq <= row:
        before = bisect_right(forks, row, key=lambda fork: fork.seq)
        if not before or forks[before - 1].seq <= seq:
            return True
        row = forks[before - 1].parent
    return False


class Branches:
    """The branches of one room as far as its rows have been published."""

    __slots__ = ("choice", "choice_waits", "follows", "forks", "gone", "head", "revision")

    def __init__(self, last: int = 0, known: Branching | None = None) -> None:
        """`last`: the number of the last row that was published; what is known beyond it waits, or comes with its row."""
        known = known or Branching()
        self.forks = [fork for fork in known.forks if fork.seq <= last]
        self.revision = known.revision
        """Up to it every choice and deletion is known."""
        self.choice: Choice | None = None
        self.choice_waits: Choice | None = None
        """A choice among rows that are not published here yet."""
        self.gone: dict[str, tuple[int, int]] = {}
        """Rows that were deleted lately: when (milliseconds since the epoch), and the revision."""
        self.head = head_after(0, 0, self.forks, last)
        self.follows = self.head == last
        """True if the head is the log's last row, so that an ordinary row goes on from it."""
        if known.choice is not None:
            self.choose(known.choice, last)

    def publish(self, row: ChatMessage) -> Choice | None:
        """A row was published; the choice that had waited for it and holds from now on, if one had."""
        parent = parent_of(row)
        beside = False
        if not isinstance(row.parent_seq, UnsetType):
            beside = row.variant_of is not UNSET
            self.forks.append(Fork(row.seq, parent, beside))
        self.follows = beside or parent == self.head
        if self.follows:
            self.head = row.seq
        waits = self.choice_waits
        if waits is None or waits.at > row.seq:
            return None
        self.choice_waits = None
        return waits if self.choose(waits, row.seq) else None

    def choose(self, choice: Choice, last: int) -> bool:
        """Take a choice in, when the rows up to `last` are published; True if it is news and holds from now on."""
        if self.choice is not None and choice.revision <= self.choice.revision:
            return False
        if choice.at > last:
            if self.choice_waits is None or choice.revision > self.choice_waits.revision:
                self.choice_waits = choice
            return False
        self.choice = choice
        self.head = head_after(choice.head, choice.at, self.forks, last)
        self.follows = self.head == last
        return True

    def erase(self, message_id: str, deleted_at: int, revision: int) -> bool:
        """A row was deleted; True if that is news."""
        if message_id in self.gone:
            return False
        self.gone[message_id] = (deleted_at, revision)
        if len(self.gone) > GONE_KEPT:
            del self.gone[next(iter(self.gone))]
        return True

    def knows(self, revision: int) -> bool:
        """A change was taken in; False if one before it is missing."""
        if revision == self.revision + 1:
            self.revision = revision
        return revision <= self.revision

    def leaf_for(self, seq: int, last: int) -> int | None:
        """What a row that belongs to the branch of that one is to follow; None where that is the log's last row."""
        if leads_to(seq, last, self.forks):
            return None
        return newest_below(seq, self.forks, last)
