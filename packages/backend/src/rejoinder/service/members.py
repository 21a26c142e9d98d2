"""Those who belong to a room, wherever in the chat they are."""

from collections.abc import Iterable
from typing import TypeVar

from rejoinder.core.connections import Connections
from rejoinder.errors import Unavailable
from rejoinder.protocol.catalogue import ServerEvent
from rejoinder.protocol.fields import ServerPayload
from rejoinder.service.delivery import Delivery
from rejoinder.service.patience import in_time
from rejoinder.service.rooms import Rooms
from rejoinder.stores.base import Store

P = TypeVar("P", bound=ServerPayload)
TOLD_MAX = 500


class Members:
    """Tells the members of rooms what concerns their lists, also those who are in none, or in another one."""

    def __init__(
        self, store: Store, connections: Connections, rooms: Rooms, delivery: Delivery
    ) -> None:
        self._store = store
        self._connections = connections
        self._rooms = rooms
        self._delivery = delivery

    async def of(self, room_id: str) -> list[str]:
        """The members, the oldest first, at most `TOLD_MAX`."""
        return [each.user_id for each in await in_time(self._store.members(room_id, TOLD_MAX))]

    async def tell(self, room_id: str, event: ServerEvent[P], payload: P) -> None:
        """Send an event to all connections here of those who are in the room, or members of it."""
        try:
            users = await self.of(room_id)
        except Unavailable:
            users = []  # Those who are in it are told all the same.
        self.tell_these(room_id, users, event, payload)

    def tell_these(
        self, room_id: str, users: Iterable[str], event: ServerEvent[P], payload: P
    ) -> None:
        """The same, where it is known who the members are."""
        state = self._rooms.get(room_id)
        told = set(state.people.connections()) if state is not None else set()
        for user_id in users:
            told.update(connection.id for connection in self._connections.of_user(user_id))
        if told:
            self._delivery.send(told, event, payload)
