"""The loads: how big each is, what a unit of it is, and what to say of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from figures import Load, Plan

SPARE_FILES = 400
"""Files of a process that are no connection of this load."""
WARM_UP = 0.25
"""Share of the measured time; and no less than so many seconds, in which Node compiles what is busy:"""
LEAST_WARM_UP = 2.0
PATIENCE = 30.0


@dataclass(frozen=True)
class Spec:
    """A load in its full size."""

    clients: int
    room_size: int
    senders: int
    unit: str
    units: str
    how: str
    messages: int = 0
    rate: float = 0.0


SPECS: Mapping[Load, Spec] = {
    "fan-out": Spec(
        500, 500, 8, "delivery", "deliveries",
        "One room of 500, of whom 8 send, each the next message when the last is acked and delivered to all 500. "
        "Milliseconds: from a send to each delivery.",
    ),
    "pairs": Spec(
        200, 2, 2, "send", "sends",
        "200 users in rooms of two; each sends the next message when the last is acked and delivered to both. "
        "Milliseconds: until then.",
    ),
    "streams": Spec(
        200, 1, 0, "chunk", "chunks",
        "200 characters write about 50 deltas a second each, with a viewer each; the server joins deltas to chunks for "
        "30 ms (the others send chunks of that size at that pace). Milliseconds: from one chunk to the next. The load is "
        "fixed, not all that a server can do.",
    ),
    "crowd": Spec(
        500, 500, 0, "chunk delivered", "chunks delivered",
        "The same with one character and 500 viewers. Milliseconds: from the moment at which the first viewer has a chunk to "
        "each delivery of the next.",
    ),
    "connects": Spec(
        16, 1, 0, "connect", "connects",
        "16 at a time connect with a token, join a room of their own, and go. "
        "Milliseconds: from the TCP connect to the ack of the join.",
    ),
    "storm": Spec(
        2000, 2, 0, "client", "clients",
        "2,000 users in rooms of two are gone and all come back in the same instant: connect, token, join with "
        "`lastMessageId`, and the 20 messages that they missed. As often as the time allows. Milliseconds: from that instant "
        "until one has caught up.",
        messages=20,
    ),
    "idle": Spec(
        5000, 2, 0, "connection", "connections",
        "Connections in rooms of two that do nothing, after 100 others: what the server's resident memory grew by for each.",
    ),
    "pages": Spec(
        200, 2, 2, "page", "pages",
        "200 users in rooms of two send 1,000 messages a second in all, at fixed times; first alone, then while one client "
        "reads a room of 5,000 messages, a page of 50 after the other. CPU for a page: what the server used more than before. "
        "A send's milliseconds are from when it was due until it was acked and delivered to both.",
        messages=5000,
        rate=1000.0,
    ),
}  # fmt: skip


def plan_of(load: Load, url: str, pid: int, secret: str, seconds: float, files: int) -> Plan:
    """The full size of that load; of fewer clients only where a process may not have so many files."""
    spec = SPECS[load]
    fitting = min(spec.clients, files - SPARE_FILES)
    return Plan(
        load=load,
        url=url,
        pid=pid,
        secret=secret,
        seconds=seconds,
        warm_up=max(LEAST_WARM_UP, seconds * WARM_UP),
        patience=PATIENCE,
        clients=fitting - fitting % min(spec.room_size, fitting),
        room_size=spec.room_size,
        senders=spec.senders,
        messages=spec.messages,
        rate=spec.rate,
    )
