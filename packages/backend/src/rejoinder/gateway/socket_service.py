"""The Socket.IO server: handshakes and events in, to the service; what the service says, out."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import socketio
import structlog
from engineio import packet as engineio_packet
from engineio.payload import Payload
from socketio.exceptions import ConnectionRefusedError as Refused
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from rejoinder.errors import ChatError, InternalError, InvalidPayload, TooLarge
from rejoinder.gateway.outbox import Outbox
from rejoinder.gateway.wire import INCOMING, Incoming, Problem, packet_class, packets_only
from rejoinder.protocol.fields import ServerPayload
from rejoinder.service.auth import Handshake
from rejoinder.service.chat import ChatService, failure

CLOSE_SECONDS = 1.0
FRAME_LIMIT = 4 * 1024 * 1024
PACKETS_MAX = 10_000


class Gateway:
    """An ASGI app for the path of Socket.IO."""

    def __init__(
        self, *, origins: tuple[str, ...], payload_limit: int, ping: tuple[float, float]
    ) -> None:
        """`ping`: seconds between two pings, and seconds that the answer may take."""
        interval, timeout = ping
        # A client that polls sends all that has gathered at once. Of more than this, python-engineio would drop it all
        # and answer "ok"; its own limit is 16, and can only be set for the whole process.
        Payload.max_decode_packets = max(Payload.max_decode_packets, PACKETS_MAX)
        self._sio = socketio.AsyncServer(
            async_mode="asgi",
            async_handlers=False,  # One client's events are handled in the order in which they were sent.
            serializer=packet_class(4 * payload_limit),
            cors_allowed_origins=_cors(origins),
            ping_interval=interval,
            ping_timeout=timeout,
            max_http_buffer_size=FRAME_LIMIT,
            logger=_Silent(),
            engineio_logger=_Silent(),
        )
        self._closed = False
        self.outbox = Outbox(self._sio)

    def serve(self, service: ChatService) -> None:
        """Hand everything that comes in to that service."""
        self._sio.register_namespace(_Chat(service, self.outbox))

    async def close(self) -> None:
        """Send what was said, then end every connection; clients take it as a lost one and come back."""
        if self._closed:
            return
        self._closed = True
        with suppress(TimeoutError):
            await asyncio.wait_for(self.outbox.flush(), CLOSE_SECONDS)
        if self._sio.eio.sockets:
            # One that does not read would be waited for without an end.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sio.eio.disconnect(), CLOSE_SECONDS)
        await self._sio.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            receive = packets_only(receive)
        elif scope["method"] == "POST" and (status := _refused_for_its_length(scope)):
            refusal = PlainTextResponse("The body is too long.\n", status, {"connection": "close"})
            await refusal(scope, receive, send)
            return
        polled = self._sio.eio.sockets.get(_session_of(scope))
        await self._sio.handle_request(scope, receive, send)
        if polled is not None and polled.closed:
            # A client that said goodbye by a POST may still have a GET open, which nothing else would answer.
            polled.queue.put_nowait(engineio_packet.Packet(engineio_packet.NOOP))


class _Chat(socketio.AsyncNamespace):  # type: ignore[misc]
    """The default namespace."""

    def __init__(self, service: ChatService, outbox: Outbox) -> None:
        super().__init__("/")
        self._service = service
        self._outbox = outbox
        self._log = structlog.get_logger("rejoinder.gateway")

    async def trigger_event(self, event: str, *args: Any) -> None:
        """Everything that python-socketio has to say; clients can only cause `INCOMING`, and the true two others."""
        if event == INCOMING:
            await self._incoming(*args)
        elif event == "connect":
            await self._connect(*args)
        elif event == "disconnect":
            sid, reason = args
            self._service.ended(sid, forced=reason == self.server.reason.SERVER_DISCONNECT)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        headers = {
            key.removeprefix("HTTP_").replace("_", "-").lower(): value
            for key, value in environ.items()
            if key.startswith("HTTP_")
        }
        # python-engineio says 127.0.0.1 of everybody.
        address, _ = environ["asgi.scope"].get("client") or ("", 0)
        handshake = Handshake(auth if isinstance(auth, dict) else {}, headers, address)
        try:
            await self._service.connect(sid, handshake)
        except ChatError as error:
            raise Refused(str(error), {"code": error.code}) from error
        except Exception as error:
            self._log.exception("a connection could not be let in")
            raise Refused(
                "Something went wrong on the server. Try again.", {"code": InternalError.code}
            ) from error
        # Runs when this handler's caller has sent the client its CONNECT, which it does without waiting for anything.
        self.server.start_background_task(self._opened, sid)

    async def _opened(self, sid: str) -> None:
        if self.server.manager.eio_sid_from_sid(sid, "/") not in self.server.eio.sockets:
            # It went while its token was being checked, and python-socketio does not tell of such an end.
            self._service.ended(sid, forced=False)
            return
        try:
            await self._service.opened(sid)
        except ChatError as error:
            self._log.info("a client could not be taken back to its room", code=error.code)
        except Exception:  # noqa: BLE001 - the connection is open and can be used
            self._log.exception("a connection could not be welcomed")

    async def _incoming(self, sid: str, incoming: Incoming) -> None:
        reply: ServerPayload
        if incoming.problem is not None:
            reply = failure(_refusal(incoming.problem))
        else:
            wants_ack = incoming.ack_id is not None
            reply = await self._service.handle(
                sid, incoming.name, incoming.arguments, wants_ack=wants_ack
            )
        if incoming.ack_id is not None:
            self._outbox.acknowledge(sid, incoming.ack_id, reply)


def _session_of(scope: Scope) -> str:
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("latin-1")).get("sid", [""])[0]


def _refused_for_its_length(scope: Scope) -> int | None:
    """The status for a body that is too long or does not say how long it is; python-engineio would never answer it."""
    length = dict(scope["headers"]).get(b"content-length", b"")
    if not length.isdigit():
        return 411
    return 413 if int(length) > FRAME_LIMIT else None


def _refusal(problem: Problem) -> ChatError:
    match problem:
        case "too_large":
            return TooLarge("The payload is too large. Send less at once.")
        case "binary":
            return InvalidPayload("The chat takes no binary data.")
        case "malformed":
            return InvalidPayload("The payload is not plain JSON.")


def _cors(origins: tuple[str, ...]) -> Callable[[str | None, dict[str, Any]], bool] | str:
    """Which pages may connect: the server's own, whatever ends TLS before it, and those of these origins."""
    if "*" in origins:
        return "*"

    def allowed(origin: str | None, environ: dict[str, Any]) -> bool:
        forwarded = environ.get("HTTP_X_FORWARDED_HOST", "").partition(",")[0].strip()
        own = {environ.get("HTTP_HOST"), forwarded} - {None, ""}
        return origin in origins or (origin or "").partition("://")[2] in own

    return allowed


class _Silent:
    """A logger that says nothing.

    The libraries log what clients send, line breaks included, and a traceback for each malformed packet. What is worth
    saying is logged by the namespace above.
    """

    def info(self, *_args: object, **_options: object) -> None: ...
    def warning(self, *_args: object, **_options: object) -> None: ...
    def error(self, *_args: object, **_options: object) -> None: ...
    def exception(self, *_args: object, **_options: object) -> None: ...
    def debug(self, *_args: object, **_options: object) -> None: ...
