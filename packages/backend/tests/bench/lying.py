"""A server that lies about one message of many, in the way that its argument says."""

import os
import sys
from typing import Any

from peers.memory import Memory, Payload
from peers.relay import Relay, serve

EVERY = 20


class Forgetful(Memory):
    def entered(self, payload: Payload) -> Payload:
        answer = super().entered(payload)
        if "messages" in answer:
            del answer["messages"][1]
        return answer


class Liar(Relay):
    def __init__(self, secret: str, lie: str) -> None:
        super().__init__(secret)
        self._lie = lie
        self._count_of_messages = 0
        self._held: dict[str, dict[str, Any]] = {}
        if lie == "forget":
            self._memory = Forgetful(secret)

    async def broadcast(self, room_id: str, message: dict[str, Any]) -> None:
        self._count_of_messages += 1
        turn = self._count_of_messages % EVERY == 0
        if turn and self._lie == "lose one":
            await self.emit("message:new", message, room=room_id, skip_sid=self._one(room_id))
        elif turn and self._lie == "lose all":
            return
        elif turn and self._lie == "repeat":
            await super().broadcast(room_id, message)
            await super().broadcast(room_id, message)
        elif turn and self._lie == "reorder" and room_id not in self._held:
            self._held[room_id] = message
        elif turn and self._lie == "elsewhere":
            await self.emit("message:new", message)
        elif turn and self._lie == "change one":
            one = self._one(room_id)
            changed = {**message, "content": message["content"] + "!"}
            await self.emit("message:new", message, room=room_id, skip_sid=one)
            await self.emit("message:new", changed, to=one)
        else:
            await super().broadcast(room_id, message)
            if room_id in self._held:
                await super().broadcast(room_id, self._held.pop(room_id))

    async def emit(self, event: str, data: Any = None, *args: Any, **more: Any) -> None:
        if event == "message:stream:chunk" and data["index"] == EVERY:
            if self._lie == "lose a chunk":
                return
            if self._lie == "lose a chunk of one":
                more["skip_sid"] = self._one(more["room"])
        await super().emit(event, data, *args, **more)

    def _one(self, room_id: str) -> str:
        return str(next(iter(self.server.manager.rooms["/"][room_id])))


if __name__ == "__main__":
    serve(Liar(os.environ["RELAY_SECRET"], sys.argv[1]))
