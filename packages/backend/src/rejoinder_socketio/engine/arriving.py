"""The first bytes of a connection: the plain handshake of a WebSocket goes straight from here to `TcpWebSocket`.

That takes a third of what it costs to have uvicorn read it, write it anew and read it again. Whatever is not as plain as
what all clients send goes on as uvicorn's HTTP, which knows every case.
"""

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from rejoinder_socketio.engine.upgrade import TcpWebSockets, address_of, headers_of
from rejoinder_socketio.options import Options

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

# One whole head of ASCII, each header on a line of its own. Nothing in it is tried twice, however long it is.
_PLAIN: Final = re.compile(
    rb"GET (/[!-~]*+) HTTP/1\.1\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~]*+\r\n)++)\r\n"
)
_WITH_BODY: Final = frozenset({"content-length", "transfer-encoding"})


class Http(Protocol):
    """What goes on with a connection that is none of a plain WebSocket."""

    def expect_head(self, deadline: asyncio.TimerHandle) -> None:
        """The head that is on its way has its time already."""
        ...

    def connection_made(self, transport: asyncio.Transport) -> None:
        """It has this transport."""
        ...

    def data_received(self, data: bytes) -> None:
        """That has come."""
        ...


class Arriving(asyncio.Protocol):
    """Reads the first bytes, and sets on the transport whatever is to go on with it.

    Args:
        http: makes the protocol for HTTP.
    """

    __slots__ = (
        "_config",
        "_connections",
        "_deadline",
        "_http",
        "_options",
        "_state",
        "_transport",
        "_websockets",
    )

    def __init__(
        self,
        websockets: TcpWebSockets,
        http: Callable[[], Http],
        options: Options,
        config: "Config",
        state: "ServerState",
    ) -> None:
        self._websockets = websockets
        self._http = http
        self._options = options
        self._config = config
        self._state = state
        self._connections: set[Any] = state.connections
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one by what it does only.
        self._transport = opened = cast("asyncio.Transport", transport)
        self._connections.add(self)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._options.head_timeout, opened.abort)

    def data_received(self, data: bytes) -> None:
        transport, deadline = self._transport, self._deadline
        if transport is None or deadline is None:
            return
        self._connections.discard(self)
        if not self._upgrade(transport, data):
            http = self._http()
            http.expect_head(deadline)
            http.connection_made(transport)
            transport.set_protocol(cast("asyncio.Protocol", http))
            http.data_received(data)
        else:
            deadline.cancel()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._connections.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()

    def shutdown(self) -> None:
        """Uvicorn ends."""
        if self._transport is not None:
            self._transport.close()

    def _upgrade(self, transport: asyncio.Transport, data: bytes) -> bool:
        """Go on with a WebSocket, if it is the plain handshake of one."""
        head = _PLAIN.match(data)
        if head is None or head.end() > self._options.max_head:
            return False
        path, _, query = head[1].decode().partition("?")
        server = self._websockets.server_of(path, self._config)
        if server is None:
            return False
        headers = headers_of(head[2].decode().splitlines())
        if (
            headers.get("upgrade", "").lower() != "websocket"
            or "upgrade" not in map(str.strip, headers.get("connection", "").lower().split(","))
            or not _WITH_BODY.isdisjoint(headers)
        ):
            return False
        websocket = self._websockets.websocket(server, transport, self._state)
        transport.set_protocol(websocket)
        websocket.begin("GET", query, headers, address_of(transport, headers, self._config))
        rest = data[head.end() :]
        if rest:
            websocket.data_received(rest)
        return True
