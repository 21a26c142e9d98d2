"""The Socket.IO server: handshakes and events in, to the service; what the service says, out."""

from collections.abc import Iterable
from typing import Any, TypeVar

import structlog
from starlette.types import Receive, Scope, Send

from rejoinder.errors import ChatError, InternalError, InvalidPayload, NotFound, TooLarge
from rejoinder.protocol.catalogue import ServerEvent
from rejoinder.protocol.fields import ServerPayload
from rejoinder.service.auth import Handshake
from rejoinder.service.chat import ChatService
from rejoinder.service.payloads import failure
from rejoinder_socketio import (
    CloseReason,
    Connection,
    Doing,
    Event,
    Handler,
    Malformed,
    Options,
    Refused,
    Server,
)
from rejoinder_socketio.connection import send_all
from rejoinder_socketio.packets import encode_event

CLOSE_SECONDS = 1.0
CONNECT_SECONDS = 20.0
BODY_LIMIT = 4 * 1024 * 1024
"""All that has gathered while a client was away comes in one body."""

P = TypeVar("P", bound=ServerPayload)


class Gateway:
    """An ASGI app for the path of Socket.IO."""

    def __init__(
        self, *, origins: tuple[str, ...], payload_limit: int, ping: tuple[float, float]
    ) -> None:
        """`ping`: seconds between two pings, and seconds that the answer may take."""
        interval, timeout = ping
        self._payload_limit = payload_limit
        options = Options(
            origins=origins,
            ping_interval=interval,
            ping_timeout=timeout,
            connect_timeout=CONNECT_SECONDS,
            max_payload=BODY_LIMIT,
            max_namespaces=1,
        )
        self._server = Server({}, options)
        self.delivery = SocketDelivery(self._server)

    @property
    def websocket_protocol(self) -> Any:
        """For uvicorn's `ws`: WebSockets of the chat go straight to it."""
        return self._server.websocket_protocol

    @property
    def http_protocol(self) -> Any:
        """For uvicorn's `http`: the head of a request has a bound, and its time."""
        return self._server.http_protocol

    def serve(self, service: ChatService) -> None:
        """Hand everything that comes in to that service."""
        self._server.add("/", _Chat(service, self._payload_limit))

    def release(self, connection: str) -> None:
        """End one connection such that its client takes it as a lost one, and comes back."""
        known = self._server.namespaces["/"].connections.get(connection)
        if known is not None:
            known.session.close(CloseReason.SHUTTING_DOWN)

    async def close(self) -> None:
        """End every connection, when what was said has gone out; clients take it as a lost one and come back."""
        await self._server.close(CLOSE_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._server(scope, receive, send)


class SocketDelivery:
    """The `Delivery` over Socket.IO: everything is on its way when a call returns."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def send(self, connections: Iterable[str], event: ServerEvent[P], payload: P) -> None:
        known = self._server.namespaces["/"].connections
        receivers = [known[each] for each in connections if each in known]
        if receivers:
            message = encode_event("/", event.name, (payload,))
            send_all(receivers, message, volatile=event.volatile)

    def close(self, connection: str) -> None:
        known = self._server.namespaces["/"].connections.get(connection)
        if known is not None:
            known.disconnect(close=True)


class _Chat(Handler):
    """The default namespace."""

    def __init__(self, service: ChatService, payload_limit: int) -> None:
        self._service = service
        # Of text that is no event of the chat a little more is let through, so that its refusal can say what it is.
        self._limit = 4 * payload_limit
        self._log = structlog.get_logger("rejoinder.gateway")

    async def on_connect(self, connection: Connection, auth: Any) -> None:
        request = connection.request
        handshake = Handshake(
            auth if isinstance(auth, dict) else {}, request.headers, request.address
        )
        try:
            await self._service.connect(connection.id, handshake)
        except ChatError as error:
            raise Refused(str(error), {"code": error.code}) from error
        except Exception as error:
            self._log.exception("a connection could not be let in")
            raise Refused(
                "Something went wrong on the server. Try again.", {"code": InternalError.code}
            ) from error

    async def on_open(self, connection: Connection) -> None:
        try:
            await self._service.opened(connection.id)
        except ChatError as error:
            self._log.info("a client could not be taken back to its room", code=error.code)
        except Exception:  # noqa: BLE001 - the connection is open and can be used
            self._log.exception("a connection could not be welcomed")

    def on_disconnect(self, connection: Connection, reason: CloseReason) -> None:
        self._service.ended(connection.id, forced=reason is CloseReason.SERVER_LEFT)

    def on_event(self, connection: Connection, event: Event) -> Doing:
        if event.binary:
            event.ack(failure(InvalidPayload("The chat takes no binary data.")))
            return None
        if event.size > self._limit:
            event.ack(failure(TooLarge("The payload is too large. Send less at once.")))
            return None
        return self._service.requests.begin(
            connection.id, event.name, event.raw, event.ack, wants_ack=event.ack_id is not None
        )

    def on_drained(self, connection: Connection) -> None:
        self._service.missed(connection.id)

    def on_slow(self, connection: Connection) -> None:
        self._log.info("a client does not keep up", connection_id=connection.id)

    def on_malformed(self, connection: Connection, ack_id: int | None, error: Malformed) -> None:
        if ack_id is not None:
            connection.ack(ack_id, failure(_refusal(error)))


def _refusal(error: Malformed) -> ChatError:
    match error.problem:
        case "reserved name":
            return NotFound("There is no such event.")
        case "attachments":
            return InvalidPayload("The chat takes no binary data.")
        case "not JSON" | "no event":
            return InvalidPayload("The payload is not plain JSON.")
