"""The commands of one server, in their order: all that gathers while some are under way goes out together."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
    NoScriptError,
    RedisError,
)

from rejoinder.cluster.redis.wire import Command, Wire
from rejoinder.errors import Unavailable

TIMEOUT: Final = 1.0
WAITING_MAX: Final = 20_000
AT_ONCE: Final = 1_000
SLICE: Final = 500
AWAY: Final = "The servers can't reach each other. Try again in a moment."
RETRY_MS: Final = 1000
SCRIPTS: Final = ("beat", "claim", "release", "connected", "listen")


@dataclass(slots=True)
class Asked:
    """A command and who waits for its answer; `probe`: it finds out whether there are answers again."""

    command: Command
    answer: "asyncio.Future[Any]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Lane:
    """One pipeline at a time. After a failure everything is refused at once, but for probes, until one is answered."""

    def __init__(self, client: "Redis", gather: Callable[[], Sequence[Command]]) -> None:
        """`gather` is asked, before each pipeline, for what needs no answer."""
        self._wire = Wire(client)
        self._gather = gather
        self._waiting: list[Asked] = []
        self._news = asyncio.Event()
        self._shas: dict[str, bytes] = {}
        self.up = True
        self.commands = 0
        self._log = structlog.get_logger("rejoinder.cluster")

    def news(self) -> None:
        """There is something to gather."""
        self._news.set()

    def script(self, name: str, keys: Sequence[str], *arguments: str | int) -> Command:
        """The command that runs a script."""
        return ("EVALSHA", name, len(keys), *keys, *arguments)

    def ask(self, command: Command, *, probe: bool = False) -> "asyncio.Future[Any]":
        """Its answer.

        Raises:
            Unavailable: from the answer; it may have been done or not.
        """
        asked = Asked(command)
        # Nobody may be interested in the answer, nor in that there is none.
        asked.answer.add_done_callback(_seen)
        if (not self.up and not probe) or len(self._waiting) >= WAITING_MAX:
            asked.answer.set_exception(Unavailable(AWAY, RETRY_MS))
        else:
            self._waiting.append(asked)
            self._news.set()
        return asked.answer

    async def ask_all(self, commands: Mapping[str, Command]) -> list[tuple[str, Any]]:
        """Their answers, by the same keys; not all at once, so that others have their turn.

        Raises:
            Unavailable: some were not answered.
        """
        answers: list[tuple[str, Any]] = []
        waiting = list(commands.items())
        for at in range(0, len(waiting), SLICE):
            part = waiting[at : at + SLICE]
            replies = await asyncio.gather(*(self.ask(command) for _, command in part))
            answers += [(key, reply) for (key, _), reply in zip(part, replies, strict=True)]
        return answers

    def tell(self, command: Command) -> None:
        """The same, where the answer is of no interest."""
        _ = self.ask(command)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._wire.drop()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._news.wait()
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            batch += [Asked(command) for command in self._gather()]
            if not self._waiting:
                self._news.clear()
            if batch:
                await self._carry_out(batch)

    async def _carry_out(self, batch: list[Asked]) -> None:
        self.commands += len(batch)
        try:
            async with asyncio.timeout(TIMEOUT):
                replies = await self._pipeline([each.command for each in batch])
        except (RedisError, OSError, TimeoutError):
            self.up = False
            self._shas.clear()
            left, self._waiting = self._waiting, []
            for each in (*batch, *left):
                if not each.answer.done():
                    each.answer.set_exception(Unavailable(AWAY, RETRY_MS))
                    each.answer.exception()
            return
        self.up = True
        for each, reply in zip(batch, replies, strict=True):
            if each.answer.done():
                continue
            if isinstance(reply, Exception):
                self._log.error("Redis refused a command", reason=str(reply)[:200])
                each.answer.set_exception(Unavailable(AWAY, RETRY_MS))
                each.answer.exception()
            else:
                each.answer.set_result(reply)

    async def _pipeline(self, commands: Sequence[Command]) -> list[Any]:
        try:
            replies = await self._execute(commands)
        except RedisConnectionError:
            # The connection had ended meanwhile. Nothing here does harm if it is done twice.
            self._shas.clear()
            replies = await self._execute(commands)
        unknown = [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            # The Redis has been started anew since the scripts were loaded.
            self._shas.clear()
            again = await self._execute([commands[at] for at in unknown])
            for at, reply in zip(unknown, again, strict=True):
                replies[at] = reply
        return replies

    async def _execute(self, commands: Sequence[Command]) -> list[Any]:
        if not self._shas:
            loading: list[Command] = [("SCRIPT", "LOAD", source(name)) for name in SCRIPTS]
            for name, sha in zip(SCRIPTS, await self._wire.ask(loading), strict=True):
                if isinstance(sha, RedisError):
                    raise sha
                self._shas[name] = sha
        return await self._wire.ask(
            [
                ("EVALSHA", self._shas[str(command[1])], *command[2:])
                if command[0] == "EVALSHA"
                else command
                for command in commands
            ]
        )


def source(name: str) -> str:
    """The text of a script."""
    return (Path(__file__).parent / f"{name}.lua").read_text(encoding="utf-8")


def _seen(answer: "asyncio.Future[Any]") -> None:
    if not answer.cancelled():
        answer.exception()
