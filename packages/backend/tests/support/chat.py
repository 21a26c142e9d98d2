"""A person at a Socket.IO client (python-socketio's), who notes everything down and checks it against the schema."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self
from uuid import uuid4

import aiohttp
import socketio
from engineio.payload import Payload as EngineIoPayload
from socketio.exceptions import ConnectionError as Refused
from tests.support import schema, seen
from tests.support.process import ServerProcess

WAIT_SECONDS = 5.0
# A client that polls would end the connection at more than 16 packets that have gathered; that is its library's default.
EngineIoPayload.max_decode_packets = 10_000
Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the server sent."""

    name: str
    payload: Payload
    at: float

    def fits(self, name: str, fields: Mapping[str, object]) -> bool:
        return self.name == name and all(
            self.payload.get(key) == value for key, value in fields.items()
        )


class Chat:
    """One connection; made by the fixture `connect`, which closes it and fails on any problem it noted."""

    def __init__(
        self,
        url: str,
        user_id: str,
        auth: object,
        *,
        transports: Sequence[str] = ("websocket",),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = url
        self.user_id = user_id
        self.events: list[Event] = []
        self.problems: list[str] = []
        self.refusal: Payload = {}
        self._closed = asyncio.Event()
        self._news = asyncio.Event()
        self._auth = auth
        self._transports = list(transports)
        self._headers = dict(headers or {})
        self._http: aiohttp.ClientSession | None = None
        self._sio: Any = None

    # --- the connection --------------------------------------------------------------------------

    async def connect(self) -> Self:
        """Open it, or raise `Refused` and keep the reason in `refusal`."""
        self._http = aiohttp.ClientSession()
        self._sio = socketio.AsyncClient(
            reconnection=False, handle_sigint=False, http_session=self._http
        )
        self._sio.on("*", self._note)
        self._sio.on("connect_error", self._note_refusal)
        self._sio.on("disconnect", lambda *_reason: self._closed.set())
        await self._sio.connect(
            self.url, headers=self._headers, auth=self._auth, transports=self._transports
        )
        return self

    async def refused_connection(self) -> Payload:
        """Try to connect and be refused; why."""
        try:
            await self.connect()
        except Refused:
            return self.refusal
        raise AssertionError("the connection was let in")

    @property
    def connection_id(self) -> str:
        """The id of the connection, as the server names it."""
        return str(self._sio.get_sid())

    @property
    def transport(self) -> str:
        """`polling` or `websocket`."""
        return str(self._sio.transport())

    @property
    def connected(self) -> bool:
        """Whether the connection is open."""
        return bool(self._sio.connected)

    async def closed(self, within: float = WAIT_SECONDS) -> None:
        """Wait until the server has ended the connection."""
        await asyncio.wait_for(self._closed.wait(), within)

    async def lose(self) -> None:
        """Lose the connection without a farewell."""
        await self._sio.eio.ws.close()
        await self.closed()

    async def leave(self) -> None:
        """Close the connection, as a person does who closes the tab."""
        if self._sio is not None:
            await self._sio.disconnect()
        if self._http is not None:
            await self._http.close()

    # --- what is said ----------------------------------------------------------------------------

    async def call(self, name: str, payload: object, within: float = WAIT_SECONDS) -> Payload:
        """Send an event; its acknowledgement. A tuple is sent as several payloads."""
        answered: asyncio.Future[tuple[object, ...]] = asyncio.get_running_loop().create_future()

        def callback(*arguments: object) -> None:
            # It may come after it was waited for; a second one is a defect, and raises.
            if not answered.cancelled():
                answered.set_result(arguments)

        await self._sio.emit(name, payload, callback=callback)
        arguments = await asyncio.wait_for(answered, within)
        self.problems += schema.ack_problems(name, arguments)
        assert arguments, f"the ACK of {name} is empty"
        ack = arguments[0]
        assert isinstance(ack, dict), ack
        if ack.get("success") is True:
            seen.sent.add(name)
        return ack

    async def done(self, name: str, payload: object) -> Payload:
        """Send an event that succeeds."""
        ack = await self.call(name, payload)
        assert ack.get("success") is True, f"{name}: {ack}"
        return ack

    async def refused(self, name: str, payload: object, code: str) -> Payload:
        """Send an event that is refused with that code."""
        ack = await self.call(name, payload)
        assert (ack.get("success"), ack.get("code")) == (False, code), f"{name}: {ack}"
        return ack

    async def say(self, name: str, payload: object) -> None:
        """Send an event without a callback."""
        await self._sio.emit(name, payload)

    async def join(self, room_id: str, **more: object) -> Payload:
        """Enter a room; its snapshot."""
        return await self.done("room:join", {"roomId": room_id, **more})

    async def send(self, room_id: str, content: str, **more: object) -> Payload:
        """Send a message that is stored."""
        return await self.done("message:send", {"roomId": room_id, "content": content, **more})

    async def ask(self, room_id: str, content: str, **more: object) -> Payload:
        """Send a message that the test character answers."""
        payload = {"roomId": room_id, "content": content, "characterId": "echo", **more}
        return await self.done("message:send:stream", payload)

    async def history(self, room_id: str, **more: object) -> list[Payload]:
        """Every message of a room, page by page."""
        messages: list[Payload] = []
        while True:
            before = {"before": messages[0]["id"]} if messages else {}
            page = await self.done(
                "messages:history", {"roomId": room_id, "limit": 100, **before, **more}
            )
            messages = page["messages"] + messages
            if not page["hasMore"]:
                return messages

    # --- what is heard ---------------------------------------------------------------------------

    async def sees(self, name: str, *, within: float = WAIT_SECONDS, **fields: object) -> Payload:
        """The first event of that name with these fields, waited for if it has not come yet."""
        return (await self.sees_event(name, within=within, **fields)).payload

    async def sees_event(
        self, name: str, *, within: float = WAIT_SECONDS, **fields: object
    ) -> Event:
        """The same, with the time of its arrival."""
        await self.until(lambda: any(e.fits(name, fields) for e in self.events), within)
        return next(e for e in self.events if e.fits(name, fields))

    def all(self, name: str, **fields: object) -> list[Payload]:
        """Those that have come by now."""
        return [event.payload for event in self.events if event.fits(name, fields)]

    async def until(self, holds: Callable[[], bool], within: float = WAIT_SECONDS) -> None:
        """Wait for events until something holds."""
        async with asyncio.timeout(within):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def caught_up(self) -> None:
        """Wait until everything has come that the server sent before now: it sends in order."""
        mark = uuid4().hex
        await self.done("heartbeat", {"timestamp": mark})
        await self.sees("heartbeat:ack", timestamp=mark)

    async def alive(self, room_id: str) -> None:
        """Prove that the connection lives and that the room takes messages."""
        await self.caught_up()
        ack = await self.send(room_id, "still here")
        await self.sees("message:new", id=ack["messageId"])

    def _note(self, name: str, *arguments: Any) -> None:
        self.problems += schema.event_problems(name, arguments)
        seen.received.add(name)
        self.events.append(Event(name, arguments[0] if arguments else {}, time.monotonic()))
        self._news.set()

    def _note_refusal(self, data: Any = None) -> None:
        self.refusal = data if isinstance(data, dict) else {"message": data}


async def eventually(
    holds: Callable[[], Awaitable[bool]], within: float = WAIT_SECONDS, pause: float = 0.02
) -> None:
    """Ask again and again, for what no event tells of."""
    async with asyncio.timeout(within):
        while not await holds():  # noqa: ASYNC110 - the state is in another process
            await asyncio.sleep(pause)


class Connect(Protocol):
    """The fixture that lets a person connect; without an id it is somebody new."""

    def __call__(
        self,
        server: ServerProcess,
        user_id: str = "",
        *,
        auth: dict[str, Any] | None = None,
        **options: Any,
    ) -> Awaitable[Chat]: ...
