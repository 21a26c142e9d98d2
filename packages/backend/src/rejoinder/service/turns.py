"""Whose turn it is: characters answer one at a time in a room, in the order in which they were asked."""

import asyncio

from rejoinder.errors import RateLimited
from rejoinder.service.generation import Ending, Generation, GenerationTools
from rejoinder.service.rooms import PendingTurn, RoomState
from rejoinder.stores.base import Store

TURNS_WAITING = 16
LEFTOVERS_PAGE = 500


class Turns:
    """The turns that run and those that wait."""

    def __init__(self, tools: GenerationTools) -> None:
        self._tools = tools
        self._running: dict[str, Generation] = {}
        self._closing = False

    def check_place(self, state: RoomState) -> None:
        """Refuse a turn before anything of it is stored.

        Raises:
            RateLimited: too many wait in this room.
        """
        if len(state.turns) >= TURNS_WAITING:
            raise RateLimited(
                "The character is still answering. Wait for it, then send again.", 2000
            )

    def ask(self, state: RoomState, turn: PendingTurn) -> None:
        """Have a turn run when those before it in the room are over."""
        if self._closing:
            return
        state.turns.append(turn)
        if state.answering is None:
            self._next(state)

    def find(self, state: RoomState, message_id: str) -> PendingTurn | None:
        """The turn, running or waiting, that writes the message of that id, or answers it."""
        begun = (run.turn for run in self._running.values() if run.room_id == state.id)
        turns = [*begun, *state.turns]
        writes = (turn for turn in turns if turn.message_id == message_id)
        answers = (turn for turn in turns if turn.question.id == message_id)
        return next(writes, None) or next(answers, None)

    async def stop(self, state: RoomState, turn: PendingTurn) -> None:
        """End a turn now and keep what was written; returns when it has ended.

        One that still waits leaves an empty answer, so that everybody knows what became of it, also later.
        """
        if turn in state.turns:
            state.turns.remove(turn)
            await self._skip(state, turn, "stopped")
            return
        generation = self._running.get(turn.message_id)
        if generation is not None:
            await generation.stop("stopped")

    async def close(self) -> None:
        """Interrupt everything, as the server ends."""
        self._closing = True
        waiting = [(state, turn) for state in self._tools.rooms.all() for turn in state.turns]
        for state, _ in waiting:
            state.turns.clear()
        await asyncio.gather(
            *(run.stop("interrupted") for run in tuple(self._running.values())),
            *(self._skip(state, turn, "interrupted") for state, turn in waiting),
        )

    async def _skip(self, state: RoomState, turn: PendingTurn, ending: Ending) -> None:
        generation = self._running[turn.message_id] = Generation(self._tools, state, turn)
        try:
            await generation.skip(ending)
        finally:
            del self._running[turn.message_id]

    def _next(self, state: RoomState) -> None:
        turn = state.answering = state.turns.popleft() if state.turns else None
        if turn is not None:
            generation = self._running[turn.message_id] = Generation(self._tools, state, turn)
            _ = self._tools.tasks.start(self._run(state, turn, generation))

    async def _run(self, state: RoomState, turn: PendingTurn, generation: Generation) -> None:
        try:
            await generation.run()
        finally:
            del self._running[turn.message_id]
            self._next(state)


async def interrupt_leftovers(store: Store) -> int:
    """End the rows that an earlier process left `streaming`; how many there were."""
    total = 0
    while rows := await store.unfinished(LEFTOVERS_PAGE):
        for row in rows:
            await store.end_stream(row.id, row.content, "interrupted")
        total += len(rows)
    return total
