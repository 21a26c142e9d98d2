"""What the peers that are written in Python do besides serving Socket.IO: as little as the loads ask for, in memory."""

import asyncio
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import jwt

BACKLOG = 2048
KEPT = 50
CHUNK_SECONDS = 0.03
"""The chat joins what a character writes for so long."""
DONE = {"success": True}

Payload = dict[str, Any]


def now() -> str:
    """As messages have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def listen() -> socket.socket:
    """A free port of this machine, and tell which."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    print(f"ready: http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    return listener


class Count:
    """What a character writes that was told `/count N delayMs`, as events of the same size as the chat's."""

    def __init__(self, payload: Payload, seq: int) -> None:
        _, last, delay = payload["content"].split()
        self._last = int(last)
        self._delay = int(delay) / 1000
        self._written = self._index = self._offset = 0
        self._place = {"roomId": payload["roomId"], "messageId": f"{payload['roomId']}-{seq}"}
        self.start = {
            **self._place, "characterId": payload["characterId"], "replyTo": "", "seq": seq,
            "timestamp": now(),
        }  # fmt: skip

    async def chunks(self) -> AsyncIterator[Payload]:
        """All chunks at their times."""
        begun = time.monotonic()
        while not self.done:
            # Counted from the beginning, so that what the others do makes it no slower.
            due = begun + (self._index + 1) * CHUNK_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            yield self.chunk(time.monotonic() - begun)

    @property
    def done(self) -> bool:
        """Whether all is written."""
        return self._written == self._last

    def chunk(self, seconds: float) -> Payload:
        """What is written since, so many seconds after the beginning."""
        until = min(self._last, max(self._written + 1, 1 + int(seconds / self._delay)))
        delta = "".join(f" {number}" for number in range(self._written + 1, until + 1))
        if not self._written:
            delta = delta[1:]
        chunk = {**self._place, "index": self._index, "offset": self._offset, "delta": delta}
        self._written = until
        self._index += 1
        self._offset += len(delta)
        return chunk

    @property
    def end(self) -> Payload:
        """All of it."""
        content = " ".join(map(str, range(1, self._last + 1)))
        return {**self._place, "content": content, "state": "complete", "timestamp": now()}


class Room:
    """The newest messages of a room, and how many there were."""

    def __init__(self) -> None:
        self.seq = 0
        self.kept: deque[Payload] = deque(maxlen=KEPT)

    def after(self, message_id: str) -> Sequence[Payload]:
        """The messages after that one; all where it is not there any more."""
        messages = list(self.kept)
        places = [place for place, message in enumerate(messages) if message["id"] == message_id]
        return messages[places[-1] + 1 :] if places else messages


class Memory:
    """A chat's rooms."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._rooms: dict[str, Room] = {}

    def user_of(self, auth: Any) -> str | None:
        """Whom a token names."""
        try:
            claims: Payload = jwt.decode(auth["token"], self._secret, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            return None
        return str(claims["sub"])

    def entered(self, payload: Payload) -> Payload:
        """What one who enters is answered: done, or what they missed."""
        last = payload.get("lastMessageId")
        if last is None:
            return DONE
        room = self._room(payload["roomId"])
        return {
            **DONE, "roomId": payload["roomId"], "messages": room.after(last), "recovered": True,
            "hasMore": False, "lastSeq": room.seq, "members": [], "read": [], "streams": [],
        }  # fmt: skip

    def store(self, user: str, payload: Payload) -> tuple[Payload, Payload]:
        """A message for all of the room, and the answer to who sent it."""
        room = self._room(payload["roomId"])
        room.seq += 1
        message_id = payload.get("messageId") or f"{payload['roomId']}-{room.seq}"
        timestamp = now()
        message = {
            "id": message_id,
            "roomId": payload["roomId"],
            "seq": room.seq,
            "role": "user",
            "senderId": user,
            "content": payload["content"],
            "state": "complete",
            "timestamp": timestamp,
        }
        room.kept.append(message)
        return message, {**DONE, "messageId": message_id, "timestamp": timestamp, "seq": room.seq}

    def count(self, payload: Payload) -> Count:
        """An answer that begins now."""
        room = self._room(payload["roomId"])
        room.seq += 1
        return Count(payload, room.seq)

    def _room(self, room_id: str) -> Room:
        room = self._rooms.get(room_id)
        if room is None:
            room = self._rooms[room_id] = Room()
        return room
