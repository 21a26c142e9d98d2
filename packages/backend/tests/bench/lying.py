"""A server that lies about one message of many, in the way that its argument says."""

import os
import sys
from typing import Any

from peers.relay import Relay, serve

EVERY = 20


class Liar(Relay):
    def __init__(self, secret: str, lie: str) -> None:
        super().__init__(secret)
        self._lie = lie
        self._count = 0
        self._held: dict[str, dict[str, Any]] = {}

    async def broadcast(self, room_id: str, message: dict[str, Any]) -> None:
        self._count += 1
        turn = self._count % EVERY == 0
        if turn and self._lie == "lose one":
            one = next(iter(self.server.manager.rooms["/"][room_id]))
            await self.emit("message:new", message, room=room_id, skip_sid=one)
        elif turn and self._lie == "lose all":
            return
        elif turn and self._lie == "repeat":
            await super().broadcast(room_id, message)
            await super().broadcast(room_id, message)
        elif turn and self._lie == "reorder" and room_id not in self._held:
            self._held[room_id] = message
        elif turn and self._lie == "elsewhere":
            await self.emit("message:new", message)
        else:
            await super().broadcast(room_id, message)
            if room_id in self._held:
                await super().broadcast(room_id, self._held.pop(room_id))


if __name__ == "__main__":
    serve(Liar(os.environ["RELAY_SECRET"], sys.argv[1]))
