"""Any bytes of a client, however they come: nothing but a protocol error, and a state that is valid."""

import asyncio
import logging
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from tests.profiles import deterministic
from tests.socket_io.application import World
from tests.socket_io.by_hand import client_frame
from tests.socket_io.in_memory import settle, virtual
from tests.socket_io.wire import Wire

from rejoinder_socketio import CloseReason, Connection, Event, Refused
from rejoinder_socketio.engine.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from rejoinder_socketio.engine.session import Phase

PACKETS = [
    "40",
    "40",
    '40{"token":1}',
    "40/custom,",
    "40/none",
    "41",
    "41/custom,",
    '42["a"]',
    '421["later"]',
    '42/custom,7["fail"]',
    '42["leave"]',
    '42["end"]',
    '42["connect"]',
    "42{}",
    '451-["a",{"_placeholder":true,"num":0}]',
    '461-1[{"_placeholder":true,"num":0}]',
    "431[]",
    '44{"message":"x"}',
    "3",
    "1",
    "2probe",
    "5",
    "",
]
texts = st.sampled_from(PACKETS).map(str.encode)
attachments = st.sampled_from([b"", b"x" * 20])
usual = st.lists(
    texts.map(lambda text: client_frame(TEXT, text))
    | texts.map(lambda text: client_frame(TEXT, text[:1], last=False) + client_frame(0, text[1:]))
    | attachments.map(lambda data: client_frame(BINARY, data))
    | st.just(client_frame(PING, b"p")),
    max_size=14,
).map(b"".join)
broken = st.builds(
    client_frame,
    st.sampled_from([TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG, 3, 0x41]),
    st.binary(max_size=130),
    last=st.booleans(),
)
rubbish = st.lists(usual | broken | st.binary(max_size=40), max_size=4).map(b"".join)
cuts = st.lists(st.integers(1, 60), min_size=1, max_size=6)


def application(world: World) -> None:
    async def later(connection: Connection, event: Event) -> None:
        await asyncio.sleep(0)
        event.ack(event.name)
        if event.name == "leave":
            connection.disconnect()

    def handle(connection: Connection, event: Event) -> Any:
        if event.name == "end":
            connection.disconnect(close=True)
        elif event.name in {"later", "leave"}:
            return later(connection, event)
        return None

    def let_in(connection: Connection, auth: Any) -> None:
        connection.join("room")
        if auth == {"token": 1}:
            raise Refused("no")

    for app in (world.app, world.custom):
        app.connecting = let_in
        app.handling = handle


def check(world: World, wire: Wire) -> None:
    for app, name in ((world.app, "/"), (world.custom, "/custom")):
        namespace = world.server.namespaces[name]
        ends = [note for note in app.notes if isinstance(note, CloseReason)]
        opened = app.notes.count("open")
        assert opened - len(ends) <= len(namespace.connections)
        members = namespace.rooms.get("room", {})
        assert set(namespace.connections.values()) <= set(members)
        for connection in app.connections:
            assert connection.is_gone or connection.session.phase is not Phase.CLOSED
            assert (connection in members) is not connection.is_gone
    if wire.transport.is_closing():
        assert len(world.server.engine) == 0


@settings(deterministic, max_examples=200)
@given(usual | rubbish, cuts)
def test_any_bytes_leave_a_valid_state(data: bytes, sizes: list[int]) -> None:
    @virtual
    async def conversation() -> None:
        world = World(max_payload=200, max_fragments=4, max_events=4, ping_interval=1000)
        application(world)
        wire = Wire(world.server.engine)
        wire.begin()
        position, turn = 0, 0
        while position < len(data) and not wire.transport.is_closing():
            if wire.transport.reading:
                size = sizes[turn % len(sizes)]
                wire.give(data[position : position + size])
                position, turn = position + size, turn + 1
            if turn % 3 == 0:
                await settle()
        await settle()
        await settle()
        check(world, wire)
        said = wire.frames()
        assert [opcode for opcode, _ in said[:-1]].count(CLOSE) == 0
        await world.server.close()
        await settle()
        check(world, wire)
        assert len(world.server.engine) == 0
        for app in (world.app, world.custom):
            ends = [note for note in app.notes if isinstance(note, CloseReason)]
            assert app.notes.count("open") <= len(ends) <= len(app.connections)

    conversation()


@pytest.fixture(autouse=True)
def _no_errors(caplog: pytest.LogCaptureFixture) -> Any:
    yield
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
