"""Which server a room is at home on, for servers that don't ask each other."""

from collections.abc import Iterable
from hashlib import blake2b

BUSY_SECONDS = 2.0
"""For so long a room counts as busy after servers were in each other's way there."""


def home_of(room_id: str, servers: Iterable[str]) -> str:
    """One of these servers, the same one for all who ask; a server that comes or goes changes little for the other rooms.

    By rendezvous hashing (Thaler, Ravishankar 1996): the one with the highest weight for this room.
    """
    return max(servers, key=lambda server: (_weight(room_id, server), server))


def _weight(room_id: str, server: str) -> bytes:
    return blake2b(f"{server} {room_id}".encode(), digest_size=8).digest()
