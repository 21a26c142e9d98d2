"""A TCP proxy on this machine that can cut the connections, swallow what is sent, or be slow."""

import asyncio
from contextlib import suppress
from typing import Self

SUBSCRIBE = b"\r\nSUBSCRIBE\r\n"
"""How a Redis is asked to tell something."""


class Proxy:
    """Hands bytes on between who connects to it and a port. `swallows`: nothing arrives and nobody is told."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._requests = asyncio.Event()
        self._replies = asyncio.Event()
        self._subscribed: list[asyncio.Event] = []
        self.delay = 0.0
        self.port = 0
        self.heal()

    async def __aenter__(self) -> Self:
        await self._listen(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.heal()
        await self.cut()

    async def _listen(self, port: int) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def cut(self) -> None:
        """End all connections and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._writers):
            writer.transport.abort()
        for pump in tuple(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def mend(self) -> None:
        """Take connections again after a cut."""
        await self._listen(self.port)

    def swallow(self) -> None:
        """Hand nothing on, in either direction."""
        self._requests.clear()
        self._replies.clear()

    def swallow_replies(self) -> None:
        """Hand requests on, and none of the answers."""
        self._replies.clear()

    def deafen(self) -> None:
        """Hand on no answers over the connections that there are; new ones work."""
        self._replies.clear()
        self._replies = asyncio.Event()
        self._replies.set()

    def deafen_subscriptions(self) -> None:
        """The same for the connections on which somebody has subscribed; all others work."""
        for gate in self._subscribed:
            gate.clear()

    def heal(self) -> None:
        """Hand on everything, also what was held back."""
        for gate in self._subscribed:
            gate.set()
        self._requests.set()
        self._replies.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there[1]}
        own = asyncio.Event()
        own.set()
        for source, sink, gates in (
            (reader, there[1], (self._requests,)),
            (there[0], writer, (self._replies, own)),
        ):
            notice = self._subscribed if source is reader else []
            pump = asyncio.get_running_loop().create_task(
                self._pump(source, sink, gates, (own, notice))
            )
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        gates: tuple[asyncio.Event, ...],
        subscribes: tuple[asyncio.Event, list[asyncio.Event]],
    ) -> None:
        own, subscribed = subscribes
        try:
            with suppress(OSError):
                while data := await source.read(65536):
                    if SUBSCRIBE in data and own not in subscribed:
                        subscribed.append(own)
                    for gate in gates:
                        await gate.wait()
                    if self.delay:
                        await asyncio.sleep(self.delay)
                    sink.write(data)
                    await sink.drain()
        finally:
            self._writers.discard(sink)
            sink.transport.abort()
