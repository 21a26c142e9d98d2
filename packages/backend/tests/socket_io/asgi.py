"""An ASGI server that is only its messages."""

import asyncio
from dataclasses import dataclass
from typing import Any

from rejoinder_socketio.asgi import Message
from rejoinder_socketio.engine.server import EngineServer

POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"


@dataclass
class Answer:
    """What an HTTP request was answered with."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def packets(self) -> list[str]:
        """The packets in it."""
        return self.body.decode().split("\x1e")


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


class Exchange:
    """One HTTP request, whose client may go away, or send its body in parts."""

    def __init__(self, *parts: bytes, whole: bool = True) -> None:
        self._parts = list(parts) or [b""]
        self._whole = whole
        self._gone = asyncio.Event()
        self._sent: list[Message] = []

    def go(self) -> None:
        """The client goes away."""
        self._gone.set()

    async def receive(self) -> Message:
        """What the application is given."""
        if self._parts:
            part = self._parts.pop(0)
            more = bool(self._parts) or not self._whole
            return {"type": "http.request", "body": part, "more_body": more}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """What the application gives."""
        self._sent.append(message)

    @property
    def answer(self) -> Answer | None:
        """The answer, if there was one."""
        if not self._sent:
            return None
        start, body = self._sent
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        assert headers["content-length"] == str(len(body["body"]))
        return Answer(start["status"], headers, body["body"])


async def run(
    server: EngineServer,
    exchange: Exchange,
    method: str,
    query: str,
    headers: dict[str, str] | None = None,
) -> Answer | None:
    """Hand a request to a server; None if it was not answered."""
    scope = {
        "type": "http",
        "method": method,
        "query_string": query.encode(),
        "headers": _encoded(headers or {}),
        "client": ("192.0.2.1", 1),
    }
    await server(scope, exchange.receive, exchange.send)
    return exchange.answer


async def ask(
    server: EngineServer,
    method: str,
    query: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> Answer:
    """A request and its answer."""
    given = {"content-length": str(len(body))} if method == "POST" else {}
    answer = await run(server, Exchange(body), method, query, {**given, **(headers or {})})
    assert answer is not None
    return answer


class WebSocketClient:
    """A WebSocket over ASGI."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.blocked = False
        self.failing = False
        self._to_come: asyncio.Queue[Message] = asyncio.Queue()
        self._unblocked = asyncio.Event()
        self._to_come.put_nowait({"type": "websocket.connect"})

    def say(self, *messages: str | bytes) -> None:
        """The client sends these."""
        for message in messages:
            kind = "text" if isinstance(message, str) else "bytes"
            self._to_come.put_nowait({"type": "websocket.receive", kind: message})

    def unblock(self) -> None:
        """The client reads again."""
        self.blocked = False
        self._unblocked.set()

    def go(self) -> None:
        """The client goes away."""
        self._to_come.put_nowait({"type": "websocket.disconnect", "code": 1006})

    @property
    def left(self) -> int:
        """How many messages were not taken."""
        return self._to_come.qsize()

    async def receive(self) -> Message:
        """What the application is given."""
        return await self._to_come.get()

    async def send(self, message: Message) -> None:
        """What the application gives; nothing is taken by who is blocked."""
        if self.failing:
            raise OSError("the client is gone")
        if self.blocked:
            await self._unblocked.wait()
        self.sent.append(message)

    def heard(self) -> list[Any]:
        """What the client was sent since the last time; the type alone of what is no message."""
        heard = [
            message.get("text", message.get("bytes"))
            if message["type"] == "websocket.send"
            else message["type"].removeprefix("websocket.")
            for message in self.sent
        ]
        self.sent.clear()
        return heard

    def start(
        self,
        server: EngineServer,
        query: str = WEBSOCKET,
        headers: dict[str, str] | None = None,
        extensions: dict[str, Any] | None = None,
    ) -> "asyncio.Future[None]":
        """Begin; the future is done when the application has ended it."""
        scope = {
            "type": "websocket",
            "query_string": query.encode(),
            "headers": _encoded(headers or {}),
            "client": ("192.0.2.1", 1),
            "extensions": extensions or {},
        }
        return asyncio.ensure_future(server(scope, self.receive, self.send))
