"""WebSockets straight on a transport, in virtual time."""

import asyncio
import json
from typing import Any

import pytest
from tests.socket_io.application import Gate, World
from tests.socket_io.asgi import POLLING, ask
from tests.socket_io.by_hand import client_frame
from tests.socket_io.in_memory import settle, virtual
from tests.socket_io.test_polling import Hearing
from tests.socket_io.wire import HEADERS, WEBSOCKET, Wire

from rejoinder_socketio import CloseReason, Options
from rejoinder_socketio.engine.frames import BINARY, CLOSE, PING, PONG, TEXT
from rejoinder_socketio.engine.packets import Outgoing, binary
from rejoinder_socketio.engine.server import EngineServer
from rejoinder_socketio.engine.session import Phase, Session


class Served:
    """A server, and a client of it."""

    def __init__(self, **options: Any) -> None:
        self.told = Hearing()
        self.server = EngineServer(Options(**{"ping_interval": 1000, **options}), self.told)
        self.wire = Wire(self.server)
        self.sid = ""

    async def open(self) -> "Served":
        self.wire.begin()
        await settle()
        ((_, opened),) = self.wire.frames()
        self.sid = json.loads(opened[1:])["sid"]
        return self

    async def probe(self) -> "Served":
        answer = await ask(self.server, "GET", POLLING)
        self.sid = json.loads(answer.body[1:])["sid"]
        assert b" 101 " in self.wire.begin(f"{WEBSOCKET}&sid={self.sid}")
        return self

    @property
    def session(self) -> Session:
        return self.server.find(self.sid)


# --- handshakes -----------------------------------------------------------------------------------


@virtual
async def test_a_handshake_is_answered_as_in_rfc_6455() -> None:
    served = Served()
    assert served.wire.begin() == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )
    await settle()
    assert len(served.wire.frames()) == 1
    assert len(served.server) == 1


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ("", {}, 0),
        (POLLING, {}, 3),
        (f"{WEBSOCKET}&sid=none", {}, 1),
        (WEBSOCKET, {"origin": "https://evil.example"}, 4),
        (WEBSOCKET, {"sec-websocket-key": "short"}, 3),
        (WEBSOCKET, {"sec-websocket-version": "8"}, 3),
    ],
)
@virtual
async def test_who_may_not_come_is_told_why(query: str, headers: dict[str, str], code: int) -> None:
    served = Served()
    head, _, body = served.wire.begin(query, HEADERS | headers).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")
    assert json.loads(body)["code"] == code
    assert served.wire.transport.is_closing()
    served.wire.end.data_received(client_frame(TEXT, b"4a"))
    await settle()
    assert len(served.server) == 0
    assert served.wire.connections == set()


# --- messages -------------------------------------------------------------------------------------


@virtual
async def test_messages_go_both_ways() -> None:
    served = await Served().open()
    served.wire.say("4안녕", b"\x00\xff")
    assert served.told.texts == ["4안녕".encode()]
    assert served.told.binaries == [b"\x00\xff"]
    served.session.send(Outgoing(b"4a", [b"x"]))
    served.session.send(binary(b"y"))
    await settle()
    assert served.wire.frames() == [(TEXT, b"4a"), (BINARY, b"x"), (BINARY, b"y")]


@virtual
async def test_what_is_written_within_a_turn_goes_out_at_once() -> None:
    served = await Served().open()
    for _ in range(5):
        served.session.send(Outgoing(b"4a"))
    assert served.wire.transport.written == []
    await settle()
    assert len(served.wire.transport.written) == 1
    for _ in range(5):
        served.session.send(Outgoing(b"4" * 60_000))
    assert len(served.wire.transport.written) > 1


@pytest.mark.parametrize("number", [10, 1000])
@virtual
async def test_frames_that_come_together_are_taken_in_order(number: int) -> None:
    served = await Served().open()
    served.wire.give(b"".join(client_frame(TEXT, b"4%d" % each) for each in range(number)))
    for _ in range(1 + number // 64):
        await asyncio.sleep(0)
    assert served.told.texts == [b"4%d" % each for each in range(number)]
    assert served.wire.transport.reading


@virtual
async def test_pings_are_answered() -> None:
    served = await Served().open()
    served.wire.give(client_frame(PING, b"abc") + client_frame(PONG, b"x"))
    await settle()
    assert served.wire.frames() == [(PONG, b"abc")]


@virtual
async def test_pings_of_a_websocket_that_has_not_taken_over_are_answered_on_it() -> None:
    served = await Served(ping_interval=5).probe()
    served.wire.give(client_frame(PING, b"4evil"))
    served.wire.say("2probe")
    await settle()
    assert served.wire.frames() == [(PONG, b"4evil"), (TEXT, b"3probe")]
    assert served.session.outlet.waiting() == 0
    served.wire.say("5")
    await settle()
    assert served.wire.frames() == []


@virtual
async def test_a_flood_of_pings_ends_a_session() -> None:
    served = await Served(control_rate=2).open()
    for _ in range(21):
        served.wire.give(client_frame(PING))
    await settle()
    assert served.told.reasons == [CloseReason.FLOOD]
    assert served.wire.frames()[-1] == (CLOSE, b"\x03\xf0")


# --- upgrades -------------------------------------------------------------------------------------


@virtual
async def test_a_session_moves() -> None:
    served = await Served().probe()
    served.session.send(Outgoing(b"4before"))
    served.wire.say("2probe", "5", "4a")
    await settle()
    assert served.wire.heard() == ["3probe", "4before"]
    assert served.told.texts == [b"4a"]


@virtual
async def test_a_websocket_has_its_time_to_take_over() -> None:
    served = await Served(upgrade_timeout=10, connect_timeout=1000).probe()
    await asyncio.sleep(9.9)
    assert served.wire.frames() == []
    await asyncio.sleep(0.2)
    assert served.wire.heard() == [1000]
    assert served.session.phase is Phase.POLLING


@pytest.mark.parametrize("message", ["4a", b"x", "2"])
@virtual
async def test_a_websocket_that_does_not_take_over_is_dropped(message: str | bytes) -> None:
    served = await Served().probe()
    served.wire.say(message)
    await settle()
    assert served.wire.heard() == [1000]
    assert served.session.phase is Phase.POLLING
    assert served.told.texts == []
    assert served.told.reasons == []


@pytest.mark.parametrize(
    "data", [b"\x81\x00", client_frame(CLOSE, b"\x03\xe8"), client_frame(TEXT, b"\xff")]
)
@virtual
async def test_whatever_it_breaks_the_session_goes_on(data: bytes) -> None:
    served = await Served().probe()
    served.wire.give(data)
    await settle()
    assert served.wire.transport.is_closing()
    assert served.session.phase is Phase.POLLING
    assert served.told.reasons == []


# --- ends -----------------------------------------------------------------------------------------


@virtual
async def test_a_client_that_says_goodbye_is_answered() -> None:
    served = await Served().open()
    served.session.send(Outgoing(b"4a"))
    served.wire.give(client_frame(CLOSE, b"\x0b\xb8bye") + client_frame(TEXT, b"4late"))
    await settle()
    assert served.wire.frames() == [(TEXT, b"4a"), (CLOSE, b"\x0b\xb8")]
    assert served.told.reasons == [CloseReason.TRANSPORT_CLOSE]
    assert served.told.texts == []
    assert served.wire.connections == set()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x00", 1002),
        (client_frame(0xB), 1002),
        (client_frame(TEXT, b"\xff"), 1007),
        (client_frame(BINARY, b"x" * 101), 1009),
        (b"".join(client_frame(BINARY if n == 0 else 0, last=False) for n in range(4)), 1008),
        (client_frame(TEXT, b"x"), 1002),
    ],
)
@virtual
async def test_who_breaks_the_protocol_hears_how(data: bytes, code: int) -> None:
    served = await Served(max_payload=100, max_fragments=3).open()
    served.session.send(Outgoing(b"4a"))
    served.wire.give(data + client_frame(TEXT, b"4late"))
    await settle()
    assert served.wire.heard() == ["4a", code]
    assert served.told.reasons == [CloseReason.PARSE_ERROR]
    assert served.told.texts == []
    assert served.wire.transport.is_closing()


@pytest.mark.parametrize(
    ("error", "reason"),
    [(None, CloseReason.TRANSPORT_CLOSE), (OSError(), CloseReason.TRANSPORT_ERROR)],
)
@virtual
async def test_a_connection_that_is_lost_ends_its_session(
    error: Exception | None, reason: CloseReason
) -> None:
    served = await Served().open()
    served.wire.end.connection_lost(error)
    assert served.told.reasons == [reason]
    assert served.wire.connections == set()


@pytest.mark.parametrize("reason", [reason for reason in CloseReason if reason != "too slow"])
@virtual
async def test_what_was_sent_before_the_end_comes_before_it(reason: CloseReason) -> None:
    served = await Served(linger=5).open()
    session = served.session
    session.send(Outgoing(b"4a"))
    session.close(reason)
    session.send(Outgoing(b"4late"))
    await settle()
    text, code = served.wire.heard()
    assert text == "4a"
    assert code in {1000, 1001, 1002, 1008}
    served.wire.say("4late")
    assert served.told.texts == []
    await asyncio.sleep(5.1)
    assert served.wire.transport.is_closing()
    assert served.wire.connections == set()


@virtual
async def test_who_is_told_goodbye_may_say_it_too() -> None:
    served = await Served(linger=5).open()
    served.session.close(CloseReason.SERVER_LEFT)
    assert not served.wire.transport.is_closing()
    served.wire.give(client_frame(CLOSE, b"\x03\xe8"))
    await settle()
    assert served.wire.transport.is_closing()
    assert not served.wire.transport.aborted
    await asyncio.sleep(10)
    assert not served.wire.transport.aborted


@virtual
async def test_who_does_not_read_is_ended_and_not_waited_for() -> None:
    served = await Served(max_waiting=1000).open()
    session = served.session
    served.wire.transport.blocked = True
    for _ in range(1000):
        if served.told.reasons:
            break
        session.send(Outgoing(b"4" * 90))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert served.told.reasons == [CloseReason.TOO_SLOW]
    assert served.told.slow == 1
    assert served.wire.transport.aborted
    assert session.outlet.waiting() <= 1100


@virtual
async def test_who_reads_again_in_time_goes_on() -> None:
    served = await Served(max_waiting=1000).open()
    served.wire.transport.blocked = True
    for _ in range(6):
        served.session.send(Outgoing(b"4" * 90))
        await settle()
    assert served.told.slow == 1
    served.wire.transport.unblock()
    for _ in range(50):
        served.session.send(Outgoing(b"4" * 90))
        await settle()
    assert served.told.reasons == []


@virtual
async def test_an_application_s_last_words_arrive() -> None:
    world = World()
    wire = Wire(world.server.engine)
    wire.begin()
    wire.say("40")
    await settle()
    wire.frames()
    world.connection.emit("a", b"x")
    world.connection.disconnect(close=True)
    await settle()
    assert wire.heard() == ['451-["a",{"_placeholder":true,"num":0}]', b"x", "41", 1000]


@pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
@virtual
async def test_no_more_is_read_while_enough_events_wait(together: bool) -> None:  # noqa: FBT001
    world = World(max_events=8)
    gate = world.app.handling = Gate(world.app)
    wire = Wire(world.server.engine)
    wire.begin()
    wire.say("40")
    await settle()
    events = [client_frame(TEXT, b'42["event %d",%b]' % (n, b"1" * 50)) for n in range(40)]
    sent = [b"".join(events)] if together else events
    while sent or gate.waiting:
        while sent and wire.transport.reading:
            wire.give(sent.pop(0))
            await settle()
        assert len(world.connection.queue) <= 8
        await gate.open()
    assert wire.transport.reading
    assert [note for note in world.app.notes if isinstance(note, str) and "done" in note] == [
        f"event {n} done" for n in range(40)
    ]
