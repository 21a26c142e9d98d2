"""Whose turn it is: characters answer one at a time in a room, in the order in which they were asked."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from rejoinder.core.in_turn import next_here
from rejoinder.errors import RateLimited, Unavailable
from rejoinder.protocol.events import DoubleTexting
from rejoinder.service.generation import Generation, GenerationTools, Skipped
from rejoinder.service.items import Supersedes
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import PendingTurn, RoomState

TURNS_WAITING = 16
TurnPolicy = DoubleTexting
CLOSE_SECONDS = 3.0
"""How long the end of a server waits for a store that does not answer, for all answers together."""
LOOK_SECONDS = 1.0
"""How long a turn that waits for another server's answer trusts to be told of its end."""
HEAR_SECONDS = 0.25
"""How long after an end was stored it may take until its server has told of it."""


class Turns:
    """The turns that run and those that wait."""

    def __init__(self, tools: GenerationTools, policy: TurnPolicy = "queue") -> None:
        """What becomes of an answer when its user sends again meanwhile, in rooms that have no rule of their own.

        With `queue` each question has its answer, one after the other. With `interrupt` a question ends what is being
        answered, or waits to be, to the same user in the room. With `merge` those of a user that wait for the same character
        are answered together: the answer is one to the newest of them, in the place of the oldest, and the others get an empty
        one. Where other servers have people in the room, too, its place is that of the newest.
        """
        self.show_end: Callable[[RoomState, str], Awaitable[None]] = _shown_by_nobody
        """Shows the end of another server's answer that is stored and was not told of here."""
        self._tools = tools
        self._policy = policy
        self._running: dict[str, Generation] = {}
        self._choosing: dict[str, asyncio.Event] = {}
        """Rooms in which turns wait for other servers, and what there is news for."""
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
        if not self.busy:
            return []
        begun = [run.turn for run in self._running.values() if not run.claimed]
        return [*begun, *(turn for state in self._tools.rooms.all() for turn in state.turns)]

    @property
    def busy(self) -> bool:
        """True if an answer is being written, or waits for its turn."""
        return bool(self._running or self._choosing)

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
        policy = self._policy_of(state)
        if policy == "interrupt":
            self._stop_those_of(state, turn.asked_by)
        self._tell(state, turn)
        if policy != "merge" or not self._merge(state, turn):
            state.turns.append(turn)
        if state.answering is None:
            self._next(state)

    def _policy_of(self, state: RoomState) -> TurnPolicy:
        return (state.rules.double_texting if state.rules is not None else None) or self._policy

    def _tell(self, state: RoomState, turn: PendingTurn) -> None:
        """Have other servers do what the rule says with earlier turns of the same user."""
        policy = self._policy_of(state)
        if not state.listeners or policy == "queue" or (policy == "merge" and turn.beside):
            return
        alike = turn.character_id if policy == "merge" else None
        said = Supersedes(state.id, turn.asked_by, turn.place, alike)
        self._tools.sharing.say(state.listeners, said)

    def superseded(self, state: RoomState, said: Supersedes) -> None:
        """The user of a turn has asked again on another server, where the rule is to end that turn or to merge it."""
        begun = [run.turn for run in self._running.values() if run.room_id == state.id]
        for turn in (*state.turns, *(() if said.merged_with is not None else begun)):
            if turn.asked_by != said.user_id or turn.place >= said.place:
                continue
            if said.merged_with is None:
                _ = self._tools.tasks.start(self.stop(state, turn))
            elif turn.character_id == said.merged_with and turn.beside is None:
                state.turns.remove(turn)
                _ = self._tools.tasks.start(self._skip(state, turn, "merged"))

    def news(self, state: RoomState) -> None:
        """Something has happened that turns may have waited for which wait for other servers."""
        waits = self._choosing.get(state.id)
        if waits is not None:
            waits.set()

    def together(self, state: RoomState) -> bool:
        """True if characters may answer in the room on other servers, too, as far as is known here."""
        cluster = self._tools.sharing.cluster
        if cluster.alone:
            return False
        known = state.listeners or any(state.elsewhere) or not cluster.healthy
        return bool(known or self._tools.clock.now() < state.parted_until)

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
            self.news(state)
            await self._skip(state, turn, "stopped")
            return
        generation = self._running.get(turn.message_id)
        if generation is not None:
            await generation.stop("stopped")

    def end_all(self, state: RoomState) -> None:
        """End whatever is answered in a room, or waits to be: the room is gone."""
        state.turns.clear()
        self.news(state)
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
            self.news(state)
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
        state.answering = None
        if state.id in self._choosing:
            self.news(state)
        elif state.turns and self.together(state):
            self._choosing[state.id] = asyncio.Event()
            _ = self._tools.tasks.start(self._choose(state))
        elif state.turns:
            self._begin(state, state.turns.popleft())

    def _begin(self, state: RoomState, turn: PendingTurn) -> None:
        state.answering = turn
        generation = self._running[turn.message_id] = Generation(self._tools, state, turn)
        _ = self._tools.tasks.start(self._run(state, turn, generation))

    async def _run(self, state: RoomState, turn: PendingTurn, generation: Generation) -> None:
        try:
            await generation.run()
        finally:
            del self._running[turn.message_id]
            self._next(state)

    # --- among several servers -------------------------------------------------------------------

    async def _choose(self, state: RoomState) -> None:
        """Begin a turn when none of another server goes before it. Until then all that wait here do so as any."""
        news, chosen = self._choosing[state.id], None
        # If the room were forgotten and loaded anew meanwhile, turns there would wait for this in vain.
        state.in_use += 1
        try:
            while chosen is None and state.turns:
                news.clear()
                with suppress(Unavailable):
                    chosen = await self._look(state, news)
                if chosen is None and state.turns and not await _until(news, LOOK_SECONDS):
                    for turn in state.turns:
                        self._tell(state, turn)  # It may have been lost.
        finally:
            state.in_use -= 1
            del self._choosing[state.id]
        if chosen is not None:
            state.turns.remove(chosen)
            self._begin(state, chosen)

    async def _look(self, state: RoomState, news: asyncio.Event) -> PendingTurn | None:
        """The turn that may begin, by what the store says: the others may be out of reach.

        Raises:
            Unavailable: it says nothing.
        """
        if not self.together(state):
            return state.turns[0]
        # One that comes after that may not be seen by the look, and not see what that has seen.
        waiting = [turn.message_id for turn in state.turns]
        order = await in_time(self._tools.store.in_turn(state.id))
        chosen = next_here(waiting, self._running, order.running, order.owed)
        if chosen is None:
            return None
        ended = [each for each in state.elsewhere if each not in order.running]
        if ended:
            # People here are to see it end before the next one begins.
            await _until(news, HEAR_SECONDS)
            for message_id in ended:
                if message_id in state.elsewhere:
                    await self.show_end(state, message_id)
        return next((turn for turn in state.turns if turn.message_id == chosen), None)


async def _until(news: asyncio.Event, seconds: float) -> bool:
    """Wait for news, but not for long; False if there were none."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await news.wait()
    return news.is_set()


async def _shown_by_nobody(_state: RoomState, _message_id: str) -> None:
    """Where there are no other servers."""
