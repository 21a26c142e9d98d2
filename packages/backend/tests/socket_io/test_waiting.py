"""How much of what a client sends may wait for the application."""

from tests.socket_io.application import Gate, World
from tests.socket_io.in_memory import MemoryOutlet, settle, virtual

from rejoinder_socketio import CloseReason, Refused


@virtual
async def test_no_more_is_read_from_who_has_enough_events_waiting() -> None:
    world = World(max_events=8)
    gate = world.app.handling = Gate(world.app)
    peer = await world.member()
    peer.send(*['42["a"]'] * 8)
    await settle()
    assert not peer.outlet.held
    peer.send('42["a"]')
    assert peer.outlet.held
    for _ in range(3):
        await gate.open()
        assert peer.outlet.held
    await gate.open()
    assert not peer.outlet.held


@virtual
async def test_nor_from_who_has_enough_bytes_waiting() -> None:
    world = World(max_payload=1000)
    gate = world.app.handling = Gate(world.app)
    peer = await world.member()
    peer.send('42["a"]', *[f'42["a","{"x" * 400}"]'] * 2)
    await settle()
    assert not peer.outlet.held
    peer.send('451-["a",{"_placeholder":true,"num":0}]', b"x" * 200)
    assert peer.outlet.held
    await gate.open()
    assert peer.outlet.held
    await gate.open()
    assert not peer.outlet.held


@virtual
async def test_a_namespace_that_has_room_does_not_let_in_more_for_one_that_has_none() -> None:
    world = World(max_events=8)
    stuck, gate = Gate(world.app), Gate(world.custom)
    world.app.handling, world.custom.handling = stuck, gate
    peer = world.peer().send("40", "40/custom")
    await settle()
    peer.send(*['42/custom,["b"]'] * 6, *['42["a"]'] * 5)
    await settle()
    assert peer.outlet.held
    await gate.open()
    assert peer.outlet.held
    for _ in range(4):
        await gate.open()
    assert not peer.outlet.held
    peer.send(*['42["a"]'] * 4)
    assert peer.outlet.held


@virtual
async def test_who_leaves_and_comes_back_has_no_more_room() -> None:
    world = World(max_events=8)
    world.app.handling = Gate(world.app)
    peer = await world.member()
    for _ in range(8):
        if not peer.outlet.held:
            peer.send('42["a"]', "41", "40")
        await settle()
    assert peer.outlet.held
    assert sum(len(connection.queue) for connection in world.app.connections) <= 10


@virtual
async def test_who_is_refused_is_read_from_again() -> None:
    world = World(max_events=8)
    gate = world.app.connecting = Gate(world.app)
    peer = world.peer().send("40", *['42["a"]'] * 8)
    await settle()
    assert peer.outlet.held
    await gate.open(Refused("no"))
    assert not peer.outlet.held


@virtual
async def test_a_session_that_moves_is_still_not_read_from() -> None:
    world = World(max_events=8)
    gate = world.app.handling = Gate(world.app)
    peer = world.peer("polling", room=None).send("40")
    await settle()
    peer.send(*['42["a"]'] * 9)
    assert peer.outlet.held
    probe = MemoryOutlet(10**9)
    assert peer.session.begin_upgrade(probe)
    peer.session.receive_probe(b"5")
    peer.send('42["a"]')
    assert probe.held
    await settle()
    for _ in range(5):
        await gate.open()
    assert not probe.held


@virtual
async def test_a_session_that_ends_is_not_held() -> None:
    world = World(max_events=2)
    gate = world.app.handling = Gate(world.app)
    peer = await world.member()
    peer.send('42["a"]', '42["b"]')
    await settle()
    peer.session.close(CloseReason.TRANSPORT_ERROR)
    assert peer.outlet.holds == 0
    await gate.open()
    await gate.open()
    assert world.app.notes[-1] is CloseReason.TRANSPORT_ERROR
