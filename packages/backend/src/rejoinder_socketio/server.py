"""The Socket.IO server: namespaces on sessions, connections in rooms, events to and from an application."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rejoinder_socketio import packets
from rejoinder_socketio.connection import Broken, Connection, Event, Item
from rejoinder_socketio.engine.http import BoundedHttps
from rejoinder_socketio.engine.server import EngineServer
from rejoinder_socketio.engine.session import CloseReason, Outlet, Phase, Session
from rejoinder_socketio.engine.upgrade import TcpWebSockets
from rejoinder_socketio.errors import ProtocolError, Refused
from rejoinder_socketio.handler import Doing, Handler
from rejoinder_socketio.namespace import Namespace, Receivers
from rejoinder_socketio.options import Options
from rejoinder_socketio.packets import Malformed, Packet

if TYPE_CHECKING:
    from rejoinder_socketio.asgi import Receive, Scope, Send

_log = logging.getLogger("rejoinder_socketio")


class _Client:
    """What is known of a session: its connections, the packet whose attachments are on their way, and how much of all
    that has come waits for its turn.
    """

    __slots__ = (
        "attachments",
        "connections",
        "held",
        "queued",
        "queued_size",
        "size",
        "waiting",
    )

    def __init__(self) -> None:
        self.size = 0
        self.queued = 0
        self.queued_size = 0
        self.held: Outlet | None = None
        self.connections: dict[str, Connection] = {}
        self.waiting: Packet | None = None
        self.attachments: list[bytes] = []


def _size(item: Item) -> int:
    return item.size if isinstance(item, Event) else 0


_CALLED: Final = object()
"""Stands for what the application does while it is being called."""


class Server:
    """A Socket.IO server; itself an ASGI app.

        server = Server({"/": MyHandler()}, Options(origins=["https://example.org"]))
        uvicorn.Config(
            server,
            http=server.http_protocol,
            ws=server.websocket_protocol,
            ws_per_message_deflate=False,
        )

    Args:
        namespaces: the handler of each namespace.
        options: what it allows, and how long it waits.
    """

    def __init__(self, namespaces: Mapping[str, Handler], options: Options | None = None) -> None:
        self.options = options or Options()
        self.namespaces: dict[str, Namespace] = {}
        for name, handler in namespaces.items():
            self.add(name, handler)
        self.engine = EngineServer(self.options, self)
        self.websocket_protocol = TcpWebSockets(self.engine)
        self.http_protocol = BoundedHttps(self.options, self.engine.unfinished)
        self._doing: set[asyncio.Future[None]] = set()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        await self.engine(scope, receive, send)

    def add(self, name: str, handler: Handler) -> None:
        """Serve one more namespace."""
        self.namespaces[name] = Namespace(name, handler, self)

    def to(
        self, room: str, *, namespace: str = "/", without: Collection[Connection] = ()
    ) -> Receivers:
        """Everybody in a room, less some."""
        return Receivers(self.namespaces[namespace], room, without)

    def disconnect(self, connection: Connection, *, close: bool = False) -> None:
        """Disconnect a connection from its namespace, or, with `close`, end its whole session."""
        session = connection.session
        if not connection.is_gone:
            session.send(packets.encode_disconnect(connection.namespace))
            self._end(connection, CloseReason.SERVER_LEFT)
        if close:
            session.close(CloseReason.SERVER_LEFT)

    async def close(self, seconds: float = 1.0) -> None:
        """End every session, and wait so long for what was sent to go out, and for what is being handled.

        What the application has not done by then is cancelled.
        """
        await self.engine.close(seconds)
        if self._doing:
            _, late = await asyncio.wait(self._doing, timeout=seconds)
            for each in late:
                each.cancel()
        if self._doing:
            await asyncio.wait(self._doing, timeout=seconds)

    # --- what sessions tell ----------------------------------------------------------------------

    def on_text(self, session: Session, packet: bytes) -> None:
        """A packet has come in."""
        client = session.state
        if client is None:
            client = session.state = _Client()
        if client.waiting is not None:
            raise ProtocolError("a packet came before the attachments of the last one")
        decoded = packets.decode(packet)
        kind = decoded.type
        if kind == packets.CONNECT:
            self._connect(session, client, decoded)
            return
        connection = client.connections.get(decoded.namespace)
        if connection is None:
            self._pass_over(client, decoded)
            return
        if kind == packets.EVENT:
            self._event(connection, decoded)
        elif kind == packets.ACK:
            self._acked(connection, decoded, ())
        elif kind == packets.DISCONNECT:
            self._end(connection, CloseReason.CLIENT_LEFT)
        elif kind == packets.CONNECT_ERROR:
            raise ProtocolError("a client can't refuse")
        elif self._may_follow(decoded.attachments):
            client.waiting = decoded
        else:
            self._malformed(connection, decoded, Malformed("attachments"))

    def _pass_over(self, client: _Client, packet: Packet) -> None:
        """It may have left a moment ago, without having heard of it; then its attachments come all the same."""
        if packet.type >= packets.BINARY_EVENT and self._may_follow(packet.attachments):
            client.waiting = packet

    def _may_follow(self, attachments: int) -> bool:
        return 0 < attachments <= self.options.max_attachments

    def on_binary(self, session: Session, data: bytes) -> None:
        """An attachment has come in."""
        client = session.state
        if client is None or client.waiting is None:
            raise ProtocolError("an attachment of nothing")
        client.attachments.append(data)
        client.size += len(data)
        packet: Packet = client.waiting
        if client.size > self.options.max_payload:
            raise ProtocolError("the attachments are too big")
        if len(client.attachments) < packet.attachments:
            give_up = partial(session.close, CloseReason.UNFINISHED)
            self.engine.unfinished.hold(client, client.size, give_up)
            return
        attachments = self._attachments_of(client)
        connection = client.connections.get(packet.namespace)
        if connection is None:
            return
        if packet.type == packets.BINARY_EVENT:
            self._event(connection, packet, attachments)
        else:
            self._acked(connection, packet, attachments)

    def _attachments_of(self, client: _Client) -> list[bytes]:
        attachments, client.attachments, client.waiting, client.size = (
            client.attachments,
            [],
            None,
            0,
        )
        if len(attachments) > 1:
            self.engine.unfinished.release(client)
        return attachments

    def on_slow(self, session: Session) -> None:
        """A client does not read."""
        for connection in tuple(session.state.connections.values() if session.state else ()):
            try:
                self.namespaces[connection.namespace].handler.on_slow(connection)
            except Exception:  # noqa: BLE001 - it is the application's, and somebody else is sending
                _log.exception("a slow client could not be dealt with")

    def on_drained(self, session: Session) -> None:
        """A client reads again, and has missed volatile events."""
        for connection in tuple(session.state.connections.values() if session.state else ()):
            try:
                self.namespaces[connection.namespace].handler.on_drained(connection)
            except Exception:  # noqa: BLE001 - it is the application's, and somebody else is sending
                _log.exception("a client that reads again could not be dealt with")

    def on_close(self, session: Session, reason: CloseReason) -> None:
        """A session has ended."""
        if session.state and session.state.attachments:
            self.engine.unfinished.release(session.state)
            session.state.attachments.clear()
        for connection in tuple(session.state.connections.values() if session.state else ()):
            self._end(connection, reason)

    # --- coming and going ------------------------------------------------------------------------

    def _connect(self, session: Session, client: _Client, packet: Packet) -> None:
        # Somebody who comes and goes all the time keeps the application busy.
        session.count(self.engine.now())
        if session.phase is Phase.CLOSED:
            return
        name = packet.namespace
        if name in client.connections:
            raise ProtocolError("connected already")
        namespace = self.namespaces.get(name)
        if namespace is None:
            session.send(packets.encode_connect_error(name, "Invalid namespace"))
            return
        if len(client.connections) >= self.options.max_namespaces:
            session.send(packets.encode_connect_error(name, "Too many namespaces"))
            return
        try:
            auth = (
                packets.decode_json(packet.content[: self.options.max_auth])
                if packet.content
                else {}
            )
        except Malformed:
            auth = None
        connection = Connection(secrets.token_urlsafe(15), namespace, session)
        client.connections[name] = connection
        self.engine.claim(session)
        self._wait_for(connection, self._admit(namespace, connection, auth))

    async def _admit(self, namespace: Namespace, connection: Connection, auth: Any) -> None:
        try:
            await namespace.handler.on_connect(connection, auth)
        except Refused as refusal:
            self._refuse(connection, refusal)
            return
        except asyncio.CancelledError:
            # Something that the application waited for was cancelled, unless it is this.
            self._refuse(connection, Refused("Internal error"))
            raise
        except Exception:  # noqa: BLE001 - it is the application's
            _log.exception("a connection could not be let in")
            self._refuse(connection, Refused("Internal error"))
            return
        if not connection.is_gone:
            namespace.connections[connection.id] = connection
            connection.opened(packets.encode_connect(namespace.name, connection.id))
            welcome = namespace.handler.on_open(connection)
            if welcome is not None:
                await welcome

    def _refuse(self, connection: Connection, refusal: Refused) -> None:
        session, name = connection.session, connection.namespace
        self._count(session, -len(connection.queue), -sum(map(_size, connection.queue)))
        connection.queue.clear()
        if connection.is_gone:
            return
        self._leave(connection)
        session.send(packets.encode_connect_error(name, refusal.message, refusal.data))
        if not session.state.connections:
            self.engine.unclaim(session)

    def _end(self, connection: Connection, reason: CloseReason) -> None:
        session = connection.session
        if connection.is_gone:
            return
        self._leave(connection)
        if not session.state.connections:
            self.engine.unclaim(session)
        self._in_turn(connection, reason)

    def _leave(self, connection: Connection) -> None:
        namespace = self.namespaces[connection.namespace]
        del connection.session.state.connections[connection.namespace]
        namespace.connections.pop(connection.id, None)
        for room in tuple(connection.rooms):
            namespace.leave(connection, room)
        connection.ended()

    # --- events ----------------------------------------------------------------------------------

    def _event(
        self, connection: Connection, packet: Packet, attachments: list[bytes] | None = None
    ) -> None:
        try:
            name, raw = packets.decode_event(packet.content)
            event = Event(connection, name, raw, packet.ack_id, len(packet.content))
            if attachments is not None:
                event.size += sum(map(len, attachments))
                event.restore(packets.restored(event.arguments, attachments))
        except Malformed as error:
            self._malformed(connection, packet, error)
            return
        self._in_turn(connection, event)

    def _malformed(self, connection: Connection, packet: Packet, error: Malformed) -> None:
        broken = Broken(packet.ack_id, error)
        if connection.doing is None:
            self._tell_malformed(connection, broken)
        else:
            self._in_turn(connection, broken)

    def _tell_malformed(self, connection: Connection, broken: Broken) -> None:
        handler = self.namespaces[connection.namespace].handler
        try:
            handler.on_malformed(connection, broken.ack_id, broken.error)
        except ProtocolError:
            raise
        except Exception:  # noqa: BLE001 - it is the application's
            _log.exception("a malformed event could not be answered")

    def _acked(
        self, connection: Connection, packet: Packet, attachments: "list[bytes] | tuple[()]"
    ) -> None:
        if packet.ack_id is not None and connection.awaits(packet.ack_id):
            arguments = packets.decode_json(packet.content)
            if not isinstance(arguments, list):
                raise ProtocolError("an acknowledgement without arguments")
            if attachments:
                arguments = packets.restored(arguments, attachments)
            connection.answered(packet.ack_id, arguments)

    def _in_turn(self, connection: Connection, item: Item) -> None:
        """Hand it to the application when all that came before is done."""
        if connection.doing is None:
            # This is `_do`, without its call.
            connection.doing = _CALLED
            doing = self._begin(connection, item)
            if doing is not None:
                self._wait_for(connection, doing)
                return
            connection.doing = None
            if connection.queue:
                self._do_queued(connection)
            return
        connection.queue.append(item)
        self._count(connection.session, 1, _size(item))

    def _count(self, session: Session, items: int, size: int) -> None:
        """So much more waits, or less; while it is too much, nothing is read. It counts for all connections that there were
        on the session, so that nobody has more room who leaves and comes back.
        """
        client, options = session.state, self.options
        client.queued += items
        client.queued_size += size
        if client.queued >= options.max_events or client.queued_size >= options.max_payload:
            # After an upgrade it is another outlet.
            if client.held is not session.outlet and session.phase is not Phase.CLOSED:
                client.held = session.outlet
                session.outlet.hold_reading()
        elif (
            client.held is not None
            and client.queued <= options.max_events // 2
            and client.queued_size <= options.max_payload // 2
        ):
            client.held = None
            session.outlet.resume_reading()

    def _do(self, connection: Connection, item: Item) -> None:
        # What the application brings about meanwhile has its turn when this is done.
        connection.doing = _CALLED
        doing = self._begin(connection, item)
        if doing is None:
            connection.doing = None
        else:
            self._wait_for(connection, doing)

    def _begin(self, connection: Connection, item: Item) -> Doing:
        handler = self.namespaces[connection.namespace].handler
        try:
            if isinstance(item, Event):
                return handler.on_event(connection, item)
            if isinstance(item, CloseReason):
                return handler.on_disconnect(connection, item)
            self._tell_malformed(connection, item)
        except ProtocolError:
            connection.session.close(CloseReason.PARSE_ERROR)
        except Exception:  # noqa: BLE001 - it is the application's
            _log.exception("an event could not be handled")
        return None

    def _wait_for(self, connection: Connection, doing: Awaitable[None]) -> None:
        connection.doing = future = asyncio.ensure_future(doing)
        self._doing.add(future)
        future.add_done_callback(partial(self._go_on, connection))

    def _go_on(self, connection: Connection, done: "asyncio.Future[None]") -> None:
        """What was being done is done: begin what has come meanwhile."""
        self._doing.discard(done)
        error = None if done.cancelled() else done.exception()
        if isinstance(error, ProtocolError):
            connection.session.close(CloseReason.PARSE_ERROR)
        elif error is not None:
            _log.error("an event could not be handled", exc_info=error)
        connection.doing = None
        self._do_queued(connection)

    def _do_queued(self, connection: Connection) -> None:
        queue = connection.queue
        while queue and connection.doing is None:
            item = queue.popleft()
            self._count(connection.session, -1, -_size(item))
            self._do(connection, item)
