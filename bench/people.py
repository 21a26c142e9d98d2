"""What all loads do with their clients: sign them in, let them into rooms, see that nothing is on its way any more."""

import asyncio
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from typing import Any, Self

import msgspec

from figures import Plan
from wire import Connection, Listener, Run

AT_ONCE = 50
SET_UP_SECONDS = 120.0
TOKEN_SECONDS = 24 * 3600


def base64(data: bytes) -> bytes:
    """As tokens have it: without padding."""
    return urlsafe_b64encode(data).rstrip(b"=")


# By hand, because a library takes as long for it as a server does for a whole connect.
_HEAD = base64(b'{"alg":"HS256","typ":"JWT"}') + b"."


def token_of(user: str, secret: bytes, expires: float) -> str:
    """An HS256 token."""
    claims = {"sub": user, "iat": int(time.time()), "exp": int(expires)}
    signed = _HEAD + base64(msgspec.json.encode(claims))
    return (signed + b"." + base64(hmac.digest(secret, signed, "sha256"))).decode()


async def each(work: Sequence[Coroutine[Any, Any, object]], at_once: int = AT_ONCE) -> None:
    """Do all of it, a few at a time, so that no backlog overflows."""
    slots = asyncio.Semaphore(at_once)

    async def one(coroutine: Coroutine[Any, Any, object]) -> None:
        async with slots:
            await coroutine

    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(one(coroutine))
    finally:
        # Where one has failed, others may not have begun.
        for coroutine in work:
            coroutine.close()


class People:
    """Makes clients, each with a name and a token of their own; all are gone when it is left."""

    def __init__(self, run: Run, plan: Plan) -> None:
        self._run = run
        self._plan = plan
        # Several runs against one server must not meet.
        self.prefix = f"{plan.load}-{time.time_ns():x}"
        self._secret = plan.secret.encode()
        self._expires = time.time() + TOKEN_SECONDS
        self._last = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def room(self, number: int) -> str:
        """A room of this run."""
        return f"{self.prefix}-room-{number}"

    def new_room(self) -> str:
        """A room of the client who was made last."""
        return self.room(self._last)

    def client(self, listener: Listener | None = None) -> Connection:
        """A client who is not connected yet."""
        self._last += 1
        return self.client_of(self._last, listener)

    def client_of(self, user: int, listener: Listener | None = None) -> Connection:
        """The same for a user who may have been here before."""
        token = token_of(f"{self.prefix}-user-{user}", self._secret, self._expires)
        auth = b'{"token":"%b"}' % token.encode()
        return Connection(self._run, auth, listener or Listener())

    async def enter(self, client: Connection, room_id: str, **more: str) -> None:
        """Connect, and join that room."""
        self._stack.callback(client.close)
        await client.open(self._plan.url)
        await client.call("room:join", {"roomId": room_id, **more})

    async def fence(self, clients: Sequence[Connection]) -> None:
        """Wait until each has everything that the server had said to it before; an ack comes after that."""
        await each([client.call("heartbeat", {}) for client in clients])
