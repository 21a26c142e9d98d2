"""A client that sends what it wants: Engine.IO and Socket.IO packets by hand, over a WebSocket."""

import asyncio
import json
import re
from typing import Any, Self

import aiohttp
from tests.support import schema
from tests.support.process import ServerProcess

ACK = re.compile(r"^43(\d+)(\[.*\])$", re.DOTALL)
EVENT = re.compile(r"^42(\[.*\])$", re.DOTALL)
FRAME_MAX = 64 * 1024 * 1024


class Raw:
    """One WebSocket. Used as `async with Raw(server, auth) as raw`; `auth` is JSON text, or None for no CONNECT."""

    def __init__(self, server: ServerProcess, auth: str | None) -> None:
        self._url = f"{server.url}/socket.io/?EIO=4&transport=websocket"
        self._auth = auth
        self._http = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._next_id = 0
        self.events: list[tuple[str, Any]] = []

    async def __aenter__(self) -> Self:
        self._socket = await self._http.ws_connect(self._url, max_msg_size=FRAME_MAX)
        assert (await self.receive()).startswith("0{")
        if self._auth is not None:
            await self.send(f"40{self._auth}")
            answer = await self.receive()
            assert answer.startswith("40{"), answer
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.socket.close()
        await self._http.close()

    @property
    def socket(self) -> aiohttp.ClientWebSocketResponse:
        """The WebSocket."""
        assert self._socket is not None
        return self._socket

    async def send(self, text: str) -> None:
        """Send one packet."""
        await self.socket.send_str(text)

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary attachment."""
        await self.socket.send_bytes(data)

    async def receive(self, within: float = 5) -> str:
        """The next packet that is no ping; `closed` at the end."""
        async with asyncio.timeout(within):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return "closed"
                text = str(message.data)
                if text != "2":
                    return text
                await self.send("3")

    async def event(self, arguments: str, *, kind: str = "2") -> dict[str, Any]:
        """Send an event, its JSON array as text; its acknowledgement."""
        self._next_id += 1
        number = self._next_id
        head, _, count = kind.partition(":")
        prefix = f"4{head}{count}-" if count else f"4{head}"
        await self.send(f"{prefix}{number}{arguments}")
        return await self.ack(number)

    async def ack(self, number: int) -> dict[str, Any]:
        """The acknowledgement of that number."""
        while (text := await self.receive()) != "closed":
            found = ACK.match(text)
            if found is None:
                self._note(text)
            elif int(found[1]) == number:
                [ack] = json.loads(found[2])
                assert isinstance(ack, dict)
                assert schema.nulls(ack) == []
                return ack
        raise AssertionError("the connection was closed")

    async def refused(self, arguments: str, code: str, *, kind: str = "2") -> None:
        """Send an event that is refused with that code, in the shape that refusals have."""
        ack = await self.event(arguments, kind=kind)
        assert schema.problems({"$ref": "#/$defs/Failure"}, ack) == [], ack
        assert ack["code"] == code, ack

    async def alive(self, room_id: str) -> None:
        """Prove that the connection lives and that the room takes messages."""
        assert (await self.event('["heartbeat",{}]'))["success"] is True
        payload = json.dumps({"roomId": room_id, "content": "still here"})
        ack = await self.event(f'["message:send",{payload}]')
        assert ack["success"] is True, ack

    def _note(self, text: str) -> None:
        found = EVENT.match(text)
        if found is not None:
            name, *arguments = json.loads(found[1])
            assert schema.event_problems(name, tuple(arguments)) == []
            self.events.append((name, arguments[0]))
