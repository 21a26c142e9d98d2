"""The server between sessions and an application: who is told what, in which order, and how much may wait."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.socket_io.application import Gate, Peer, World
from tests.socket_io.in_memory import settle, virtual

from rejoinder_socketio import CloseReason, Connection, Event, ProtocolError, Refused
from rejoinder_socketio.packets import RESERVED

LEFT, SERVER_LEFT, PARSE = (
    CloseReason.CLIENT_LEFT,
    CloseReason.SERVER_LEFT,
    CloseReason.PARSE_ERROR,
)


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_given: Any) -> None:
        raise error

    return fail


def raising_later(error: Exception) -> Callable[..., Awaitable[None]]:
    async def fail(*_given: Any) -> None:
        await asyncio.sleep(0)
        raise error

    return fail


# --- one after the other --------------------------------------------------------------------------


@virtual
async def test_an_event_begins_when_the_one_before_it_is_done() -> None:
    world = World()
    gate = world.app.handling = Gate(world.app)
    peer = await world.member()
    peer.send('42["a"]', '42["b"]', '42["c"]')
    await settle()
    assert world.app.notes == ["a"]
    for _ in range(3):
        assert gate.waiting == 1
        await gate.open()
    assert world.app.notes == ["a", "a done", "b", "b done", "c", "c done"]


@virtual
async def test_what_is_done_at_once_needs_no_turn_of_the_loop() -> None:
    world = World()
    peer = await world.member()
    peer.send('42["a"]', '42["b"]', "41")
    assert world.app.notes == ["a", "b", LEFT]


@virtual
async def test_events_of_others_do_not_wait() -> None:
    world = World()
    gate = world.app.handling = Gate(world.app)
    first, second = await world.member(), await world.member()
    first.send('42["a"]')
    second.send('42["b"]')
    await settle()
    assert gate.waiting == 2


@virtual
async def test_events_that_come_while_somebody_is_let_in_wait_for_that() -> None:
    world = World()
    gate = Gate(world.app)
    world.app.connecting = world.app.opening = gate
    peer = world.peer().send("40", '42["a"]', '42["b"]')
    await settle()
    assert world.app.notes == [("connect", {})]
    await gate.open()
    assert peer.heard() == ["40"]
    assert world.app.notes == [("connect", {}), "done", "connected", "open"]
    await gate.open()
    assert world.app.notes[-3:] == ["done", "a", "b"]


@pytest.mark.parametrize(("way", "reason"), [("41", LEFT), ("1", CloseReason.TRANSPORT_CLOSE)])
@virtual
async def test_the_end_is_told_once_and_after_the_events_before_it(
    way: str, reason: CloseReason
) -> None:
    world = World()
    gate = world.app.handling = Gate(world.app)
    peer = await world.member()
    peer.send('42["a"]', '42["b"]', way, '42["c"]', way)
    await settle()
    await gate.open()
    await gate.open()
    assert world.app.notes == ["a", "a done", "b", "b done", reason]
    assert world.server.namespaces["/"].connections == {}


@virtual
async def test_who_leaves_while_being_let_in_is_told_of_but_not_let_in() -> None:
    world = World()
    gate = world.app.connecting = Gate(world.app)
    peer = world.peer().send("40", "41")
    await settle()
    await gate.open()
    assert world.app.notes == [("connect", {}), "done", "connected", LEFT]
    assert peer.heard() == []
    assert world.server.namespaces["/"].connections == {}


@virtual
async def test_an_end_that_an_event_brings_about_comes_after_it() -> None:
    world = World()

    async def rest(_connection: Connection, _event: Event) -> None:
        world.app.notes.append("rest")

    def handle(connection: Connection, event: Event) -> Awaitable[None]:
        connection.disconnect()
        world.app.notes.append("left")
        return rest(connection, event)

    world.app.handling = handle
    peer = await world.member()
    peer.send('42["a"]')
    await settle()
    assert world.app.notes == ["a", "left", "rest", SERVER_LEFT]


@virtual
async def test_an_end_comes_after_the_events_that_wait_whoever_brings_it_about() -> None:
    world = World()
    gate = Gate(world.app)

    def handle(connection: Connection, event: Event) -> Awaitable[None] | None:
        if event.name == "wait":
            return gate(connection, event)
        if event.name == "end":
            connection.disconnect()
        return None

    world.app.handling = handle
    peer = await world.member()
    peer.send('42["wait"]', '42["end"]', '42["a"]', '42["b"]')
    await settle()
    await gate.open()
    assert world.app.notes == ["wait", "wait done", "end", "a", "b", SERVER_LEFT]


# --- letting in -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "auth"),
    [
        ("", {}),
        ("{}", {}),
        ('{"token":"1"}', {"token": "1"}),
        ("[1]", [1]),
        ("{", None),
        ("x", None),
    ],
)
@virtual
async def test_the_application_hears_what_was_sent_to_be_let_in(content: str, auth: Any) -> None:
    world = World()
    peer = world.peer().send(f"40{content}")
    await settle()
    assert world.app.notes == [("connect", auth), "open"]
    assert peer.heard() == ["40"]


@virtual
async def test_a_connection_knows_where_it_came_from() -> None:
    world = World()
    await world.member()
    connection = world.connection
    assert connection.namespace == "/"
    assert connection.request.address == "192.0.2.1"
    assert world.server.namespaces["/"].connections == {connection.id: connection}
    assert connection.is_open


@virtual
async def test_who_is_refused_is_told_why_and_the_application_hears_no_more_of_them() -> None:
    world = World()
    gate = world.app.connecting = Gate(world.app)
    peer = world.peer().send("40", '42["a"]')
    await settle()
    await gate.open(Refused("no", {"code": "x"}))
    assert peer.heard() == ['44{"message":"no","data":{"code":"x"}}']
    assert world.app.notes == [("connect", {})]
    peer.send('42["b"]')
    assert peer.reason is None
    peer.session.close(LEFT)
    await settle()
    assert world.app.notes == [("connect", {})]


@virtual
async def test_who_was_refused_may_try_again_for_a_while() -> None:
    world = World(connect_timeout=10, ping_interval=1000)
    world.app.connecting = raising(Refused("no"))
    peer = world.peer().send("40")
    await settle()
    await asyncio.sleep(6)
    peer.send("40")
    await settle()
    assert peer.heard() == ['44{"message":"no"}'] * 2
    await asyncio.sleep(9.9)
    assert peer.reason is None
    await asyncio.sleep(0.2)
    assert peer.reason is CloseReason.NOT_CONNECTED


@virtual
async def test_a_refusal_does_not_touch_who_came_after() -> None:
    world = World()
    gate = world.app.connecting = Gate(world.app)
    peer = world.peer().send("40", "41", "40")
    await settle()
    await gate.open(Refused("no"))
    assert peer.heard() == []
    await gate.open()
    assert peer.heard() == ["40"]
    assert world.connection.is_open
    peer.send('42["a"]')
    assert world.app.notes[-1] == "a"


@pytest.mark.parametrize("error", [ValueError("secret"), asyncio.CancelledError()])
@virtual
async def test_who_could_not_be_let_in_is_told_nothing_of_the_reason(error: BaseException) -> None:
    world = World()
    gate = world.app.connecting = Gate(world.app)
    peer = world.peer().send("40", '42["a"]')
    await settle()
    await gate.open(error)
    assert peer.heard() == ['44{"message":"Internal error"}']
    peer.send("1")
    await settle()
    assert world.app.notes == [("connect", {})]


@virtual
async def test_who_is_disconnected_while_being_let_in_hears_of_it() -> None:
    world = World()
    world.app.connecting = lambda connection, _auth: connection.disconnect()
    peer = world.peer().send("40")
    await settle()
    assert peer.heard() == ["41"]
    assert world.app.notes == [("connect", {}), SERVER_LEFT]
    assert not world.connection.is_open


@virtual
async def test_a_client_connects_once_to_a_namespace() -> None:
    world = World()
    peer = await world.member()
    peer.send("40")
    assert peer.reason is PARSE
    assert world.app.notes == [PARSE]


# --- namespaces -----------------------------------------------------------------------------------


@virtual
async def test_namespaces_of_one_session_do_not_touch_each_other() -> None:
    world = World()
    peer = world.peer().send("40", '40/custom,{"a":1}')
    await settle()
    assert peer.heard() == ["40", "40/custom,"]
    assert world.custom.notes == [("connect", {"a": 1}), "open"]
    peer.send('42["main"]', '42/custom,["other"]')
    assert (world.app.notes[-1], world.custom.notes[-1]) == ("main", "other")
    world.custom.connections[0].emit("x")
    peer.send("41/custom,", '42/custom,["late"]', '42["a"]')
    assert world.custom.notes[-1] is LEFT
    assert world.app.notes[-1] == "a"
    assert peer.heard() == ['42/custom,["x"]']
    peer.send("1")
    assert world.app.notes[-1] is CloseReason.TRANSPORT_CLOSE
    assert world.custom.notes[-1] is LEFT


@virtual
async def test_other_namespaces_there_are_not() -> None:
    world = World(connect_timeout=10)
    peer = world.peer().send("40/none,{}", "42/none,[]", "41/none,", "43/none,1[]")
    assert peer.heard() == ['44/none,{"message":"Invalid namespace"}']
    await asyncio.sleep(10.1)
    assert peer.reason is CloseReason.NOT_CONNECTED


@virtual
async def test_a_session_has_a_limit_of_namespaces() -> None:
    world = World(max_namespaces=1)
    peer = world.peer().send("40", "40/custom")
    await settle()
    assert peer.heard() == ['44/custom,{"message":"Too many namespaces"}', "40"]
    peer.send("41", "40/custom")
    await settle()
    assert peer.heard() == ["40/custom,"]


@virtual
async def test_who_has_left_may_come_back() -> None:
    world = World(connect_timeout=10, ping_interval=1000)
    peer = await world.member()
    first = world.connection
    peer.send("41")
    await asyncio.sleep(9)
    peer.send("40")
    await settle()
    assert peer.heard() == ["40"]
    second = world.connection
    assert second is not first
    assert second.id != first.id
    first.disconnect()
    assert second.is_open
    peer.send('42["a"]')
    assert world.app.notes == [LEFT, ("connect", {}), "open", "a"]
    await asyncio.sleep(20)
    assert peer.reason is None
    second.disconnect()
    assert peer.heard() == ["41"]
    assert world.app.notes[-1] is SERVER_LEFT


@virtual
async def test_who_has_left_and_does_not_come_back_is_ended_in_time() -> None:
    world = World(connect_timeout=10, ping_interval=1000)
    peer = await world.member()
    peer.send("41")
    await asyncio.sleep(9.9)
    assert peer.reason is None
    await asyncio.sleep(0.2)
    assert peer.reason is CloseReason.NOT_CONNECTED


# --- attachments ----------------------------------------------------------------------------------

TWO = '{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]'


@virtual
async def test_an_event_comes_when_its_attachments_are_there() -> None:
    world = World()
    seen: list[Any] = []
    world.app.handling = lambda _connection, event: seen.append((event.ack_id, event.arguments))
    peer = await world.member()
    peer.send('452-7["a",' + TWO, b"x")
    assert world.app.notes == []
    peer.send(b"y")
    assert seen == [(7, [b"y", b"x"])]


@pytest.mark.parametrize(
    "packets",
    [
        (b"x",),
        ('451-["a"]', '42["b"]'),
        ('451-["a"]', "41"),
        ('451-["a"]', '451-["a"]'),
        ('451-["a"]', b"x", b"y"),
        ('450-["a"]',),
        ('45["a"]',),
        ('453-["a"]',),
        ('451-["a",{"_placeholder":true,"num":1}]', b"x"),
        ('452-["a"]', b"x" * 60, b"x" * 60),
        ('451-["connect"]', b"x"),
        ("451-{}", b"x"),
    ],
)
@virtual
async def test_attachments_that_are_not_as_announced_end_the_session(
    packets: tuple[str | bytes, ...],
) -> None:
    world = World(max_attachments=2, max_payload=100)
    peer = await world.member()
    peer.send(*packets)
    assert peer.reason is PARSE
    assert world.app.notes[-1] is PARSE


@virtual
async def test_as_many_and_as_large_attachments_as_there_may_be() -> None:
    world = World(max_attachments=2, max_payload=100)
    peer = await world.member()
    peer.send('452-["a"]', b"x" * 50, b"x" * 50)
    assert world.app.notes == ["a"]
    assert peer.reason is None


@virtual
async def test_attachments_for_who_has_just_left_are_passed_over() -> None:
    world = World()
    peer = world.peer().send("40", "40/custom")
    await settle()
    world.custom.connections[0].disconnect()
    peer.send('452-/custom,["a"]', b"x", b"y", '461-/custom,1["a"]', b"z", '42["b"]')
    assert peer.reason is None
    assert world.app.notes[-1] == "b"
    assert world.custom.notes[-1] is SERVER_LEFT


@pytest.mark.parametrize("packet", ['450-/none,["a"]', '45/none,["a"]', '42/none,1-["a"]'])
@virtual
async def test_nothing_is_waited_for_where_nothing_can_come(packet: str) -> None:
    world = World()
    peer = await world.member()
    peer.send(packet, '42["b"]')
    assert peer.reason is None
    assert world.app.notes == ["b"]


@virtual
async def test_who_leaves_before_the_last_attachment_has_sent_no_event() -> None:
    world = World()
    peer = world.peer().send("40", "40/custom")
    await settle()
    peer.send('451-/custom,["a"]')
    world.custom.connections[0].disconnect()
    peer.send(b"x", '42["b"]')
    assert peer.reason is None
    assert "a" not in world.custom.notes
    assert world.app.notes[-1] == "b"


# --- what can't be understood ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet", ["44{}", "4abc", "42{}", "42[1]", "42", "421{", "47", '42["connect"]']
)
@virtual
async def test_what_can_not_be_understood_ends_the_session(packet: str) -> None:
    world = World()
    peer = await world.member()
    peer.send(packet)
    assert peer.reason is PARSE
    assert world.app.notes[-1] is PARSE


@pytest.mark.parametrize("name", sorted(RESERVED))
@virtual
async def test_nobody_sends_a_reserved_name(name: str) -> None:
    world = World()
    world.app.refusing = lambda _connection: None
    peer = await world.member()
    peer.send(f'427["{name}"]', '42["a"]')
    assert world.app.notes == [("reserved name", 7), "a"]
    assert peer.reason is None


@virtual
async def test_a_malformed_event_has_its_turn() -> None:
    world = World()
    world.app.refusing = lambda _connection: None
    gate = Gate(world.app)
    world.app.connecting = gate
    world.app.handling = gate
    peer = world.peer().send("40", '42["a"]', "421{}", '42["b"]')
    await settle()
    assert world.app.notes == [("connect", {})]
    await gate.open()
    assert world.app.notes == [("connect", {}), "done", "connected", "open", "a"]
    await gate.open()
    assert world.app.notes[-3:] == ["a done", ("no event", 1), "b"]
    assert peer.reason is None


@virtual
async def test_a_malformed_event_in_the_queue_may_end_the_session() -> None:
    world = World()
    gate = world.app.handling = Gate(world.app)
    peer = await world.member()
    peer.send('42["a"]', "42{}")
    await settle()
    assert not peer.reason
    await gate.open()
    assert peer.reason is PARSE
    assert world.app.notes == ["a", "a done", ("no event", None), PARSE]


# --- applications that fail -----------------------------------------------------------------------


@pytest.mark.parametrize("fail", [raising, raising_later])
@virtual
async def test_an_event_that_fails_does_not_stop_the_next(
    fail: Callable[[Exception], Any], caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.app.handling = fail(ValueError("a bug"))
    peer = await world.member()
    peer.send('42["a"]', '42["b"]', "41")
    await settle()
    assert world.app.notes == ["a", "b", LEFT]
    assert peer.reason is None
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "a bug" in caplog.text


@virtual
async def test_an_event_that_is_cancelled_does_not_stop_the_next() -> None:
    world = World()
    gate = world.app.handling = Gate(world.app)
    peer = await world.member()
    peer.send('42["a"]', '42["b"]', '42["c"]')
    await settle()
    await gate.open(asyncio.CancelledError())
    await gate.open()
    await gate.open()
    assert world.app.notes == ["a", "b", "b done", "c", "c done"]


@pytest.mark.parametrize("before", ["", '42["before"]'])
@pytest.mark.parametrize("fail", [raising, raising_later])
@virtual
async def test_an_application_may_find_an_event_to_break_the_protocol(
    fail: Callable[[Exception], Any], before: str
) -> None:
    world = World()
    gate = Gate(world.app)
    peer = await world.member()
    if before:
        world.app.handling = gate
        peer.send(before)
        await settle()
    world.app.handling = fail(ProtocolError("no"))
    peer.send('42["a"]')
    if before:
        await gate.open()
    await settle()
    assert peer.reason is PARSE
    assert world.app.notes[-2:] == ["a", PARSE]


@virtual
async def test_an_end_that_a_failed_event_brings_comes_after_the_events_that_wait() -> None:
    world = World()
    gate = Gate(world.app)

    def handle(connection: Connection, event: Event) -> Awaitable[None] | None:
        return gate(connection, event) if event.name == "wait" else None

    world.app.handling = handle
    peer = await world.member()
    peer.send('42["wait"]', '42["a"]', '42["b"]')
    await settle()
    await gate.open(ProtocolError("no"))
    assert peer.reason is PARSE
    assert world.app.notes == ["wait", "a", "b", PARSE]


@pytest.mark.parametrize("fail", [raising, raising_later])
@virtual
async def test_a_welcome_that_fails_does_not_stop_the_events(
    fail: Callable[[Exception], Any], caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.app.opening = fail(ValueError("a bug"))
    peer = world.peer().send("40", '42["a"]')
    await settle()
    peer.send('42["b"]', "41")
    await settle()
    assert peer.heard() == ["40"]
    assert world.app.notes[-3:] == ["a", "b", LEFT]
    assert "a bug" in caplog.text


@pytest.mark.parametrize("fail", [raising, raising_later])
@virtual
async def test_an_end_that_fails_is_the_end(
    fail: Callable[[Exception], Any], caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.app.leaving = fail(ValueError("a bug"))
    peer = await world.member()
    peer.send("41", "40")
    await settle()
    assert world.app.notes == [LEFT, ("connect", {}), "open"]
    assert "a bug" in caplog.text


@virtual
async def test_an_answer_to_a_malformed_event_that_fails_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.app.refusing = raising(ValueError("a bug"))
    peer = await world.member()
    peer.send("42{}", '42["a"]')
    assert peer.reason is None
    assert world.app.notes == [("no event", None), "a"]
    assert "a bug" in caplog.text


# --- rooms ----------------------------------------------------------------------------------------


async def everybody(world: World, number: int, room: int | None = 10**9) -> list[Peer]:
    peers = []
    for _ in range(number):
        peers.append(await world.member(room=room))
        world.connection.join("room")
    return peers


@virtual
async def test_a_room_hears_what_is_sent_to_it() -> None:
    world = World()
    a, b, c = await everybody(world, 3)
    outside = await world.member()
    world.server.to("room").emit("x", 1, b"y")
    due = ['451-["x",1,{"_placeholder":true,"num":0}]', b"y"]
    assert a.heard() == b.heard() == c.heard() == due
    assert outside.heard() == []
    world.server.to("none").emit("x")
    assert a.heard() == outside.heard() == []


@virtual
async def test_some_may_be_left_out() -> None:
    world = World()
    a, b, c = await everybody(world, 3)
    first, _, third, *_ = world.app.connections
    world.server.to("room", without={first, third}).emit("x")
    assert (a.heard(), b.heard(), c.heard()) == ([], ['42["x"]'], [])


@virtual
async def test_rooms_are_of_their_namespace() -> None:
    world = World()
    peer = world.peer().send("40", "40/custom")
    await settle()
    peer.heard()
    world.connection.join("room")
    world.custom.connections[0].join("room")
    world.server.to("room", namespace="/custom").emit("x")
    assert peer.heard() == ['42/custom,["x"]']


@virtual
async def test_who_has_left_hears_nothing() -> None:
    world = World()
    a, b = await everybody(world, 2)
    a.send("41")
    world.connection.leave("room")
    world.server.to("room").emit("x")
    assert a.heard() == b.heard() == []
    assert world.server.namespaces["/"].rooms == {}


@virtual
async def test_a_message_to_a_room_is_encoded_once() -> None:
    world = World()
    a, b = await everybody(world, 2)
    world.server.to("room").emit("x")
    assert a.outlet.queue[0] is b.outlet.queue[0]


@virtual
async def test_a_member_that_is_too_slow_does_not_keep_it_from_the_others() -> None:
    world = World(max_waiting=1000)
    first, slow, last = await everybody(world, 3, room=None)
    for _ in range(10):
        world.server.to("room").emit("x", "." * 93)
        first.heard()
        last.heard()
    assert world.app.notes == ["slow", CloseReason.TOO_SLOW]
    assert slow.reason is CloseReason.TOO_SLOW
    assert len(slow.outlet.queue) == 9
    world.server.to("room").emit("y")
    assert first.heard() == last.heard() == ['42["y"]']
    assert slow.outlet.waiting() <= 1000


@virtual
async def test_an_application_that_fails_when_a_member_is_slow_does_not_either(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(max_waiting=1000)
    world.app.slowing = raising(ValueError("a bug"))
    slow, last = await everybody(world, 2, room=None)
    for _ in range(6):
        world.server.to("room").emit("x", "." * 93)
        assert last.heard() == [f'42["x","{"." * 93}"]']
    assert world.app.notes == ["slow"]
    assert "a bug" in caplog.text
    assert slow.reason is None


@virtual
async def test_volatile_events_are_left_out_for_a_slow_member_alone() -> None:
    world = World(max_waiting=1000)
    slow, quick = await everybody(world, 2, room=None)
    world.server.to("room").emit("x", "." * 250)
    quick.heard()
    world.server.to("room").emit("typing", volatile=True)
    assert quick.heard() == ['42["typing"]']
    assert len(slow.heard()) == 1


# --- the end of a session -------------------------------------------------------------------------


@virtual
async def test_what_was_sent_before_the_end_of_a_session_comes_before_it() -> None:
    world = World()
    peer = world.peer().send("40", "40/custom")
    await settle()
    peer.heard()
    world.connection.emit("a")
    world.connection.disconnect(close=True)
    world.connection.emit("b")
    assert peer.heard() == ['42["a"]', "41"]
    assert peer.reason is SERVER_LEFT
    assert world.app.notes[-1] is world.custom.notes[-1] is SERVER_LEFT
    assert len(world.server.engine) == 0


@virtual
async def test_each_end_is_told_once_though_one_brings_about_another() -> None:
    world = World()
    peer = world.peer().send("40", "40/custom")
    await settle()
    world.app.leaving = lambda *_given: world.custom.connections[0].disconnect(close=True)
    world.custom.leaving = lambda *_given: world.connection.disconnect(close=True)
    peer.send("1")
    assert world.app.notes[2:] == [CloseReason.TRANSPORT_CLOSE]
    assert world.custom.notes[2:] == [SERVER_LEFT]
    assert peer.reason is CloseReason.TRANSPORT_CLOSE


@virtual
async def test_a_server_that_closes_ends_everybody() -> None:
    world = World()
    a, b = await everybody(world, 2)
    await world.server.close()
    assert a.reason is b.reason is CloseReason.SHUTTING_DOWN
    assert world.app.notes[-2:] == [CloseReason.SHUTTING_DOWN] * 2
    assert len(world.server.engine) == 0


@virtual
async def test_a_server_that_closes_leaves_nothing_undone_behind() -> None:
    world = World()

    async def hang(*_given: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            world.app.notes.append("ended")

    world.app.handling = hang
    peer = await world.member()
    peer.send('42["a"]')
    await settle()
    await world.server.close()
    assert world.app.notes[-3:] == ["a", "ended", CloseReason.SHUTTING_DOWN]
