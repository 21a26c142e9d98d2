"""What the server knows of a connected user, for an operator (contract, section 3, point 5)."""

import pytest
from tests.support.chat import Connect
from tests.support.process import ServerProcess
from tests.support.rest import connections, request
from tests.support.tokens import token


async def test_an_operator_lists_the_connections(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    [listed] = await connections(server, alice.user_id)
    assert listed.keys() == {"id", "socketId", "lastActivity", "connectedAt"}
    assert listed["socketId"] == alice.connection_id
    await alice.join(room, characterId="echo")
    [later] = await connections(server, alice.user_id)
    assert later.keys() == listed.keys() | {"roomId", "characterId"}
    assert (later["roomId"], later["characterId"]) == (room, "echo")
    assert later["connectedAt"] == listed["connectedAt"]
    assert later["lastActivity"] >= listed["lastActivity"]


@pytest.mark.parametrize("bearer", ["", "wrong", "\u00e9"])
async def test_nobody_else_lists_them(server: ServerProcess, bearer: str) -> None:
    answer = await request(server, "GET", "/api/connections", bearer=bearer)
    assert (answer.status, answer.code) == (403, "forbidden")
    user = await request(server, "GET", "/api/connections", bearer=token("somebody"))
    assert user.code == "forbidden"
