"""uvicorn's HTTP with bounds on the head of a request, the time for it, and the bodies that wait to be read, all together;
uvicorn's `http` setting takes `BoundedHttps`.

uvicorn itself waits for ever for the first byte, the next one and the end of a head, and keeps however much comes; and for
a client to take an answer.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rejoinder_socketio.engine.arriving import Arriving
from rejoinder_socketio.engine.pieces import SHORT
from rejoinder_socketio.engine.unfinished import Unfinished
from rejoinder_socketio.engine.upgrade import TcpWebSockets
from rejoinder_socketio.options import Options

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState


class BoundedHttps:
    """Makes the protocol for each connection that comes to uvicorn."""

    def __init__(self, options: Options, unfinished: Unfinished) -> None:
        self._options = options
        self._unfinished = unfinished

    def __call__(
        self,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        **more: Any,
    ) -> asyncio.Protocol:
        def http() -> _BoundedHttp:
            return _BoundedHttp(
                self._options, self._unfinished, config, server_state, app_state, **more
            )

        websockets: object = config.ws_protocol_class
        if isinstance(websockets, TcpWebSockets):
            return Arriving(websockets, http, self._options, config, server_state)
        return http()


class _HeadTooLong(Exception):
    """Raised into the parser, which then gives up."""


class _BoundedHttp(HttpToolsProtocol):
    def __init__(
        self,
        options: Options,
        unfinished: Unfinished,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        **more: Any,
    ) -> None:
        super().__init__(config, server_state, app_state, **more)
        self._unfinished = unfinished
        self._counted = False
        self._answered: Any = None
        self._max_head = options.max_head
        self._head_timeout = options.head_timeout
        self._head_deadline: asyncio.TimerHandle | None = None
        self._head_size = 0
        self._ended = False
        self._watching: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._head_deadline is None:
            self._await_head()

    def expect_head(self, deadline: asyncio.TimerHandle) -> None:
        """The head that is on its way has its time already."""
        self._head_deadline = deadline

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        if self._watching is not None:
            self._watching.cancel()
        super().connection_lost(exc)
        self._count(0)
        if self._answered is not None:
            # uvicorn tells the last of several requests only, and the first one would be answered on a closed transport.
            self._answered.disconnected = True
            self._answered.message_event.set()

    def data_received(self, data: bytes) -> None:
        self._ended = False
        super().data_received(data)
        if self._head_deadline is not None and not self.transport.is_closing():
            # Of what came with the end of another request it is not known how much is of this one's head.
            self._head_size += 0 if self._ended else len(data)
            if self._head_size > self._max_head:
                self.send_400_response("Too large a head.")
        if len(data) >= SHORT or self._counted:
            cycle: Any = self.cycle
            self._count(0 if cycle is None else len(cycle.body))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_deadline is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._head_is_here()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self._max_head:
            raise _HeadTooLong
        before: Any = self.cycle
        super().on_headers_complete()
        if self.pipeline and self._answered is None:
            self._answered = before

    def on_message_complete(self) -> None:
        self._ended = True
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            super().handle_websocket_upgrade()
        else:
            # The answer to the request before would go out among the frames.
            self.send_400_response("An upgrade before an answer.")

    def on_response_complete(self) -> None:
        if self.pipeline:
            self._answered = self.pipeline[-1][0]
        else:
            self._answered = None
            # The cycle is kept until the next request; nobody will read what has come of this one's body.
            self.cycle.body = bytearray()
        self._count(0)
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch(0)

    def _count(self, size: int) -> None:
        """Say how much of a body waits to be read."""
        if size and not self.transport.is_closing():
            self._counted = True
            self._unfinished.hold(self, size, self.transport.abort)
        elif self._counted:
            self._counted = False
            self._unfinished.release(self)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch(0)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch(0)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch(0)

    def _watch(self, waiting: int) -> None:
        """End it when the client has taken nothing for a while of what it is still to be sent."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        left = self.transport.get_write_buffer_size()
        if left and left == waiting:
            self.transport.abort()
        elif left:
            self._watching = self.loop.call_later(self._head_timeout, self._watch, left)

    def _await_head(self) -> None:
        self._head_size = 0
        self._head_deadline = self.loop.call_later(self._head_timeout, self.transport.abort)

    def _head_is_here(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None
