"""One connection to a Redis.

The one of its client does more around each command than the command takes. Here replies are handed on from where the loop reads
them, without a task or a stream in between.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from rejoinder.cluster.redis.resp import Parser, ProtocolError, Reply

Hear = Callable[[list[Reply]], None]


def seen(future: "asyncio.Future[Any]") -> None:
    """For one that nobody may wait for: the loop is not to complain of its error."""
    if not future.cancelled():
        future.exception()


class Connection(asyncio.Protocol):
    """Asked once at a time, so that no more waits to be written than that."""

    def __init__(self, hear: Hear | None = None) -> None:
        self._hear = hear or _unasked
        self._parser = Parser()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[list[Any]] | None = None
        self._replies: list[Reply] = []
        self._count = 0
        self._over = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets the `ErrorReply` or `OSError` for which it ended."""
        self.ended.add_done_callback(seen)

    @property
    def open(self) -> bool:
        """False before it is connected, and once it has ended."""
        return self._transport is not None and not self._over

    def ask(self, commands: bytes, count: int) -> "asyncio.Future[list[Any]]":
        """The replies to so many commands, `ErrorReply`s among them; the one before has been answered.

        Raises:
            OSError: from the answer; the connection is gone, and what was done is not known.
        """
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._answer, self._replies, self._count = answer, [], count
        self.say(commands)
        return answer

    def say(self, commands: bytes) -> None:
        """Send commands whose replies are heard."""
        if self._over or self._transport is None:
            self.end()
        else:
            self._transport.write(commands)

    def end(self, reason: Exception | None = None) -> None:
        """Let go of it at once; whoever waits is told the reason."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()
        error = reason or ConnectionError("The connection has ended.")
        for waiting in (self._answer, self.ended):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
        self._answer = None

    # --- for the loop --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one by what it does only.
        self._transport = cast("asyncio.Transport", transport)
        if self._over:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        try:
            self._hand_on(self._parser.feed(data))
        except ConnectionError as error:
            self.end(error)

    def _hand_on(self, replies: list[Reply]) -> None:
        answer = self._answer
        if answer is not None:
            got = self._replies
            got += replies
            if len(got) < self._count:
                return
            self._answer = None
            replies = got[self._count :]
            del got[self._count :]
            if not answer.done():
                answer.set_result(got)
        if replies:
            self._hear(replies)

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(exc if isinstance(exc, OSError) else None)


def _unasked(_: list[Reply]) -> None:
    raise ProtocolError("Redis has answered what it was not asked")
