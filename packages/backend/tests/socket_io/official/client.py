"""Engine.IO spoken by hand: single requests, a session over long polling, a WebSocket."""

import asyncio
import json
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any, NamedTuple, Self

import aiohttp

POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"
CLOSED = "closed"
SEPARATOR = "\x1e"
PATIENCE_SECONDS = 5.0
PING, PONG = "2", "3"


class Answer(NamedTuple):
    """What a request was answered with."""

    status: int
    text: str


async def _note_sent(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _headers: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    if context.trace_request_ctx is not None:
        context.trace_request_ctx.set()


class Endpoint:
    """A path of the server under test. Used as `async with Endpoint(url) as server`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stack = AsyncExitStack()
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_note_sent)
        http = aiohttp.ClientSession(trace_configs=[trace])
        self._http = await self._stack.enter_async_context(http)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()

    @property
    def http(self) -> aiohttp.ClientSession:
        """The connections."""
        assert self._http is not None
        return self._http

    async def request(
        self,
        method: str,
        query: str,
        body: str | None = None,
        sent: asyncio.Event | None = None,
    ) -> Answer:
        """One request, to the end of its answer; `sent` is set when it leaves."""
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            self.http.request(
                method, f"{self._url}?{query}", data=body, trace_request_ctx=sent
            ) as answer,
        ):
            return Answer(answer.status, await answer.text())

    async def open(self) -> "Polling":
        """A new session over long polling."""
        answer = await self.request("GET", POLLING)
        assert answer.status == 200
        return Polling(self, handshake(answer.text)["sid"])

    async def connect(self, query: str = WEBSOCKET, *, answering: bool = True) -> "Socket":
        """A WebSocket, which answers pings by itself unless told not to."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            socket = await self.http.ws_connect(f"{self._url}?{query}")
        return await self._stack.enter_async_context(Socket(socket, answering=answering))

    async def open_socket(self, *, answering: bool = True) -> "Socket":
        """A new session over a WebSocket, past its handshake."""
        socket = await self.connect(answering=answering)
        handshake(await socket.text())
        return socket

    async def refuses(self, query: str) -> None:
        """Prove that no WebSocket is to be had: either it doesn't open, or it is closed without a word."""
        try:
            socket = await self.connect(query)
        except aiohttp.WSServerHandshakeError as error:
            if error.status != 400:
                raise
        else:
            await socket.closes()


def handshake(packet: str) -> dict[str, Any]:
    """The payload of an OPEN packet."""
    assert packet[:1] == "0", packet
    payload = json.loads(packet[1:])
    assert isinstance(payload, dict)
    return payload


class Polling:
    """A session over long polling."""

    def __init__(self, server: Endpoint, sid: str) -> None:
        self._server = server
        self._query = f"{POLLING}&sid={sid}"
        self.sid = sid

    async def get(self) -> Answer:
        """One GET."""
        return await self._server.request("GET", self._query)

    async def post(self, body: str) -> Answer:
        """One POST."""
        return await self._server.request("POST", self._query, body)

    async def poll(self) -> Answer:
        """The next answer to a GET that holds more than pings. Those are answered and left out."""
        while True:
            answer = await self.get()
            packets = answer.text.split(SEPARATOR)
            if answer.status != 200 or PING not in packets:
                return answer
            assert (await self.post(PONG)).status == 200
            if others := [packet for packet in packets if packet != PING]:
                return Answer(answer.status, SEPARATOR.join(others))

    async def pending(self) -> "asyncio.Task[Answer]":
        """A GET that waits at the server, by all likelihood: another request, sent after it, has been answered."""
        sent = asyncio.Event()
        task = asyncio.create_task(self._server.request("GET", self._query, sent=sent))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await sent.wait()
        await self._server.request("GET", "")
        return task

    async def gone(self) -> None:
        """Prove that the server knows the session no more."""
        assert (await self.get()).status == 400


class Socket:
    """A WebSocket. Pings are kept apart from what else is received."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, answering: bool) -> None:
        self._socket = socket
        self._answering = answering
        self._frames: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._pings: asyncio.Queue[None] = asyncio.Queue()
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._reader is not None
        self._reader.cancel()
        await asyncio.wait([self._reader])
        await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            if message.data == PING:
                self._pings.put_nowait(None)
                if self._answering:
                    await self.send(PONG)
            elif message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                self._frames.put_nowait(message.data)
        self._frames.put_nowait(CLOSED)

    async def send(self, *frames: str | bytes) -> None:
        """Send frames, without waiting for anything between them."""
        for frame in frames:
            if isinstance(frame, str):
                await self._socket.send_str(frame)
            else:
                await self._socket.send_bytes(frame)

    async def receive(self) -> str | bytes:
        """The next frame that is no ping; `CLOSED` at the end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._frames.get()

    async def text(self) -> str:
        """The next frame that is no ping and must be text."""
        frame = await self.receive()
        assert isinstance(frame, str), frame
        return frame

    async def ping(self) -> None:
        """Wait for a ping that has not been waited for."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._pings.get()

    @property
    def pings(self) -> int:
        """How many pings have come that were not waited for."""
        return self._pings.qsize()

    @property
    def quiet(self) -> bool:
        """Whether nothing has come but pings and what was received."""
        return self._frames.empty()

    async def closes(self) -> None:
        """Prove that the server closes the WebSocket, and says nothing before but pings."""
        assert await self.receive() == CLOSED
