"""An OpenAI-compatible server that does what a test tells it, good or bad, over a bare socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Asked:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """The client has closed the connection."""


class Exchange:
    """What a script writes its answer with."""

    def __init__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.asked = asked
        self._writer = writer

    async def raw(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()

    async def chunk(self, content: bytes) -> None:
        await self.raw(f"{len(content):x}\r\n".encode() + content + b"\r\n")

    async def event(self, data: object) -> None:
        await self.chunk(b"data: " + json.dumps(data).encode() + b"\n\n")

    async def delta(self, text: str) -> None:
        await self.event({"choices": [{"index": 0, "delta": {"content": text}}]})

    async def finish(self, reason: str = "stop", usage: tuple[int, int] | None = (3, 2)) -> None:
        await self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if usage:
            counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
            await self.event({"choices": [], "usage": counts})
        await self.done()

    async def done(self) -> None:
        await self.chunk(b"data: [DONE]\n\n")
        await self.raw(b"0\r\n\r\n")

    async def say(self, *deltas: str) -> None:
        """A whole good answer."""
        await self.raw(HEAD)
        for delta in deltas:
            await self.delta(delta)
        await self.finish()

    async def refuse(self, status: int, body: object = None, *headers: str) -> None:
        content = json.dumps(body).encode() if body is not None else b""
        lines = (f"HTTP/1.1 {status} No", f"Content-Length: {len(content)}", *headers, "", "")
        await self.raw("\r\n".join(lines).encode() + content)

    def hang_up(self) -> None:
        self._writer.transport.abort()


Script = Callable[[Exchange], Awaitable[None]]


class FaultyServer:
    """Answers each completion with the next script, the last one for ever; other paths with 404 or their own."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self.others: dict[str, Script] = {}
        self.asked: list[Asked] = []
        self.connections = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def completions(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == "/v1/chat/completions"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while asked := await _request(reader):
                self.asked.append(asked)
                await self._answer(asked, reader, writer)
        except OSError:
            pass
        finally:
            writer.close()

    async def _answer(
        self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        exchange = Exchange(asked, writer)
        if asked.path == "/v1/chat/completions":
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        else:
            script = self.others.get(asked.path, lambda exchange: exchange.refuse(404))

        async def watch() -> None:
            # A client that is answered says nothing more, so bytes are the next request: leave those alone.
            while not reader.at_eof() and not writer.transport.is_closing():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            asked.closed.set()

        watching = asyncio.create_task(watch())
        try:
            await script(exchange)
        finally:
            watching.cancel()
            if writer.transport.is_closing() or reader.at_eof():
                asked.closed.set()


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    path = head[0].split(" ")[1]
    headers = {
        name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(path, headers, json.loads(body) if body else {})


@asynccontextmanager
async def faulty(*scripts: Script) -> AsyncIterator[FaultyServer]:
    """A server with these scripts."""
    server = FaultyServer(*scripts)
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        with suppress(asyncio.CancelledError):
            await server.serve(reader, writer)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listening.close()
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def for_ever(exchange: Exchange) -> None:
    """Says nothing more until the client goes away."""
    await exchange.asked.closed.wait()
