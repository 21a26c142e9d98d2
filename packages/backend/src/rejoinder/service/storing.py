"""Rows on their way from this server into the log: given to the store together, and answered for in time."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from rejoinder.errors import ChatError, Conflict, InternalError, NotFound, Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.patience import SILENT, STORE_SECONDS
from rejoinder.service.room_state import RoomState
from rejoinder.service.tasks import Tasks
from rejoinder.stores.base import Store
from rejoinder.stores.records import Appended, Draft, Outcome as StoreOutcome

ENDING = "The server is ending. Send it again."
BATCH_MAX = 500
BROKEN = "Something went wrong on the server. Try again."
Outcome = Appended | ChatError
Done = Callable[[Outcome], None]


class Addition:
    """A row on its way into the log."""

    __slots__ = ("_done", "draft", "new", "row", "since", "state")

    def __init__(self, state: RoomState, draft: Draft, done: Done) -> None:
        self.state = state
        self.draft = draft
        self.since = 0.0
        """When another server was asked to store it, or it began to wait for that."""
        self.new = False
        """That server says that it was not there before."""
        self.row: ChatMessage | None = None
        """The row of its id, as that server tells all others of it."""
        self._done: Done | None = done

    def answer(self, outcome: Outcome) -> None:
        """Tell what came of it; only the first time counts."""
        done, self._done = self._done, None
        if done is not None:
            done(outcome)


class Storing:
    """Gives all rows of one turn of the event loop to the store together."""

    def __init__(
        self,
        store: Store,
        tasks: Tasks,
        settle: Callable[[Addition, Appended | Conflict | NotFound], None],
        doubt: Callable[[Addition, Unavailable], None],
        ended: Callable[[list[Addition]], None],
    ) -> None:
        """`settle` is told what came of a row, `doubt` that it may be stored all the same, or be stored later, and `ended`
        that these are not on their way any more.
        """
        self._store = store
        self._tasks = tasks
        self._settle = settle
        self._doubt = doubt
        self._ended = ended
        self._batch: list[Addition] = []
        self._log = structlog.get_logger("rejoinder.rooms")

    def put(self, addition: Addition) -> None:
        """Have a row stored."""
        addition.state.storing += 1
        addition.state.unindexed = True
        if not self._batch:
            asyncio.get_running_loop().call_soon(self._store_batch)
        self._batch.append(addition)

    def _store_batch(self) -> None:
        additions, self._batch = self._batch, []
        for at in range(0, len(additions), BATCH_MAX):
            batch = additions[at : at + BATCH_MAX]
            storing = self._tasks.hold(self._store.append_all([each.draft for each in batch]))
            overdue = asyncio.get_running_loop().call_later(STORE_SECONDS, self._overdue, batch)
            storing.add_done_callback(partial(self._stored, batch, overdue))

    def _overdue(self, batch: list[Addition]) -> None:
        for addition in batch:
            self._doubt(addition, Unavailable(SILENT))

    def _stored(
        self,
        batch: list[Addition],
        overdue: asyncio.TimerHandle,
        storing: "asyncio.Future[list[StoreOutcome]]",
    ) -> None:
        overdue.cancel()
        error = Unavailable(ENDING) if storing.cancelled() else storing.exception()
        if error is None:
            for addition, outcome in zip(batch, storing.result(), strict=True):
                addition.state.storing -= 1
                if isinstance(outcome, Unavailable):
                    self._doubt(addition, outcome)
                else:
                    self._settle(addition, outcome)
            self._ended(batch)
            return
        for addition in batch:
            addition.state.storing -= 1
            if isinstance(error, Unavailable):
                self._doubt(addition, error)
            else:
                addition.answer(InternalError(BROKEN))
        self._ended(batch)
        if not isinstance(error, Unavailable):
            self._log.error("messages could not be stored", exc_info=error)
