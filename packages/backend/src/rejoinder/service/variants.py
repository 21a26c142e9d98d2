"""Answers beside answers, edited messages, what is chosen among them, and what is taken away."""

from dataclasses import replace
from uuid import uuid4

from msgspec import UNSET

from rejoinder.characters.registry import Characters
from rejoinder.core.branches import Choice, leads_to, newest_below, parent_of
from rejoinder.core.connections import Connection
from rejoinder.errors import Conflict, Forbidden, NotFound, Unavailable
from rejoinder.protocol import events
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import given
from rejoinder.service import items
from rejoinder.service.context import Context
from rejoinder.service.debts import Debts, answer_id_of
from rejoinder.service.messages import NOT_HERE, Messages, stored
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import PendingTurn, RoomState
from rejoinder.service.turns import Turns
from rejoinder.stores.records import Draft

ANSWERS_MAX = 1000
NOT_YOURS = "Only who wrote a message can change it or take it away."
NOBODY = "There is no character here to answer. Choose one."
STILL_WRITTEN = "The answer is still being written. Wait for it, or stop it."


class Variants:
    """What clients do with the branches of a room."""

    def __init__(
        self,
        context: Context,
        characters: Characters,
        turns: Turns,
        messages: Messages,
        debts: Debts,
    ) -> None:
        self._c = context
        self._debts = debts
        self._characters = characters
        self._turns = turns
        self._messages = messages

    async def regenerate(
        self, connection: Connection, reference: events.MessageReference
    ) -> events.MessageStored:
        """Have another answer written beside the one that is named, or a first one to a message without any."""
        state = self._c.entered(connection, reference.room_id)
        async with self._c.rooms.use(state.id) as state:
            named = await self._find(state, reference.message_id)
            if named.role == "character":
                question = await self._find(state, given(named.reply_to) or "")
                character_id = given(named.character_id)
                return await self._ask(state, connection, question, character_id, named)
            answers = await in_time(self._c.store.answers_to(named.id, ANSWERS_MAX))
            beside = next(iter(answers), None)
            character_id = connection.rooms.get(state.id)
            return await self._ask(state, connection, named, character_id, beside)

    async def go_on(
        self, connection: Connection, reference: events.MessageReference
    ) -> events.MessageStored:
        """Have an answer written that begins with the one that is named and goes on from there."""
        state = self._c.entered(connection, reference.room_id)
        async with self._c.rooms.use(state.id) as state:
            named = await self._find(state, reference.message_id)
            if named.state == "streaming":
                raise Conflict(STILL_WRITTEN)
            question = await self._find(state, given(named.reply_to) or "")
            if named.role != "character":
                raise NotFound("Only an answer can go on.")
            character_id = given(named.character_id)
            return await self._ask(state, connection, question, character_id, named, goes_on=True)

    async def edit(self, connection: Connection, edit: events.MessageEdit) -> events.MessageStored:
        """Put another text beside one's own message, and have it answered if that one was to be."""
        state = self._c.entered(connection, edit.room_id)
        self._messages.check_size(edit.content)
        async with self._c.rooms.use(state.id) as state:
            original = await self._find(state, edit.message_id)
            if original.role != "user" or original.sender_id != connection.user.id:
                raise Forbidden(NOT_YOURS)
            running = self._turns.find(state, original.id)
            character_id = given(original.character_id)
            if running is not None or await in_time(self._c.store.answered(original.id)):
                character_id = character_id or connection.rooms.get(state.id)
            if character_id is not None and self._characters.get(character_id) is None:
                character_id = None
            if character_id is not None:
                self._turns.check_place(state)
            draft = self._edited(state, original, edit)
            state.leader = draft.id
            publish = self._messages.publisher(state)
            if character_id is None:
                appended = await self._c.rooms.append(state, draft, publish)
            else:
                appended = await self._debts.append(state, draft, character_id, publish)
            if running is not None and running.asked_by == connection.user.id:
                # Nobody waits for that answer any more.
                _ = self._c.sharing.tasks.start(self._turns.stop(state, running))
            question = appended.message
            known = self._turns.find(state, question.id) is not None or (
                appended.duplicate and await in_time(self._c.store.answered(question.id))
            )
            if character_id is not None and not known:
                answer_id = answer_id_of(question.id)
                turn = PendingTurn(answer_id, connection.user.id, character_id, question)
                await self._debts.ask(state, turn, owed=not appended.duplicate)
        return stored(appended)

    async def choose(
        self, connection: Connection, reference: events.MessageReference
    ) -> events.Ack:
        """Go on with the branch of a message, for everybody in the room; to choose what is chosen does no harm."""
        state = self._c.entered(connection, reference.room_id)
        async with self._c.rooms.use(state.id) as state:
            row = await self._find(state, reference.message_id, even_deleted=True)
            branches, last = state.branches, state.sequencer.last
            if row.seq > last:
                raise Unavailable("This message is not here yet. Try again in a moment.")
            if not leads_to(row.seq, branches.head, branches.forks):
                choice = Choice(
                    message_id=row.id,
                    user_id=connection.user.id,
                    timestamp=self._c.clock.wall_ms(),
                    head=newest_below(row.seq, branches.forks, last),
                    at=last,
                )
                await self._choose(state, choice)
        return events.Ack(success=True)

    async def delete(
        self, connection: Connection, reference: events.MessageReference
    ) -> events.Ack:
        """Take the text of one's own message and of the answers to it away, or of one answer; to repeat it does no harm."""
        state = self._c.entered(connection, reference.room_id)
        async with self._c.rooms.use(state.id) as state:
            row = await self._find(state, reference.message_id, even_deleted=True)
            question = row
            if row.role == "character":
                question = await self._find(state, given(row.reply_to) or "", even_deleted=True)
            if question.role != "user" or question.sender_id != connection.user.id:
                raise Forbidden(NOT_YOURS)
            rows = await self._ended(state, row, connection.user.id)
            await self._erase(state, [each.id for each in rows], connection.user.id)
        return events.Ack(success=True)

    # --- parts -----------------------------------------------------------------------------------

    async def _ask(
        self,
        state: RoomState,
        connection: Connection,
        question: ChatMessage,
        character_id: str | None,
        beside: ChatMessage | None,
        *,
        goes_on: bool = False,
    ) -> events.MessageStored:
        if character_id is None or self._characters.get(character_id) is None:
            raise NotFound(NOBODY)
        turn = self._turns.find(state, question.id)
        duplicate = turn is not None
        if turn is None:
            self._turns.check_place(state)
            user_id = connection.user.id
            turn = PendingTurn(uuid4().hex, user_id, character_id, question, beside, goes_on)
            turn = await self._debts.ask(state, turn)
        return events.MessageStored(
            success=True,
            message_id=turn.message_id,
            timestamp=self._c.now_iso(),
            duplicate=True if duplicate else UNSET,
        )

    def _edited(self, state: RoomState, original: ChatMessage, edit: events.MessageEdit) -> Draft:
        return Draft(
            id=given(edit.new_message_id) or uuid4().hex,
            room_id=state.id,
            role="user",
            sender_id=original.sender_id,
            content=edit.content,
            state="complete",
            timestamp=self._c.clock.wall_ms(),
            character_id=given(original.character_id),
            reply_to=given(original.reply_to),
            metadata=given(original.metadata),
            parent_seq=parent_of(original),
            variant_of=original.id,
        )

    async def _choose(self, state: RoomState, choice: Choice) -> None:
        try:
            revision = await in_time(self._c.store.choose(state.id, choice))
        except Unavailable:
            state.distrust()
            raise
        kept = replace(choice, revision=revision)
        self._c.changes.chosen(state, kept)
        if state.listeners:
            self._c.sharing.say(state.listeners, items.Chosen(state.id, kept))

    async def _erase(self, state: RoomState, message_ids: list[str], user_id: str) -> None:
        deleted_at = self._c.clock.wall_ms()
        try:
            revision = await in_time(self._c.store.erase(state.id, message_ids, deleted_at))
        except Unavailable:
            state.distrust()
            raise
        if revision:
            erased = items.Erased(state.id, message_ids, user_id, deleted_at, revision)
            self._c.changes.erased(state, erased)
            if state.listeners:
                self._c.sharing.say(state.listeners, erased)

    async def _ended(self, state: RoomState, row: ChatMessage, user_id: str) -> list[ChatMessage]:
        """A message and the answers to it, or an answer, when none of it is being written any more."""
        while (turn := self._turns.find(state, row.id)) is not None:
            await self._turns.stop(state, turn)
        rows = await self._with_answers(state, row)
        running = [each for each in rows if each.state == "streaming"]
        for each in running:
            await self._messages.stop_elsewhere(state, each, user_id)
        if running:
            rows = await self._with_answers(state, row)
        if any(each.state == "streaming" for each in rows):
            raise Unavailable(STILL_WRITTEN)
        return rows

    async def _with_answers(self, state: RoomState, row: ChatMessage) -> list[ChatMessage]:
        if row.role == "character":
            return [await self._find(state, row.id, even_deleted=True)]
        return [row, *await in_time(self._c.store.answers_to(row.id, ANSWERS_MAX))]

    async def _find(
        self, state: RoomState, message_id: str, *, even_deleted: bool = False
    ) -> ChatMessage:
        row = await self._messages.find(state, message_id)
        if row.deleted_at is not UNSET and not even_deleted:
            raise NotFound(NOT_HERE)
        return row
