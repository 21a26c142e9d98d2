"""The 32 cases of the official Socket.IO suite, protocol 5: 16 of Engine.IO under it, and 16 of its own."""

import json
import sys
import time
from collections.abc import AsyncIterator

import pytest
from tests.socket_io.official import transport
from tests.socket_io.official.cases import case, numbers
from tests.socket_io.official.client import Answer, Endpoint, Polling, Socket

CONNECT_SECONDS = 1.0
TWO_PLACEHOLDERS = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
TWO_ATTACHMENTS = (b"\x01\x02\x03", b"\x04\x05\x06")


@pytest.fixture
async def server(conformance_url: str) -> AsyncIterator[Endpoint]:
    async with Endpoint(f"{conformance_url}/socket.io/") as endpoint:
        yield endpoint


async def connected(socket: Socket, namespace: str = "", auth: str = "") -> str:
    """Connect to a namespace, told as it stands in a packet; the id that it gave."""
    await socket.send(f"40{namespace}{auth}")
    return await accepted(socket, namespace, auth)


async def accepted(socket: Socket, namespace: str, auth: str) -> str:
    """What is said when a namespace takes a connection."""
    packet = await socket.text()
    assert packet.startswith(f"40{namespace}{{"), packet
    payload = json.loads(packet.removeprefix(f"40{namespace}"))
    assert list(payload) == ["sid"]
    sid = payload["sid"]
    assert isinstance(sid, str)
    assert sid
    assert await socket.receive() == f'42{namespace}["auth",{auth or "{}"}]'
    return sid


async def member(server: Endpoint, *, answering: bool = True) -> Socket:
    """A WebSocket that is connected to the main namespace."""
    socket = await server.open_socket(answering=answering)
    await connected(socket)
    return socket


class Members(transport.Sessions):
    """Sessions that are connected to the main namespace. The server would end others after a second."""

    async def begun(self, server: Endpoint) -> Polling:
        session = await server.open()
        assert await session.post("40") == Answer(200, "ok")
        text = ""
        while '42["auth",{}]' not in text:
            answer = await session.poll()
            assert answer.status == 200
            text += answer.text
        return session

    async def begun_socket(self, server: Endpoint, *, answering: bool = True) -> Socket:
        return await member(server, answering=answering)

    async def alive(self, socket: Socket) -> None:
        await socket.send('421["message-with-ack"]')
        assert await socket.receive() == "431[]"


def test_no_case_is_missing() -> None:
    assert numbers(sys.modules[__name__], "socket_io") == list(range(1, 32 + 1))


class TestHandshake(transport.Handshake):
    pass


class TestHeartbeat(Members, transport.Heartbeat):
    pass


class TestClose(Members, transport.Close):
    pass


class TestUpgrade(Members, transport.Upgrade):
    pass


class TestConnect:
    @case(socket_io=17)
    async def test_the_main_namespace(self, server: Endpoint) -> None:
        await connected(await server.open_socket())

    @case(socket_io=18)
    async def test_the_main_namespace_with_a_payload(self, server: Endpoint) -> None:
        await connected(await server.open_socket(), auth='{"token":"123"}')

    @case(socket_io=19)
    async def test_another_namespace(self, server: Endpoint) -> None:
        await connected(await server.open_socket(), "/custom,")

    @case(socket_io=20)
    async def test_another_namespace_with_a_payload(self, server: Endpoint) -> None:
        await connected(await server.open_socket(), "/custom,", '{"token":"abc"}')

    @case(socket_io=21)
    async def test_an_unknown_namespace_is_refused(self, server: Endpoint) -> None:
        socket = await server.open_socket()
        await socket.send("40/random")
        assert await socket.receive() == '44/random,{"message":"Invalid namespace"}'

    @case(socket_io=22)
    async def test_what_is_no_packet_ends_the_session(self, server: Endpoint) -> None:
        socket = await server.open_socket()
        await socket.send("4abc")
        await socket.closes()

    @case(socket_io=23)
    async def test_who_does_not_connect_is_ended(self, server: Endpoint) -> None:
        began = time.monotonic()
        # It answers pings, so that it isn't their timeout which ends it.
        socket = await server.open_socket()
        await socket.closes()
        assert time.monotonic() - began > CONNECT_SECONDS - transport.CLOCK_TOLERANCE
        assert socket.pings >= 2


class TestDisconnect:
    @case(socket_io=24)
    async def test_the_main_namespace(self, server: Endpoint) -> None:
        socket = await server.open_socket()
        sid = await connected(socket)
        await socket.send("41")
        # The session stays: the first of these pings may have been on its way, the last can't have been.
        for _ in range(socket.pings + 2):
            await socket.ping()
        assert socket.quiet
        assert await connected(socket) != sid

    @case(socket_io=25)
    async def test_another_namespace(self, server: Endpoint) -> None:
        socket = await member(server)
        await socket.send("40/custom")
        await accepted(socket, "/custom,", "")
        await socket.send("41/custom", '42["message","message to main namespace"]')
        assert await socket.receive() == '42["message-back","message to main namespace"]'


class TestMessage:
    async def answered(
        self, server: Endpoint, sent: tuple[str | bytes, ...], due: tuple[str | bytes, ...]
    ) -> None:
        socket = await member(server)
        await socket.send(*sent)
        assert tuple([await socket.receive() for _ in due]) == due

    async def ended(self, server: Endpoint, packet: str) -> None:
        socket = await member(server)
        await socket.send(packet)
        await socket.closes()

    @case(socket_io=26)
    async def test_text(self, server: Endpoint) -> None:
        await self.answered(
            server,
            ('42["message",1,"2",{"3":[true]}]',),
            ('42["message-back",1,"2",{"3":[true]}]',),
        )

    @case(socket_io=27)
    async def test_binary(self, server: Endpoint) -> None:
        await self.answered(
            server,
            (f'452-["message",{TWO_PLACEHOLDERS}]', *TWO_ATTACHMENTS),
            (f'452-["message-back",{TWO_PLACEHOLDERS}]', *TWO_ATTACHMENTS),
        )

    @case(socket_io=28)
    async def test_text_with_an_acknowledgement(self, server: Endpoint) -> None:
        await self.answered(
            server,
            ('42456["message-with-ack",1,"2",{"3":[false]}]',),
            ('43456[1,"2",{"3":[false]}]',),
        )

    @case(socket_io=29)
    async def test_binary_with_an_acknowledgement(self, server: Endpoint) -> None:
        await self.answered(
            server,
            (f'452-789["message-with-ack",{TWO_PLACEHOLDERS}]', *TWO_ATTACHMENTS),
            (f"462-789[{TWO_PLACEHOLDERS}]", *TWO_ATTACHMENTS),
        )

    @case(socket_io=30)
    async def test_an_unknown_type_ends_the_session(self, server: Endpoint) -> None:
        await self.ended(server, "4abc")

    @case(socket_io=31)
    async def test_a_payload_that_is_no_array_ends_the_session(self, server: Endpoint) -> None:
        await self.ended(server, "42{}")

    @case(socket_io=32)
    async def test_a_number_that_is_none_ends_the_session(self, server: Endpoint) -> None:
        await self.ended(server, '42abc["message-with-ack",1,"2",{"3":[false]}]')
