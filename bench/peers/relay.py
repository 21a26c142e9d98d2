"""The chat's path through python-socketio, in memory: the token is checked, members join, sends are acked and broadcast.

Nothing is validated, stored or deduplicated: what is left is what the server itself costs.
"""

import os
import socket
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import jwt
import socketio
import uvicorn

BACKLOG = 2048
DONE = {"success": True}


class Relay(socketio.AsyncNamespace):  # type: ignore[misc]
    """The default namespace."""

    def __init__(self, secret: str) -> None:
        super().__init__("/")
        self._secret = secret
        self._users: dict[str, str] = {}
        self._lengths: Counter[str] = Counter()

    async def trigger_event(self, event: str, *args: Any) -> object:
        """Hand an event of a client to what does it."""
        match event, args:
            case "connect", (sid, _environ, auth):
                return self._connect(sid, auth)
            case "disconnect", (sid, *_reason):
                self._users.pop(sid, None)
            case "room:join", (sid, payload):
                await self.enter_room(sid, payload["roomId"])
                return DONE
            case "heartbeat", (_sid, _payload):
                return DONE
            case "message:send", (sid, payload):
                return await self._send(sid, payload)
            case _:
                return None
        return None

    def _connect(self, sid: str, auth: Any) -> bool:
        try:
            claims = jwt.decode(auth["token"], self._secret, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            return False
        self._users[sid] = claims["sub"]
        return True

    async def _send(self, sid: str, payload: dict[str, Any]) -> dict[str, Any]:
        room_id, message_id = payload["roomId"], payload["messageId"]
        self._lengths[room_id] += 1
        seq = self._lengths[room_id]
        timestamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        message = {
            "id": message_id,
            "roomId": room_id,
            "seq": seq,
            "role": "user",
            "senderId": self._users[sid],
            "content": payload["content"],
            "state": "complete",
            "timestamp": timestamp,
        }
        await self.broadcast(room_id, message)
        return {**DONE, "messageId": message_id, "timestamp": timestamp, "seq": seq}

    async def broadcast(self, room_id: str, message: dict[str, Any]) -> None:
        """Send a message to everybody in the room."""
        await self.emit("message:new", message, room=room_id)


def serve(relay: Relay) -> None:
    """Serve on a free port of this machine, and tell which, until SIGTERM."""
    # One client's events in the order in which they were sent, as the chat needs them.
    sio = socketio.AsyncServer(async_mode="asgi", async_handlers=False)
    sio.register_namespace(relay)
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    config = uvicorn.Config(
        socketio.ASGIApp(sio), log_level="warning", access_log=False, ws_per_message_deflate=False
    )
    print(f"ready: http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    serve(Relay(os.environ["RELAY_SECRET"]))
