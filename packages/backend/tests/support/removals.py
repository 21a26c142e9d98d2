"""Somebody who is removed from a room in the moment in which they are entering it."""

import asyncio
from dataclasses import dataclass

from tests.support.chat import Chat
from tests.support.process import ServerProcess
from tests.support.rest import request
from tests.support.tokens import token

WAYS = ("socket", "create", "add")


@dataclass(frozen=True, slots=True)
class Removal:
    """Of `bob`, by `alice`, each on a server, which may be the same."""

    alice: Chat
    alices: ServerProcess
    bob: Chat
    bobs: ServerProcess

    async def while_entering(self, room: str, way: str, delay: float) -> None:
        """Alice makes the room and adds Bob, who enters it eight times at once while she removes him; the list must not have him.

        `delay` is the seconds until she does: it only varies the moment, and nothing is waited for by it.
        """
        by_alice, by_bob = token(self.alice.user_id), token(self.bob.user_id)
        path = f"/api/rooms/{room}/members/{self.bob.user_id}"
        await self.alice.join(room)
        await request(self.alices, "PUT", path, bearer=by_alice)

        async def enter() -> None:
            if way == "socket":
                await self.bob.call("room:rejoin", {"roomId": room})
            elif way == "create":
                body = {"roomId": room}
                await request(self.bobs, "POST", "/api/rooms", bearer=by_bob, body=body)
            else:
                await request(self.bobs, "PUT", path, bearer=by_bob)

        entering = [asyncio.create_task(enter()) for _ in range(8)]
        await asyncio.sleep(delay)
        removed = await request(self.alices, "DELETE", path, bearer=by_alice)
        assert removed.status == 200
        await asyncio.gather(*entering)
        members = await request(self.alices, "GET", f"/api/rooms/{room}/members", bearer=by_alice)
        assert [each["userId"] for each in members.body["members"]] == [self.alice.user_id]
