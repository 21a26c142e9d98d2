"""What a client asks for, from the event to its acknowledgement: decoded, limited, handed on to the part that knows."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog

from rejoinder.core.breaker import Breaker
from rejoinder.core.connections import Connection
from rejoinder.core.limits import RateLimit
from rejoinder.errors import (
    ChatError,
    InternalError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.catalogue import CLIENT_EVENTS
from rejoinder.protocol.fields import ServerPayload
from rejoinder.service.context import Context
from rejoinder.service.messages import Messages, stored
from rejoinder.service.patience import SILENT
from rejoinder.service.payloads import Json, decode, failure
from rejoinder.service.sending import AT_ONCE, Sending
from rejoinder.service.storing import Outcome
from rejoinder.stores.records import Appended

Handler = Callable[[Connection, Any], Coroutine[Any, Any, ServerPayload]]
Reply = Callable[[ServerPayload], None]

LIMITED_LIKE_SENDS = frozenset(
    event.name
    for event in (
        catalogue.MESSAGE_SEND,
        catalogue.MESSAGE_SEND_STREAM,
        catalogue.MESSAGE_REGENERATE,
        catalogue.MESSAGE_CONTINUE,
        catalogue.MESSAGE_EDIT,
    )
)
RETRY_AFTER_MS = 1000
WITHOUT_STORE = frozenset(
    event.name
    for event in (
        catalogue.ROOM_LEAVE,
        catalogue.TYPING_START,
        catalogue.TYPING_STOP,
        catalogue.HEARTBEAT,
        catalogue.PRESENCE_SET,
    )
)


class Requests:
    """Answers the events of all connections; a client's sends follow each other, everything else waits for them."""

    def __init__(
        self, context: Context, messages: Messages, handlers: Mapping[str, Handler]
    ) -> None:
        self._context = context
        self._messages = messages
        self._handlers = handlers
        self._sends = RateLimit(context.limits.sends)
        self._events = RateLimit(context.limits.events)
        self._sending: dict[str, Sending] = {}
        self._breaker = Breaker()
        self._log = structlog.get_logger("rejoinder.requests")

    def forget(self, connection_id: str) -> None:
        """The connection is gone."""
        self._sending.pop(connection_id, None)

    def begin(
        self,
        connection_id: str,
        name: str,
        arguments: Sequence[Json],
        reply: Reply,
        *,
        wants_ack: bool = True,
    ) -> Awaitable[None] | None:
        """Do what a client event asks for; what is to be awaited before the connection's next event.

        Each of the arguments is JSON. `reply` gets the acknowledgement, which is a `Failure` for anything that went wrong.
        """
        try:
            connection, payload, now = self._accept(connection_id, name, arguments)
            sending = self._sending.get(connection_id)
            if name == catalogue.MESSAGE_SEND.name:
                if sending is None:
                    sending = self._sending[connection_id] = Sending()
                self._send(connection, sending, payload, now, reply)
                return sending.idle() if sending.count >= AT_ONCE else None
        except Exception as error:  # noqa: BLE001 - the connection lives on whatever happens
            reply(self._failure(error, name))
            return None
        return self._do(connection, name, payload, reply, wants_ack=wants_ack)

    def _accept(
        self, connection_id: str, name: str, arguments: Sequence[Json]
    ) -> tuple[Connection, Any, float]:
        connection = self._context.connections.get(connection_id)
        if connection is None:
            raise Unauthorized("This connection has ended. Connect again.")
        now = self._context.clock.now()
        connection.last_activity = self._context.clock.wall_ms()
        _limit(self._events, connection.id, now)
        event = CLIENT_EVENTS.get(name)
        if event is None:
            raise NotFound("There is no such event.")
        payload = decode(event, arguments, self._context.limits.payload_bytes)
        if name in LIMITED_LIKE_SENDS:
            _limit(self._sends, connection.user.id, now)
        return connection, payload, now

    def _send(
        self,
        connection: Connection,
        sending: Sending,
        message: events.MessageSend,
        now: float,
        reply: Reply,
    ) -> None:
        """`message:send` by itself, because it is most of what a chat does: without a task for each."""
        if not self._breaker.admits(now):
            raise Unavailable(SILENT, RETRY_AFTER_MS)

        def done(outcome: Outcome) -> None:
            if isinstance(outcome, Appended):
                self._breaker.answered()
                reply(stored(outcome))
            else:
                if isinstance(outcome, Unavailable):
                    self._breaker.failed(now, self._context.clock.now())
                else:
                    self._breaker.left()
                reply(failure(outcome))
            sending.end()

        try:
            self._messages.send(connection, message, done)
        except BaseException:
            self._breaker.left()
            raise
        sending.count += 1

    async def _do(
        self, connection: Connection, name: str, payload: Any, reply: Reply, *, wants_ack: bool
    ) -> None:
        sending = self._sending.get(connection.id)
        if sending is not None:
            await sending.idle()
        now = self._context.clock.now()
        work = self._handlers[name](connection, payload)
        try:
            answer = await (work if name in WITHOUT_STORE else self._ask_store(work, now))
        except Exception as error:  # noqa: BLE001 - the connection lives on whatever happens
            reply(self._failure(error, name))
            return
        if not wants_ack:
            self._answer_by_event(connection.id, answer)
        reply(answer)

    def _failure(self, error: Exception, name: str) -> events.Failure:
        if isinstance(error, ChatError):
            return failure(error)
        self._log.error("an event could not be handled", event_name=name[:64], exc_info=error)
        return failure(InternalError("Something went wrong on the server. Try again."))

    async def _ask_store(
        self, work: Coroutine[Any, Any, ServerPayload], now: float
    ) -> ServerPayload:
        """Do what needs the store, unless it is known not to answer: then nobody waits for it."""
        if not self._breaker.admits(now):
            work.close()
            raise Unavailable(SILENT, RETRY_AFTER_MS)
        try:
            reply = await work
        except Unavailable:
            self._breaker.failed(now, self._context.clock.now())
            raise
        except BaseException:
            # A refusal may have come before the store was asked, and says nothing of it.
            self._breaker.left()
            raise
        self._breaker.answered()
        return reply

    def _answer_by_event(self, connection_id: str, reply: ServerPayload) -> None:
        if isinstance(reply, events.HistoryAck):
            page = events.HistoryPage(
                room_id=reply.room_id,
                messages=reply.messages,
                has_more=reply.has_more,
                revision=reply.revision,
            )
            self._context.delivery.send((connection_id,), catalogue.HISTORY, page)


def _limit(rate: RateLimit, key: str, now: float) -> None:
    wait_ms = rate.take(key, now)
    if wait_ms:
        raise RateLimited("That was too much at once. Wait a moment.", wait_ms)
