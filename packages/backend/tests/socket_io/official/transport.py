"""The cases that both suites share: how sessions open, stay alive, end, and move to a WebSocket."""

import asyncio
import time

from tests.socket_io.official.cases import case
from tests.socket_io.official.client import (
    PING,
    POLLING,
    PONG,
    WEBSOCKET,
    Answer,
    Endpoint,
    Polling,
    Socket,
    handshake,
)

PING_INTERVAL, PING_TIMEOUT = 0.3, 0.2
MAX_PAYLOAD = 1_000_000
# A clock may run a little ahead of another.
CLOCK_TOLERANCE = 0.02
UNKNOWN_VERSIONS = ("transport={0}", "EIO=abc&transport={0}")
UNKNOWN_TRANSPORTS = ("EIO=4", "EIO=4&transport=abc")


def _check_handshake(packet: str, upgrades: list[str]) -> None:
    payload = handshake(packet)
    sid = payload.pop("sid")
    assert isinstance(sid, str)
    assert sid
    assert payload == {
        "upgrades": upgrades,
        "pingInterval": round(PING_INTERVAL * 1000),
        "pingTimeout": round(PING_TIMEOUT * 1000),
        "maxPayload": MAX_PAYLOAD,
    }


class Sessions:
    """How a session begins that nothing but what a test does will end, and how it is seen to be alive."""

    async def begun(self, server: Endpoint) -> Polling:
        """Over long polling."""
        return await server.open()

    async def begun_socket(self, server: Endpoint, *, answering: bool = True) -> Socket:
        """Over a WebSocket."""
        return await server.open_socket(answering=answering)

    async def alive(self, socket: Socket) -> None:
        """Prove that the session is at this WebSocket."""
        await socket.send("4hello")
        assert await socket.receive() == "4hello"


class Handshake:
    @case(engine_io=1, socket_io=1)
    async def test_polling_opens_a_session(self, server: Endpoint) -> None:
        answer = await server.request("GET", POLLING)
        assert answer.status == 200
        _check_handshake(answer.text, ["websocket"])

    @case(engine_io=2, socket_io=2)
    async def test_polling_with_an_unknown_version_is_refused(self, server: Endpoint) -> None:
        for query in UNKNOWN_VERSIONS:
            assert (await server.request("GET", query.format("polling"))).status == 400

    @case(engine_io=3, socket_io=3)
    async def test_polling_with_an_unknown_transport_is_refused(self, server: Endpoint) -> None:
        for query in UNKNOWN_TRANSPORTS:
            assert (await server.request("GET", query)).status == 400

    @case(engine_io=4, socket_io=4)
    async def test_polling_opens_with_no_other_method(self, server: Endpoint) -> None:
        for method in ("POST", "PUT"):
            assert (await server.request(method, POLLING)).status == 400

    @case(engine_io=5, socket_io=5)
    async def test_websocket_opens_a_session(self, server: Endpoint) -> None:
        socket = await server.connect()
        _check_handshake(await socket.text(), [])

    @case(engine_io=6, socket_io=6)
    async def test_websocket_with_an_unknown_version_is_refused(self, server: Endpoint) -> None:
        for query in UNKNOWN_VERSIONS:
            await server.refuses(query.format("websocket"))

    @case(engine_io=7, socket_io=7)
    async def test_websocket_with_an_unknown_transport_is_refused(self, server: Endpoint) -> None:
        for query in UNKNOWN_TRANSPORTS:
            await server.refuses(query)


class Heartbeat(Sessions):
    @case(engine_io=17, socket_io=8)
    async def test_polling_is_pinged(self, server: Endpoint) -> None:
        session = await self.begun(server)
        for _ in range(3):
            assert await session.get() == Answer(200, PING)
            assert (await session.post(PONG)).status == 200

    @case(engine_io=18, socket_io=9)
    async def test_polling_ends_without_pongs(self, server: Endpoint) -> None:
        session = await self.begun(server)
        # The client's silence is what is tested: nothing may ask for the session meanwhile.
        await asyncio.sleep(PING_INTERVAL + PING_TIMEOUT)
        # A server whose timer is a little late may still hand out what it had to say.
        while (answer := await session.get()).status == 200:
            assert answer.text in {PING, "1", "6"}
        assert answer.status == 400

    @case(engine_io=19, socket_io=10)
    async def test_websocket_is_pinged(self, server: Endpoint) -> None:
        socket = await self.begun_socket(server, answering=False)
        for _ in range(3):
            await socket.ping()
            assert socket.pings == 0
            await socket.send(PONG)
        assert socket.quiet

    @case(engine_io=20, socket_io=11)
    async def test_websocket_ends_without_pongs(self, server: Endpoint) -> None:
        began = time.monotonic()
        socket = await self.begun_socket(server, answering=False)
        await socket.closes()
        assert time.monotonic() - began > PING_INTERVAL + PING_TIMEOUT - CLOCK_TOLERANCE
        assert socket.pings == 1


class Close(Sessions):
    async def closed(self, server: Endpoint) -> Answer:
        """What a waiting GET is answered with when the client closes its session."""
        session = await self.begun(server)
        waiting = await session.pending()
        assert await session.post("1") == Answer(200, "ok")
        answer = await waiting
        await session.gone()
        return answer

    @case(engine_io=21, socket_io=12)
    async def test_polling_ends_at_close(self, server: Endpoint) -> None:
        answer = await self.closed(server)
        for _ in range(4):
            # A POST that overtook the GET leaves it no session to wait for, and tells nothing.
            if answer.status == 400:
                answer = await self.closed(server)
        assert answer == Answer(200, "6")

    @case(engine_io=22, socket_io=13)
    async def test_websocket_ends_at_close(self, server: Endpoint, oracle: str) -> None:
        # The reference server doesn't heed a close on a WebSocket. It passes in the official suite because nobody
        # answers its pings there.
        socket = await self.begun_socket(server, answering=oracle != "node")
        await socket.send("1")
        await socket.closes()


class Upgrade(Sessions):
    async def upgraded(self, server: Endpoint, session: Polling) -> Socket:
        """The WebSocket of a session that was moved without waiting for the answer to the probe."""
        socket = await server.connect(f"{WEBSOCKET}&sid={session.sid}")
        await socket.send("2probe", "5")
        assert await socket.receive() == "3probe"
        await self.alive(socket)
        return socket

    @case(engine_io=23, socket_io=14)
    async def test_a_session_moves_to_a_websocket(self, server: Endpoint) -> None:
        session = await self.begun(server)
        socket = await server.connect(f"{WEBSOCKET}&sid={session.sid}")
        await socket.send("2probe")
        assert await socket.receive() == "3probe"
        assert await session.poll() == Answer(200, "6")
        await socket.send("5")
        await self.alive(socket)

    @case(engine_io=24, socket_io=15)
    async def test_polling_ends_with_the_upgrade(self, server: Endpoint) -> None:
        session = await self.begun(server)
        socket = await self.upgraded(server, session)
        await session.gone()
        await self.alive(socket)

    @case(engine_io=25, socket_io=16)
    async def test_a_second_websocket_is_refused(self, server: Endpoint) -> None:
        session = await self.begun(server)
        socket = await self.upgraded(server, session)
        await server.refuses(f"{WEBSOCKET}&sid={session.sid}")
        await self.alive(socket)
