"""Answers that are owed: those that wait here are renewed, those that a server has left are settled.

That an answer is owed is stored with its question, so that no kill can make a question be forgotten. Settled is with an empty
answer, marked as interrupted, as a server that is ended leaves it: who asked is told in time, and can ask again.
"""

import asyncio
from collections import defaultdict
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid5

import structlog
from msgspec import UNSET

from rejoinder.core.leases import Keeping
from rejoinder.errors import Conflict, NotFound, Unavailable
from rejoinder.service.elsewhere import publish_row
from rejoinder.service.generation import LEASE_MS, GenerationTools
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import PendingTurn, Publish, RoomState
from rejoinder.service.sweeping import Sweeping
from rejoinder.service.turns import Turns
from rejoinder.stores.records import Appended, Debt, Draft

ANSWERS = UUID("6f0a4f0e-0c0b-4c52-9f0b-3c8a2f1d7e55")
PAGE = 500
ROOMS_AT_ONCE = 16
EXPECT_SECONDS = 15.0
"""How long a question is expected to be sent again whose sender could not be told that it is stored."""
EXPECTED_MAX = 10_000


def answer_id_of(question_id: str) -> str:
    """The id of the first answer to a message: two servers that are given the same message ask for the same row."""
    return uuid5(ANSWERS, question_id).hex


def debt_of(turn: PendingTurn, until: int) -> Debt:
    """What is owed as long as the turn waits."""
    question, beside = turn.question, turn.beside
    return Debt(
        turn.message_id,
        question.id,
        question.room_id,
        turn.character_id,
        until,
        None if beside is None else beside.id,
    )


class Debts:
    """Looks after them, for one server."""

    def __init__(self, tools: GenerationTools, turns: Turns) -> None:
        self._store = tools.store
        self._clock = tools.clock
        self._delivery = tools.delivery
        self._rooms = tools.rooms
        self._tasks = tools.tasks
        self._turns = turns
        self._keeping = Keeping(tools.clock.now())
        self._sweeping = Sweeping(tools.clock, tools.tasks, self._settle_left)
        self._expected: dict[str, float] = {}
        self._log = structlog.get_logger("rejoinder.debts")

    async def open(self) -> None:
        """Settle what is left, before anybody is served, if no other server can have promised it."""
        while not self._store.shared and (left := await self._store.owed(PAGE)):
            await self._settle_all(left)

    async def append(
        self, state: RoomState, draft: Draft, character_id: str, publish: Publish
    ) -> Appended:
        """Store a question, together with that its answer is owed.

        Raises:
            ChatError: as `Rooms.append`.
        """
        answer_id = answer_id_of(draft.id)
        owes = Debt(answer_id, draft.id, draft.room_id, character_id, self._lease())
        try:
            return await self._rooms.append(state, replace(draft, owes=owes), publish)
        except Unavailable:
            # It may be stored all the same, and is likely to be sent again: then it is to be answered and not settled.
            self._expected.pop(answer_id, None)
            self._expected[answer_id] = self._clock.now() + EXPECT_SECONDS
            if len(self._expected) > EXPECTED_MAX:
                del self._expected[next(iter(self._expected))]
            raise

    async def ask(self, state: RoomState, turn: PendingTurn, *, owed: bool = False) -> PendingTurn:
        """Have a question answered, unless it waits for an answer by now; the turn that it is.

        That it waits is stored before, if it is not `owed` already.

        Raises:
            Unavailable: it can't be stored.
        """
        if not owed:
            turn = replace(turn, behind=state.sequencer.last)
        debt = debt_of(turn, self._lease())
        if not owed:
            # Where others may have stored what is not known here, the store finds out its place.
            behind = None if self._turns.together(state) else turn.behind
            await in_time(self._store.owe(replace(debt, behind=behind)))
        waits = self._turns.find(state, turn.question.id)
        if waits is None:
            self._turns.ask(state, turn)
            return turn
        if waits.message_id != turn.message_id:
            await in_time(self._store.forgive((debt,)))
        return waits

    def tick(self) -> None:
        """Renew and look, where that is due."""
        now = self._clock.now()
        if self._keeping.begin(now, 0):
            waiting = self._turns.owed()
            if waiting:
                _ = self._tasks.start(self._renew(waiting))
            else:
                self._keeping.ended(kept=True)
        self._sweeping.tick()

    async def _renew(self, waiting: list[PendingTurn]) -> None:
        until, kept = self._lease(), False
        try:
            debts = [debt_of(turn, until) for turn in waiting]
            await in_time(self._store.renew_debts(debts, until))
            kept = True
        except Unavailable:
            self._log.debug("what is owed could not be renewed; it is tried again")
        finally:
            self._keeping.ended(kept=kept)

    async def _settle_left(self) -> None:
        left = await in_time(self._store.owed(PAGE, self._clock.wall_ms()))
        if not left or not self._sweeping.answered():
            return
        now = self._clock.now()
        self._expected = {key: until for key, until in self._expected.items() if until > now}
        # What waits here will be answered, however late its renewal is.
        here = {turn.message_id for turn in self._turns.owed()} | self._expected.keys()
        left = [debt for debt in left if debt.answer_id not in here]
        await self._settle_all(left)

    async def _settle_all(self, left: list[Debt]) -> None:
        """Rooms at the same time, and in each of them one after the other: a database that is slow delays each a little."""
        rooms: defaultdict[str, list[Debt]] = defaultdict(list)
        for debt in left:
            rooms[debt.room_id].append(debt)
        places = asyncio.Semaphore(ROOMS_AT_ONCE)
        work = [self._settle_room(debts, places) for debts in rooms.values()]
        outcomes = await asyncio.gather(*work, return_exceptions=True)
        count = sum(outcome for outcome in outcomes if isinstance(outcome, int))
        if count:
            self._log.info("settled questions whose server is gone", count=count)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _settle_room(self, left: list[Debt], places: asyncio.Semaphore) -> int:
        count, paid = 0, list[Debt]()
        async with places:
            for debt in left:
                there = await in_time(self._store.find(debt.answer_id)) is not None
                if there or not await self._settle(debt):
                    paid.append(debt)
                else:
                    count += 1
            if paid:
                await in_time(self._store.forgive(paid))
        return count

    async def _settle(self, debt: Debt) -> bool:
        """False if nothing is owed any more: another was quicker, or the question or its room was deleted."""
        question = await in_time(self._store.find(debt.question_id))
        if question is None or question.deleted_at is not UNSET:
            return False
        beside = None if debt.beside is None else await in_time(self._store.find(debt.beside))
        async with self._rooms.use(debt.room_id) as state:
            draft = Draft(
                id=debt.answer_id,
                room_id=debt.room_id,
                role="character",
                sender_id=debt.character_id,
                content="",
                state="interrupted",
                timestamp=self._clock.wall_ms(),
                character_id=debt.character_id,
                reply_to=debt.question_id,
                parent_seq=state.place_answer(debt.answer_id, question, beside),
                variant_of=None if beside is None else beside.id,
            )
            publish = partial(publish_row, self._delivery, state)
            try:
                await self._rooms.append(state, draft, publish)
            except (Conflict, NotFound):
                return False
        return True

    def _lease(self) -> int:
        return self._clock.wall_ms() + LEASE_MS
