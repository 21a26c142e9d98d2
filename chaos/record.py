"""What is written down while people chat and things break: one record a line, as JSON, with the time of the machine.

The times of all programs are those of one monotonic clock. The records of one client are in the order of what happened.
"""

import heapq
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import msgspec


class Message(msgspec.Struct, rename="camel", omit_defaults=True):
    """A row, as a client is given it."""

    id: str
    seq: int
    sender_id: str = ""
    content: str = ""
    state: str = "complete"
    reply_to: str = ""


class Stream(msgspec.Struct, rename="camel"):
    """An answer that is being written, in a snapshot."""

    message_id: str
    seq: int
    content: str
    index: int


class Snapshot(msgspec.Struct, rename="camel"):
    """A room at one instant."""

    messages: list[Message]
    recovered: bool
    has_more: bool
    last_seq: int
    streams: list[Stream]


class Payload(msgspec.Struct, rename="camel", omit_defaults=True):
    """What came with an event: of all events together, what is looked at."""

    room_id: str = ""
    id: str = ""
    message_id: str = ""
    seq: int = 0
    sender_id: str = ""
    content: str = ""
    state: str = ""
    reply_to: str = ""
    index: int = 0
    offset: int = 0
    delta: str = ""


class Base(msgspec.Struct, tag_field="k", tag=str.lower, omit_defaults=True):
    """Something that happened."""

    t: float


class Opened(Base):
    """A client was let in."""

    client: str
    user: str
    conn: int


class Closed(Base):
    """A connection is gone, as far as its client knows."""

    client: str
    conn: int
    why: str = ""


class Sent(Base):
    """A message went out: once for each time that it did."""

    client: str
    conn: int
    room: str
    id: str
    content: str
    asks: bool = False


class Acked(Base):
    """A message was acknowledged, or refused."""

    client: str
    conn: int
    room: str
    id: str
    ok: bool
    seq: int = 0
    duplicate: bool = False
    code: str = ""


class Confirmed(Base):
    """A client takes a message for stored, by whatever it heard."""

    client: str
    room: str
    id: str


class Asked(Base):
    """Something else was asked for, about a message."""

    client: str
    conn: int
    event: str
    room: str
    id: str


class Replied(Base):
    """What the server said to that; `made` is the id of an answer to come."""

    client: str
    conn: int
    event: str
    room: str
    id: str
    ok: bool
    code: str = ""
    made: str = ""


class Entered(Base):
    """A client is in a room, and has its snapshot."""

    client: str
    conn: int
    room: str
    snapshot: Snapshot
    position: str = ""


class Left(Base):
    """A client has left a room."""

    client: str
    conn: int
    room: str


class Paged(Base):
    """A page of history has come."""

    client: str
    conn: int
    room: str
    messages: list[Message]
    has_more: bool
    after: str = ""
    before: str = ""


class Heard(Base):
    """An event has come."""

    client: str
    conn: int
    event: str
    payload: Payload


class Shown(Base):
    """What a client shows of a room; `final` when everything is over and it has caught up."""

    client: str
    room: str
    rows: list[Message]
    final: bool = False


class Fault(Base):
    """Something was broken, or was put in order again."""

    kind: str
    target: str = ""
    about: str = ""
    ended: bool = False


class Generated(Base):
    """The character was asked to answer a message."""

    question: str


class Unfinished(Base):
    """The answers that the database knows of as being written or owed, each with the end of its lease in milliseconds."""

    leases: dict[str, int]


class Online(Base):
    """Users whom the server says have more than one connection, with the ids of those."""

    sockets: dict[str, list[str]]


Record = (
    Opened
    | Closed
    | Sent
    | Acked
    | Confirmed
    | Asked
    | Replied
    | Entered
    | Left
    | Paged
    | Heard
    | Shown
    | Fault
    | Generated
    | Online
    | Unfinished
)


class Stored(msgspec.Struct):
    """A row as the database has it in the end."""

    room: str
    seq: int
    id: str
    role: str
    sender: str
    content: str
    state: str
    reply_to: str = ""


class Recorder:
    """Appends records to a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=1 << 20)
        self._encode = msgspec.json.Encoder().encode
        self.written_at = 0.0
        """When something of a log was heard of last, or acknowledged as new."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __call__(self, record: Record) -> None:
        self._file.write(self._encode(record) + b"\n")


def now() -> float:
    """The time of all programs of this machine."""
    return time.monotonic()


def read(paths: Iterable[Path]) -> Iterator[Record]:
    """All records, file by file; a line that was broken off by a kill is passed over."""
    decoder = msgspec.json.Decoder(Record)
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield decoder.decode(line)


def in_time(paths: Sequence[Path]) -> Iterator[Record]:
    """All records in the order of their times; each file is in that order already."""
    return heapq.merge(*(read([path]) for path in paths), key=lambda record: record.t)
