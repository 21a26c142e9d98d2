"""The floor: bytes in, prepared bytes out, over picows, with just so much of the protocol that the load generator takes it.

Of a send only the id of its ack is looked for; what is delivered is cut out of it. What is for one client within a turn of the
event loop is written at once, since a system call costs more than all the rest.
"""

import asyncio
import signal

import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

from peers.memory import BACKLOG, listen

OPEN = (
    b'0{"sid":"floor","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
)
READ_BUFFER = 2048
LET_IN = b'40{"sid":"floor"}'
SEND = b'["message:send",'
JOIN = b'["room:join",{"roomId":"'
# What a message has that its send does not, as long as the others' is.
REST = (
    b',"seq":%d,"role":"user","senderId":"a-user-of-as-many-letters-0","state":"complete",'
    b'"timestamp":"2026-01-01T00:00:00.000Z"}]'
)


def framed(payload: bytes) -> bytes:
    """A frame of a server, ready to be written."""
    size = len(payload)
    short = size < 126  # noqa: PLR2004 - from there on a frame has a longer head
    return (bytes((0x81, size)) if short else b"\x81\x7e" + size.to_bytes(2, "big")) + payload


class Room:
    """Who is in it, and how many messages there were."""

    def __init__(self) -> None:
        self.members: list[Floor] = []
        self.seq = 0


class Turn:
    """Who is to be written to when the turn is over."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Floor] = []

    def add(self, one: "Floor") -> None:
        """Remember one."""
        if not self._waiting:
            self._loop.call_soon(self._end)
        self._waiting.append(one)

    def _end(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.flush()


class Floor(WSListener):
    """One connection."""

    def __init__(self, rooms: dict[bytes, Room], turn: Turn) -> None:
        self._rooms = rooms
        self._room = Room()
        self._turn = turn
        self._frames: list[bytes] = []
        self._out: asyncio.Transport | None = None

    def write(self, frame: bytes) -> None:
        """Write that when the turn is over."""
        if not self._frames:
            self._turn.add(self)
        self._frames.append(frame)

    def flush(self) -> None:
        """Write all of it."""
        frames, self._frames = self._frames, []
        if self._out is not None:
            self._out.write(b"".join(frames))

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._out = transport.underlying_transport
        transport.send(WSMsgType.TEXT, OPEN)

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        self._out = None
        if self in self._room.members:
            self._room.members.remove(self)

    def on_ws_frame(self, _transport: WSTransport, frame: WSFrame) -> None:
        packet = frame.get_payload_as_bytes()
        if packet.startswith(b"40"):
            self.write(framed(LET_IN))
        elif packet.startswith(b"42"):
            begin = packet.index(b"[")
            self.write(framed(b'43%b[{"success":true}]' % packet[2:begin]))
            if packet.startswith(SEND, begin):
                self._deliver(packet[begin + len(SEND) : -2])
            elif packet.startswith(JOIN, begin):
                self._join(packet[begin + len(JOIN) :])

    def _join(self, payload: bytes) -> None:
        room_id = payload.partition(b'"')[0]
        self._room = self._rooms.setdefault(room_id, Room())
        self._room.members.append(self)

    def _deliver(self, payload: bytes) -> None:
        room = self._room
        room.seq += 1
        message = framed(b'42["message:new",' + payload + REST % room.seq)
        for member in room.members:
            member.write(message)


async def serve() -> None:
    """Serve on a free port of this machine until SIGTERM."""
    rooms: dict[bytes, Room] = {}
    turn = Turn()

    def listener(_request: WSUpgradeRequest) -> WSListener:
        return Floor(rooms, turn)

    server = await ws_create_server(
        listener, sock=listen(), backlog=BACKLOG, read_buffer_init_size=READ_BUFFER
    )
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with server:
        await ended.wait()


if __name__ == "__main__":
    uvloop.run(serve())
