"""The server that is attacked, as it is served: an echo, and whatever fills what waits for a client.

`python -m tests.socket_io.hostile.victim [--asgi]` prints `ready: URL`.
"""

import argparse
import asyncio
import socket
from collections import Counter
from typing import Any

import uvicorn

from rejoinder_socketio import CloseReason, Connection, Event, Handler, Malformed, Options, Server

NAMESPACES = 40
LIMIT = 1_000_000
LINGER = 1.0
RECEIVE_BYTES = 64 * 1024
WATCH_SECONDS = 0.002
SLOW = "slow"


class Victim(Handler):
    """Answers `echo`; `pour` sends a lot, `hold` keeps its client waiting, `report` says what has been."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.poured: Counter[str] = Counter()
        self.peak = 0
        self.late: list[float] = []
        self.watching = False
        self._watcher: asyncio.Task[None] | None = None

    async def on_connect(self, connection: Connection, auth: Any) -> None:
        if self.watching and self._watcher is None:
            self._watcher = asyncio.create_task(self.watch())
        connection.state = auth.get("name", "") if isinstance(auth, dict) else ""

    def on_event(self, connection: Connection, event: Event) -> Any:
        if event.name == "echo":
            event.ack(*event.arguments)
        elif event.name == "pour":
            return self._pour(connection, *event.arguments)
        elif event.name == "hold":
            return asyncio.sleep(event.arguments[0])
        elif event.name == "report":
            if event.arguments:
                event.ack(self._lateness())
                return None
            event.ack({"seen": self.seen, "poured": self.poured, "peak": self.peak})
        return None

    def _lateness(self) -> float:
        """The p99 of the milliseconds that the event loop came late since the last time."""
        late, self.late = sorted(self.late), []
        return 1000 * late[int(len(late) * 0.99)] if late else 0.0

    async def watch(self) -> None:
        """See how late the event loop comes."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + WATCH_SECONDS
            await asyncio.sleep(WATCH_SECONDS)
            self.late.append(loop.time() - due)

    async def _pour(self, connection: Connection, kind: str, size: int, times: int) -> None:
        """Send so much of that kind; `both` sends a lasting one once the volatile ones are skipped."""
        text = "x" * size
        for number in range(times):
            if not connection.is_open:
                return
            connection.emit("drop", number, text, volatile=kind == "volatile")
            self.poured[kind] += 1
            self.peak = max(self.peak, connection.session.outlet.waiting())
            await asyncio.sleep(0)

    def on_slow(self, connection: Connection) -> None:
        self.seen[SLOW] += 1

    def on_disconnect(self, connection: Connection, reason: CloseReason) -> None:
        if connection.state:
            self.seen[f"{connection.state}: {reason}"] += 1


class Lenient(Victim):
    """Answers what it can't understand, as an application may."""

    def on_malformed(self, connection: Connection, ack_id: int | None, error: Malformed) -> None:
        if ack_id is not None:
            connection.ack(ack_id, error.problem)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--asgi", action="store_true", help="WebSockets over ASGI")
    parser.add_argument("--ping", type=float, nargs=2, default=(25.0, 20.0))
    parser.add_argument("--watch", action="store_true", help="see how late the event loop comes")
    parser.add_argument("--head-timeout", type=float, default=5.0)
    given = parser.parse_args()
    handler, names = Victim(), [f"/{number}" for number in range(NAMESPACES)]
    interval, timeout = given.ping
    server = Server(
        {"/": handler, "/lenient": Lenient(), **dict.fromkeys(names, handler)},
        Options(
            max_payload=LIMIT,
            ping_interval=interval,
            ping_timeout=timeout,
            head_timeout=given.head_timeout,
            linger=LINGER,
        ),
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    config = uvicorn.Config(
        server,
        http=server.http_protocol,  # type: ignore[arg-type]
        ws="auto" if given.asgi else server.websocket_protocol,  # type: ignore[arg-type]
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="warning",
        access_log=False,
    )
    print(f"ready: http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201
    if given.watch:
        handler.watching = True
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
