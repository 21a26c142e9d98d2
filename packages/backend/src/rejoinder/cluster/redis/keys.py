"""The names of everything that is kept in Redis. They are pinned: servers of two versions may run side by side.

| key | holds | lives |
|---|---|---|
| `servers` | each server with the time of its last beat (ms) | 60 s after the last beat of any |
| `user:{id}` | a hash: each connection as JSON `[server, device, since, room, character]` | 10 min, renewed |
| `session:{id}` | the session as JSON `[room, character, disconnectedAt]` | the session timeout |
| `owed:{server}` | a set: connections of that server that were replaced, of which it has not said that it knows | 60 s |
| `room:{id}` | a set: the servers that have something in the room | 10 min, renewed |

`to:{server}` is the channel of a server. Channels know no databases, so the number of the database is part of every name.
"""

from dataclasses import dataclass
from typing import Final

KEPT_MS: Final = 600_000
"""How long what is renewed lives without that."""
RENEW_SECONDS: Final = 180.0
LOST_MS: Final = 2_500
"""A server that has not beaten for so long is taken for gone."""
FORGET_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Keys:
    """The names, for the database of that number."""

    database: int

    @property
    def prefix(self) -> str:
        return f"rejoinder:{self.database}:"

    @property
    def servers(self) -> str:
        return f"{self.prefix}servers"

    @property
    def channels(self) -> str:
        """What the name of a server's channel begins with."""
        return f"{self.prefix}to:"

    def channel(self, server: str) -> str:
        return self.channels + server

    def owed(self, server: str) -> str:
        return f"{self.prefix}owed:{server}"

    def user(self, user_id: str) -> str:
        return f"{self.prefix}user:{user_id}"

    def session(self, user_id: str) -> str:
        return f"{self.prefix}session:{user_id}"

    def room(self, room_id: str) -> str:
        return f"{self.prefix}room:{room_id}"
