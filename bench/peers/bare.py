"""The chat's path through our own Socket.IO server alone, in memory, as relay.py goes it through python-socketio."""

import asyncio
import os
from typing import Any

import uvicorn

from peers.memory import DONE, Count, Memory, Payload, listen
from rejoinder_socketio import Connection, Event, Handler, Refused, Server


class Bare(Handler):
    """The default namespace; the state of a connection is its user."""

    def __init__(self, secret: str) -> None:
        self.server = Server({"/": self})
        self._memory = Memory(secret)
        self._counts: set[asyncio.Task[None]] = set()

    async def on_connect(self, connection: Connection, auth: Any) -> None:
        user = self._memory.user_of(auth)
        if user is None:
            raise Refused("unauthorized", {"code": "unauthorized"})
        connection.state = user

    def on_event(self, connection: Connection, event: Event) -> None:
        payload: Payload = event.arguments[0]
        match event.name:
            case "room:join":
                connection.join(payload["roomId"])
                event.ack(self._memory.entered(payload))
            case "heartbeat":
                event.ack(DONE)
            case "message:send":
                self._send(connection, event, payload)
            case "message:send:stream":
                self._send(connection, event, payload)
                count = self._count(payload["roomId"], self._memory.count(payload))
                task = asyncio.create_task(count)
                self._counts.add(task)
                task.add_done_callback(self._counts.discard)
            case _:
                pass

    def _send(self, connection: Connection, event: Event, payload: Payload) -> None:
        message, answer = self._memory.store(connection.state, payload)
        event.ack(answer)
        self.server.to(payload["roomId"]).emit("message:new", message)

    async def _count(self, room_id: str, count: Count) -> None:
        self.server.to(room_id).emit("message:stream:start", count.start)
        async for chunk in count.chunks():
            self.server.to(room_id).emit("message:stream:chunk", chunk)
        self.server.to(room_id).emit("message:stream:end", count.end)


def serve(secret: str) -> None:
    """Serve on a free port of this machine until SIGTERM."""
    server = Bare(secret).server
    # uvicorn calls them; only their annotations want classes.
    protocol: Any = server.websocket_protocol
    http: Any = server.http_protocol
    config = uvicorn.Config(
        server,
        http=http,
        ws=protocol,
        log_level="warning",
        access_log=False,
        ws_per_message_deflate=False,
    )
    uvicorn.Server(config).run(sockets=[listen()])


if __name__ == "__main__":
    serve(os.environ["RELAY_SECRET"])
