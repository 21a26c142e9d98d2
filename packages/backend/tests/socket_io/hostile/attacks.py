"""What those do who want to bring a server down. Each asserts how the server ends it; others watch what it costs meanwhile.

`size` says how much of it: 1 in a test, more in `make hostile`.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from tests.socket_io.hostile.wire import (
    BINARY,
    CLOSE,
    GONE,
    PING,
    SECONDS,
    TEXT,
    Pipe,
    Polling,
    WebSocket,
    frame,
    handshake,
    head,
    request,
    text,
)

Attack = Callable[[int, int], Awaitable[None]]
T = TypeVar("T")

LIMIT: Final = 1_000_000
"""The largest packet that the server under attack takes."""
AT_ONCE: Final = 64
PROTOCOL_ERROR, POLICY, TOO_BIG = 1002, 1008, 1009


async def crowd(count: int, one: Callable[[int], Awaitable[T]]) -> list[T]:
    """Do it so often, some at a time."""
    free = asyncio.Semaphore(AT_ONCE)

    async def in_turn(number: int) -> T:
        async with free:
            return await one(number)

    return await asyncio.gather(*map(in_turn, range(count)))


async def _until_cut(pipe: Pipe, parts: Iterable[bytes]) -> None:
    """Send until the server has had enough."""
    async with asyncio.timeout(SECONDS):
        for part in parts:
            if not await pipe.send(part):
                return
            # Sending alone never gives way.
            await asyncio.sleep(0)
    raise AssertionError("the server has taken all of it")


async def report(port: int) -> dict[str, Any]:
    """What the application has seen."""
    async with await WebSocket.join(port) as asking:
        [seen] = await asking.call(1, "report")
        assert isinstance(seen, dict)
        return seen


# --- floods --------------------------------------------------------------------------------------


async def ping_frames(port: int, size: int) -> None:
    """Ping frames without end, and nobody who reads the answers."""

    async def one(_: int) -> None:
        async with await WebSocket.join(port) as client:
            sending = asyncio.create_task(
                _until_cut(client, [frame(PING, b"x" * 125) * 100] * 10_000)
            )
            assert await client.code() in {POLICY, GONE}
            await sending

    await crowd(20 * size, one)


async def pongs(port: int, size: int) -> None:
    """Answers to pings that were never sent, over both transports."""

    async def one(number: int) -> None:
        if number % 2:
            async with await Polling.join(port) as polling:
                assert await polling.post(b"\x1e".join([b"3"] * 300_000)) == 200
                assert await polling.post(b"3") == 400
            return
        async with await WebSocket.join(port) as client:
            sending = asyncio.create_task(_until_cut(client, [text("3") * 1000] * 100_000))
            assert await client.code() in {POLICY, GONE}
            await sending

    await crowd(20 * size, one)


async def small_frames(port: int, size: int) -> None:
    """Well-formed packets that mean nothing, as small as can be, as many as can be sent."""

    async def one(_: int) -> None:
        async with await WebSocket.join(port) as client:
            for _ in range(20):
                assert await client.send(text("42/x,[]") * 10_000)
            assert await client.call(7, "echo", "still here") == ["still here"]

    await crowd(4 * size, one)


async def small_packets(port: int, size: int) -> None:
    """As many packets in one body as it can hold."""

    async def one(number: int) -> None:
        packet = b"42/x,[]" if number % 2 else b'42["a"]'
        async with await Polling.join(port) as client:
            assert await client.post(b"\x1e".join([packet] * (LIMIT // 8))) == 200

    await crowd(6 * size, one)


async def many_acks(port: int, size: int) -> None:
    """Calls over long polling, whose many small answers nobody fetches."""

    async def one(_: int) -> None:
        async with await Polling.join(port) as client:
            body = b"\x1e".join([b'421["echo"]'] * (LIMIT // 12))
            statuses = [await client.post(body) for _ in range(4)]
            assert statuses[-1] == 400, statuses

    await crowd(8 * size, one)


# --- frames --------------------------------------------------------------------------------------


async def deflate(port: int, size: int) -> None:
    """Compressed frames, which were not agreed on: a megabyte that would open to a gigabyte."""
    bomb = zlib.compress(bytes(64 * LIMIT), 9)

    async def one(_: int) -> None:
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        async with await WebSocket.join(port, more=offer) as client:
            assert "sec-websocket-extensions" not in client.headers
            await client.send(frame(TEXT, bomb, rsv=0x40))
            assert await client.code() == PROTOCOL_ERROR

    await crowd(20 * size, one)


async def fragments(port: int, size: int) -> None:
    """A message in pieces of one byte, without end."""

    async def one(_: int) -> None:
        async with await WebSocket.join(port) as client:
            await client.send(frame(TEXT, b"4", fin=False))
            sending = asyncio.create_task(
                _until_cut(client, [frame(0, b"x", fin=False) * 1000] * 100_000)
            )
            assert await client.code() in {POLICY, GONE}
            await sending

    await crowd(20 * size, one)


async def dribble(port: int, size: int) -> None:
    """Frames byte by byte: they are understood all the same."""

    async def one(_: int) -> None:
        async with await WebSocket.join(port) as client:
            for byte in text('421["echo","%s"]' % ("x" * 300)):
                assert await client.send(bytes((byte,)))
                await asyncio.sleep(0)
            assert await client.packet() == b'431["%s"]' % (b"x" * 300)

    await crowd(20 * size, one)


async def announced(port: int, size: int) -> None:
    """Frames that say that they will be giants."""
    sizes = (LIMIT + 1, 2**31, 2**32 + 1, 2**62, 2**64 - 1)

    async def one(number: int) -> None:
        async with await WebSocket.join(port) as client:
            opcode = (TEXT, BINARY, 0, CLOSE)[number % 4]
            await client.send(head(opcode, sizes[number % len(sizes)]))
            assert await client.code() in {PROTOCOL_ERROR, TOO_BIG}

    await crowd(40 * size, one)


async def _all_keep(pipes: list[Pipe], part: Callable[[Pipe], bytes]) -> int:
    """Let each bring its part, and nothing more; how many of them the server has ended."""

    async def bring(pipe: Pipe) -> bool:
        await pipe.send(part(pipe))
        try:
            await pipe.ended(1.0)
        except TimeoutError:
            return False
        return True

    done = await asyncio.gather(*map(bring, pipes))
    return sum(done)


async def unfinished(port: int, size: int) -> None:
    """Many frames that are all but whole, and stay so: more than the server can keep."""
    whole = text("4" * LIMIT)
    clients: list[Pipe] = list(await crowd(100 * size, lambda _: WebSocket.join(port)))
    await _hold_back(clients, lambda _: whole[:-1])


async def unfinished_messages(port: int, size: int) -> None:
    """Many messages whose last fragment never comes."""
    part = frame(TEXT, b"4" * (LIMIT - 100), fin=False)
    clients: list[Pipe] = list(await crowd(100 * size, lambda _: WebSocket.join(port)))
    await _hold_back(clients, lambda _: part)


async def attachments(port: int, size: int) -> None:
    """A thousand million attachments; and such as are sent, all but the last."""

    async def too_many(_: int) -> None:
        async with await WebSocket.join(port) as client:
            packet = '45999999999-1["echo",{"_placeholder":true,"num":999999998}]'
            await client.send(text(packet))
            assert await client.code() == PROTOCOL_ERROR

    await crowd(20 * size, too_many)
    part = text('452-1["echo"]') + frame(BINARY, bytes(LIMIT - 100))
    clients: list[Pipe] = list(await crowd(100 * size, lambda _: WebSocket.join(port)))
    await _hold_back(clients, lambda _: part)


async def _hold_back(clients: list[Pipe], part: Callable[[Pipe], bytes]) -> None:
    try:
        assert await _all_keep(clients, part) >= len(clients) // 2
    finally:
        for client in clients:
            client.writer.transport.abort()


# --- HTTP ----------------------------------------------------------------------------------------


async def handshakes(port: int, size: int) -> None:
    """Sessions that never connect to a namespace, over both transports, each with all the headers that fit."""
    more = f"X-Much: {'x' * 6000}\r\n"
    kept: list[Pipe] = []

    async def one(number: int) -> None:
        pipe = await Pipe.open(port)
        kept.append(pipe)
        await pipe.send(handshake(more=more) if number % 2 else request("GET", "", more=more))
        assert (await pipe.response())[0] in {101, 200}
        if not number % 2:
            pipe.writer.transport.abort()

    try:
        await crowd(1000 * size, one)
    finally:
        for pipe in kept:
            pipe.writer.transport.abort()


async def upgrades(port: int, size: int) -> None:
    """Upgrades that are begun and given up, one after the other."""

    async def one(_: int) -> None:
        async with await Polling.join(port) as polling:
            for _ in range(20):
                query = f"&sid={polling.session_id}"
                async with await WebSocket.join(port, query=query) as probe:
                    await probe.send(text("nonsense"))
                    assert (await probe.frame())[0] == CLOSE

    await crowd(10 * size, one)


async def slow_heads(port: int, size: int) -> None:
    """Requests whose head never ends: by its silence, and by its length."""
    silent = [await Pipe.open(port) for _ in range(200 * size)]
    for number, pipe in enumerate(silent):
        if number % 2:
            await pipe.send(b"GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: localhost\r\nX-")

    async def endless(number: int) -> None:
        async with await Pipe.open(port) as pipe:
            await pipe.send(b"GET /" if number % 2 else b"GET / HTTP/1.1\r\nX-Long: ")
            more = b"x" * 50_000 if number % 4 < 2 else b"x: y\r\n" * 8000
            await _until_cut(pipe, [more] * 2000)

    try:
        await crowd(20 * size, endless)
        await asyncio.gather(*(pipe.ended() for pipe in silent))
    finally:
        for pipe in silent:
            pipe.writer.transport.abort()


async def bodies(port: int, size: int) -> None:
    """Bodies that are too long, of no length, and without end; and many at once for one session."""

    async def refused(number: int) -> None:
        more, status = (
            (f"Content-Length: {LIMIT + 1}\r\n", 413),
            ("Transfer-Encoding: chunked\r\n", 411),
            (f"Content-Length: 1{'0' * 30}\r\n", 413),
        )[number % 3]
        async with await Polling.join(port) as client:
            await client.send(
                f"POST /socket.io/?EIO=4&transport=polling&sid={client.session_id} HTTP/1.1\r\n"
                f"Host: localhost\r\n{more}\r\n".encode()
            )
            answer = (await client.response())[0]
            # A length that no number of the parser's holds is no request at all.
            assert answer == status or (number % 3 == 2 and answer == 400), answer

    await crowd(21 * size, refused)
    session = await Polling.join(port)
    part = request("POST", f"&sid={session.session_id}", bytes(LIMIT))[:-1]
    pipes = [await Pipe.open(port) for _ in range(60 * size)]
    sessions = [await Polling.join(port) for _ in range(60 * size)]
    parts = {id(pipe): part for pipe in pipes} | {
        id(pipe): request("POST", f"&sid={pipe.session_id}", bytes(LIMIT))[:-1] for pipe in sessions
    }
    try:
        ended = await _all_keep([*pipes, *sessions], lambda pipe: parts[id(pipe)])
        assert ended >= 40 * size, ended
    finally:
        for pipe in (session, *pipes, *sessions):
            pipe.writer.transport.abort()


async def namespaces(port: int, size: int) -> None:
    """More namespaces than a client may have, and such as there are not."""

    async def one(_: int) -> None:
        async with await WebSocket.join(port) as client:
            answers = []
            for number in range(40):
                await client.send(text(f"40/{number},"))
                answers.append((await client.packet())[:2])
            assert answers.count(b"40") == 15
            sending = asyncio.create_task(
                _until_cut(
                    client, (text(f"40/none-{i}," + "x" * 1000) * 100 for i in range(10_000))
                )
            )
            assert await client.code() in {POLICY, GONE}
            await sending

    await crowd(8 * size, one)


ATTACKS: Final[Mapping[str, Attack]] = {
    attack.__name__: attack
    for attack in (
        ping_frames,
        pongs,
        small_frames,
        small_packets,
        many_acks,
        deflate,
        fragments,
        dribble,
        announced,
        unfinished,
        unfinished_messages,
        attachments,
        handshakes,
        upgrades,
        slow_heads,
        bodies,
        namespaces,
    )
}
