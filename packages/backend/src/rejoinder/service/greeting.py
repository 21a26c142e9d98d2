"""How a character begins a room: its greetings are the first rows, each an alternative to the others."""

import asyncio
from uuid import UUID, uuid5

from rejoinder.characters.registry import Characters
from rejoinder.core.clock import Clock
from rejoinder.errors import Conflict
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import RoomState
from rejoinder.service.rooms import Rooms
from rejoinder.stores.base import Store
from rejoinder.stores.records import Draft, Room

GREETINGS = UUID("1b8f0a52-7c1d-4f0e-8b0c-5f0d7c9b3a61")
GREETINGS_MAX = 20
LENGTH_MAX = 32 * 1024
USER = "{{user}}"
SOMEBODY = "you"


class Greeting:
    """Writes them when a room is entered that nothing was said in."""

    def __init__(self, rooms: Rooms, store: Store, characters: Characters, clock: Clock) -> None:
        self._rooms = rooms
        self._store = store
        self._characters = characters
        self._clock = clock

    async def say(self, state: RoomState, room: Room, character_id: str | None, name: str) -> None:
        """Have the room's character greet whoever of that name begins it, unless something was said already, here or on another server.

        The ids follow from the room, so that whoever enters at the same time, on whichever server, writes the same rows.

        Raises:
            Unavailable: it is not known whether they are stored.
        """
        if state.sequencer.last:
            return
        character = self._characters.get(room.character_id or character_id or "")
        if character is None:
            return
        info, written = character.info, []
        texts = info.greetings or ((info.greeting,) if info.greeting else ())
        if not texts:
            return
        # Another server may have let somebody speak, and its telling may be on its way.
        last = await in_time(self._store.last_seq(room.id))
        if last:
            await self._rooms.reach(state, last)
            return
        for number, text in enumerate(texts[:GREETINGS_MAX]):
            draft = Draft(
                id=uuid5(GREETINGS, f"{number} {room.id}").hex,
                room_id=room.id,
                role="character",
                sender_id=info.id,
                content=text.replace(USER, name or SOMEBODY)[:LENGTH_MAX],
                state="complete",
                timestamp=self._clock.wall_ms(),
                character_id=info.id,
                parent_seq=0 if number else None,
            )
            written.append(self._rooms.append(state, draft, self._rooms.show(state)))
        for outcome in await asyncio.gather(*written, return_exceptions=True):
            # Somebody of another name was quicker: what they were told stands.
            if isinstance(outcome, BaseException) and not isinstance(outcome, Conflict):
                raise outcome
