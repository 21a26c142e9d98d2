"""When people were last seen: kept in the store, told to others, and hidden where they want that.

Whoever can't be asked for their choice hides it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

from rejoinder.core.last_seen import LastSeen
from rejoinder.core.presence import best
from rejoinder.errors import Unavailable
from rejoinder.protocol import events
from rejoinder.protocol.fields import iso, or_unset
from rejoinder.service.context import Context
from rejoinder.service.patience import in_time
from rejoinder.stores.records import StoredMember

AT_ONCE = 500
CLOSE_SECONDS = 2.0


class Seen:
    """Knows the choices of those who are here, and keeps when they were last seen."""

    def __init__(self, context: Context) -> None:
        self._c = context
        self._last = LastSeen()
        self._storing = False
        self._given_up = False
        """The server ends, and the store does not answer."""

    # --- who hides it ----------------------------------------------------------------------------

    def knows(self, user_id: str, *, hides: bool) -> None:
        """The store says what somebody has chosen, before others are told of them."""
        self._know(user_id, hides=hides)

    async def choose(self, user_id: str, *, hides: bool) -> None:
        """Somebody chooses whether others may know; all who see them are told.

        Raises:
            Unavailable: it is not kept.
        """
        await in_time(self._c.store.hide_last_seen(user_id, hides=hides))
        self.chosen(user_id, hides=hides)
        self._c.sharing.hides(user_id, hides=hides)

    def chosen(self, user_id: str, *, hides: bool) -> None:
        """Somebody has chosen, here or on another server."""
        if hides:
            for state in self._c.rooms.all():
                state.others.hide(user_id)
        self._know(user_id, hides=hides)

    def look_again(self) -> None:
        """What other servers have said of choices may have been missed."""
        _ = self._c.sharing.tasks.start(self._look_again())

    async def _look_again(self) -> None:
        users = self._c.presence.users()
        with suppress(Unavailable):
            for at in range(0, len(users), AT_ONCE):
                await self._look_at(users[at : at + AT_ONCE])

    async def _look_at(self, users: Sequence[str]) -> None:
        people = await in_time(self._c.store.people(users))
        for user_id in users:
            person = people.get(user_id)
            self._know(user_id, hides=person is not None and person.hides_last_seen)

    def _know(self, user_id: str, *, hides: bool) -> None:
        presence = self._c.presence
        if presence.hide(user_id, hides=hides):
            self._c.announce_presence(user_id, presence.status(user_id))

    # --- when it was -----------------------------------------------------------------------------

    def came(self, user_id: str) -> None:
        """Somebody has connected."""
        self._last.came(user_id, self._c.clock.now(), self._c.clock.wall_ms())

    def left(self, user_id: str) -> None:
        """Somebody has no connection any more, to this server or to one that is gone."""
        if not self._c.connections.of_user(user_id):
            self._last.left(user_id, self._c.clock.wall_ms())

    def tick(self) -> None:
        """Store what is due."""
        if self._storing:
            return
        batch = self._last.due(self._c.clock.now(), self._c.clock.wall_ms())
        if batch:
            self._storing = True
            _ = self._c.sharing.tasks.start(self._store(batch))

    async def close(self) -> None:
        """Store when those who are here are seen last; what the store does not take in time is let go."""
        for connection in self._c.connections:
            self._last.left(connection.user.id, self._c.clock.wall_ms())
        if self._given_up:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                while (batch := self._last.take()) and await self._store(batch):
                    continue
        except TimeoutError:
            self._given_up = True

    async def _store(self, batch: dict[str, int]) -> bool:
        try:
            await in_time(self._c.store.put_last_seen(batch))
        except Unavailable:
            self._last.give_back(batch)
            return False
        finally:
            self._storing = False
        return True

    # --- what others may know --------------------------------------------------------------------

    async def members(self, room_id: str, members: Sequence[StoredMember]) -> list[events.Member]:
        """Those who belong to a room, whether they are here or not.

        Raises:
            Unavailable: the store does not say who hides it.
        """
        if self._c.sharing.cluster.alone:
            return await self._members(room_id, members)
        # Who is in it on other servers is known where the room is in use.
        async with self._c.rooms.use(room_id):
            return await self._members(room_id, members)

    async def _members(self, room_id: str, members: Sequence[StoredMember]) -> list[events.Member]:
        people = await in_time(self._c.store.people([member.user_id for member in members]))
        state, presence = self._c.rooms.get(room_id), self._c.presence
        shown: list[events.Member] = []
        for member in members:
            user_id, person = member.user_id, people.get(member.user_id)
            other = None if state is None else state.others.get(user_id)
            times: Iterable[int | None] = (
                presence.last_seen(user_id),
                None if other is None else other.last_seen,
                None if person is None else person.last_seen,
            )
            hides = person is not None and person.hides_last_seen
            known = [] if hides else [at for at in times if at is not None]
            shown.append(
                events.Member(
                    user_id=user_id,
                    status=best(
                        (presence.status(user_id), "offline" if other is None else other.status)
                    ),
                    name=or_unset(member.name or None),
                    last_seen=or_unset(iso(max(known)) if known else None),
                )
            )
        return shown
