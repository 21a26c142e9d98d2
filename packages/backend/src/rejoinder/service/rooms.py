"""The rooms that this server has people or generations in, and the one way a row gets into a room's log."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from rejoinder.core.rooms import People, Sequencer
from rejoinder.core.streams import StreamText
from rejoinder.errors import Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.tasks import Tasks
from rejoinder.stores.base import Appended, Draft, Store

T = TypeVar("T")
STORE_SECONDS = 5.0
Publish = Callable[[ChatMessage], None]


@dataclass(slots=True)
class LiveStream:
    """A generation that runs: its row, its text, who asked for it."""

    row: ChatMessage
    asked_by: str
    text: StreamText = field(default_factory=StreamText)
    chunk_at: float = 0.0
    saved_at: float = 0.0
    saved_length: int = 0


@dataclass(frozen=True, slots=True)
class PendingTurn:
    """An answer that was asked for: the id its row will have, and the message it answers."""

    message_id: str
    asked_by: str
    character_id: str
    question: ChatMessage


@dataclass(slots=True)
class RoomState:
    """What one server knows of one room."""

    id: str
    sequencer: Sequencer[Callable[[], None]]
    people: People = field(default_factory=People)
    streams: dict[str, LiveStream] = field(default_factory=dict)
    turns: deque[PendingTurn] = field(default_factory=deque)
    answering: PendingTurn | None = None
    in_use: int = 0
    """Operations under way that hold on to this state."""

    @property
    def idle(self) -> bool:
        """True if nothing would be lost by forgetting this."""
        return not (self.people or self.streams or self.turns or self.answering or self.in_use)


class Rooms:
    """The states of rooms, loaded when first needed and dropped when idle."""

    def __init__(self, store: Store, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks
        self._states: dict[str, RoomState] = {}

    def __len__(self) -> int:
        return len(self._states)

    def all(self) -> tuple[RoomState, ...]:
        """Every room with somebody or something in it."""
        return tuple(self._states.values())

    def get(self, room_id: str) -> RoomState | None:
        """The state, if it is loaded."""
        return self._states.get(room_id)

    @asynccontextmanager
    async def use(self, room_id: str) -> AsyncIterator[RoomState]:
        """The state, loaded if need be, and kept while it is in use."""
        state = self._states.get(room_id)
        if state is None:
            last = await in_time(self._store.last_seq(room_id))
            # Another task may have loaded it meanwhile, and have gone on from there.
            state = self._states.setdefault(room_id, RoomState(room_id, Sequencer(last)))
        state.in_use += 1
        try:
            yield state
        finally:
            state.in_use -= 1

    def drop_idle(self) -> None:
        """Forget rooms that nobody is in."""
        for state in self.all():
            if state.idle:
                del self._states[state.id]

    async def append(self, state: RoomState, draft: Draft, publish: Publish) -> Appended:
        """Store a row, and call `publish` with it when all rows before it have been published.

        It is published even if the caller is cancelled or has ceased to wait.

        Raises:
            Conflict: the id belongs to another message.
            Unavailable: it was not stored, or it is not known in time whether it was.
        """
        state.in_use += 1
        task = self._tasks.start(self._append(state, draft, publish))
        return await in_time(asyncio.shield(task))

    async def _append(self, state: RoomState, draft: Draft, publish: Publish) -> Appended:
        try:
            appended = await self._store.append(draft)
            if not appended.duplicate:
                message = appended.message
                for let_out in state.sequencer.in_order(message.seq, lambda: publish(message)):
                    let_out()
            return appended
        finally:
            state.in_use -= 1


async def in_time(work: Awaitable[T]) -> T:
    """What the store answers, within the time that a person may be kept waiting.

    Raises:
        Unavailable: the store did not answer in time.
    """
    try:
        return await asyncio.wait_for(work, STORE_SECONDS)
    except TimeoutError as error:
        raise Unavailable("The message store does not answer. Try again in a moment.") from error
