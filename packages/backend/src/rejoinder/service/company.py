"""The people of other servers in the rooms of this one: who comes and goes there, and how they are shown, as those tell it."""

from rejoinder.core.others import WHOLE, Part, Somebody
from rejoinder.core.presence import best
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.fields import iso, or_unset
from rejoinder.service import items
from rejoinder.service.context import Context
from rejoinder.service.room_state import RoomState
from rejoinder.service.seen import Seen

_EVENT = {"join": catalogue.USER_JOINED, "rejoin": catalogue.USER_RECONNECTED}


class Company:
    """Tells the people here of those on other servers."""

    def __init__(self, context: Context, seen: Seen) -> None:
        self._c = context
        self._seen = seen
        self._lost: set[str] = set()
        """Rooms with people whose server is gone."""

    def comes(self, server: str, state: RoomState, who: Somebody, how: items.How) -> None:
        """Somebody has entered on that server."""
        known = state.others.get(who.user_id)
        state.others.put(server, who)
        self._come(state, who, known, how)

    def leaves(self, server: str, state: RoomState, user_id: str) -> None:
        """Somebody has left that server."""
        state.others.take(server, user_id)
        self._leave(state, user_id)

    def is_shown(self, server: str, state: RoomState, said: items.Shown) -> None:
        """How that server shows somebody of its."""
        somebody = Somebody(said.user_id, "", said.status, said.last_seen)
        if state.others.show(server, somebody):
            self._show(state, state.others.get(said.user_id) or somebody)

    def are(
        self, server: str, state: RoomState, people: list[Somebody], part: Part = WHOLE
    ) -> None:
        """These are the people of that server, or a part of them."""
        changed, left = state.others.all_of(server, people, part)
        for somebody, known in changed:
            new = known is None and somebody.user_id not in state.people
            self._come(state, somebody, known, "join" if new else "quiet")
        for user_id in left:
            self._tell_left(state.id, user_id)

    def types(self, state: RoomState, said: items.Types) -> None:
        """Somebody on another server types, or has ceased to."""
        user_id = said.user_id
        if said.on:
            # Here, too, it ends by itself: its server may die.
            self._c.typing.start(state.id, user_id, self._c.clock.now())
        elif not self._c.typing.stop(state.id, user_id):
            return
        self._c.delivery.send(
            state.people.connections(but=user_id),
            catalogue.USER_TYPING if said.on else catalogue.USER_STOPPED_TYPING,
            events.UserTyping(room_id=state.id, user_id=user_id),
        )

    def lose(self, server: str, state: RoomState) -> None:
        """That server is gone: for its people it is as if they had lost their connection."""
        until = self._c.clock.now() + self._c.limits.session_timeout
        for somebody in state.others.lose(server, self._c.clock.wall_ms(), until):
            self._tell_shown(state.id, somebody)
            # Their own server can't store it any more.
            self._seen.left(somebody.user_id)
        if state.others.absent:
            self._lost.add(state.id)

    def tick(self) -> None:
        """Look after those whose server is gone."""
        now = self._c.clock.now()
        for room_id in tuple(self._lost):
            state = self._c.rooms.get(room_id)
            if state is None or not state.others.absent:
                self._lost.discard(room_id)
                continue
            for user_id in state.others.expire(now):
                self._tell_left(room_id, user_id)

    # --- parts -----------------------------------------------------------------------------------

    def _come(
        self, state: RoomState, who: Somebody, known: Somebody | None, how: items.How
    ) -> None:
        absent = state.people.is_absent(who.user_id)
        if absent:
            # They were here before, and are on another server now.
            state.people.remove(who.user_id)
        event = _EVENT.get(how)
        if event is not None:
            self._c.delivery.send(
                state.people.connections(but=who.user_id),
                event,
                events.UserInRoom(
                    room_id=state.id, user_id=who.user_id, timestamp=self._c.now_iso()
                ),
            )
        offline_here = absent and self._c.presence.status(who.user_id) == "offline"
        # They may be more present on another server.
        shown = state.others.get(who.user_id) or who
        if offline_here or (known is not None and known.status != shown.status):
            self._show(state, shown)

    def _leave(self, state: RoomState, user_id: str) -> None:
        if user_id in state.people or user_id in state.others:
            return
        self._c.typing.stop(state.id, user_id)
        self._c.delivery.send(
            state.people.connections(),
            catalogue.USER_LEFT,
            events.UserInRoom(room_id=state.id, user_id=user_id, timestamp=self._c.now_iso()),
        )

    def _show(self, state: RoomState, who: Somebody) -> None:
        status = who.status
        if self._c.connections.of_user(who.user_id):
            status = best((status, self._c.presence.status(who.user_id)))
        self._c.delivery.send(
            state.people.connections(but=who.user_id),
            catalogue.PRESENCE_CHANGED,
            events.PresenceChanged(
                user_id=who.user_id,
                status=status,
                last_seen=or_unset(None if who.last_seen is None else iso(who.last_seen)),
            ),
        )

    # Of very many at once it is told in portions, and then only if it is still so.

    def _tell_left(self, room_id: str, user_id: str) -> None:
        def tell() -> int:
            state = self._c.rooms.get(room_id)
            if state is None or user_id in state.people or user_id in state.others:
                return 0
            self._leave(state, user_id)
            return len(state.people.connections())

        self._c.telling.tell(("left elsewhere", room_id, user_id), tell)

    def _tell_shown(self, room_id: str, who: Somebody) -> None:
        def tell() -> int:
            state = self._c.rooms.get(room_id)
            somebody = None if state is None else state.others.get(who.user_id)
            if state is None or somebody is None or somebody.status != who.status:
                return 0
            self._show(state, somebody)
            return len(state.people.connections())

        self._c.telling.tell(("shown elsewhere", room_id, who.user_id), tell)
