"""A room's characters and its rule for who sends again: changed over REST, heard by all in it, obeyed."""

import pytest
from tests.support import schema
from tests.support.chat import Chat, Connect
from tests.support.process import ServerProcess
from tests.support.rest import Answer, request
from tests.support.tokens import token

pytestmark = pytest.mark.receives("room:changed")


async def change(server: ServerProcess, who: Chat, room: str, **body: object) -> Answer:
    path = f"/api/rooms/{room}"
    return await request(server, "PATCH", path, bearer=token(who.user_id), body=body)


async def cast(server: ServerProcess, method: str, who: Chat, room: str, character: str) -> Answer:
    path = f"/api/rooms/{room}/characters/{character}"
    return await request(server, method, path, bearer=token(who.user_id))


async def test_members_change_the_rule(server: ServerProcess, connect: Connect, room: str) -> None:
    ann, ben, eve = await connect(server), await connect(server), await connect(server)
    await ann.join(room)
    await ben.join(room)
    changed = await change(server, ann, room, doubleTexting="merge")
    expected = {"roomId": room, "characterIds": [], "doubleTexting": "merge"}
    assert (changed.status, changed.body) == (200, expected)
    assert schema.problems({"$ref": "#/$defs/RoomChanged"}, changed.body) == []
    for person in (ann, ben):
        await person.sees("room:changed", doubleTexting="merge")
    listed = await request(server, "GET", "/api/rooms", bearer=token(ben.user_id))
    (summary,) = (each for each in listed.body["rooms"] if each["roomId"] == room)
    assert summary["doubleTexting"] == "merge"
    assert (await ben.done("room:rejoin", {"roomId": room}))["doubleTexting"] == "merge"

    both = await change(server, ann, room, doubleTexting="default", title="Ours")
    assert both.body == {"roomId": room, "title": "Ours"}
    assert "doubleTexting" not in await ben.done("room:rejoin", {"roomId": room})
    assert (await change(server, eve, room, doubleTexting="queue")).code == "forbidden"
    for body in ({}, {"doubleTexting": "never"}, {"doubleTexting": None}, {"more": 1}):
        assert (await change(server, ann, room, **body)).code == "invalid_payload", body


async def test_what_is_refused_changes_nothing(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann = await connect(server)
    await ann.join(room)
    refused = await change(server, ann, room, doubleTexting="merge", title=" ")
    assert refused.code == "invalid_payload"
    assert "doubleTexting" not in await ann.done("room:rejoin", {"roomId": room})
    await change(server, ann, room, doubleTexting="merge", title="Ours")
    await ann.sees("room:changed", doubleTexting="merge")


async def test_what_waits_is_answered_together_where_a_room_wants_it(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann = await connect(server)
    await ann.join(room, characterId="echo")
    await change(server, ann, room, doubleTexting="merge")
    await ann.ask(room, "/count 2000 20")
    start = await ann.sees("message:stream:start")
    second = await ann.ask(room, "two")
    third = await ann.ask(room, "three")
    await ann.done("message:stream:stop", {"roomId": room, "messageId": start["messageId"]})
    for question, content in ((second, ""), (third, "three")):
        begun = await ann.sees("message:stream:start", replyTo=question["messageId"])
        end = await ann.sees("message:stream:end", messageId=begun["messageId"])
        assert (end["content"], end["state"]) == (content, "complete")
    again = await ann.ask(room, "two", messageId=second["messageId"])
    assert again["duplicate"] is True
    await ann.caught_up()
    assert len(ann.all("message:stream:start")) == 3


async def test_members_bring_characters_in_and_take_them_out(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann, eve = await connect(server), await connect(server)
    await ann.join(room, characterId="echo")
    for _ in range(2):
        added = await cast(server, "PUT", ann, room, "echo")
        assert added.body == {"roomId": room, "characterIds": ["echo"]}
    await ann.sees("room:changed", characterIds=["echo"])
    assert (await cast(server, "PUT", ann, room, "nobody")).code == "not_found"
    assert (await cast(server, "PUT", eve, room, "echo")).code == "forbidden"
    assert (await cast(server, "DELETE", eve, room, "echo")).code == "forbidden"
    removed = await cast(server, "DELETE", ann, room, "echo")
    assert removed.body == {"roomId": room, "characterIds": []}
    assert "characterId" not in await (await connect(server)).join(room)
