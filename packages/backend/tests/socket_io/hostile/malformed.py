"""What is wrong on every level, from a seed: HTTP, bodies, frames, the packets of Engine.IO and Socket.IO, JSON, attachments."""

import asyncio
from random import Random
from typing import Final

from tests.socket_io.hostile.wire import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Pipe,
    frame,
    handshake,
    head,
    request,
    text,
)

SECONDS: Final = 20.0
BURST: Final = 12
AT_ONCE: Final = 32
SEPARATOR: Final = b"\x1e"

# What clients may send; most of what follows is made from it.
VALID: Final = (
    b"40",
    b'40{"token":"abc"}',
    b"40/1,",
    b"40/lenient,{}",
    b"41",
    b"41/lenient,",
    b'42["echo",1,null,true]',
    b'421["echo",{"a":[1,2.5e3,"\xc3\xa9"]}]',
    b'42/lenient,7["echo","x"]',
    b'42/lenient,["\xf0\x9f\x98\x80"]',
    b"431[1]",
    b'43/lenient,99999[{"_placeholder":true,"num":0}]',
    b'44{"message":"no"}',
    b'451-["echo",{"_placeholder":true,"num":0}]',
    b'452-/lenient,8["echo",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]',
    b'461-1[{"_placeholder":true,"num":0}]',
    b"2",
    b"3",
    b"2probe",
    b"3probe",
    b"5",
    b"6",
    b"bAAEC",
    b"b4AQIDBA==",
)
CONNECT: Final = (b"40", b"40/lenient,", b"40/none,")
# What is put into it.
BITS: Final = (
    b"", b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\\ud800", b"\x1e", b"-", b",", b"/", b'"', b"[", b"]", b"{", b"}", b":",
    b"0", b"9" * 11, b"9" * 400, b"-1", b"1e999", b"NaN", b"_placeholder", b'{"_placeholder":true,"num":-1}',
    b'{"_placeholder":true,"num":1e3}', b'{"_placeholder":1,"num":"0"}', b"[" * 300, b'{"a":' * 300, b"[" * 2000 + b"]" * 2000,
    b'["connect"]', b'["disconnect"]', b'["newListener",1]', b"__proto__", b"\r\n\r\n", b"%00", b"\xe2\x80\xa8", b"x" * 3000,
)  # fmt: skip


class Malformed:
    """Makes it; the same for the same seed.

    Args:
        seed: of all that is random.
        valid: what it is made from, beside `VALID`.
        connect: packets that connect.
    """

    def __init__(
        self, seed: int, valid: tuple[bytes, ...] = (), connect: tuple[bytes, ...] = CONNECT
    ) -> None:
        self._valid = VALID + valid
        self._connect = connect
        self._random = Random(seed)

    def packet(self) -> bytes:
        """A text packet that is mostly wrong."""
        random = self._random
        data = bytearray(random.choice(self._valid))
        for _ in range(random.randrange(4)):
            self._change(data)
        if random.random() < 0.02:
            data = bytearray(random.randbytes(random.randrange(200)))
        return bytes(data)

    def _change(self, data: bytearray) -> None:
        random = self._random
        start = random.randrange(len(data) + 1)
        stop = min(len(data), start + random.randrange(6))
        match random.randrange(5):
            case 0:
                data[start:stop] = b""
            case 1:
                data[start:start] = random.choice(BITS)
            case 2:
                data[start:stop] = random.choice(self._valid)
            case 3:
                data[start:stop] = random.randbytes(stop - start)
            case _:
                data[start:stop] = data[start:stop] * random.randrange(4)

    def frame(self) -> bytes:
        """A frame, or what is none."""
        random = self._random
        packet = self.packet()
        whole = text(packet)
        match random.randrange(12):
            case 0:
                whole = frame(BINARY, packet)
            case 1:
                whole = frame(random.choice((PING, PONG)), packet[:125])
            case 2:
                whole = frame(random.randrange(16), packet, fin=random.random() < 0.5)
            case 3:
                cut = random.randrange(len(packet) + 1)
                whole = frame(TEXT, packet[:cut], fin=False) + frame(0, packet[cut:])
            case 4 if random.random() < 0.3:
                changed = bytearray(whole)
                self._change(changed)
                whole = bytes(changed)
            case 5 if random.random() < 0.3:
                whole = self._no_frame(packet)
        return whole

    def _no_frame(self, packet: bytes) -> bytes:
        random = self._random
        match random.randrange(6):
            case 0:
                return frame(TEXT, packet, rsv=random.choice((0x10, 0x20, 0x40, 0x70)))
            case 1:
                return bytes((0x81, min(len(packet), 125))) + packet[:125]
            case 2:
                return head(random.randrange(16), random.choice((2**63, 2**31, 1_000_001)))
            case 3:
                return frame(CLOSE, random.randbytes(random.randrange(6)))
            case 4:
                return bytes((0x81, 0xFE, 0, 5)) + bytes(4) + packet[:5]
            case _:
                return random.randbytes(random.randrange(300))

    def request(self, session_id: str) -> bytes:
        """A request that is mostly wrong."""
        random = self._random
        query = random.choice(
            ("", f"&sid={session_id}", "&sid=none", "&sid=", "&EIO=3", "&EIO=4&b64=1")
        )
        body = SEPARATOR.join(self.packet() for _ in range(random.randrange(4)))
        whole = bytearray(
            random.choice(
                (
                    request("GET", query),
                    request("POST", query, body),
                    request(random.choice(("PUT", "OPTIONS", "HEAD", "get", "PRI")), query),
                    request("POST", query, body, more="Content-Length: 3\r\n"),
                    request("POST", query, body, more="Transfer-Encoding: chunked\r\n"),
                    handshake(query),
                    handshake(query, "Origin: https://elsewhere\r\n"),
                    handshake(query).replace(b"13", b"8").replace(b"AAAA", b"A"),
                )
            )
        )
        for _ in range(random.randrange(3)):
            self._change(whole)
        return bytes(whole)

    def body(self) -> bytes:
        """A body of some packets."""
        return SEPARATOR.join(self.packet() for _ in range(self._random.randrange(1, BURST)))

    async def client(self, port: int) -> int:
        """Be one bad client; how many packets were sent."""
        random = self._random
        async with await Pipe.open(port) as pipe:
            match random.randrange(5):
                case 0:
                    return await self._requests(pipe)
                case 1:
                    return await self._polled(pipe)
                case _:
                    return await self._socket(pipe)

    async def _requests(self, pipe: Pipe) -> int:
        count = self._random.randrange(1, BURST)
        await pipe.send(b"".join(self.request("abc") for _ in range(count)))
        return count

    async def _polled(self, pipe: Pipe) -> int:
        await pipe.send(request("GET", ""))
        _, _, opened = await pipe.response()
        session_id = opened[8:28].decode()
        sent = 0
        await pipe.send(request("POST", f"&sid={session_id}", SEPARATOR.join(self._connect[:2])))
        await pipe.response()
        for _ in range(4):
            body = self.body()
            sent += body.count(SEPARATOR) + 1
            await pipe.send(request("POST", f"&sid={session_id}", body))
            if (await pipe.response())[0] != 200:
                break
        return sent

    async def _socket(self, pipe: Pipe) -> int:
        count = self._random.randrange(1, BURST)
        names = self._random.choice(self._connect)
        frames = [self.frame() for _ in range(count)]
        await pipe.send(handshake() + text(names) + text(b"40/1,"))
        await pipe.send(b"".join(frames) + frame(CLOSE, b""))
        pipe.writer.write_eof()
        await pipe.ended(SECONDS)
        return count


async def storm(
    port: int,
    seed: int,
    packets: int,
    valid: tuple[bytes, ...] = (),
    connect: tuple[bytes, ...] = CONNECT,
) -> int:
    """Send so many of them; how many connections that took."""
    left, connections = packets, 0

    async def some(number: int) -> None:
        nonlocal left, connections
        malformed = Malformed(seed * 1000 + number, valid, connect)
        while left > 0:
            sent = await malformed.client(port)
            left -= sent
            connections += 1

    async with asyncio.TaskGroup() as group:
        for number in range(AT_ONCE):
            group.create_task(some(number))
    return connections
