"""One connection: what it sends, what it asks, and what it is told."""

import asyncio
from typing import Any

import pytest
from tests.socket_io.application import World
from tests.socket_io.in_memory import settle, virtual

from rejoinder_socketio import CloseReason, Connection, Event, Refused

# --- sending --------------------------------------------------------------------------------------


@virtual
async def test_events_go_out_in_the_order_in_which_they_were_sent() -> None:
    world = World()
    peer = await world.member()
    world.connection.emit("a")
    world.connection.emit("b", 1, {"c": b"x"})
    world.connection.emit("d", volatile=True)
    assert peer.heard() == [
        '42["a"]',
        '451-["b",1,{"c":{"_placeholder":true,"num":0}}]',
        b"x",
        '42["d"]',
    ]


@virtual
async def test_what_is_sent_while_somebody_is_let_in_comes_after_that() -> None:
    world = World()

    def early(connection: Connection, _auth: Any) -> None:
        connection.emit("one")
        connection.emit("two", volatile=True)

    world.app.connecting = early
    world.app.opening = lambda connection: connection.emit("three")
    peer = world.peer().send("40")
    assert peer.heard() == []
    await settle()
    assert peer.heard() == ["40", '42["one"]', '42["two"]', '42["three"]']


@virtual
async def test_what_waits_for_somebody_to_be_let_in_has_a_bound() -> None:
    world = World(max_waiting=1000)

    async def never(connection: Connection, _auth: Any) -> None:
        connection.join("room")
        await asyncio.get_running_loop().create_future()

    world.app.connecting = never
    peer = world.peer().send("40")
    await settle()
    for _ in range(9):
        world.server.to("room").emit("x", "." * 93)
    assert not peer.reason
    for _ in range(2):
        world.server.to("room").emit("x", "." * 93)
    assert peer.reason is CloseReason.TOO_SLOW
    assert peer.heard() == []


@virtual
async def test_nothing_goes_out_to_who_is_gone() -> None:
    world = World()
    peer = await world.member()
    peer.send("41")
    world.connection.emit("a")
    world.connection.ack(1)
    world.connection.disconnect()
    assert peer.heard() == []
    assert peer.reason is None


# --- acknowledgements -----------------------------------------------------------------------------


@virtual
async def test_an_event_is_acknowledged_if_that_is_asked_for() -> None:
    world = World()
    world.app.handling = lambda _connection, event: event.ack("ok", b"x", *event.arguments)
    peer = await world.member()
    peer.send('42["a",1]', '427["a",2]')
    assert peer.heard() == ['461-7["ok",{"_placeholder":true,"num":0},2]', b"x"]


@virtual
async def test_a_call_is_answered_by_the_client() -> None:
    world = World()
    peer = await world.member()
    first, second = (
        asyncio.ensure_future(world.connection.call("ask", word)) for word in ("a", "b")
    )
    await settle()
    assert peer.heard() == ['421["ask","a"]', '422["ask","b"]']
    peer.send('432["B"]', "431[1,{}]")
    assert await second == ["B"]
    assert await first == [1, {}]


@virtual
async def test_an_answer_may_be_binary() -> None:
    world = World()
    peer = await world.member()
    asked = asyncio.ensure_future(world.connection.call("ask"))
    await settle()
    peer.send('461-1[{"_placeholder":true,"num":0}]', b"x")
    assert await asked == [b"x"]


@virtual
async def test_a_plain_answer_has_no_places_for_attachments() -> None:
    world = World()
    peer = await world.member()
    asked = asyncio.ensure_future(world.connection.call("ask"))
    await settle()
    peer.send('431[{"_placeholder":true,"num":0}]')
    assert await asked == [{"_placeholder": True, "num": 0}]


@virtual
async def test_answers_that_nobody_waits_for_are_passed_over() -> None:
    world = World()
    peer = await world.member()
    peer.send('431["early"]')
    asked = asyncio.ensure_future(world.connection.call("ask"))
    await settle()
    peer.send('430["other"]', '439999999999999999["other"]', "43[]", '431["one"]', '431["two"]')
    assert await asked == ["one"]
    peer.send('431["three"]')
    assert peer.reason is None


@pytest.mark.parametrize(
    "answer", ["431", "431{}", '431"a"', "431[", '461-1[{"_placeholder":true}]']
)
@virtual
async def test_an_answer_without_arguments_ends_the_session(answer: str) -> None:
    world = World()
    peer = await world.member()
    asked = asyncio.ensure_future(world.connection.call("ask"))
    await settle()
    peer.send(answer, *([b"x"] if answer.startswith("46") else []))
    assert peer.reason is CloseReason.PARSE_ERROR
    with pytest.raises(ConnectionError):
        await asked


@virtual
async def test_a_call_may_take_its_time_and_no_more() -> None:
    world = World(ping_interval=1000)
    peer = await world.member()
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TimeoutError):
        await world.connection.call("ask", seconds=7)
    assert loop.time() - began == pytest.approx(7)
    assert not world.connection._calls
    peer.send('431["late"]')
    assert peer.reason is None


@pytest.mark.parametrize("way", ["41", "1"])
@virtual
async def test_a_call_fails_when_the_client_goes(way: str) -> None:
    world = World()
    peer = await world.member()
    asked = asyncio.ensure_future(world.connection.call("ask"))
    await settle()
    peer.send(way)
    with pytest.raises(ConnectionError):
        await asked


@virtual
async def test_a_call_to_who_is_gone_fails_at_once() -> None:
    world = World()
    peer = await world.member()
    peer.send("41")
    began = asyncio.get_running_loop().time()
    with pytest.raises(ConnectionError):
        await world.connection.call("ask")
    assert asyncio.get_running_loop().time() == began


@virtual
async def test_a_handler_may_call_the_client_that_it_serves() -> None:
    world = World()
    answers: list[Any] = []

    async def ask(connection: Connection, _event: Event) -> None:
        answers.extend(await connection.call("back"))

    world.app.handling = ask
    peer = await world.member()
    peer.send('42["go"]')
    await settle()
    assert peer.heard() == ['421["back"]']
    peer.send('431["yes"]')
    await settle()
    assert answers == ["yes"]


# --- events ---------------------------------------------------------------------------------------


@virtual
async def test_an_event_is_binary_if_it_has_attachments() -> None:
    world = World()
    events: list[Event] = []
    world.app.handling = lambda _connection, event: events.append(event)
    peer = await world.member()
    peer.send('42["plain"]', '42["two",1,"b"]', '451-["one",{"_placeholder":true,"num":0}]', b"x")
    plain, two, one = events
    assert not plain.binary
    assert plain.arguments == []
    assert not plain.binary
    assert [bytes(raw) for raw in two.raw] == [b"1", b'"b"']
    assert two.arguments == [1, "b"]
    assert two.arguments is two.arguments
    assert not two.binary
    assert one.binary
    assert one.arguments == [b"x"]
    assert not one.raw


# --- rooms ----------------------------------------------------------------------------------------


@virtual
async def test_who_is_gone_enters_no_room() -> None:
    world = World()
    peer = await world.member()
    connection = world.connection
    connection.join("old")
    peer.send("41")
    connection.join("new")
    assert connection.rooms == set()
    assert world.server.namespaces["/"].rooms == {}


@virtual
async def test_who_is_refused_is_in_no_room() -> None:
    world = World()

    def refuse(connection: Connection, _auth: Any) -> None:
        connection.join("room")
        raise Refused("no")

    world.app.connecting = refuse
    world.peer().send("40")
    await settle()
    assert world.server.namespaces["/"].rooms == {}


@virtual
async def test_rooms_are_left() -> None:
    world = World()
    await world.member()
    connection = world.connection
    connection.join("a")
    connection.join("a")
    connection.join("b")
    assert connection.rooms == {"a", "b"}
    connection.leave("a")
    connection.leave("a")
    connection.leave("never")
    assert connection.rooms == {"b"}
    assert list(world.server.namespaces["/"].rooms) == ["b"]
