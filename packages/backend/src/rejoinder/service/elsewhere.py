"""Answers that this server does not write.

Those whose server is gone are ended, with the text that it saved. Those of servers that live are shown to the people here
as far as they are saved, and their end is announced when it is stored, whoever has ended them.
"""

import structlog

from rejoinder.protocol import catalogue
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.answers import announce_chunk, announce_end, announce_start
from rejoinder.service.delivery import Delivery
from rejoinder.service.generation import GenerationTools
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import LiveStream, RoomState
from rejoinder.service.sweeping import Sweeping
from rejoinder.service.turns import Turns

PAGE = 500
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
