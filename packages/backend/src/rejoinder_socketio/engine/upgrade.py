"""From uvicorn's HTTP to WebSockets straight on its transports: uvicorn's `ws` setting takes `TcpWebSockets`.

uvicorn reads the upgrade's request and hands its bytes over; from then on nothing is between the transport and `TcpWebSocket`.
"""

import asyncio
from collections.abc import Mapping
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
        return _Upgrade(self._servers, self._turn, config, server_state, app_state)


class _Upgrade(asyncio.Protocol):
    """Reads the handshake, and sets on the transport whatever is to go on with it."""

    def __init__(
        self,
        servers: "Mapping[str, EngineServer]",
        turn: "Turn",
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
    ) -> None:
        self._servers = servers
        self._turn = turn
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
        request_line, *lines = head.split(b"\r\n")
        method, target, _ = request_line.decode("latin-1").split(" ", 2)
        path, _, query = target.partition("?")
        protocol: asyncio.Protocol
        server = self._servers.get(path.removeprefix(self._config.root_path))
        if server is None:
            other = self._uvicorns_own(transport)
            self._go_on_with(transport, other)
            other.data_received(data)
            return
        headers = _headers(lines)
        protocol = TcpWebSocket(server, transport, self._turn, self._state.connections)
        self._go_on_with(transport, protocol)
        protocol.begin(method, query, headers, self._address(transport, headers))
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

    def _address(self, transport: asyncio.Transport, headers: dict[str, str]) -> str:
        """The client's address, as uvicorn would say it of an HTTP request."""
        peer = transport.get_extra_info("peername")
        scope: dict[str, Any] = {
            "type": "websocket",
            "scheme": "ws",
            "client": tuple(peer[:2]) if isinstance(peer, tuple) else None,
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
            ],
        }
        if self._config.proxy_headers and "x-forwarded-for" in headers:
            scope = _forwarded(scope, self._config.forwarded_allow_ips)
        return str(scope["client"][0]) if scope["client"] else ""


def _headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode("latin-1").partition(":")
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
