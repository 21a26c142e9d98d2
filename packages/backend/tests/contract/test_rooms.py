"""Entering and leaving rooms (contract, section 2)."""

import pytest
from tests.support.chat import Connect
from tests.support.process import ServerProcess

SNAPSHOT = {"roomId", "messages", "recovered", "hasMore", "lastSeq", "members", "read", "streams"}


@pytest.mark.sends("room:join")
async def test_room_join_acks_with_the_snapshot(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    ack = await alice.join(room)
    assert ack.keys() == SNAPSHOT | {"success"}
    assert (ack["messages"], ack["lastSeq"], ack["hasMore"], ack["recovered"]) == (
        [],
        0,
        False,
        False,
    )
    assert [member["userId"] for member in ack["members"]] == [alice.user_id]
    assert ack["members"][0]["name"] == "Kim"
    assert ack["members"][0]["status"] == "online"


@pytest.mark.sends("room:join")
@pytest.mark.receives("user:joined")
async def test_user_joined_reaches_the_others_and_not_oneself(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    ack = await bob.join(room)
    assert {member["userId"] for member in ack["members"]} == {alice.user_id, bob.user_id}
    joined = await alice.sees("user:joined", userId=bob.user_id)
    assert joined["roomId"] == room
    await bob.caught_up()
    assert bob.all("user:joined") == []


async def test_room_join_twice_tells_the_others_once(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    for _ in range(3):
        await bob.join(room)
    await alice.caught_up()
    assert len(alice.all("user:joined", userId=bob.user_id)) == 1


async def test_room_join_with_a_character_gives_the_room_that_character(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    assert (await alice.join(room, characterId="echo"))["characterId"] == "echo"
    assert (await bob.join(room))["characterId"] == "echo"


async def test_room_join_with_a_position_gives_what_came_after_it(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    ids = [(await alice.send(room, f"{n}"))["messageId"] for n in range(4)]
    ack = await bob.join(room, lastMessageId=ids[1])
    assert (ack["recovered"], ack["hasMore"], ack["lastSeq"]) == (True, False, 4)
    assert [message["id"] for message in ack["messages"]] == ids[2:]


@pytest.mark.sends("room:leave")
@pytest.mark.receives("user:left")
async def test_room_leave_tells_the_others(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    await bob.done("room:leave", {"roomId": room})
    left = await alice.sees("user:left", userId=bob.user_id)
    assert left["roomId"] == room
    await bob.caught_up()
    assert bob.all("user:left") == []


@pytest.mark.sends("room:rejoin")
@pytest.mark.receives("room:rejoined", "user:reconnected")
async def test_room_rejoin_gives_the_snapshot_twice_and_tells_the_others(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    last = await alice.send(room, "before the cable was pulled")
    await bob.lose()
    missed = await alice.send(room, "missed")
    bob = await connect(server, bob.user_id)
    ack = await bob.done(
        "room:rejoin",
        {"roomId": room, "characterId": "echo", "lastMessageId": last["messageId"]},
    )
    assert ack["recovered"] is True
    assert [message["id"] for message in ack["messages"]] == [missed["messageId"]]
    rejoined = await bob.sees("room:rejoined", roomId=room)
    assert rejoined == {key: value for key, value in ack.items() if key != "success"}
    await alice.sees("user:reconnected", userId=bob.user_id, roomId=room)
    assert alice.all("user:left") == []
    assert len(alice.all("user:joined", userId=bob.user_id)) == 1


@pytest.mark.receives("room:rejoined", "user:reconnected")
async def test_reconnection_data_in_the_handshake_rejoins(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    last = await alice.send(room, "one")
    await bob.lose()
    missed = await alice.send(room, "two")
    reconnection = {"roomId": room, "characterId": "echo", "lastMessageId": last["messageId"]}
    bob = await connect(server, bob.user_id, auth={"reconnection": reconnection})
    rejoined = await bob.sees("room:rejoined")
    assert [message["id"] for message in rejoined["messages"]] == [missed["messageId"]]
    assert rejoined["characterId"] == "echo"
    await alice.sees("user:reconnected", userId=bob.user_id)
    await bob.alive(room)
