"""Messages: send, have answered, stop, page through, mark as read."""

from collections.abc import Iterable
from uuid import uuid4

from msgspec import UNSET

from rejoinder.characters.registry import Characters
from rejoinder.core.connections import Connection
from rejoinder.core.mentions import mentioned, next_in_turn
from rejoinder.errors import Forbidden, InvalidPayload, NotFound, TooLarge, Unavailable
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.constants import HISTORY_LIMIT_MAX
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import given
from rejoinder.service.answers import show_joined
from rejoinder.service.context import Context
from rejoinder.service.debts import Debts, answer_id_of
from rejoinder.service.entering import (
    CATCH_UP_TRIES,
    ended_meanwhile,
    read_again,
    with_live_text,
)
from rejoinder.service.items import HasRead
from rejoinder.service.marks import moved_of
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import PendingTurn, Publish, RoomState
from rejoinder.service.storing import Done
from rejoinder.service.titles import Titles
from rejoinder.service.turns import Turns
from rejoinder.stores.records import Appended, Draft, StoredMark

SPOKE_LOOK = 20
"""So many rows are looked at for the character who spoke last."""
NOT_HERE = "There is no such message in this room."
NOT_YOURS = "Only who asked for this answer can stop it."


class Messages:
    """What clients do with messages."""

    def __init__(
        self,
        context: Context,
        characters: Characters,
        turns: Turns,
        debts: Debts,
        titles: Titles,
    ) -> None:
        self._c = context
        self._debts = debts
        self._titles = titles
        self._characters = characters
        self._turns = turns

    def send(self, connection: Connection, message: events.MessageSend, done: Done) -> None:
        """Store a message and show it to the room; `done` gets what became of it.

        Raises:
            ChatError: nothing will be stored.
        """
        state = self._c.entered(connection, message.room_id)
        draft = self._draft(connection, state, message)
        self._c.rooms.add(state, draft, self.publisher(state), done)

    async def send_stream(
        self, connection: Connection, message: events.MessageSend
    ) -> events.MessageStored:
        """The same, and have the room's character answer."""
        state = self._c.entered(connection, message.room_id)
        self._turns.check_place(state)
        async with self._c.rooms.use(state.id) as state:
            character_id = await self._character_for(connection, state, message)
            draft = self._draft(connection, state, message)
            appended = await self._debts.append(state, draft, character_id, self.publisher(state))
            question = appended.message
            # A repetition is answered if the first try got no further than the log.
            answered = appended.duplicate and await in_time(self._c.store.answered(question.id))
            if not answered and self._turns.find(state, question.id) is None:
                answer_id = answer_id_of(question.id)
                turn = PendingTurn(answer_id, connection.user.id, character_id, question)
                await self._debts.ask(state, turn, owed=not appended.duplicate)
        return stored(appended)

    async def stop(self, connection: Connection, reference: events.MessageReference) -> events.Ack:
        """End a generation that the user has asked for; to repeat it, or to be too late, does no harm."""
        state = self._c.entered(connection, reference.room_id)
        async with self._c.rooms.use(state.id) as state:
            turn = self._turns.find(state, reference.message_id)
            if turn is None:
                row = await self.find(state, reference.message_id)
                await self.stop_elsewhere(state, row, connection.user.id)
            elif turn.asked_by != connection.user.id:
                raise Forbidden(NOT_YOURS)
            else:
                await self._turns.stop(state, turn)
        return events.Ack(success=True)

    async def history(
        self, connection: Connection, request: events.HistoryRequest
    ) -> events.HistoryAck:
        """A page of the room's log."""
        before, after = given(request.before), given(request.after)
        if before is not None and after is not None:
            raise InvalidPayload(
                "Ask for what came before or after a message, not for both at once."
            )
        state = self._c.entered(connection, request.room_id)
        limit = min(request.limit, HISTORY_LIMIT_MAX)
        if after is not None:
            position = await self.find(state, after)
            page = await in_time(self._c.store.page_after(state.id, position.seq, limit))
        else:
            top = None if before is None else (await self.find(state, before)).seq
            page = await in_time(self._c.store.page_before(state.id, top, limit))
        await self._catch_up(state, page.messages)
        if state.joining.lines:
            show_joined(self._c.delivery, state.joining.told(connection.id, state.id))
        return events.HistoryAck(
            success=True,
            room_id=state.id,
            messages=[with_live_text(state, row) for row in page.messages],
            has_more=page.has_more,
            revision=state.branches.revision or UNSET,
        )

    async def read(self, connection: Connection, reference: events.MessageReference) -> events.Ack:
        """Everything up to a message is read; a mark never goes back."""
        state = self._c.entered(connection, reference.room_id)
        message = await self.find(state, reference.message_id)
        mark = StoredMark(connection.user.id, message.id, message.seq, self._c.clock.wall_ms())
        if await in_time(self._c.store.mark_read(state.id, mark)) and state.marks.moved(mark):
            moved = moved_of(state.id, mark)
            self._c.delivery.send(state.people.connections(), catalogue.READ_MOVED, moved)
            if state.listeners:
                self._c.sharing.say(state.listeners, HasRead(state.id, moved))
        return events.Ack(success=True)

    # --- for what is done with answers and edits ---------------------------------------------------

    async def find(self, state: RoomState, message_id: str) -> ChatMessage:
        """A message of the room.

        Raises:
            NotFound: it has none of that id.
        """
        message = await in_time(self._c.store.find(message_id))
        if message is None or message.room_id != state.id:
            raise NotFound(NOT_HERE)
        return message

    # --- parts -----------------------------------------------------------------------------------

    async def stop_elsewhere(self, state: RoomState, row: ChatMessage, user_id: str) -> None:
        """End an answer that another server writes, or has waiting."""
        if self._c.sharing.cluster.alone or (row.role == "character" and row.state != "streaming"):
            return
        outcome = await self._c.sharing.stop(state, row.id, user_id)
        if outcome == "forbidden":
            raise Forbidden(NOT_YOURS)
        if outcome == "unknown" and row.state == "streaming":
            # Its server is gone, or it has ended a moment ago.
            again = await self.find(state, row.id)
            if again.state == "streaming":
                raise Unavailable("The server that writes this answer does not answer.")

    def _draft(
        self, connection: Connection, state: RoomState, message: events.MessageSend
    ) -> Draft:
        self.check_size(message.content)
        self._c.stop_typing(state, connection.user.id)
        message_id = given(message.message_id) or uuid4().hex
        return Draft(
            id=message_id,
            room_id=state.id,
            role="user",
            sender_id=connection.user.id,
            content=message.content,
            state="complete",
            timestamp=self._c.clock.wall_ms(),
            character_id=given(message.character_id),
            reply_to=given(message.reply_to),
            metadata=given(message.metadata),
            parent_seq=None if state.branches.follows else state.parent_at_head(message_id),
        )

    def check_size(self, content: str) -> None:
        """Refuse what is too long.

        Raises:
            TooLarge: it is.
        """
        size = len(content.encode())
        if size > self._c.limits.content_bytes:
            raise TooLarge(
                f"The message has {size} bytes, and {self._c.limits.content_bytes} are allowed. Shorten it."
            )

    def publisher(self, state: RoomState) -> Publish:
        """Shows a row to its room."""

        def publish(row: ChatMessage) -> None:
            self._c.delivery.send(state.people.connections(), catalogue.MESSAGE_NEW, row)
            if state.title is None:
                self._titles.said(state, row)

        return publish

    async def _character_for(
        self, connection: Connection, state: RoomState, message: events.MessageSend
    ) -> str:
        """Who is to answer: whom the message is addressed to, else, in a room with several, whom it names, or whose turn it is."""
        character_id = given(message.character_id)
        known = {} if state.rules is None else self._names(state.rules.characters)
        if character_id is None and len(known) > 1:
            character_id = mentioned(message.content, known)
            if character_id is None:
                character_id = next_in_turn(list(known), await self._last_to_speak(state))
        character_id = character_id or connection.rooms.get(message.room_id)
        if character_id is None or self._characters.get(character_id) is None:
            raise NotFound("There is no such character to answer. Choose one.")
        return character_id

    def _names(self, character_ids: Iterable[str]) -> dict[str, str]:
        """The names of those who are (still) here, by their ids."""
        found = (self._characters.get(character_id) for character_id in character_ids)
        return {each.info.id: each.info.name for each in found if each is not None}

    async def _last_to_speak(self, state: RoomState) -> str | None:
        """The character whose turn it was last, those that wait included."""
        if state.turns:
            return state.turns[-1].character_id
        if state.answering is not None:
            return state.answering.character_id
        if state.spoke is not None:
            return state.spoke
        page = await in_time(self._c.store.page_before(state.id, None, SPOKE_LOOK))
        rows = [row for row in page.messages if row.role == "character"]
        return rows[-1].sender_id if rows else None

    async def _catch_up(self, state: RoomState, rows: list[ChatMessage]) -> None:
        """Read again the answers that ended while the rows were being read."""
        for _ in range(CATCH_UP_TRIES):
            ended = ended_meanwhile(state, rows)
            if not ended:
                return
            await read_again(self._c.store, state, rows, ended)


def stored(appended: Appended) -> events.MessageStored:
    """The acknowledgement of a message that is stored."""
    message = appended.message
    return events.MessageStored(
        success=True,
        message_id=message.id,
        timestamp=message.timestamp,
        seq=message.seq,
        duplicate=True if appended.duplicate else UNSET,
        parent_seq=message.parent_seq,
    )
