"""What all loads do with their clients: sign them in, let them into rooms, see that nothing is on its way any more."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import jwt
import msgspec

from figures import Plan
from wire import Connection, Run

AT_ONCE = 50
SET_UP_SECONDS = 120.0
TOKEN_SECONDS = 24 * 3600

Hear = Callable[[bytes], None]


def ignore(_event: bytes) -> None:
    """Hear nothing."""


async def each(work: Sequence[Coroutine[Any, Any, object]]) -> None:
    """Do all of it, a few at a time, so that no backlog overflows."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(coroutine: Coroutine[Any, Any, object]) -> None:
        async with slots:
            await coroutine

    async with asyncio.TaskGroup() as group:
        for coroutine in work:
            group.create_task(one(coroutine))


class People:
    """Makes clients, each with a name and a token of their own; all are gone when it is left."""

    def __init__(self, run: Run, plan: Plan) -> None:
        self._run = run
        self._plan = plan
        # Several runs against one server must not meet.
        self._prefix = f"{plan.load}-{time.time_ns():x}"
        self._last = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    def room(self, number: int) -> str:
        """A room of this run."""
        return f"{self._prefix}-room-{number}"

    def new_room(self) -> str:
        """A room of the client who was made last."""
        return self.room(self._last)

    def message(self, sender: int, number: int) -> str:
        """The id of a message of this run."""
        return f"{self._prefix}-{sender}-{number}"

    def client(self, hear: Hear = ignore) -> Connection:
        """A client who is not connected yet."""
        self._last += 1
        now = time.time()
        claims = {"sub": f"{self._prefix}-user-{self._last}", "iat": int(now)}
        token = jwt.encode(
            {**claims, "exp": now + TOKEN_SECONDS}, self._plan.secret, algorithm="HS256"
        )
        return Connection(self._run, msgspec.json.encode({"token": token}), hear)

    async def enter(self, client: Connection, room_id: str, **more: str) -> None:
        """Connect, and join that room."""
        self._stack.callback(client.close)
        await client.open(self._plan.url)
        await client.call("room:join", {"roomId": room_id, **more})

    async def fence(self, clients: Sequence[Connection]) -> None:
        """Wait until each has everything that the server had said to it before; an ack comes after that."""
        await each([client.call("heartbeat", {}) for client in clients])
