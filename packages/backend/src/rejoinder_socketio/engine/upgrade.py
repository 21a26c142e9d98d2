"""From uvicorn's HTTP to WebSockets straight on its transports: uvicorn's `ws` setting takes `TcpWebSockets`.

What is no plain handshake (`arriving`) is read by uvicorn, which hands its bytes over. From then on nothing is between the
transport and `TcpWebSocket`.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol

from rejoinder_socketio.engine.tcp import TcpWebSocket, Turn

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from rejoinder_socketio.engine.server import EngineServer


class TcpWebSockets:
    """Makes the protocol for each WebSocket that comes to uvicorn; those of other paths are left to uvicorn's own."""

    def __init__(self, *servers: "EngineServer") -> None:
        self._servers = {server.options.path: server for server in servers}
        self._turn = Turn()

    def __call__(
        self, config: "Config", server_state: "ServerState", app_state: dict[str, Any]
    ) -> asyncio.Protocol:
        return _Upgrade(self, config, server_state, app_state)

    def server_of(self, path: str, config: "Config") -> "EngineServer | None":
        """Who serves that path."""
        return self._servers.get(path.removeprefix(config.root_path))

    def websocket(
        self, server: "EngineServer", transport: asyncio.Transport, state: "ServerState"
    ) -> TcpWebSocket:
        """A WebSocket of that server, whose handshake is still to be answered."""
        return TcpWebSocket(server, transport, self._turn, state.connections)


class _Upgrade(asyncio.Protocol):
    """Reads the handshake, and sets on the transport whatever is to go on with it."""

    def __init__(
        self,
        websockets: TcpWebSockets,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
    ) -> None:
        self._websockets = websockets
        self._config = config
        self._state = server_state
        self._app_state = app_state
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one by what it does only.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        head, _, rest = data.partition(b"\r\n\r\n")
        request_line, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = request_line.split(" ", 2)
        path, _, query = target.partition("?")
        server = self._websockets.server_of(path, self._config)
        if server is None:
            other = self._uvicorns_own(transport)
            self._go_on_with(transport, other)
            other.data_received(data)
            return
        headers = headers_of(lines)
        protocol = self._websockets.websocket(server, transport, self._state)
        self._go_on_with(transport, protocol)
        protocol.begin(method, query, headers, address_of(transport, headers, self._config))
        if rest:
            protocol.data_received(rest)

    def _go_on_with(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        # uvicorn sets this object on the transport when it returns from `data_received`; nothing else comes before that.
        asyncio.get_running_loop().call_soon(transport.set_protocol, protocol)

    def _uvicorns_own(self, transport: asyncio.Transport) -> asyncio.Protocol:
        make: Any = AutoWebSocketsProtocol
        protocol: asyncio.Protocol = make(
            config=self._config, server_state=self._state, app_state=self._app_state
        )
        protocol.connection_made(transport)
        return protocol


def address_of(transport: asyncio.Transport, headers: Mapping[str, str], config: "Config") -> str:
    """The client's address, as uvicorn would say it of an HTTP request."""
    peer = transport.get_extra_info("peername")
    client = tuple(peer[:2]) if isinstance(peer, tuple) else None
    if config.proxy_headers and "x-forwarded-for" in headers:
        scope: dict[str, Any] = {
            "type": "websocket",
            "scheme": "ws",
            "client": client,
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
            ],
        }
        client = _forwarded(scope, config.forwarded_allow_ips)["client"]
    return str(client[0]) if client else ""


def headers_of(lines: Iterable[str]) -> dict[str, str]:
    """Headers by their names in lower case; what comes several times is one list."""
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key, value = name.strip().lower(), value.strip()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _forwarded(scope: dict[str, Any], trusted: Any) -> dict[str, Any]:
    """The scope as uvicorn's own middleware for the headers of proxies changes it."""

    async def nothing(*_: Any) -> None:
        pass

    middleware: Any = ProxyHeadersMiddleware(nothing, trusted_hosts=trusted)
    # It awaits nothing but the application, and that is over at once.
    with suppress(StopIteration):
        middleware(scope, nothing, nothing).send(None)
    return scope
