"""Who may enter (rooms `open` and `members`), and that nobody hears or acts in a room they are not in."""

import asyncio
from typing import Any

import pytest
from tests.support.chat import Chat, Connect
from tests.support.process import ServerProcess, Start
from tests.support.removals import WAYS, Removal
from tests.support.rest import request
from tests.support.tokens import token, unique

NAMES_A_ROOM: dict[str, dict[str, Any]] = {
    "room:leave": {},
    "message:send": {"content": "x"},
    "message:send:stream": {"content": "x", "characterId": "echo"},
    "message:stream:stop": {"messageId": "$"},
    "message:regenerate": {"messageId": "$"},
    "messages:history": {},
    "messages:read": {"messageId": "$"},
    "typing:start": {},
    "typing:stop": {},
}


async def busy(alice: Chat, room: str) -> None:
    """Everything that a room hears of, caused."""
    sent = await alice.send(room, "private")
    await alice.done("messages:read", {"roomId": room, "messageId": sent["messageId"]})
    await alice.done("typing:start", {"roomId": room})
    await alice.done("typing:stop", {"roomId": room})
    await alice.done("presence:set", {"status": "away"})
    await alice.ask(room, "/count 3")
    await alice.sees("message:stream:end")
    await alice.ask(room, "/fail 1")
    await alice.sees("message:stream:error")
    await alice.done("presence:set", {"status": "online"})
    await alice.done("room:leave", {"roomId": room})
    await alice.join(room)


def heard(person: Chat) -> list[str]:
    return [event.name for event in person.events if event.name != "heartbeat:ack"]


@pytest.mark.parametrize("before", ["never entered", "left", "replaced", "in another room"])
async def test_nobody_hears_or_acts_in_a_room_they_are_not_in(
    server: ServerProcess, connect: Connect, room: str, before: str
) -> None:
    alice, eve = await connect(server), await connect(server)
    await alice.join(room, characterId="echo")
    message_id = (await alice.send(room, "private"))["messageId"]
    if before in {"left", "replaced"}:
        await eve.join(room)
    if before == "left":
        await eve.done("room:leave", {"roomId": room})
    if before == "replaced":
        eve = await connect(server, eve.user_id)
    if before == "in another room":
        await eve.join(unique("room"))
    await eve.caught_up()
    eve.events.clear()
    for event, more in NAMES_A_ROOM.items():
        payload = {"roomId": room, **more}
        payload = {key: message_id if value == "$" else value for key, value in payload.items()}
        await eve.refused(event, payload, "not_in_room")
        await eve.say(event, payload)
    await busy(alice, room)
    await eve.caught_up()
    assert heard(eve) == []
    await alice.caught_up()
    assert {event.payload.get("userId") for event in alice.events} <= {
        None,
        alice.user_id,
        eve.user_id,
    }
    assert alice.all("typing:start") + alice.all("messages:read", userId=eve.user_id) == []
    assert {row["senderId"] for row in await alice.history(room)} == {alice.user_id, "echo"}


async def test_a_message_of_another_room_is_not_found(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, eve = await connect(server), await connect(server)
    await alice.join(room, characterId="echo")
    await alice.ask(room, "private")
    answer = (await alice.sees("message:stream:end"))["messageId"]
    own = unique("room")
    await eve.join(own, characterId="echo")
    for event in ("messages:read", "message:regenerate", "message:stream:stop"):
        await eve.refused(event, {"roomId": own, "messageId": answer}, "not_found")
    for side in ("before", "after"):
        await eve.refused("messages:history", {"roomId": own, side: answer}, "not_found")
    assert len(await alice.history(room)) == 2


async def test_a_room_of_members_is_entered_by_its_members_only(
    members_server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(members_server), await connect(members_server)
    # Whoever makes a room is a member of it.
    await alice.join(room)
    for event in ("room:join", "room:rejoin"):
        await bob.refused(event, {"roomId": room}, "forbidden")
    await bob.refused("message:send", {"roomId": room, "content": "x"}, "not_in_room")
    await busy(alice, room)
    await bob.caught_up()
    assert heard(bob) == []
    added = await request(
        members_server,
        "PUT",
        f"/api/rooms/{room}/members/{bob.user_id}",
        bearer=token(alice.user_id),
    )
    assert (added.status, added.body) == (200, {"success": True})
    snapshot = await bob.join(room)
    assert snapshot["messages"][0]["content"] == "private"
    await bob.alive(room)


async def test_who_was_added_is_called_by_their_name_once_they_come(
    members_server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(members_server), await connect(members_server)
    await alice.join(room)
    bearer, members = token(alice.user_id), f"/api/rooms/{room}/members"
    path = f"{members}/{bob.user_id}"

    async def name() -> str | None:
        listed = (await request(members_server, "GET", members, bearer=bearer)).body["members"]
        named: str | None
        [named] = [each.get("name") for each in listed if each["userId"] == bob.user_id]
        return named

    assert (await request(members_server, "PUT", path, bearer=bearer)).status == 200
    assert await name() is None
    await bob.join(room)
    await alice.sees("user:joined", userId=bob.user_id)
    assert await name() == "Kim"
    # Another time changes nothing, and neither does it when they are not there.
    assert (await request(members_server, "PUT", path, bearer=bearer)).status == 200
    await bob.done("room:leave", {"roomId": room})
    assert await name() == "Kim"


async def test_a_room_that_was_made_by_rest_is_its_maker_s(
    members_server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(members_server), await connect(members_server)
    made = await request(
        members_server,
        "POST",
        "/api/rooms",
        bearer=token(alice.user_id),
        body={"roomId": room, "characterId": "echo"},
    )
    assert made.status == 201
    await bob.refused("room:join", {"roomId": room}, "forbidden")
    assert (await alice.join(room))["characterId"] == "echo"


@pytest.mark.parametrize("way", ["socket", "rest"])
async def test_of_those_who_make_a_room_at_once_one_is_let_in(
    members_server: ServerProcess, connect: Connect, room: str, way: str
) -> None:
    people = [await connect(members_server) for _ in range(5)]
    for number in range(8):
        body = {"roomId": f"{room}-{number}"}

        async def enter(person: Chat, body: dict[str, str] = body) -> bool:
            if way == "socket":
                return bool((await person.call("room:join", body))["success"])
            bearer = token(person.user_id)
            made = await request(members_server, "POST", "/api/rooms", bearer=bearer, body=body)
            return made.status == 201

        assert sum(await asyncio.gather(*map(enter, people))) == 1
        [maker] = [person for person in people if (await person.call("room:join", body))["success"]]
        await maker.done("room:leave", body)


@pytest.mark.parametrize("who", ["a stranger", "nobody"])
async def test_only_members_add_members(
    members_server: ServerProcess, connect: Connect, room: str, who: str
) -> None:
    alice, bob = await connect(members_server), await connect(members_server)
    await alice.join(room)
    bearer = token(bob.user_id) if who == "a stranger" else ""
    path = f"/api/rooms/{room}/members/{bob.user_id}"
    answer = await request(members_server, "PUT", path, bearer=bearer)
    assert answer.code == ("forbidden" if bearer else "unauthorized")
    await bob.refused("room:join", {"roomId": room}, "forbidden")


async def test_the_handshake_s_reconnection_does_not_open_a_room(
    members_server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(members_server)
    await alice.join(room)
    bob = await connect(members_server, auth={"reconnection": {"roomId": room}})
    await busy(alice, room)
    await bob.caught_up()
    assert heard(bob) == []
    await bob.refused("message:send", {"roomId": room, "content": "x"}, "not_in_room")


@pytest.mark.receives("room:resync", "user:left")
async def test_who_is_removed_is_out_at_once(
    members_server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(members_server), await connect(members_server)
    await alice.join(room)
    path = f"/api/rooms/{room}/members/{bob.user_id}"
    await request(members_server, "PUT", path, bearer=token(alice.user_id))
    await bob.join(room)
    removed = await request(members_server, "DELETE", path, bearer=token(alice.user_id))
    assert removed.status == 200
    await bob.sees("room:resync", roomId=room, reason="removed")
    await bob.refused("room:join", {"roomId": room}, "forbidden")
    await bob.refused("message:send", {"roomId": room, "content": "x"}, "not_in_room")
    await alice.send(room, "private again")
    await bob.caught_up()
    assert bob.all("message:new") == []
    await alice.sees("user:left", userId=bob.user_id)


@pytest.mark.parametrize("way", WAYS)
async def test_who_is_removed_stays_out_whatever_they_do_at_that_moment(
    start: Start, connect: Connect, room: str, way: str
) -> None:
    server = start("--rooms=members", "--event-burst=1000")
    alice, bob = await connect(server), await connect(server)
    removal = Removal(alice, server, bob, server)
    for number in range(15):
        place = f"{room}-{number}"
        await removal.while_entering(place, way, 0.001 * number)
        await bob.refused("messages:history", {"roomId": place}, "not_in_room")
        await alice.done("room:leave", {"roomId": place})
