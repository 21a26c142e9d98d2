"""What operators and their machines ask: is it alive, can it serve, who is connected."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from rejoinder.core.connections import Connection
from rejoinder.errors import ChatError, Forbidden, NotFound, Unavailable
from rejoinder.protocol.fields import iso
from rejoinder.stores.base import Store
from rejoinder.web.answers import answer, is_operator, refuse

READY_SECONDS = 3.0


class Operate:
    """The endpoints for operators."""

    def __init__(
        self,
        store: Store,
        hindrance: Callable[[], str],
        connections: Callable[[], list[Connection]],
        operator_token: str,
    ) -> None:
        """`hindrance` says why no new clients should come, besides the store; nothing if they may."""
        self._store = store
        self._hindrance = hindrance
        self._connections = connections
        self._token = operator_token

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            Route("/healthz", self.alive),
            Route("/readyz", self.ready),
            Route("/api/connections", self.connected),
        ]

    async def alive(self, _request: Request) -> Response:
        """`GET /healthz`: the process runs."""
        return answer({"status": "alive"})

    async def ready(self, _request: Request) -> Response:
        """`GET /readyz`: the store reads and writes, and the other servers can be reached."""
        try:
            await asyncio.wait_for(self._store.ping(), READY_SECONDS)
        except (ChatError, TimeoutError):
            return refuse(Unavailable("The message store does not answer."))
        hindrance = self._hindrance()
        if hindrance:
            return refuse(Unavailable(hindrance))
        return answer({"status": "ready"})

    async def connected(self, request: Request) -> Response:
        """`GET /api/connections`: who is connected, for whoever has the operator's token."""
        if not self._token:
            return refuse(NotFound("Set REJOINDER_OPERATOR_TOKEN to list connections."))
        if not is_operator(request, self._token):
            return refuse(Forbidden("This needs the operator's token."))
        return answer([listed(connection) for connection in self._connections()])


def listed(connection: Connection) -> dict[str, str]:
    """What the server knows of a connected user (the contract's section 3)."""
    room_id, character_id = connection.place or (None, None)
    known = {
        "id": connection.user.id,
        "socketId": connection.id,
        "roomId": room_id,
        "characterId": character_id,
        "lastActivity": iso(connection.last_activity),
        "connectedAt": iso(connection.connected_at),
    }
    return {key: value for key, value in known.items() if value is not None}
