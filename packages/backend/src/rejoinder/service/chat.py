"""ChatService: the parts of a chat, put together, and what whoever carries it calls."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from rejoinder.characters.registry import Characters
from rejoinder.cluster.base import Cluster
from rejoinder.cluster.local import LocalCluster
from rejoinder.core.clock import Clock
from rejoinder.core.connections import Connection, ConnectionPolicy, Connections
from rejoinder.core.gate import Gate
from rejoinder.core.presence import Presence
from rejoinder.core.typing import Typing
from rejoinder.errors import ConfigurationError, Unavailable
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.answers import show_joined
from rejoinder.service.auth import Authenticate, Authorize, Handshake
from rejoinder.service.changes import Changes
from rejoinder.service.connected import Connected
from rejoinder.service.context import Context, Limits
from rejoinder.service.debts import Debts
from rejoinder.service.deletion import Deletion
from rejoinder.service.delivery import Delivery
from rejoinder.service.elsewhere import Elsewhere, publish_row
from rejoinder.service.entering import Entering
from rejoinder.service.generation import GenerationTools
from rejoinder.service.greeting import Greeting
from rejoinder.service.hearing import Hearing
from rejoinder.service.indexing import Indexing
from rejoinder.service.lifecycle import Lifecycle
from rejoinder.service.members import Members
from rejoinder.service.messages import Messages
from rejoinder.service.prompts import Prompts
from rejoinder.service.requests import RETRY_AFTER_MS, Handler, Requests
from rejoinder.service.room_state import RoomState
from rejoinder.service.rooms import Rooms
from rejoinder.service.rules import Rules
from rejoinder.service.seen import Seen
from rejoinder.service.sharing import Sharing
from rejoinder.service.signals import Signals
from rejoinder.service.tasks import Tasks
from rejoinder.service.telling import Telling
from rejoinder.service.titles import TitleMaker, Titles
from rejoinder.service.turns import TurnPolicy, Turns
from rejoinder.service.variants import Variants
from rejoinder.stores.base import Store
from rejoinder.stores.records import StoredMember

UNWRITABLE = "The message store can't be written to. See that its disk has room, or that its database answers, and start again."


class ChatService:
    """The chat of one server. Whatever carries it calls `connect`, `opened`, `requests.begin`, `ended`, and `tick` several times
    a second.
    """

    def __init__(  # noqa: PLR0913 - everything that a server is made of comes together here
        self,
        *,
        store: Store,
        characters: Characters,
        delivery: Delivery,
        clock: Clock,
        authenticate: Authenticate,
        authorize: Authorize,
        limits: Limits,
        policy: ConnectionPolicy = "single",
        turn_policy: TurnPolicy = "queue",
        titles: TitleMaker = "none",
        locale: str = "en",
        cluster: Cluster | None = None,
        prompts: Prompts | None = None,
    ) -> None:
        self.gate = Gate()
        self.draining = False
        self._cluster = cluster or LocalCluster(
            clock, limits.session_timeout, limits.sweep_interval
        )
        presence = Presence(limits.presence_grace, limits.session_timeout)
        self._store = store
        self._tasks = Tasks()
        sharing = Sharing(self._cluster, presence, self._tasks)
        changes = Changes(store, delivery, characters, prompts)
        self._rooms = Rooms(store, clock, self._tasks, _show_to(delivery), sharing, changes)
        self._context = Context(
            store=store,
            clock=clock,
            delivery=delivery,
            limits=limits,
            connections=Connections(policy),
            rooms=self._rooms,
            changes=changes,
            presence=presence,
            typing=Typing(limits.typing_timeout),
            authorize=authorize,
            gate=self.gate,
            sharing=sharing,
            telling=Telling(clock, self._tasks),
        )
        tools = GenerationTools(
            self._rooms, store, characters, delivery, clock, self._tasks, sharing, prompts
        )
        self._turns = Turns(tools, turn_policy)
        self._elsewhere = Elsewhere(tools, self._turns)
        self._turns.show_end = self._elsewhere.look_at
        self._debts = Debts(tools, self._turns)
        self._seen = Seen(self._context)
        greeting = Greeting(self._rooms, store, characters, clock)
        self._entering = Entering(self._context, greeting, self._seen)
        members = Members(store, self._context.connections, self._rooms, delivery)
        self.titles = Titles(self._context, characters, members, titles)
        self.deletion = Deletion(self._context, members, self._turns)
        self.rules = Rules(self._context, characters)
        self.connected = Connected(self._context)
        self._rooms.deleted = self.deletion.ended
        self._indexing = Indexing(store, clock, self._rooms, self._tasks)
        self._lifecycle = Lifecycle(
            self._context, self._entering, self._seen, authenticate, locale, policy
        )
        self._hearing = Hearing(
            self._context,
            self._entering,
            self._turns,
            self._elsewhere,
            self._seen,
            self.titles,
            self.deletion,
            self._lifecycle.replaced,
            rules=self.rules,
            connected=self.connected,
        )
        messages = Messages(self._context, characters, self._turns, self._debts, self.titles)
        variants = Variants(self._context, characters, self._turns, messages, self._debts)
        handlers = self._table(messages, variants, Signals(self._context))
        self.requests = Requests(self._context, messages, handlers)

    def _table(
        self, messages: Messages, variants: Variants, signals: Signals
    ) -> Mapping[str, Handler]:
        return {
            catalogue.ROOM_JOIN.name: self._join,
            catalogue.ROOM_REJOIN.name: self._lifecycle.rejoin,
            catalogue.ROOM_LEAVE.name: self._leave,
            catalogue.MESSAGE_SEND_STREAM.name: messages.send_stream,
            catalogue.MESSAGE_STREAM_STOP.name: messages.stop,
            catalogue.MESSAGE_REGENERATE.name: variants.regenerate,
            catalogue.MESSAGE_CONTINUE.name: variants.go_on,
            catalogue.MESSAGE_EDIT.name: variants.edit,
            catalogue.MESSAGE_CHOOSE.name: variants.choose,
            catalogue.MESSAGE_DELETE.name: variants.delete,
            catalogue.MESSAGES_HISTORY.name: messages.history,
            catalogue.MESSAGES_READ.name: messages.read,
            catalogue.TYPING_START.name: signals.typing_start,
            catalogue.TYPING_STOP.name: signals.typing_stop,
            catalogue.HEARTBEAT.name: signals.heartbeat,
            catalogue.PRESENCE_SET.name: signals.set_presence,
        }

    # --- for the gateway -------------------------------------------------------------------------

    async def open(self) -> None:
        """Get ready to serve: what servers that are gone left unfinished is ended.

        Raises:
            ConfigurationError: that can't be done; it says what to do.
        """
        await self._store.open()
        try:
            await self._elsewhere.open()
            await self._cluster.open(self._hearing)
            await self._debts.open()
        except BaseException as error:
            await self._store.close()
            if isinstance(error, Unavailable):
                raise ConfigurationError(UNWRITABLE) from error
            raise

    def drain(self) -> None:
        """Let nobody in any more."""
        self.draining = True

    @property
    def busy(self) -> bool:
        """True if answers are being written here, or are to be."""
        return self._turns.busy

    async def interrupt(self) -> None:
        """End every generation as interrupted; those who watch are told."""
        # At the same time: a store that hangs is waited for once.
        await asyncio.gather(self._turns.close(), self._seen.close())

    async def close(self) -> None:
        """Interrupt what runs, store what was taken, let go."""
        await self.interrupt()
        self._rooms.homes.close()
        await self._cluster.close()
        await self._tasks.close()
        await self._store.close()

    async def connect(self, connection_id: str, handshake: Handshake) -> None:
        """Let a connection in, or raise a `ChatError` that says why not."""
        if self.draining:
            raise Unavailable("This server is ending. Connect again.", RETRY_AFTER_MS)
        await self._lifecycle.connect(connection_id, handshake)

    async def opened(self, connection_id: str) -> None:
        """The client has been told that it is connected."""
        await self._lifecycle.opened(connection_id)

    async def leaving(self, connection_ids: Iterable[str]) -> None:
        """These connections will be ended, such that their clients go elsewhere."""
        await self._lifecycle.leaving(connection_ids)

    def ended(self, connection_id: str, *, forced: bool) -> None:
        """The connection is gone; `forced` if it was the server that ended it."""
        self.requests.forget(connection_id)
        self._lifecycle.ended(connection_id, forced=forced)

    def missed(self, connection_id: str) -> None:
        """The connection did not keep up, and pieces of answers were left out for it: now it is to catch up."""
        connection = self._context.connections.get(connection_id)
        for room_id in tuple(connection.rooms) if connection is not None else ():
            resync = events.RoomResync(room_id=room_id, reason="slow")
            self._context.delivery.send((connection_id,), catalogue.ROOM_RESYNC, resync)

    def tick(self) -> None:
        """Do what is due by now."""
        self._cluster.tick()
        self._lifecycle.tick()
        self._seen.tick()
        for room_id, user_id in self._context.typing.expire(self._context.clock.now()):
            state = self._rooms.get(room_id)
            if state is not None:
                # On other servers it ends by itself in the same way.
                self._context.delivery.send(
                    state.people.connections(but=user_id),
                    catalogue.USER_STOPPED_TYPING,
                    events.UserTyping(room_id=room_id, user_id=user_id),
                )
        if self._rooms.joining.lines:
            show_joined(self._context.delivery, self._rooms.joining.due())
        # Before rooms are forgotten that nobody is in.
        self._indexing.tick()
        self._rooms.tick()
        self.deletion.tick()
        self._hearing.tick()
        self._turns.tick()
        self._elsewhere.tick()
        self._debts.tick()

    async def members(self, room_id: str, members: Sequence[StoredMember]) -> list[events.Member]:
        """Members of a room as others may see them: whether they are here, or when they were."""
        return await self._seen.members(room_id, members)

    async def hide_last_seen(self, user_id: str, *, hides: bool) -> None:
        """Whether others may not know when a user was last seen.

        Raises:
            Unavailable: it is not kept.
        """
        await self._seen.choose(user_id, hides=hides)

    def expel(self, room_id: str, user_id: str) -> None:
        """Put somebody out of a room who may not be in it any more."""
        self._entering.expel(room_id, user_id)
        self._context.sharing.expelled(room_id, user_id)

    def connections(self) -> list[Connection]:
        """The live connections of this server."""
        return list(self._context.connections)

    async def _join(self, connection: Connection, entry: events.RoomEntry) -> events.RoomAck:
        return await self._entering.enter(connection, entry, "join")

    async def _leave(self, connection: Connection, leave: events.RoomLeave) -> events.Ack:
        return self._entering.leave(connection, leave.room_id)


def _show_to(delivery: Delivery) -> Callable[[RoomState, ChatMessage], None]:
    return lambda state, message: publish_row(delivery, state, message)
