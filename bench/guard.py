"""Count what the hot paths call, for a small load that is always the same, and hold it to a budget.

Calls are counted and not seconds, so that the figure is the same on every machine, and a path that became longer is seen when
it is written. Counted are the calls in the code of the chat and of its Socket.IO server on the event loop's thread, of
functions in Python and in C.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn
from uvicorn.server import ServerState

from frames import frame, upgrade
from people import token_of
from rejoinder import ChatServer

SECRET = "a-secret-that-is-only-for-counting-calls"  # noqa: S105 - it opens nothing
CLIENTS = 40
ROUNDS = 9
SECONDS = 20.0
EXPIRES = 4_102_444_800.0
OURS = ("/rejoinder/", "/rejoinder_socketio/")
SLACK = 1.02
"""What a count may be above its budget: turns of the event loop may fall a little differently."""

BUDGETS = {
    "a connect that enters a new room": 570.2,
    "a send in a pair": 146.8,
    "a delivery in a room of 40": 13.2,
}


class Transport(asyncio.Transport):
    """Takes what is written, as a socket that is never full does."""

    def __init__(self, news: asyncio.Event) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self._news = news
        self.written: list[bytes] = []
        self.protocol: asyncio.Protocol | None = None

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))
        self._news.set()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = cast("asyncio.Protocol", protocol)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...
    def abort(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Client:
    """A client without a network."""

    def __init__(
        self, chat: ChatServer, config: uvicorn.Config, news: asyncio.Event, user: str
    ) -> None:
        self.user = user
        self._transport = Transport(news)
        protocol = chat.http_protocol(config, ServerState(), {})
        protocol.connection_made(self._transport)
        protocol.data_received(upgrade("localhost", 80, "/socket.io/?EIO=4&transport=websocket"))

    @property
    def heard(self) -> bytes:
        """Everything that came."""
        return b"".join(self._transport.written)

    def say(self, packet: bytes) -> None:
        """Send a packet."""
        if self._transport.protocol is None:
            raise RuntimeError("nobody listens")
        self._transport.protocol.data_received(frame(packet))


@dataclass
class Counter:
    """Counts calls while it is switched on."""

    calls: int = 0

    def __call__(self, at: FrameType, event: str, _argument: object) -> None:
        if event in {"call", "c_call"} and any(part in at.f_code.co_filename for part in OURS):
            self.calls += 1


async def until(news: asyncio.Event, met: Callable[[], bool]) -> None:
    """Return when that is so; it is looked at whenever something has been written.

    Raises:
        TimeoutError: it never is.
    """
    async with asyncio.timeout(SECONDS):
        while not met():
            news.clear()
            await news.wait()


async def entered(
    chat: ChatServer, news: asyncio.Event, room_of: Callable[[int], str], who: str = "user"
) -> list[Client]:
    """Clients in their rooms."""
    http, websockets = chat.http_protocol, chat.websocket_protocol
    config = uvicorn.Config(chat, http=http, ws=websockets, lifespan="off", log_config=None)
    config.load()
    clients = [Client(chat, config, news, f"{who} {number}") for number in range(CLIENTS)]
    await asyncio.sleep(0)
    for client in clients:
        token = token_of(client.user, SECRET.encode(), EXPIRES)
        client.say(b'40{"token":"%b"}' % token.encode())
    await until(news, lambda: all(b"40{" in client.heard for client in clients))
    for number, client in enumerate(clients):
        client.say(b'420["room:join",{"roomId":"%b"}]' % room_of(number).encode())
    await until(news, lambda: all(b"430[" in client.heard for client in clients))
    return clients


def _all_heard(clients: list[Client], what: bytes) -> bool:
    return all(what in client.heard for client in clients)


async def count_connects(chat: ChatServer) -> int:
    """The calls of as many connects at the same time, from the first byte to the answer of `room:join`; the smallest of some."""
    counts: list[int] = []
    for number in range(ROUNDS):
        counter = Counter()
        sys.setprofile(counter)
        await entered(chat, asyncio.Event(), f"new {number} {{}}".format, f"new {number}")
        sys.setprofile(None)
        counts.append(counter.calls)
    return min(counts)


async def count(chat: ChatServer, room_of: Callable[[int], str], senders: int) -> int:
    """The calls of a round in which each of the senders sends a message at the same time.

    The smallest of some: what the server does now and then, whoever sends, may fall into a round, and more so on a busy machine.
    """
    news = asyncio.Event()
    clients = await entered(chat, news, room_of)
    counts: list[int] = []
    for number in range(1, ROUNDS + 1):
        counter = Counter()
        sys.setprofile(counter if number > 1 else None)
        for at, client in enumerate(clients[:senders]):
            message = b'{"roomId":"%b","content":"hello","messageId":"%d %d %d"}'
            identity = (room_of(at).encode(), id(clients), number, at)
            client.say(b'42%d["message:send",%b]' % (number, message % identity))
        sys.setprofile(None)
        acked = b"43%d[" % number
        # The rest happens on the event loop; what this function does there is not in the code that is counted.
        sys.setprofile(counter if number > 1 else None)
        await until(news, partial(_all_heard, clients[:senders], acked))
        sys.setprofile(None)
        if number == 1:
            # The first message gives each room its title, once, which is no part of a send.
            await until(news, partial(_all_heard, clients, b"room:updated"))
        else:
            counts.append(counter.calls)
    return min(counts)


async def main() -> int:
    """Count, print, and say whether a budget was exceeded."""
    with tempfile.TemporaryDirectory() as folder:
        settings: dict[str, Any] = {"jwt_secret": SECRET, "send_rate": 1e6, "send_burst": 10**6}
        chat = ChatServer(data_dir=Path(folder), **settings)
        await chat.start()
        try:
            connects = await count_connects(chat)
            pairs = await count(chat, lambda at: f"pair {at // 2}", CLIENTS)
            crowd = await count(chat, lambda _: "crowd", 1)
        finally:
            await chat.stop()
    counts = {
        "a connect that enters a new room": connects / CLIENTS,
        "a send in a pair": pairs / CLIENTS,
        "a delivery in a room of 40": crowd / CLIENTS,
    }
    worse = False
    for what, budget in BUDGETS.items():
        over = counts[what] > budget * SLACK
        worse |= over
        print(f"{what}: {counts[what]:.1f} calls, of {budget:.1f}{' - too many' if over else ''}")
    if worse:
        print("The hot path has become longer. Shorten it, or raise the budget and say what for.")
    return int(worse)


if __name__ == "__main__":
    _run: Callable[[Coroutine[Any, Any, int]], int] = asyncio.run
    sys.exit(_run(main()))
