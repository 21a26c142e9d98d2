"""Deleting a room for good: it ends at once, for everybody; what was in it is taken away in steps."""

from collections.abc import Iterable

import structlog

from rejoinder.errors import NotFound, Unavailable
from rejoinder.protocol import catalogue, events
from rejoinder.service.context import Context
from rejoinder.service.items import Deleted as DeletedItem
from rejoinder.service.members import Members
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import RoomState
from rejoinder.service.turns import Turns
from rejoinder.stores.records import GONE

STEP = 500
PAUSE_SECONDS = 0.02
"""Between two steps, so that others have their turn."""
LOOK_SECONDS = 60.0
ROOMS_AT_ONCE = 20
TOLD_AGAIN = (0.0, 2.0, 8.0)
"""When the other servers are told: one of them may just be letting somebody in."""


class Deletion:
    """Deletes rooms."""

    def __init__(self, context: Context, members: Members, turns: Turns) -> None:
        self._c = context
        self._members = members
        self._turns = turns
        self._purging: set[str] = set()
        self._look_at = 0.0
        self._log = structlog.get_logger("rejoinder.deletion")

    async def delete(self, room_id: str) -> None:
        """Delete a room. When this returns nothing gets into it any more, whatever happens.

        Raises:
            NotFound: there is none.
            Unavailable: it is not known whether it was deleted.
        """
        users = await self._members.of(room_id)
        if not await in_time(self._c.store.bury(room_id, self._c.clock.wall_ms())):
            raise NotFound(GONE)
        self.ended(room_id, users)
        if not self._c.sharing.cluster.alone:
            _ = self._c.sharing.tasks.start(self._tell_others(room_id, users))
        self._purge(room_id)

    def ended(self, room_id: str, users: Iterable[str] = ()) -> None:
        """It was deleted, here or elsewhere: whoever is in it is told, and put out."""
        self._c.deleted.add(room_id)
        self._c.changes.forget(room_id)
        state = self._c.rooms.get(room_id)
        deleted = events.RoomDeleted(room_id=room_id, timestamp=self._c.now_iso())
        self._members.tell_these(room_id, users, catalogue.ROOM_DELETED, deleted)
        if state is not None:
            self._put_out(state)
            self._turns.end_all(state)

    def tick(self) -> None:
        """Go on with what a server that is gone has left unfinished."""
        now = self._c.clock.now()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            _ = self._c.sharing.tasks.start(self._go_on())

    # --- parts -----------------------------------------------------------------------------------

    def _put_out(self, state: RoomState) -> None:
        resync = events.RoomResync(room_id=state.id, reason="removed")
        for user_id, _ in tuple(state.people.items()):
            gone = state.people.remove(user_id)
            self._c.typing.stop(state.id, user_id)
            for connection_id in gone:
                connection = self._c.connections.get(connection_id)
                if connection is not None:
                    connection.rooms.pop(state.id, None)
            # Clients that don't know of deletion enter again, and hear that the room is not there.
            self._c.delivery.send(gone, catalogue.ROOM_RESYNC, resync)

    async def _tell_others(self, room_id: str, users: list[str]) -> None:
        before = 0.0
        for at in TOLD_AGAIN:
            await self._c.clock.sleep(at - before)
            before = at
            self._c.sharing.say_everywhere(DeletedItem(room_id, users))

    async def _go_on(self) -> None:
        try:
            rooms = await in_time(self._c.store.buried(ROOMS_AT_ONCE))
        except Unavailable:
            return
        for room_id in rooms:
            self._purge(room_id)

    def _purge(self, room_id: str) -> None:
        if room_id not in self._purging:
            self._purging.add(room_id)
            _ = self._c.sharing.tasks.start(self._take_away(room_id))

    async def _take_away(self, room_id: str) -> None:
        try:
            while await in_time(self._c.store.purge(room_id, STEP)):
                await self._c.clock.sleep(PAUSE_SECONDS)
        except Unavailable:
            self._log.warning("a room is not yet deleted as a whole", room_id=room_id)
        finally:
            self._purging.discard(room_id)
