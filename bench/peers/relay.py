"""The chat's path through python-socketio, in memory: the token is checked, members join, sends are acked and broadcast.

Nothing is validated, stored or deduplicated: what is left is what the server itself costs.
"""

import asyncio
import os
from typing import Any

import socketio
import uvicorn

from peers.memory import DONE, Count, Memory, Payload, listen


class Relay(socketio.AsyncNamespace):  # type: ignore[misc]
    """The default namespace."""

    def __init__(self, secret: str) -> None:
        super().__init__("/")
        self._memory = Memory(secret)
        self._users: dict[str, str] = {}
        self._counts: set[asyncio.Task[None]] = set()

    async def trigger_event(self, event: str, *args: Any) -> object:
        """Hand an event of a client to what does it."""
        match event, args:
            case "connect", (sid, _environ, auth):
                return self._connect(sid, auth)
            case "disconnect", (sid, *_reason):
                self._users.pop(sid, None)
            case "room:join", (sid, payload):
                await self.enter_room(sid, payload["roomId"])
                return self._memory.entered(payload)
            case "heartbeat", (_sid, _payload):
                return DONE
            case (("message:send" | "message:send:stream"), (sid, payload)):
                answer = await self._send(sid, payload)
                if event == "message:send:stream":
                    self._begin(payload)
                return answer
            case _:
                return None
        return None

    def _connect(self, sid: str, auth: Any) -> bool:
        user = self._memory.user_of(auth)
        if user is None:
            return False
        self._users[sid] = user
        return True

    async def _send(self, sid: str, payload: Payload) -> Payload:
        message, answer = self._memory.store(self._users[sid], payload)
        await self.broadcast(payload["roomId"], message)
        return answer

    async def broadcast(self, room_id: str, message: Payload) -> None:
        """Send a message to everybody in the room."""
        await self.emit("message:new", message, room=room_id)

    def _begin(self, payload: Payload) -> None:
        count = self._count(payload["roomId"], self._memory.count(payload))
        task = asyncio.create_task(count)
        self._counts.add(task)
        task.add_done_callback(self._counts.discard)

    async def _count(self, room_id: str, count: Count) -> None:
        await self.emit("message:stream:start", count.start, room=room_id)
        async for chunk in count.chunks():
            await self.emit("message:stream:chunk", chunk, room=room_id)
        await self.emit("message:stream:end", count.end, room=room_id)


def serve(relay: Relay) -> None:
    """Serve on a free port of this machine until SIGTERM."""
    # One client's events in the order in which they were sent, as the chat needs them.
    sio = socketio.AsyncServer(async_mode="asgi", async_handlers=False)
    sio.register_namespace(relay)
    config = uvicorn.Config(
        socketio.ASGIApp(sio), log_level="warning", access_log=False, ws_per_message_deflate=False
    )
    uvicorn.Server(config).run(sockets=[listen()])


if __name__ == "__main__":
    serve(Relay(os.environ["RELAY_SECRET"]))
