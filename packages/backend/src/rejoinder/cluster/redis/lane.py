"""The commands of one server, in their order: all that gathers while some are under way goes out together."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from rejoinder.cluster.redis.address import Address
from rejoinder.cluster.redis.pipe import Pipe
from rejoinder.cluster.redis.resp import Command, ErrorReply
from rejoinder.cluster.redis.wire import seen
from rejoinder.errors import Unavailable

WAITING_MAX: Final = 20_000
AT_ONCE: Final = 1_000
SLICE: Final = 500
AWAY: Final = "The servers can't reach each other. Try again in a moment."
RETRY_MS: Final = 1000


@dataclass(slots=True)
class Asked:
    """A command and who waits for its answer."""

    command: Command
    answer: "asyncio.Future[Any]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Lane:
    """One pipeline at a time. After a failure everything is refused at once, but for probes, until one is answered.

    The next one waits for the answers to the last, although Redis would take it: so what is said under load joins, and less of
    it goes out, is heard, and is held here.
    """

    def __init__(self, address: Address, gather: Callable[[], Sequence[Command]]) -> None:
        """`gather` is asked, before each pipeline, for what needs no answer."""
        self._pipe = Pipe(address)
        self.script = self._pipe.script
        self._gather = gather
        self._waiting: list[Asked] = []
        self._under_way: list[Asked] = []
        self._news = self._busy = self._closed = False
        self.up = True
        self.commands = 0
        self._log = structlog.get_logger("rejoinder.cluster")

    def news(self) -> None:
        """There is something to gather."""
        if not self._news:
            self._news = True
            if not self._busy:
                # All that is said in this turn of the loop goes out together.
                asyncio.get_running_loop().call_soon(self._begin)

    def ask(self, command: Command, *, probe: bool = False) -> "asyncio.Future[Any]":
        """Its answer; `probe`: it is asked also while there are no answers, to find out whether there are again.

        Raises:
            Unavailable: from the answer; it may have been done or not.
        """
        asked = Asked(command)
        # Nobody may be interested in the answer, nor in that there is none.
        asked.answer.add_done_callback(seen)
        if (not self.up and not probe) or self._closed or len(self._waiting) >= WAITING_MAX:
            asked.answer.set_exception(Unavailable(AWAY, RETRY_MS))
        else:
            self._waiting.append(asked)
            self.news()
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

    async def open(self) -> None:
        """Be connected.

        Raises:
            ErrorReply, OSError: that can't be.
        """
        await self._pipe.open()

    async def close(self) -> None:
        """Let go of the connection; what has not been done is not done any more."""
        self._closed = True
        await self._pipe.close()
        self._refuse()

    # --- one pipeline after the other --------------------------------------------------------------

    def _begin(self) -> None:
        """Send what has gathered, unless something is under way."""
        if self._busy or self._closed:
            return
        self._under_way, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        self._news = bool(self._waiting)
        commands = [each.command for each in self._under_way]
        commands += self._gather()
        if commands:
            self.commands += len(commands)
            self._pipe.carry(commands, self._done)
            self._busy = True

    def _done(self, replies: list[Any] | None) -> None:
        self._busy = False
        if replies is None:
            self._refuse()
        else:
            self.up = True
            asked, self._under_way = self._under_way, []
            for each, reply in zip(asked, replies, strict=False):
                self._answer(each, reply)
            for reply in replies[len(asked) :]:
                if isinstance(reply, ErrorReply):
                    self._complain(reply)
        if self._news:
            self._begin()

    def _refuse(self) -> None:
        self.up = False
        left, self._under_way, self._waiting = self._under_way + self._waiting, [], []
        for each in left:
            if not each.answer.done():
                each.answer.set_exception(Unavailable(AWAY, RETRY_MS))

    def _answer(self, asked: Asked, reply: Any) -> None:
        if asked.answer.done():
            return
        if isinstance(reply, ErrorReply):
            self._complain(reply)
            asked.answer.set_exception(Unavailable(AWAY, RETRY_MS))
        else:
            asked.answer.set_result(reply)

    def _complain(self, refusal: ErrorReply) -> None:
        self._log.error("Redis refused a command", reason=str(refusal)[:200])
