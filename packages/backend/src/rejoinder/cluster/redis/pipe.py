"""Pipelines of commands: connected when that is needed, and once anew where a connection had ended meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from hashlib import sha1
from pathlib import Path
from typing import Any, Final

from rejoinder.cluster.redis.address import Address
from rejoinder.cluster.redis.resp import Command, ErrorReply, encode, refuse_errors
from rejoinder.cluster.redis.wire import Connection

TIMEOUT: Final = 1.0
SCRIPTS: Final = ("beat", "claim", "release", "connected", "listen")
ENDINGS: Final = ("LOADING", "NOAUTH", "WRONGPASS", "ERR max number of clients reached")
"""Refusals that are of the connection, and not of a command."""

Replies = list[Any]
Done = Callable[[Replies | None], None]


class Pipe:
    """One pipeline at a time."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: Connection | None = None
        self._loading: list[Command] = []
        self._shas: dict[str, str] = {}
        for name in SCRIPTS:
            text = source(name)
            self._loading.append(("SCRIPT", "LOAD", text))
            self._shas[name] = sha1(text.encode(), usedforsecurity=False).hexdigest()
        self._done: Done | None = None
        self._commands: Sequence[Command] = ()
        self._deadline = 0.0
        self._clock: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def script(self, name: str, keys: Sequence[str], *arguments: str | int) -> Command:
        """The command that runs a script."""
        return ("EVALSHA", self._shas[name], len(keys), *keys, *arguments)

    async def open(self) -> None:
        """Be connected.

        Raises:
            ErrorReply, OSError: that can't be.
        """
        _ = await self._connected()

    async def _connected(self) -> Connection:
        if self._connection is not None and self._connection.open:
            return self._connection
        self._drop()
        connection = await self._address.connect()
        try:
            await self._load(connection)
        except BaseException:
            connection.end()
            raise
        self._connection = connection
        return connection

    async def close(self) -> None:
        """Let go of the connection; whoever waits for replies is told nothing any more."""
        self._done = None
        if self._clock is not None:
            self._clock.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        self._drop()

    def carry(self, commands: Sequence[Command], done: Done) -> None:
        """`done` is given the replies, `ErrorReply`s among them, or None if Redis can't be reached: some may have been done.

        It is called later, and until then nothing else may be asked.
        """
        self._commands, self._done = commands, done
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + TIMEOUT
        if self._connection is not None and self._connection.open:
            self._connection.ask(encode(commands), len(commands)).add_done_callback(self._answered)
            if self._clock is None:
                self._clock = loop.call_at(self._deadline, self._late)
        else:
            self._task = loop.create_task(self._go_round())

    def _answered(self, answer: "asyncio.Future[Replies]") -> None:
        if self._done is None:
            answer.exception()
        elif answer.exception() is None and ErrorReply not in map(type, answer.result()):
            self._tell(answer.result())
        else:
            self._task = asyncio.get_running_loop().create_task(self._go_round(answer))

    def _late(self) -> None:
        """One clock for many pipelines, since nearly all of them are answered in time."""
        self._clock = None
        if self._done is None or self._connection is None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._deadline:
            self._clock = loop.call_at(self._deadline, self._late)
        else:
            self._connection.end(TimeoutError())

    def _tell(self, replies: Replies | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(replies)

    # --- with all that may go wrong ----------------------------------------------------------------

    async def _go_round(self, answer: "asyncio.Future[Replies] | None" = None) -> None:
        """Carry it out from what came of it so far, if anything did."""
        replies = None
        try:
            async with asyncio.timeout_at(self._deadline):
                replies = await self._pipeline(self._commands, answer)
        except (ErrorReply, OSError):
            self._drop()
        finally:
            self._tell(replies)

    async def _pipeline(
        self, commands: Sequence[Command], answer: "asyncio.Future[Replies] | None"
    ) -> Replies:
        try:
            replies = await self._execute(commands, answer)
        except ConnectionError:
            # The connection had ended meanwhile. Nothing here does harm if it is done twice.
            replies = await self._execute(commands)
        unknown = [at for at, reply in enumerate(replies) if _says(reply, "NOSCRIPT")]
        if unknown and self._connection is not None:
            # Somebody has emptied the Redis of scripts.
            await self._load(self._connection)
            again = await self._execute([commands[at] for at in unknown])
            for at, reply in zip(unknown, again, strict=True):
                replies[at] = reply
        return replies

    async def _execute(
        self, commands: Sequence[Command], answer: "asyncio.Future[Replies] | None" = None
    ) -> Replies:
        try:
            if answer is None:
                answer = (await self._connected()).ask(encode(commands), len(commands))
            return _checked(await answer)
        except BaseException:
            self._drop()
            raise

    async def _load(self, connection: Connection) -> None:
        refuse_errors(_checked(await connection.ask(encode(self._loading), len(self._loading))))

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.end()
            self._connection = None


def source(name: str) -> str:
    """The text of a script."""
    return (Path(__file__).parent / f"{name}.lua").read_text(encoding="utf-8")


def _checked(replies: Replies) -> Replies:
    for reply in replies:
        if _says(reply, *ENDINGS):
            raise ConnectionError(str(reply))
    return replies


def _says(reply: object, *codes: str) -> bool:
    return isinstance(reply, ErrorReply) and str(reply).startswith(codes)
