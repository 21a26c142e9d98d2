"""ChatServer: the whole chat as one ASGI app, to run or to mount in an app of one's own."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from math import ceil
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from rejoinder.characters import (
    Character,
    CharacterFunction,
    CharacterInfo,
    Characters,
    EchoCharacter,
    FunctionCharacter,
)
from rejoinder.characters.cards import Library
from rejoinder.characters.shelf import Make, Shelf
from rejoinder.cluster.addresses import cluster_for
from rejoinder.core.clock import Clock, SystemClock
from rejoinder.core.connections import Connection
from rejoinder.core.limits import Rate, RateLimit
from rejoinder.core.users import User
from rejoinder.errors import ConfigurationError
from rejoinder.gateway.socket_service import Gateway
from rejoinder.service.auth import Authenticate, Authorize, Handshake, Tokens
from rejoinder.service.chat import ChatService
from rejoinder.service.prompts import Prompts
from rejoinder.settings import Settings, load
from rejoinder.stores.addresses import store_for
from rejoinder.stores.base import Store
from rejoinder.web import page
from rejoinder.web.access import Access
from rejoinder.web.api import Api, ApiParts
from rejoinder.web.cards import CardEndpoints, Cards
from rejoinder.web.operate import Operate
from rejoinder.web.rooms import RoomEndpoints, RoomParts

TICK_SECONDS = 0.25
UPLOADS = Rate(0.5, 20)
"""Imports of one user, per second and at once."""
SEARCHES = Rate(5, 20)
"""Searches of one user, per second and at once."""
CHANGES = Rate(1, 30)
"""Changes of rooms, and of themselves, by one user."""
HAND_OVER_STEP = 0.05
A = TypeVar("A", bound=Authenticate)
Z = TypeVar("Z", bound=Authorize)
F = TypeVar("F", bound=CharacterFunction)


def _cors(origins: tuple[str, ...]) -> list[Middleware]:
    """Lets pages of those origins use the REST interface, as they may connect; tokens travel in a header, not in cookies."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["authorization", "content-type"],
            expose_headers=["content-disposition"],
        )
    ]


class ChatServer:
    """A chat server.

        chat = ChatServer(data_dir="data")
        app = FastAPI(lifespan=chat.lifespan)
        app.mount("/", chat)

    Its keywords are the settings (see `rejoinder serve --help`); what is not given comes from `REJOINDER_…` in the
    environment. It starts with `lifespan`, or with the first request where an app has no lifespan for it.

    Raises:
        ConfigurationError: a setting is not as it must be.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        store: Store | None = None,
        clock: Clock | None = None,
        **given: object,
    ) -> None:
        self.settings = settings or load(**given)
        self._clock = clock or SystemClock()
        self._store = store or store_for(self.settings.database, self.settings.data_dir)
        limits = self.settings.limits()
        self._cluster = cluster_for(
            self.settings.redis,
            self._clock,
            limits.session_timeout,
            limits.sweep_interval,
            shared=self._store.shared,
        )
        self._characters = Characters()
        self._tokens = Tokens(self.settings.token_rules(), self._clock, self.settings.guest_days)
        self._prompts = Prompts() if self.settings.keeps_prompts else None
        self._authenticate: Authenticate = self._tokens.authenticate
        self._authorize: Authorize = self._may_enter
        self._gateway = Gateway(
            origins=self.settings.allowed_origins,
            payload_limit=self.settings.payload_limit,
            ping=(self.settings.ping_interval, self.settings.ping_timeout),
        )
        self._service = ChatService(
            store=self._store,
            characters=self._characters,
            delivery=self._gateway.delivery,
            clock=self._clock,
            authenticate=self._who,
            authorize=self._allows,
            limits=limits,
            policy=self.settings.connection_policy,
            turn_policy=self.settings.double_texting,
            titles=self.settings.titles,
            locale=self.settings.locale,
            cluster=self._cluster,
            prompts=self._prompts,
        )
        self._gateway.serve(self._service)
        self._shelf = Shelf(self._characters)
        self._app = Starlette(routes=self._routes())
        self._starting = asyncio.Lock()
        self._work: list[asyncio.Task[None]] = []
        self._stopped = False
        if self.settings.echo_offered:
            self.add(EchoCharacter())

    # --- what an app may say ---------------------------------------------------------------------

    def add(self, character: Character) -> None:
        """Offer a character.

        Raises:
            ConfigurationError: its id is not valid, or is taken.
        """
        self._characters.add(character)

    def character(
        self, character_id: str, *, name: str, description: str = "", greeting: str = ""
    ) -> Callable[[F], F]:
        """Offer an async generator function as a character: it is given a `Turn` and yields text.

        Raises:
            TypeError: it is no async generator function.
        """

        def register(function: F) -> F:
            info = CharacterInfo(character_id, name, description, greeting)
            self.add(FunctionCharacter(info, function))
            return function

        return register

    def offer_cards(
        self, library: Library, make: Make | None, described: Collection[str] = ()
    ) -> None:
        """Let people import, export and delete the character cards of a library over REST.

        Args:
            library: Where the cards are. The characters of those that are there are added already.
            make: Makes the character of a card, given its id; None if nobody can speak for one.
            described: Ids of characters that were added and are none of the library's.
        """
        self._shelf.use(library, make, described)

    def authenticate(self, function: A) -> A:
        """Let `async function(handshake)` say who somebody is: a `User`, or None for nobody."""
        self._authenticate = function
        return function

    def authorize(self, function: Z) -> Z:
        """Let `async function(user, room_id)` say whether somebody may enter a room."""
        self._authorize = function
        return function

    def connections(self) -> list[Connection]:
        """Who is connected to this server."""
        return self._service.connections()

    @property
    def websocket_protocol(self) -> Any:
        """For uvicorn's `ws`: WebSockets then go straight to the chat, several times as fast as over ASGI.

        uvicorn.Config(app, ws=chat.websocket_protocol)
        """
        return self._gateway.websocket_protocol

    @property
    def http_protocol(self) -> Any:
        """For uvicorn's `http`: a client that never ends the head of its request is then not waited for."""
        return self._gateway.http_protocol

    # --- running ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the store and start to work; a second call does nothing.

        Raises:
            ConfigurationError: the data directory or the database can't be used, or the server was stopped before.
        """
        async with self._starting:
            if self._work:
                return
            if self._stopped:
                raise ConfigurationError(
                    "This chat server was stopped, and starts only once: make a new ChatServer."
                )
            await self._service.open()
            self._work = [asyncio.create_task(self._tick())]

    async def hand_over(self, seconds: float, hurried: Callable[[], bool]) -> None:
        """Let nobody in any more, send those who are here to other servers, and have running answers end.

        Clients go one after the other within half of the time, so that the others are not asked for everything at once.
        It takes no longer than that, and ends at once when `hurried` says so.
        """
        self._service.drain()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        leaving = [connection.id for connection in self._service.connections()]
        random.shuffle(leaving)
        count, left = len(leaving), seconds
        while (leaving or self._service.busy) and left > 0 and not hurried():
            gone = begun + seconds - left
            due = count - ceil(count * min((gone - begun) / (seconds / 2), 1.0))
            going, leaving = leaving[due:], leaving[:due]
            await self._service.leaving(going)
            for connection_id in going:
                self._gateway.release(connection_id)
            await asyncio.sleep(min(HAND_OVER_STEP, left))
            left = begun + seconds - loop.time()

    async def drain(self) -> None:
        """Interrupt what runs and end every connection, before a process ends."""
        await self._service.interrupt()
        await self._gateway.close()

    async def stop(self) -> None:
        """Interrupt what runs, store what was taken, and let go of everything."""
        async with self._starting:
            if not self._work:
                return
            self._stopped = True
            await self.drain()
            await self._service.close()
            await self._characters.aclose()
            for task in self._work:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self._work = []

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[None]:
        """The lifespan for the app that this server is mounted in."""
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._answer_lifespan(receive, send)
            return
        if not self._work:
            await self.start()
        await self._app(scope, receive, send)

    async def _answer_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(TICK_SECONDS)
            self._service.tick()

    # --- parts -----------------------------------------------------------------------------------

    def _routes(self) -> list[BaseRoute]:
        settings, changes = self.settings, RateLimit(CHANGES)
        api = Api(
            ApiParts(
                version=version("rejoinder"),
                store=self._store,
                characters=self._characters,
                clock=self._clock,
                tokens=self._tokens if settings.guests_allowed else None,
                guest_limit=RateLimit(Rate(settings.guest_rate, settings.guest_burst)),
                authenticate=self._who,
                authorize=self._allows,
                gate=self._service.gate,
                expel=self._service.expel,
                members=self._service.members,
                hide_last_seen=self._service.hide_last_seen,
                changes=changes,
                content_limit=settings.content_limit,
                prompts=self._prompts,
                asker_sees_prompts=settings.prompt_policy == "asker",
                operator_token=settings.operator_token,
                cards=self._cards(),
                more=(*self._card_endpoints().routes(), *self._room_routes(changes)),
            )
        )
        operate = Operate(
            self._store, self._reachable, self._service.connected, settings.operator_token
        )
        socket_io: ASGIApp = self._gateway
        return [
            Mount("/socket.io", socket_io),
            *operate.routes(),
            Mount("/api", routes=api.routes(), middleware=_cors(settings.allowed_origins)),
            *page.routes(page.page_folder()),
        ]

    def _cards(self) -> Cards:
        who = self.settings.card_policy
        return Cards(self._shelf, self._characters, who)

    def _card_endpoints(self) -> CardEndpoints:
        return CardEndpoints(
            self._cards(),
            Access(self._store, self._who),
            self.settings.operator_token,
            RateLimit(UPLOADS),
            self._clock,
        )

    def _room_routes(self, changes: RateLimit) -> list[BaseRoute]:
        return RoomEndpoints(
            RoomParts(
                store=self._store,
                characters=self._characters,
                clock=self._clock,
                access=Access(self._store, self._who),
                titles=self._service.titles,
                rules=self._service.rules,
                deletion=self._service.deletion,
                searches=RateLimit(SEARCHES),
                changes=changes,
            )
        ).routes()

    def _reachable(self) -> str:
        """Why new clients should go elsewhere; nothing if they are welcome."""
        if self._service.draining:
            return "This server is ending."
        return "" if self._cluster.healthy else "The other servers can't be reached."

    async def _who(self, handshake: Handshake) -> User | None:
        if not self._work:
            # A WebSocket that goes straight here has not come by `__call__`.
            await self.start()
        return await self._authenticate(handshake)

    async def _allows(self, user: User, room_id: str) -> bool:
        return await self._authorize(user, room_id)

    async def _may_enter(self, user: User, room_id: str) -> bool:
        """`open`: everybody. `members`: the members, and whoever makes the room."""
        if self.settings.room_policy == "open":
            return True
        room = await self._store.room(room_id)
        if room is None or room.created_by == user.id:
            return True
        return await self._store.is_member(room_id, user.id)
