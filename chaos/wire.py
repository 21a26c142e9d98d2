"""A Socket.IO connection by hand, over a WebSocket: what is sent, and what comes, in the order in which it comes."""

import asyncio
from collections.abc import Callable
from typing import Self

import aiohttp
import msgspec

CONNECT_SECONDS = 5.0
_NUMBER = frozenset(b"0123456789")


class Lost(Exception):
    """The connection is gone, or never came about."""


class Refused(Lost):
    """The server let nobody in."""


class Wire:
    """One connection. `hear` is given each event, as its raw JSON array."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, hear: Callable[[bytes], None]
    ) -> None:
        self._socket = socket
        self._hear = hear
        self._replies: dict[int, Callable[[bytes], None]] = {}
        self._last_id = 0

    @classmethod
    async def connect(
        cls, http: aiohttp.ClientSession, url: str, auth: object, hear: Callable[[bytes], None]
    ) -> Self:
        """Connect, and be let in.

        Raises:
            Lost: it did not come about in time.
        """
        address = f"{url}/socket.io/?EIO=4&transport=websocket"
        socket: aiohttp.ClientWebSocketResponse | None = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                socket = await http.ws_connect(address, max_msg_size=0)
                await socket.receive_str()
                await socket.send_str("40" + msgspec.json.encode(auth).decode())
                answer = await socket.receive_str()
        except BaseException as error:
            if socket is not None:
                _abort(socket)
            if isinstance(error, aiohttp.ClientError | TimeoutError | TypeError | OSError):
                raise Lost(repr(error)) from error
            raise
        if not answer.startswith("40"):
            _abort(socket)
            raise Refused(answer)
        return cls(socket, hear)

    async def run(self) -> str:
        """Hear until the connection is gone; why."""
        while True:
            message = await self._socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return f"{message.type.name} {self._socket.close_code}"
            text: str = message.data
            if text == "2":
                await self._say("3")
            elif text.startswith("42"):
                self._hear(text[2:].encode())
            elif text.startswith("43"):
                self._answer(text[2:].encode())
            elif text.startswith("41"):
                return "the server has ended it"

    def _answer(self, data: bytes) -> None:
        end = next((at for at, byte in enumerate(data) if byte not in _NUMBER), len(data))
        reply = self._replies.pop(int(data[:end]), None)
        if reply is not None:
            reply(data[end:])

    async def ask(self, event: str, payload: object, reply: Callable[[bytes], None]) -> None:
        """Send an event; `reply` is given the raw JSON array of its acknowledgement, if that comes.

        Raises:
            Lost: the connection is gone.
        """
        self._last_id += 1
        self._replies[self._last_id] = reply
        await self._say(f"42{self._last_id}" + msgspec.json.encode([event, payload]).decode())

    async def _say(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(repr(error)) from error

    def abort(self) -> None:
        """Be gone without a word."""
        _abort(self._socket)


def _abort(socket: aiohttp.ClientWebSocketResponse) -> None:
    transport = socket.get_extra_info("transport") if not socket.closed else None
    if isinstance(transport, asyncio.Transport):
        transport.abort()
