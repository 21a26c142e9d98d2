"""What this server tells the others of the rooms that they have in common."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from rejoinder.cluster.base import Cluster
from rejoinder.core.others import Somebody
from rejoinder.core.presence import Presence
from rejoinder.core.streams import Chunk
from rejoinder.errors import Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.items import (
    Away,
    Ended,
    Expelled,
    Here,
    Hides,
    Item,
    Piece,
    Row,
    Stop,
    StopOutcome,
    Thinks,
)
from rejoinder.service.tasks import Tasks
from rejoinder.stores.records import EndState

if TYPE_CHECKING:
    from rejoinder.service.room_state import RoomState

INTRODUCTION_SECONDS = 0.3
STOP_SECONDS = 1.5
TRIES = 60
PART = 500
INTRODUCTIONS = 20
"""How often a server is told that the room is here, if it does not answer; it lives, or it would be gone."""
PEOPLE_MAX = 10_000
"""So many people of this server are told of in a room, in parts."""
AWAY = "The servers can't reach each other. Try again in a moment."


class Introduction:
    """Others that have not said yet who is in a room with them."""

    def __init__(self, servers: Iterable[str]) -> None:
        self.waiting = set(servers)
        self.over = asyncio.Event()

    def met(self, server: str) -> None:
        """That one has."""
        self.waiting.discard(server)
        if not self.waiting:
            self.over.set()


class Coming:
    """A room that is being loaded: the others that have it, as far as is known by now."""

    def __init__(self) -> None:
        self.loads = 0
        self.loaded = False
        self.servers: set[str] = set()


class Call:
    """A question to several servers."""

    def __init__(self, servers: Iterable[str]) -> None:
        self.waiting = set(servers)
        self.outcome: asyncio.Future[StopOutcome] = asyncio.get_running_loop().create_future()

    def answer(self, server: str, outcome: StopOutcome) -> None:
        """One has answered; that it knows of nothing counts when all say so."""
        self.waiting.discard(server)
        if not self.outcome.done() and (outcome != "unknown" or not self.waiting):
            self.outcome.set_result(outcome)


class Sharing:
    """Speaks to the servers that have something in a room. Where there are none, nothing is encoded and nothing sent."""

    def __init__(self, cluster: Cluster, presence: Presence, tasks: Tasks) -> None:
        self.cluster = cluster
        self.tasks = tasks
        self.calls: dict[str, Call] = {}
        self._presence = presence
        self._introductions: dict[str, Introduction] = {}
        self._coming: dict[str, Coming] = {}
        self._unanswered: dict[str, dict[str, int]] = {}
        """By rooms, the servers that have not answered yet, and how often they have been asked again."""
        self._encoder = msgspec.json.Encoder()

    def say(self, servers: Iterable[str], item: Item) -> None:
        """Say something to servers."""
        self.cluster.send(servers, self._encoder.encode(item))

    # --- rooms -----------------------------------------------------------------------------------

    @contextmanager
    def loading(self, room_id: str) -> Iterator[set[str]]:
        """While a room is being loaded: the others that have it, as they come and go meanwhile."""
        coming = self._coming.setdefault(room_id, Coming())
        coming.loads += 1
        try:
            yield coming.servers
        finally:
            coming.loads -= 1
            if not coming.loads:
                del self._coming[room_id]
                if not coming.loaded:
                    self._give_up(room_id, coming.servers)

    def _give_up(self, room_id: str, servers: Collection[str]) -> None:
        self.cluster.ignore(room_id)
        if servers:
            self.say(servers, Away(room_id))

    def coming(self, room_id: str) -> set[str] | None:
        """Of a room that is being loaded, those others; None of any other."""
        coming = self._coming.get(room_id)
        return None if coming is None else coming.servers

    def lost(self, server: str) -> None:
        """A server is gone."""
        for coming in self._coming.values():
            coming.servers.discard(server)

    async def listen(self, room_id: str) -> None:
        """To be called, within `loading`, before a room's log is looked at: what is stored after that is told, or was lost."""
        servers = await self.cluster.listen(room_id)
        self._coming[room_id].servers.update(servers)

    def before(self, state: "RoomState") -> int:
        """How many of the servers in a room come before this one, in an order that all of them see alike."""
        me = self.cluster.server_id
        return sum(server < me for server in state.listeners)

    def loaded(self, state: "RoomState", servers: Collection[str]) -> None:
        """The room is here from now on."""
        self._coming[state.id].loaded = True
        state.listeners.update(servers)
        if servers:
            self._introductions[state.id] = Introduction(servers)
            self.introduce(state, servers, new=True)

    def introduce(
        self,
        state: "RoomState",
        servers: Iterable[str],
        *,
        answer: bool = True,
        new: bool = False,
    ) -> None:
        """Tell servers who is in the room here, and ask them for the same, until they answer."""
        servers = tuple(servers)
        if answer and servers:
            self._unanswered.setdefault(state.id, {}).update(dict.fromkeys(servers, 0))
        self._present(state, servers, answer=answer, new=new)

    def _present(
        self, state: "RoomState", servers: Collection[str], *, answer: bool, new: bool = False
    ) -> None:
        people = self.people(state)
        parts, whole = max(1, -(-len(people) // PART)), len(people) == len(state.people)
        for part in range(parts):
            some = people[part * PART : (part + 1) * PART]
            asks = answer and part == parts - 1
            self.say(servers, Here(state.id, some, asks, part, parts, whole, new))

    def introduce_again(self, find: Callable[[str], "RoomState | None"]) -> None:
        """Ask those again who have not answered; to be called once a second."""
        if not self.cluster.healthy:
            return  # All is said again when it is.
        for room_id, servers in tuple(self._unanswered.items()):
            state = find(room_id)
            for server, times in tuple(servers.items()):
                if state is None or times > INTRODUCTIONS:
                    self.met(room_id, server)
                    if state is not None:
                        state.listeners.discard(server)
                    continue
                servers[server] = times + 1
                if times:
                    self._present(state, (server,), answer=True)

    async def introduced(self, state: "RoomState") -> None:
        """Wait until the others have said who is in the room with them; not for long."""
        introduction = self._introductions.get(state.id)
        if introduction is not None:
            try:
                await asyncio.wait_for(introduction.over.wait(), INTRODUCTION_SECONDS)
            except TimeoutError:
                pass
            finally:
                self._introductions.pop(state.id, None)

    def met(self, room_id: str, server: str) -> None:
        """A server has said who is in the room with it."""
        introduction = self._introductions.get(room_id)
        if introduction is not None:
            introduction.met(server)
        unanswered = self._unanswered.get(room_id)
        if unanswered is not None:
            unanswered.pop(server, None)
            if not unanswered:
                del self._unanswered[room_id]

    def dropped(self, state: "RoomState") -> None:
        """The room is not here any more."""
        self._introductions.pop(state.id, None)
        self._unanswered.pop(state.id, None)
        self._give_up(state.id, state.listeners)

    def people(self, state: "RoomState") -> list[Somebody]:
        """Who is in the room here, as far as others are told."""
        here = islice(state.people.items(), PEOPLE_MAX)
        return [self.somebody(user_id, person.name) for user_id, person in here]

    def somebody(self, user_id: str, name: str) -> Somebody:
        """A person of this server."""
        seen = self._presence.last_seen(user_id)
        return Somebody(user_id, name, self._presence.status(user_id), seen)

    # --- the log ---------------------------------------------------------------------------------

    def row(self, state: "RoomState", row: ChatMessage) -> None:
        """A row has got into the log."""
        self.say(state.listeners, Row(state.id, row))

    def piece(self, state: "RoomState", message_id: str, chunk: Chunk) -> None:
        """An answer goes on."""
        self.say(state.listeners, Piece(state.id, message_id, chunk.offset, chunk.delta))

    def thought(self, state: "RoomState", message_id: str, index: int, text: str) -> None:
        """A character thinks."""
        self.say(state.listeners, Thinks(state.id, message_id, index, text))

    def ended(
        self,
        state: "RoomState",
        message_id: str,
        text: str,
        end: EndState,
        error: str | None,
        usage: tuple[int, int] | None,
    ) -> None:
        """An answer has ended."""
        self.say(state.listeners, Ended(state.id, message_id, len(text), end, error, usage))

    # --- asking ----------------------------------------------------------------------------------

    async def stop(self, state: "RoomState", message_id: str, asked_by: str) -> StopOutcome:
        """Have an answer ended that another server writes; `unknown` if none of them does.

        Raises:
            Unavailable: they don't answer.
        """
        if not self.cluster.healthy:
            raise Unavailable(AWAY)
        if not state.listeners:
            return "unknown"
        call_id, call = uuid4().hex, Call(state.listeners)
        self.calls[call_id] = call
        try:
            self.say(state.listeners, Stop(state.id, message_id, asked_by, call_id))
            return await asyncio.wait_for(call.outcome, STOP_SECONDS)
        except TimeoutError as error:
            raise Unavailable(AWAY) from error
        finally:
            del self.calls[call_id]

    def expelled(self, room_id: str, user_id: str) -> None:
        """Have somebody put out of a room on all servers."""
        self.say_in(room_id, Expelled(room_id, user_id))

    def say_in(self, room_id: str, item: Item) -> None:
        """Say something to all servers that have the room; for a while it is tried again until they can be reached."""
        if not self.cluster.alone:
            _ = self.tasks.start(self._say_surely(lambda: self.cluster.listeners(room_id), item))

    def say_everywhere(self, item: Item) -> None:
        """The same to all servers."""
        if not self.cluster.alone:
            _ = self.tasks.start(self._say_surely(self.cluster.servers, item))

    def hides(self, user_id: str, *, hides: bool) -> None:
        """Tell all servers whether others may know when somebody was last seen."""
        self.say_everywhere(Hides("", user_id, hides))

    async def _say_surely(
        self, servers: Callable[[], Awaitable[Collection[str]]], item: Item
    ) -> None:
        for _ in range(TRIES):
            try:
                self.say(await servers(), item)
            except Unavailable:
                await asyncio.sleep(1)
            else:
                return
