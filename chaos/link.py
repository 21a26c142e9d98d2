"""A way from a client to the server that can break: a TCP proxy which knows nothing of frames.

What is held back comes later, or never where the connection is cut before; the ends are told of a cut or not.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Literal, Self

UP: Literal["up"] = "up"
DOWN: Literal["down"] = "down"
Way = Literal["up", "down"]
HELD_MAX = 16 * 1024
BUFFER_BYTES = 8 * 1024
SLICE_SECONDS = 0.1


class _End(asyncio.Protocol):
    """One of the two connections of a pair."""

    def __init__(self, pair: "_Pair", way: Way) -> None:
        self._pair = pair
        self._way = way

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._pair.made(self._way, transport)

    def data_received(self, data: bytes) -> None:
        self._pair.pipes[self._way].take(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._pair.lost(self._way)

    def pause_writing(self) -> None:
        self._pair.pipes[other(self._way)].full = True

    def resume_writing(self) -> None:
        self._pair.pipes[other(self._way)].drained()


class _Pipe:
    """One way of a pair: from the end that says to the end that hears."""

    def __init__(self, link: "Link", pair: "_Pair", way: Way) -> None:
        self._link = link
        self._pair = pair
        self._way = way
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self.full = False
        self.source: asyncio.Transport | None = None
        self.sink: asyncio.Transport | None = None
        self.void = False
        """What comes is taken and goes nowhere: the other end is gone, and this one is not told."""

    def take(self, data: bytes) -> None:
        if self.void:
            return
        at = self._link.cuts.get(self._way)
        if at is not None and len(data) > 1:
            del self._link.cuts[self._way]
            if self.sink is not None and not self._waiting:
                self.sink.write(data[: 1 + at % (len(data) - 1)])
            self._pair.end()
            return
        due = asyncio.get_running_loop().time() + self._link.delays.get(self._way, 0.0)
        self._waiting.append((due, data))
        self._size += len(data)
        self.pump()

    def drained(self) -> None:
        self.full = False
        self.pump()

    def pump(self) -> None:
        """Hand on what may go now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop, link = asyncio.get_running_loop(), self._link
        rate = link.rates.get(self._way)
        budget = HELD_MAX if rate is None else max(1, int(rate * SLICE_SECONDS))
        held = self._way in link.held or self._pair.mute or self.sink is None or self.full
        while self._waiting and not held:
            due, data = self._waiting[0]
            if due > loop.time():
                self._timer = loop.call_at(due, self.pump)
                break
            if rate is not None and budget <= 0:
                self._timer = loop.call_later(SLICE_SECONDS, self.pump)
                break
            part = data if rate is None else data[:budget]
            budget -= len(part)
            self._size -= len(part)
            if len(part) < len(data):
                self._waiting[0] = (due, data[len(part) :])
            else:
                self._waiting.popleft()
            if self.sink is not None and not self.sink.is_closing():
                self.sink.write(part)
        self._hold_back()

    def _hold_back(self) -> None:
        """As a network does: who sends too much has to wait."""
        if self.source is None or self.source.is_closing():
            return
        if self._size > HELD_MAX:
            self.source.pause_reading()
        else:
            self.source.resume_reading()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.clear()
        self._size = 0
        self.void = True


class _Pair:
    """A connection of a client, and the one to the server that belongs to it."""

    def __init__(self, link: "Link") -> None:
        self._link = link
        self.pipes: dict[Way, _Pipe] = {UP: _Pipe(link, self, UP), DOWN: _Pipe(link, self, DOWN)}
        self.mute = False
        """Whether this one alone hands nothing on."""
        self._over = False

    def made(self, way: Way, transport: asyncio.Transport) -> None:
        """`UP` is the client's connection: what it says goes up."""
        if self._over:
            transport.abort()
            return
        self.pipes[way].source = transport
        back = self.pipes[other(way)]
        back.sink = transport
        back.pump()
        if way is UP:
            self._link.pairs.add(self)
            self._link.reach(self)

    def lost(self, way: Way) -> None:
        """One end is gone; the other is told, unless nothing gets through."""
        if not self.pipes[way].void:
            self.end()

    def end(self, *, only: Way | None = None) -> None:
        """Cut it. With `only`, that end alone is told, and the other talks to nobody."""
        self._over = self._over or only is None
        for pipe in self.pipes.values():
            pipe.stop()
        for way, pipe in self.pipes.items():
            if pipe.source is not None and only in (None, way):
                pipe.source.abort()
        if only is None:
            self._link.pairs.discard(self)
        else:
            kept = self.pipes[other(only)].source
            if kept is not None and not kept.is_closing():
                kept.resume_reading()


def other(way: Way) -> Way:
    """The way back."""
    return DOWN if way is UP else UP


class Link:
    """A port of this machine; `target` says which port what comes there is handed on to."""

    def __init__(self, name: str, target: Callable[[], int]) -> None:
        self.name = name
        self.port = 0
        self.pairs: set[_Pair] = set()
        self.held: set[Way] = set()
        self.delays: dict[Way, float] = {}
        self.rates: dict[Way, float] = {}
        self.cuts: dict[Way, int] = {}
        self.refuses = False
        """Whether nobody is connected any more."""
        self.broken = False
        """Whether a fault is under way here."""
        self._target = target
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _End(_Pair(self), UP), "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reach(self, pair: _Pair) -> None:
        """Connect a pair to the server."""
        if self.refuses:
            pair.end()
            return
        task = asyncio.get_running_loop().create_task(self._reach(pair))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reach(self, pair: _Pair) -> None:
        loop = asyncio.get_running_loop()
        way = socket.socket()
        way.setblocking(False)  # noqa: FBT003 - as the module has it
        # So that who sends too much is held up soon.
        way.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        try:
            await loop.sock_connect(way, ("127.0.0.1", self._target()))
            await loop.create_connection(lambda: _End(pair, DOWN), sock=way)
        except BaseException as error:
            way.close()
            pair.end()
            if not isinstance(error, OSError):
                raise

    # --- faults ----------------------------------------------------------------------------------

    def cut(self) -> None:
        """End all connections, at once."""
        for pair in tuple(self.pairs):
            pair.end()

    def cut_in_frame(self, way: Way, at: int) -> None:
        """Let a part of the next data through, and cut."""
        self.cuts[way] = at

    def half_open(self, told: Way) -> None:
        """End all connections so that only one side is told: `UP` the client, `DOWN` the server."""
        for pair in tuple(self.pairs):
            pair.end(only=told)

    def tell_the_other(self) -> None:
        """End for both sides what only one of them was told of."""
        for pair in tuple(self.pairs):
            if all(pipe.void for pipe in pair.pipes.values()):
                pair.end()

    def hold(self, *ways: Way) -> None:
        """Let nothing through these ways; it is kept, up to what fits."""
        self.held.update(ways)

    def mute_one(self, at: int) -> None:
        """Let nothing through over one of the connections that there are; others, and new ones, work."""
        pairs = sorted(self.pairs, key=id)
        if pairs:
            pairs[at % len(pairs)].mute = True

    def heal(self) -> None:
        """Let everything through as fast as it comes, what was kept first."""
        self.refuses = False
        self.held.clear()
        self.delays.clear()
        self.rates.clear()
        self.cuts.clear()
        for pair in tuple(self.pairs):
            pair.mute = False
            for pipe in pair.pipes.values():
                pipe.pump()
