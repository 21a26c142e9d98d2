"""Whose turn it is: characters answer one at a time in a room, in the order in which they were asked."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from rejoinder.errors import RateLimited
from rejoinder.protocol.events import DoubleTexting
from rejoinder.service.generation import Generation, GenerationTools, Skipped
from rejoinder.service.room_state import PendingTurn, RoomState

TURNS_WAITING = 16
TurnPolicy = DoubleTexting
CLOSE_SECONDS = 3.0
"""How long the end of a server waits for a store that does not answer, for all answers together."""


class Turns:
    """The turns that run and those that wait."""

    def __init__(self, tools: GenerationTools, policy: TurnPolicy = "queue") -> None:
        """What becomes of an answer when its user sends again meanwhile, in rooms that have no rule of their own.

        With `queue` each question has its answer, one after the other. With `interrupt` a question ends what is being
        answered, or waits to be, to the same user in the room. With `merge` those of a user that wait for the same character
        are answered together: the answer is one to the newest of them, in the place of the oldest, and the others get an empty
        one.
        """
        self._tools = tools
        self._policy = policy
        self._running: dict[str, Generation] = {}
        self._closing: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("rejoinder.turns")

    def tick(self) -> None:
        """Have the answers that run save their text and renew their leases, where that is due."""
        for generation in tuple(self._running.values()):
            generation.tick()

    def writes(self, message_id: str) -> bool:
        """True if this server writes that row."""
        return message_id in self._running

    def owed(self) -> list[PendingTurn]:
        """The turns whose answers have no row yet."""
        if not self._running:
            return []
        begun = [run.turn for run in self._running.values() if not run.claimed]
        return [*begun, *(turn for state in self._tools.rooms.all() for turn in state.turns)]

    @property
    def busy(self) -> bool:
        """True if an answer is being written, or waits for its turn."""
        return bool(self._running)

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
        if self._closing is not None:
            return
        policy = (state.rules.double_texting if state.rules is not None else None) or self._policy
        if policy == "interrupt":
            self._stop_those_of(state, turn.asked_by)
        if policy != "merge" or not self._merge(state, turn):
            state.turns.append(turn)
        if state.answering is None:
            self._next(state)

    def _merge(self, state: RoomState, turn: PendingTurn) -> bool:
        """Put a turn in the place of one that waits, and is answered with it; False if there is none."""
        for place, waiting in enumerate(state.turns):
            alike = (waiting.asked_by, waiting.character_id) == (turn.asked_by, turn.character_id)
            # Another answer beside one was asked for by itself.
            if alike and waiting.beside is None and turn.beside is None:
                state.turns[place] = turn
                _ = self._tools.tasks.start(self._skip(state, waiting, "merged"))
                return True
        return False

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

    def end_all(self, state: RoomState) -> None:
        """End whatever is answered in a room, or waits to be: the room is gone."""
        state.turns.clear()
        for run in tuple(self._running.values()):
            if run.room_id == state.id:
                _ = self._tools.tasks.start(run.stop("stopped"))

    def _stop_those_of(self, state: RoomState, user_id: str) -> None:
        asked = [run.turn for run in self._running.values() if run.room_id == state.id]
        for turn in (*asked, *state.turns):
            if turn.asked_by == user_id:
                _ = self._tools.tasks.start(self.stop(state, turn))

    async def close(self) -> None:
        """Interrupt everything, as the server ends. What the store does not take in time is left to the next server."""
        if self._closing is None:
            self._closing = self._tools.tasks.start(self._close())
        await self._closing

    async def _close(self) -> None:
        waiting = [(state, turn) for state in self._tools.rooms.all() for turn in state.turns]
        for state, _ in waiting:
            state.turns.clear()
        running = tuple(self._running.values())
        ends = [
            *(self._tools.tasks.start(run.stop("interrupted")) for run in running),
            *(self._tools.tasks.start(self._skip(*turn, "interrupted")) for turn in waiting),
        ]
        if not ends:
            return
        _, late = await asyncio.wait(ends, timeout=CLOSE_SECONDS)
        if late:
            self._log.warning(
                "answers are left unfinished, as the store does not answer", count=len(late)
            )

    def _skip(
        self, state: RoomState, turn: PendingTurn, ending: Skipped
    ) -> Coroutine[Any, Any, None]:
        """End a turn that is not to begin. It is found from now on, and not only when this has begun to be done."""
        generation = self._running[turn.message_id] = Generation(self._tools, state, turn)
        return self._end_skipped(generation, ending)

    async def _end_skipped(self, generation: Generation, ending: Skipped) -> None:
        try:
            await generation.skip(ending)
        finally:
            del self._running[generation.turn.message_id]

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
