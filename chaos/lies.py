"""Servers that break a promise on purpose, each another one, so that it can be seen that each is found out."""

import re
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args
from uuid import uuid4

import msgspec

from rejoinder.gateway.socket_service import Gateway
from rejoinder.protocol.catalogue import ServerEvent
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.chat import ChatService
from rejoinder.service.requests import Requests
from rejoinder.service.room_state import PendingTurn, RoomState
from rejoinder.service.turns import Turns
from rejoinder.settings import Settings
from rejoinder.stores.addresses import store_for
from rejoinder.stores.records import Debt, Draft, EndState, Outcome

OfStore = Literal[
    "lose-row", "keep-streaming", "generate-again", "store-other-text", "leave-unfinished"
]
OfDelivery = Literal[
    "send-twice", "swap", "skip", "change-chunk", "change-message", "no-end", "end-twice"
]
OF_STORE: tuple[OfStore, ...] = get_args(OfStore)
OF_DELIVERY: tuple[OfDelivery, ...] = get_args(OfDelivery)
OfAcks = Literal["lose-ack", "refuse-stored"]
FORGET = "forget-question"
OF_ACKS: tuple[OfAcks, ...] = get_args(OfAcks)
EVERY = 12
EVERY_ANSWER = 3
_OF_EVENT = {
    "message:new": {"send-twice", "swap", "skip", "change-message"},
    "message:stream:chunk": {"change-chunk"},
    "message:stream:end": {"no-end", "end-twice"},
}
Lies = frozenset[str]
_ID = re.compile(rb'"messageId":"([^"]+)"')


def asked_for(names: str) -> Lies:
    """The lies of these names, with commas between them."""
    lies = frozenset(filter(None, names.split(",")))
    unknown = lies - {*OF_STORE, *OF_DELIVERY, *OF_ACKS, FORGET}
    if unknown:
        raise ValueError(f"there is no lie {', '.join(sorted(unknown))}")
    return lies


def hit(key: str, every: int = EVERY) -> bool:
    """Whether this one is lied about: the same ones always."""
    return zlib.crc32(key.encode()) % every == 0


def store(lies: Lies, settings: Settings) -> Any:
    """The store of a server with those lies; None for any."""
    if lies.isdisjoint({*OF_STORE, FORGET}):
        return None
    return LyingStore(store_for(settings.database, settings.data_dir), lies, settings)


class LyingStore:
    """A store that does as it is told, but for one thing."""

    def __init__(self, honest: Any, lies: Lies, settings: Settings) -> None:
        self._honest = honest
        self._lies = lies
        self._path = settings.data_dir / "rejoinder.db"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)

    async def append_all(self, drafts: Sequence[Draft]) -> list[Outcome]:
        if FORGET in self._lies:
            drafts = [
                replace(draft, owes=None) if _forgotten(draft.id) else draft for draft in drafts
            ]
        outcomes: list[Outcome] = await self._honest.append_all(drafts)
        lost = [draft.id for draft in drafts if draft.role == "user" and hit(draft.id)]
        if "lose-row" in self._lies and lost:
            with sqlite3.connect(self._path, timeout=5) as database:
                database.executemany("DELETE FROM messages WHERE id = ?", [(key,) for key in lost])
            database.close()
        return outcomes

    async def end_stream(self, message_id: str, content: str, state: EndState) -> bool:
        if "keep-streaming" in self._lies and hit(message_id, EVERY_ANSWER):
            return True
        if "store-other-text" in self._lies and hit(message_id, EVERY_ANSWER):
            content += "!"
        ended: bool = await self._honest.end_stream(message_id, content, state)
        return ended

    async def unfinished(self, *which: int | None) -> Sequence[ChatMessage]:
        found: Sequence[ChatMessage] = await self._honest.unfinished(*which)
        return () if "leave-unfinished" in self._lies else found

    async def owed(self, *which: int | None) -> Sequence[Debt]:
        found: Sequence[Debt] = await self._honest.owed(*which)
        return () if "leave-unfinished" in self._lies else found

    async def answered(self, message_id: str) -> bool:
        if "generate-again" in self._lies:
            return False
        answered: bool = await self._honest.answered(message_id)
        return answered


class LyingDelivery:
    """Sends what it is given, but for one thing."""

    def __init__(self, honest: Any, lies: Lies) -> None:
        self._honest = honest
        self._lies = lies
        self._kept: list[tuple[list[str], ServerEvent[Any], Any]] = []

    def close(self, connection: str) -> None:
        self._honest.close(connection)

    def send(self, connections: Iterable[str], event: ServerEvent[Any], payload: Any) -> None:
        receivers = list(connections)
        key = getattr(payload, "id", "") or getattr(payload, "message_id", "")
        every = EVERY if event.name == "message:new" else EVERY_ANSWER
        told = self._lies & _OF_EVENT.get(event.name, set()) if key and hit(key, every) else Lies()
        if told & {"skip", "no-end"}:
            return
        if told & {"send-twice", "end-twice"}:
            self._honest.send(receivers, event, payload)
        if "change-message" in told:
            payload = msgspec.structs.replace(payload, content=payload.content + "!")
        if "change-chunk" in told:
            payload = msgspec.structs.replace(payload, delta=payload.delta.upper() + "!")
        if "swap" in told and not self._kept:
            self._kept.append((receivers, event, payload))
            return
        self._honest.send(receivers, event, payload)
        if event.name == "message:new":
            for each in self._kept:
                self._honest.send(*each)
            self._kept.clear()


class LyingService:
    """A service whose requests are answered with lies."""

    def __init__(self, honest: ChatService, lies: Lies) -> None:
        self._honest = honest
        self.requests = LyingRequests(honest.requests, lies)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)


class LyingRequests:
    """Acknowledges some messages never, or as refused."""

    def __init__(self, honest: Requests, lies: Lies) -> None:
        self._honest = honest
        self._lies = lies

    def begin(
        self, connection: str, name: str, arguments: Sequence[Any], reply: Any, **more: Any
    ) -> Any:
        found = _ID.search(b"".join(bytes(each) for each in arguments))
        if name == "message:send" and found and hit(found[1].decode()):
            if "lose-ack" not in self._lies:
                reply({"success": False, "code": "too_large", "error": "This is a lie."})
            reply = _nobody
        return self._honest.begin(connection, name, arguments, reply, **more)


def ask(lies: Lies) -> Callable[[Turns, RoomState, PendingTurn], None]:
    """How the turns of a server with those lies are asked for."""
    honest = Turns.ask

    def lying(turns: Turns, state: RoomState, turn: PendingTurn) -> None:
        if FORGET in lies and _forgotten(turn.question.id):
            return
        if "generate-again" in lies:
            # An honest answer has an id that follows from its question's, and so is not stored twice.
            turn = replace(turn, message_id=uuid4().hex)
        honest(turns, state, turn)

    return lying


def _forgotten(question_id: str) -> bool:
    return hit(question_id, EVERY_ANSWER)


def _nobody(*_: object) -> None:
    """Takes what nobody is told."""


def gateway(lies: Lies) -> Any:
    """The gateway of a server with those lies."""
    if lies.isdisjoint({*OF_DELIVERY, *OF_ACKS}):
        return Gateway

    class LyingGateway(Gateway):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            if not lies.isdisjoint(OF_DELIVERY):
                lying: Any = LyingDelivery(self.delivery, lies)
                self.delivery = lying

        def serve(self, service: ChatService) -> None:
            told: Any = service if lies.isdisjoint(OF_ACKS) else LyingService(service, lies)
            super().serve(told)

    return LyingGateway
