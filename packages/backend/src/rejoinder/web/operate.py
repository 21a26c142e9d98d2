"""What operators and their machines ask: is it alive, can it serve, who is connected."""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from rejoinder.errors import ChatError, Forbidden, NotFound, Unavailable
from rejoinder.protocol import rest
from rejoinder.service.connected import Connected, Wanted
from rejoinder.stores.base import Store
from rejoinder.web.access import guarded, page_limit
from rejoinder.web.answers import answer, is_operator, refuse

READY_SECONDS: Final = 3.0
CONNECTIONS: Final = 100
CONNECTIONS_MAX: Final = 1000


class Operate:
    """The endpoints for operators."""

    def __init__(
        self,
        store: Store,
        hindrance: Callable[[], str],
        connected: Connected,
        operator_token: str,
    ) -> None:
        """`hindrance` says why no new clients should come, besides the store; nothing if they may."""
        self._store = store
        self._hindrance = hindrance
        self._connected = connected
        self._token = operator_token

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            Route("/healthz", self.alive),
            Route("/readyz", self.ready),
            Route("/api/connections", guarded(self.connected)),
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
        """`GET /api/connections`: who is connected, for whoever has the operator's token.

        Without parameters it is a list of up to 1000. Where that is not everybody a header says so.
        """
        if not self._token:
            raise NotFound("Set REJOINDER_OPERATOR_TOKEN to list connections.")
        if not is_operator(request, self._token):
            raise Forbidden("This needs the operator's token.")
        given = request.query_params
        if given:
            limit = page_limit(request, CONNECTIONS, CONNECTIONS_MAX)
            wanted = Wanted(given.get("after", ""), limit, given.get("userId", ""))
            page = await self._connected.page(wanted, given.get("server", ""))
            return answer(
                rest.ConnectionPage(
                    connections=page.connections,
                    has_more=page.has_more,
                    complete=page.complete,
                    missing=list(page.missing) or UNSET,
                    next=page.connections[-1].socket_id if page.has_more else UNSET,
                )
            )
        page = await self._connected.page(Wanted(limit=CONNECTIONS_MAX))
        listed = answer(page.connections)
        listed.headers["x-complete"] = "true" if page.complete and not page.has_more else "false"
        if page.has_more:
            query = urlencode({"limit": CONNECTIONS_MAX, "after": page.connections[-1].socket_id})
            listed.headers["link"] = f'<connections?{query}>; rel="next"'
        return listed
