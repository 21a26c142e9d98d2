"""Servers that break a promise on purpose, each another one, so that it can be seen that each is found out."""

import re
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args

import msgspec

from rejoinder.gateway.socket_service import Gateway
from rejoinder.protocol.catalogue import ServerEvent
from rejoinder.service.chat import ChatService
from rejoinder.settings import Settings
from rejoinder.stores.addresses import store_for
from rejoinder.stores.base import Draft, EndState, Outcome

OfStore = Literal["lose-row", "keep-streaming", "generate-again", "store-other-text"]
OfDelivery = Literal[
    "send-twice", "swap", "skip", "change-chunk", "change-message", "no-end", "end-twice"
]
OF_STORE: tuple[OfStore, ...] = get_args(OfStore)
OF_DELIVERY: tuple[OfDelivery, ...] = get_args(OfDelivery)
LOSE_ACK = "lose-ack"
EVERY = 12
_ID = re.compile(rb'"messageId":"([^"]+)"')


def hit(key: str) -> bool:
    """Whether this one is lied about: the same ones always."""
    return zlib.crc32(key.encode()) % EVERY == 0


def store(lie: str, settings: Settings) -> Any:
    """The store of a server with that lie."""
    return LyingStore(store_for(settings.database, settings.data_dir), lie, settings)


class LyingStore:
    """A store that does as it is told, but for one thing."""

    def __init__(self, honest: Any, lie: str, settings: Settings) -> None:
        self._honest = honest
        self._lie = lie
        self._path = settings.data_dir / "rejoinder.db"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)

    async def append_all(self, drafts: Sequence[Draft]) -> list[Outcome]:
        outcomes: list[Outcome] = await self._honest.append_all(drafts)
        lost = [draft.id for draft in drafts if draft.role == "user" and hit(draft.id)]
        if self._lie == "lose-row" and lost:
            with sqlite3.connect(self._path, timeout=5) as database:
                database.executemany("DELETE FROM messages WHERE id = ?", [(key,) for key in lost])
            database.close()
        return outcomes

    async def end_stream(self, message_id: str, content: str, state: EndState) -> bool:
        if self._lie == "keep-streaming" and hit(message_id):
            return True
        if self._lie == "store-other-text" and hit(message_id):
            content += "!"
        ended: bool = await self._honest.end_stream(message_id, content, state)
        return ended

    async def answered(self, message_id: str) -> bool:
        if self._lie == "generate-again":
            return False
        answered: bool = await self._honest.answered(message_id)
        return answered


class LyingDelivery:
    """Sends what it is given, but for one thing."""

    def __init__(self, honest: Any, lie: str) -> None:
        self._honest = honest
        self._lie = lie
        self._kept: list[tuple[list[str], ServerEvent[Any], Any]] = []

    def close(self, connection: str) -> None:
        self._honest.close(connection)

    def send(self, connections: Iterable[str], event: ServerEvent[Any], payload: Any) -> None:
        receivers = list(connections)
        key = getattr(payload, "id", "") or getattr(payload, "message_id", "")
        here = key and hit(key)
        match self._lie, event.name:
            case "skip", "message:new" if here:
                return
            case "no-end", "message:stream:end" if here:
                return
            case "send-twice", "message:new" if here:
                self._honest.send(receivers, event, payload)
            case "end-twice", "message:stream:end" if here:
                self._honest.send(receivers, event, payload)
            case "change-message", "message:new" if here:
                payload = msgspec.structs.replace(payload, content=payload.content + "!")
            case "change-chunk", "message:stream:chunk" if here:
                payload = msgspec.structs.replace(payload, delta=payload.delta.upper() + "!")
            case "swap", "message:new" if here and not self._kept:
                self._kept.append((receivers, event, payload))
                return
            case _:
                pass
        self._honest.send(receivers, event, payload)
        if event.name == "message:new":
            for each in self._kept:
                self._honest.send(*each)
            self._kept.clear()


class DeafService:
    """A service whose acknowledgements of some messages never arrive."""

    def __init__(self, honest: ChatService) -> None:
        self._honest = honest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)

    def begin(
        self, connection: str, name: str, arguments: Sequence[Any], reply: Any, **more: Any
    ) -> Any:
        found = _ID.search(b"".join(bytes(each) for each in arguments))
        if name == "message:send" and found and hit(found[1].decode()):
            reply = _nobody
        return self._honest.begin(connection, name, arguments, reply, **more)


def _nobody(*_: object) -> None:
    """Takes what nobody is told."""


def gateway(lie: str) -> Any:
    """The gateway of a server with that lie."""
    if lie not in OF_DELIVERY and lie != LOSE_ACK:
        return Gateway

    class LyingGateway(Gateway):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            if lie != LOSE_ACK:
                lying: Any = LyingDelivery(self.delivery, lie)
                self.delivery = lying

        def serve(self, service: ChatService) -> None:
            told: Any = DeafService(service) if lie == LOSE_ACK else service
            super().serve(told)

    return LyingGateway
