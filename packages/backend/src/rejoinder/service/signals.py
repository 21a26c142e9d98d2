"""What clients say that is not stored: that somebody types, is there, or is away."""

from msgspec import UNSET, UnsetType

from rejoinder.core.connections import Connection
from rejoinder.core.quality import Line
from rejoinder.protocol import catalogue, events
from rejoinder.service.answers import show_joined
from rejoinder.service.context import Context
from rejoinder.service.items import Types


class Signals:
    """What is done about it."""

    def __init__(self, context: Context) -> None:
        self._c = context

    async def typing_start(self, connection: Connection, notice: events.TypingNotice) -> events.Ack:
        """Somebody types."""
        context = self._c
        state = context.entered(connection, notice.room_id)
        context.typing.start(state.id, connection.user.id, context.clock.now())
        # Also when it is no news, since viewers forget a typist by themselves.
        context.delivery.send(
            state.people.connections(but=connection.user.id),
            catalogue.USER_TYPING,
            events.UserTyping(room_id=state.id, user_id=connection.user.id),
        )
        if state.listeners:
            typing = Types(state.id, connection.user.id, on=True)
            context.sharing.say(state.listeners, typing)
        return events.Ack(success=True)

    async def typing_stop(self, connection: Connection, notice: events.TypingNotice) -> events.Ack:
        """Somebody ceased to type."""
        state = self._c.entered(connection, notice.room_id)
        self._c.stop_typing(state, connection.user.id)
        return events.Ack(success=True)

    async def heartbeat(
        self, connection: Connection, beat: events.Heartbeat
    ) -> events.HeartbeatReply:
        """A client sees that the server is there, and says how long it took the last time."""
        quality = UNSET if isinstance(beat.rtt, UnsetType) else self._judge(connection, beat.rtt)
        server_time = self._c.now_iso()
        timestamp = server_time if isinstance(beat.timestamp, UnsetType) else beat.timestamp
        self._c.delivery.send(
            (connection.id,),
            catalogue.HEARTBEAT_ACK,
            events.HeartbeatAck(timestamp=timestamp, server_time=server_time, quality=quality),
        )
        return events.HeartbeatReply(
            success=True, timestamp=timestamp, server_time=server_time, quality=quality
        )

    def _judge(self, connection: Connection, rtt: float) -> events.Quality | UnsetType:
        """On a poor line answers come in larger pieces."""
        line = connection.line = connection.line or Line()
        before, joining = line.quality, self._c.rooms.joining
        if line.heard(rtt) == "poor":
            joining.slow(connection.id)
        elif before == "poor":
            show_joined(self._c.delivery, joining.fast(connection.id))
        return line.quality if line.known else UNSET

    async def set_presence(self, connection: Connection, wanted: events.PresenceSet) -> events.Ack:
        """Somebody is to be shown as online, or as away."""
        wall_ms = self._c.clock.wall_ms()
        user_id = connection.user.id
        if self._c.presence.set(user_id, connection.id, wanted.status, wall_ms):
            self._c.announce_presence(user_id, self._c.presence.status(user_id))
        return events.Ack(success=True)
