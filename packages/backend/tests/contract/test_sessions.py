"""Coming back (contract, section 3, points 3 and 4), and the end of a token."""

import asyncio

import pytest
from tests.support.chat import Chat, Connect, eventually
from tests.support.process import ServerProcess
from tests.support.rest import connections
from tests.support.tokens import token


async def gone(server: ServerProcess, person: Chat) -> None:
    """Wait until the server has noticed that somebody is gone."""

    async def none_is_left() -> bool:
        return await connections(server, person.user_id) == []

    await eventually(none_is_left)


@pytest.mark.parametrize("how", ["lost", "left"])
@pytest.mark.receives("session:restored")
async def test_session_restored_comes_once_and_remembers_room_and_character(
    server: ServerProcess, connect: Connect, room: str, how: str
) -> None:
    alice = await connect(server)
    await alice.join(f"{room}_first")
    await alice.join(room, characterId="echo")
    await (alice.lose() if how == "lost" else alice.leave())
    await gone(server, alice)
    alice = await connect(server, alice.user_id)
    restored = await alice.sees("session:restored")
    assert restored.keys() == {
        "previousRoomId",
        "previousCharacterId",
        "disconnectedAt",
        "canReconnect",
    }
    assert (restored["previousRoomId"], restored["previousCharacterId"]) == (room, "echo")
    assert restored["canReconnect"] is True
    await alice.done("room:rejoin", {"roomId": room, "characterId": "echo"})
    await alice.caught_up()
    assert len(alice.all("session:restored")) == 1
    # It was given out: another connection that takes over is not told once more.
    again = await connect(server, alice.user_id)
    await again.caught_up()
    assert again.all("session:restored") == []


@pytest.mark.receives("session:restored")
async def test_a_session_without_a_room_names_none(server: ServerProcess, connect: Connect) -> None:
    alice = await connect(server)
    await alice.lose()
    await gone(server, alice)
    alice = await connect(server, alice.user_id)
    restored = await alice.sees("session:restored")
    assert restored.keys() == {"disconnectedAt", "canReconnect"}


async def test_a_room_that_was_left_is_not_remembered(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    await alice.done("room:leave", {"roomId": room})
    await alice.lose()
    await gone(server, alice)
    alice = await connect(server, alice.user_id)
    assert "previousRoomId" not in await alice.sees("session:restored")


@pytest.mark.receives("user:left")
async def test_after_the_session_timeout_there_is_nothing_to_restore(
    multi_server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(multi_server), await connect(multi_server)
    await alice.join(room)
    await bob.join(room)
    await alice.lose()
    lost = asyncio.get_running_loop().time()
    left = await bob.sees_event("user:left", userId=alice.user_id)
    assert 0.9 < left.at - lost < 2.5
    alice = await connect(multi_server, alice.user_id)
    await alice.caught_up()
    assert alice.all("session:restored") == []


@pytest.mark.receives("auth:required")
async def test_auth_required_when_the_token_expires_and_then_the_socket_is_closed(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    bob = await connect(server)
    alice = await connect(server, auth={"token": token(bob.user_id + "_alice", expires_in=1)})
    await alice.join(room)
    required = await alice.sees("auth:required")
    assert required == {"reason": "token_expired"}
    await alice.closed()
    # The server ended it, so that there is no session to come back to.
    back = await connect(server, bob.user_id + "_alice")
    await back.caught_up()
    assert back.all("session:restored") == []
