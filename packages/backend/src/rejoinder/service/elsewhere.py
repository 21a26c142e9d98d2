"""Answers that this server does not write.

Those whose server is gone are ended, with the text that it saved. Those of servers that live are shown to the people here
as their servers tell of them, else as far as they are saved, and their end is announced when it is stored, whoever has ended
them. What those servers ask of answers that are written here is done here, too.
"""

import structlog

from rejoinder.characters.base import Usage
from rejoinder.errors import CharacterFailed
from rejoinder.protocol import catalogue
from rejoinder.protocol.events import ChatMessage
from rejoinder.service import items
from rejoinder.service.answers import (
    announce_chunk,
    announce_end,
    announce_start,
    announce_thought,
)
from rejoinder.service.delivery import Delivery
from rejoinder.service.generation import GenerationTools
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import LiveStream, RoomState
from rejoinder.service.sweeping import Sweeping
from rejoinder.service.turns import Turns

PAGE = 500
WANT_SECONDS = 0.5
FRESH_SECONDS = 3.0
"""An answer that its server told more of within that time need not be looked at."""


def publish_row(delivery: Delivery, state: RoomState, row: ChatMessage) -> None:
    """Show a room a row that came from elsewhere; an answer that is being written, as one that begins."""
    if row.state != "streaming":
        delivery.send(state.people.connections(), catalogue.MESSAGE_NEW, row)
        return
    announce_start(delivery, state, row)
    stream = LiveStream(row, "")
    state.elsewhere.begin(row.id, stream)
    _show(delivery, state, stream, row)


class Elsewhere:
    """Looks after them, for one server."""

    def __init__(self, tools: GenerationTools, turns: Turns) -> None:
        self._store = tools.store
        self._clock = tools.clock
        self._delivery = tools.delivery
        self._rooms = tools.rooms
        self._tasks = tools.tasks
        self._sharing = tools.sharing
        self._turns = turns
        self._sweeping = Sweeping(tools.clock, tools.tasks, self._look_around)
        self._log = structlog.get_logger("rejoinder.elsewhere")

    async def open(self) -> None:
        """End what servers that are gone have left, before anybody is served."""
        # Who is alone with its store need not wait for the leases of those before.
        now = self._clock.wall_ms() if self._store.shared else None
        count = ended = 0
        while rows := await self._store.unfinished(PAGE, now):
            ended = sum([await self._store.interrupt(row.id, now) for row in rows])
            count += ended
            if not ended:
                break  # Another server that starts is ending them.
        self._report(count)

    def tick(self) -> None:
        """Look, if that is due."""
        self._sweeping.tick()

    async def _look_around(self) -> None:
        await self._look()
        await self._end_left()

    async def _end_left(self) -> None:
        now, count = self._clock.wall_ms(), 0
        left = await in_time(self._store.unfinished(PAGE, now))
        if not self._sweeping.answered():
            return
        for row in left:
            # What this server writes lives, however late its renewal is.
            if not self._turns.writes(row.id) and await in_time(self._store.interrupt(row.id, now)):
                count += 1
                self._take_over(row)
        self._report(count)

    def _take_over(self, row: ChatMessage) -> None:
        """Have the end of an answer announced whose generation failed here, of all places."""
        state = self._rooms.get(row.room_id)
        stream = None if state is None else state.streams.pop(row.id, None)
        if state is not None and stream is not None:
            state.elsewhere.begin(row.id, stream)

    async def _look(self) -> None:
        """Show what has become of the answers that people here know of."""
        for state in self._rooms.all():
            for message_id in state.elsewhere:
                stream = state.elsewhere.get(message_id)
                if stream is not None and self._clock.now() - stream.heard_at > FRESH_SECONDS:
                    await self.look_at(state, message_id)

    async def look_at(self, state: RoomState, message_id: str) -> None:
        """Show what has become of one answer."""
        row = await in_time(self._store.find(message_id))
        stream = state.elsewhere.get(message_id)
        if row is None or stream is None:
            return
        shown = stream.text.shown
        if row.state == "streaming" and len(shown) > len(row.content):
            # Its server may be gone; what people here have seen of it is to be what is kept.
            await in_time(self._store.keep_shown(message_id, shown))
        _show(self._delivery, state, stream, row)
        if row.state != "streaming":
            state.elsewhere.end(message_id)
            announce_end(
                self._delivery,
                state,
                message_id,
                row.content,
                row.state,
                self._clock.wall_ms(),
            )

    # --- what their servers say --------------------------------------------------------------------

    def piece(self, state: RoomState, said: items.Piece) -> None:
        """More of one."""
        stream = state.elsewhere.get(said.message_id)
        if stream is None:
            if said.message_id not in state.streams and not state.elsewhere.has_ended(
                said.message_id
            ):
                # Its row was lost, or waits for one that was.
                self._rooms.look(state)
            return
        stream.heard_at = self._clock.now()
        shown = stream.text.shown_length
        if said.offset > shown:
            self.want(state, said.message_id)
            return
        stream.text.write(said.text[shown - said.offset :])
        chunk = stream.text.take_chunk()
        if chunk is not None:
            announce_chunk(self._delivery, state, said.message_id, chunk)

    def thinks(self, state: RoomState, said: items.Thinks) -> None:
        """More of what its character thinks."""
        # What comes too early or too late is not missed: it is shown to those who see it happen, and kept nowhere.
        stream = state.elsewhere.get(said.message_id)
        if stream is not None:
            stream.heard_at = self._clock.now()
            announce_thought(self._delivery, state, said.message_id, said.index, said.text)

    def want(self, state: RoomState, message_id: str) -> None:
        """Ask whoever writes one for what is missing of it here."""
        stream, now = state.elsewhere.get(message_id), self._clock.now()
        if stream is not None and state.listeners and now - stream.wanted_at >= WANT_SECONDS:
            stream.wanted_at = now
            want = items.Want(state.id, message_id, stream.text.shown_length)
            self._sharing.say(state.listeners, want)

    def wanted(self, server: str, state: RoomState, said: items.Want) -> None:
        """That server is missing something of one that is written here, or may be."""
        stream = state.streams.get(said.message_id)
        if stream is not None:
            text = stream.text.shown[said.offset :]
            piece = items.Piece(state.id, said.message_id, said.offset, text)
            self._sharing.say((server,), piece)

    def ended(self, state: RoomState, said: items.Ended) -> None:
        """One has ended, and is stored."""
        stream = state.elsewhere.get(said.message_id)
        if stream is None:
            if not state.elsewhere.has_ended(said.message_id):
                self._rooms.look(state)
            return
        if stream.text.shown_length != said.length:
            _ = self._tasks.start(self.look_at(state, said.message_id))
            return
        state.elsewhere.end(said.message_id)
        announce_end(
            self._delivery,
            state,
            said.message_id,
            stream.text.shown,
            said.state,
            self._clock.wall_ms(),
            failure=None if said.error is None else CharacterFailed(said.error),
            usage=None if said.usage is None else Usage(*said.usage),
        )

    async def asked_to_stop(self, server: str, state: RoomState, said: items.Stop) -> None:
        """Somebody on that server wants one ended that may be written here."""
        turn = self._turns.find(state, said.message_id)
        outcome: items.StopOutcome = "unknown"
        if turn is not None and turn.asked_by != said.asked_by:
            outcome = "forbidden"
        elif turn is not None:
            await self._turns.stop(state, turn)
            outcome = "stopped"
        self._sharing.say((server,), items.Stopped(state.id, said.call, outcome))

    # --- parts -------------------------------------------------------------------------------------

    def _report(self, count: int) -> None:
        if count:
            self._log.info("ended answers whose server is gone", count=count)


def _show(delivery: Delivery, state: RoomState, stream: LiveStream, row: ChatMessage) -> None:
    shown = stream.text.shown
    if not row.content.startswith(shown):
        return  # Less was saved than was shown; the end says what holds.
    stream.text.write(row.content[len(shown) :])
    chunk = stream.text.take_chunk()
    if chunk is not None:
        announce_chunk(delivery, state, row.id, chunk)
