"""`DELETE /api/rooms/{roomId}`: for good, for everybody, whatever happens."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from tests.contract.test_search import search
from tests.support.chat import Chat, Connect, eventually
from tests.support.process import ServerProcess, Start
from tests.support.rest import Answer, request
from tests.support.tokens import token, unique

pytestmark = pytest.mark.receives("room:deleted")


async def delete(server: ServerProcess, who: Chat | str, room: str) -> Answer:
    user_id = who if isinstance(who, str) else who.user_id
    return await request(server, "DELETE", f"/api/rooms/{room}", bearer=token(user_id))


async def rooms_of(server: ServerProcess, user_id: str) -> list[str]:
    listed = await request(server, "GET", "/api/rooms", bearer=token(user_id))
    return [each["roomId"] for each in listed.body["rooms"]]


async def is_gone(server: ServerProcess, person: Chat, room: str) -> None:
    """Nothing of it is there, and nothing makes it again."""
    for event, more in (
        ("room:join", {}),
        ("message:send", {"content": "x"}),
        ("message:send:stream", {"content": "x", "characterId": "echo"}),
        ("messages:history", {}),
        ("typing:start", {}),
        ("room:join", {"characterId": "echo"}),
        ("room:rejoin", {}),
    ):
        await person.refused(event, {"roomId": room, **more}, "not_found")
    made = await request(
        server, "POST", "/api/rooms", bearer=token(person.user_id), body={"roomId": room}
    )
    assert made.code == "not_found"
    assert room not in await rooms_of(server, person.user_id)
    for method, path in (("GET", "export"), ("GET", "members")):
        asked = await request(
            server, method, f"/api/rooms/{room}/{path}", bearer=token(person.user_id)
        )
        assert asked.status in {403, 404}
    assert (await delete(server, person, room)).code == "not_found"


async def test_everybody_is_told_and_put_out(
    multi_server: ServerProcess, connect: Connect, room: str
) -> None:
    server = multi_server
    ann, ben = await connect(server), await connect(server)
    elsewhere = await connect(server, ann.user_id)
    for person in (ann, ben):
        await person.join(room, characterId="echo")
    await ann.send(room, "비밀번호는 삭제됩니다")
    summary = await request(server, "GET", "/api/rooms", bearer=token(ben.user_id))
    assert [each["createdBy"] for each in summary.body["rooms"]] == [ann.user_id]
    assert (await delete(server, ben, room)).code == "forbidden"
    assert (await delete(server, unique("user"), room)).code == "forbidden"
    assert (await delete(server, ann, room)).status == 200
    for person in (ann, ben, elsewhere):
        await person.sees("room:deleted", roomId=room)
    for person in (ann, ben):
        # For clients that don't know of deletion.
        await person.sees("room:resync", roomId=room, reason="removed")
        await is_gone(server, person, room)
    assert (await search(server, ann.user_id, "비밀번호")).body["hits"] == []


async def test_an_answer_that_runs_ends_with_it(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann = await connect(server)
    await ann.join(room, characterId="echo")
    await ann.ask(room, "/count 1000 20")
    await ann.ask(room, "/count 1000 20")
    await ann.sees("message:stream:chunk")
    assert (await delete(server, ann, room)).status == 200
    await ann.sees("room:deleted")
    await ann.caught_up()
    seen = len(ann.events)
    other = unique("room")
    await ann.join(other, characterId="echo")
    await ann.ask(other, "/count 20 20")
    await ann.sees("message:stream:end", roomId=other)
    late = [event for event in ann.events[seen:] if event.payload.get("roomId") == room]
    assert late == []
    await is_gone(server, ann, room)


async def test_whatever_was_acknowledged_came_before(
    start: Start, connect: Connect, room: str
) -> None:
    """Nobody is told that a message is stored that is not, and none brings the room back."""
    server = start(
        "--send-rate=100000", "--send-burst=100000", "--event-rate=100000", "--event-burst=100000"
    )
    ann, ben = await connect(server), await connect(server)
    await ann.join(room)
    await ben.join(room)
    codes: list[object] = []

    async def write() -> None:
        while True:
            ack = await ben.call("message:send", {"roomId": room, "content": "still here"})
            codes.append(ack.get("code"))
            if ack["success"] is False:
                return

    writing = [asyncio.create_task(write()) for _ in range(5)]
    await ann.sees("message:new", content="still here")
    assert (await delete(server, ann, room)).status == 200
    await asyncio.gather(*writing)
    assert set(codes) <= {None, "not_found"}
    await is_gone(server, ben, room)


async def test_a_killed_server_goes_on_where_it_was(
    start: Start, connect: Connect, room: str
) -> None:
    server = start(
        "--send-rate=100000", "--send-burst=100000", "--event-rate=100000", "--event-burst=100000"
    )
    ann = await connect(server)
    await ann.join(room)
    await asyncio.gather(*(ann.send(room, f"글 {n}") for n in range(1500)))
    assert (await delete(server, ann, room)).status == 200
    server.kill()
    server.start()
    again = await connect(server, ann.user_id)
    await is_gone(server, again, room)
    assert (await search(server, ann.user_id, "글")).body["hits"] == []

    async def empty() -> bool:
        with closing(sqlite3.connect(server.data_dir / "rejoinder.db")) as db:
            rows = db.execute("SELECT count(*) FROM messages WHERE room_id = ?", (room,))
            index = db.execute("SELECT count(*) FROM search")
            return (rows.fetchone()[0], index.fetchone()[0]) == (0, 0)

    await eventually(empty, 60)
