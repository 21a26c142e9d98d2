"""Who of the characters is in a room, and the room's rule for who sends again: changed by its members, told to all in it."""

from typing import cast

from rejoinder.characters.registry import Characters
from rejoinder.errors import Conflict, NotFound
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import DoubleTexting
from rejoinder.protocol.fields import or_unset
from rejoinder.service.context import Context
from rejoinder.service.items import Ruled
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import RoomRules
from rejoinder.stores.records import GONE, Room, characters_of

CHARACTERS_MAX = 8
"""So many characters may be in a room."""


def rules_of(room: Room) -> RoomRules:
    """The rules of a stored room."""
    return RoomRules(characters_of(room), cast("DoubleTexting | None", room.double_texting))


class Rules:
    """Changes them."""

    def __init__(self, context: Context, characters: Characters) -> None:
        self._c = context
        self._characters = characters

    async def set_double_texting(
        self, room_id: str, policy: DoubleTexting | None
    ) -> events.RoomChanged:
        """Give a room a rule of its own, or take it away.

        Raises:
            NotFound: there is no such room.
        """
        if not await in_time(self._c.store.set_double_texting(room_id, policy)):
            raise NotFound(GONE)
        return await self._tell(room_id)

    async def add(self, room_id: str, character_id: str) -> events.RoomChanged:
        """Bring a character in.

        Raises:
            NotFound: there is no such room, or no such character.
            Conflict: there are too many already.
        """
        if self._characters.get(character_id) is None:
            raise NotFound("There is no such character. Choose another one.")
        there = await in_time(self._c.store.put_character(room_id, character_id, CHARACTERS_MAX))
        if there is None:
            raise NotFound(GONE)
        if character_id not in there:
            raise Conflict(
                f"A room has {CHARACTERS_MAX} characters at most. Take another one out first."
            )
        return await self._tell(room_id)

    async def remove(self, room_id: str, character_id: str) -> events.RoomChanged:
        """Take a character out.

        Raises:
            NotFound: there is no such room.
        """
        if await in_time(self._c.store.take_character(room_id, character_id)) is None:
            raise NotFound(GONE)
        return await self._tell(room_id)

    def heard(self, said: Ruled) -> None:
        """Another server has changed them."""
        self._show(said.room, RoomRules(tuple(said.characters), said.double_texting))

    async def _tell(self, room_id: str) -> events.RoomChanged:
        room = await in_time(self._c.store.room(room_id))
        if room is None:
            raise NotFound(GONE)
        rules = rules_of(room)
        self._c.sharing.say_everywhere(Ruled(room_id, list(rules.characters), rules.double_texting))
        return self._show(room_id, rules)

    def _show(self, room_id: str, rules: RoomRules) -> events.RoomChanged:
        changed = events.RoomChanged(
            room_id=room_id,
            character_ids=list(rules.characters),
            double_texting=or_unset(rules.double_texting),
        )
        state = self._c.rooms.get(room_id)
        if state is not None:
            state.rules = rules
            self._c.delivery.send(state.people.connections(), catalogue.ROOM_CHANGED, changed)
        return changed
