"""Read marks, typing, presence, heartbeat (contract, sections 2 and 4, promises 10 and 11)."""

import asyncio

import pytest
from tests.support.chat import Chat, Connect
from tests.support.process import ServerProcess


async def pair(server: ServerProcess, connect: Connect, room: str) -> tuple[Chat, Chat]:
    """Two people in a room."""
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    return alice, bob


@pytest.mark.sends("messages:read")
@pytest.mark.receives("messages:read")
async def test_messages_read_moves_forward_only(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await pair(server, connect, room)
    ids = [(await alice.send(room, f"{n}"))["messageId"] for n in range(3)]
    for message_id in (ids[1], ids[0], ids[1], ids[2]):
        await bob.done("messages:read", {"roomId": room, "messageId": message_id})
    moved = await alice.sees("messages:read", messageId=ids[2])
    assert {key: moved[key] for key in ("roomId", "userId", "seq")} == {
        "roomId": room,
        "userId": bob.user_id,
        "seq": 3,
    }
    assert [event["seq"] for event in alice.all("messages:read")] == [2, 3]
    carol = await connect(server)
    marks = (await carol.join(room))["read"]
    assert [(mark["userId"], mark["messageId"], mark["seq"]) for mark in marks] == [
        (bob.user_id, ids[2], 3)
    ]


@pytest.mark.sends("typing:start", "typing:stop")
@pytest.mark.receives("typing:start", "typing:stop")
async def test_typing_start_and_stop_reach_the_others(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await pair(server, connect, room)
    await alice.done("typing:start", {"roomId": room})
    assert await bob.sees("typing:start") == {"roomId": room, "userId": alice.user_id}
    await alice.done("typing:stop", {"roomId": room})
    assert await bob.sees("typing:stop") == {"roomId": room, "userId": alice.user_id}
    await alice.caught_up()
    assert alice.all("typing:start") + alice.all("typing:stop") == []


@pytest.mark.receives("typing:start", "typing:stop")
async def test_typing_ends_by_itself_after_6_s(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await pair(server, connect, room)
    await alice.done("typing:start", {"roomId": room})
    started = await bob.sees_event("typing:start")
    stopped = await bob.sees_event("typing:stop", within=8)
    assert 5.5 < stopped.at - started.at < 7.5


@pytest.mark.parametrize("end", ["a message", "leaving", "losing the connection"])
@pytest.mark.receives("typing:start", "typing:stop")
async def test_typing_ends_with(
    server: ServerProcess, connect: Connect, room: str, end: str
) -> None:
    alice, bob = await pair(server, connect, room)
    await alice.done("typing:start", {"roomId": room})
    started = await bob.sees_event("typing:start")
    if end == "a message":
        await alice.send(room, "done")
    elif end == "leaving":
        await alice.done("room:leave", {"roomId": room})
    else:
        await alice.lose()
    stopped = await bob.sees_event("typing:stop")
    assert stopped.at - started.at < 3


@pytest.mark.sends("heartbeat")
@pytest.mark.receives("heartbeat:ack")
async def test_heartbeat_is_answered_by_ack_and_by_event(
    server: ServerProcess, connect: Connect
) -> None:
    alice = await connect(server)
    for stamp in (1764088522042, 12.5, "2026-01-31T09:05:00.042Z"):
        ack = await alice.done("heartbeat", {"timestamp": stamp, "rtt": 12})
        assert ack["timestamp"] == stamp
        event = await alice.sees("heartbeat:ack", timestamp=stamp)
        assert event["serverTime"] == ack["serverTime"]
    assert "serverTime" in await alice.done("heartbeat", {})
    assert "serverTime" in await alice.done("heartbeat", None)
    await alice.say("heartbeat", {"timestamp": "no callback"})
    await alice.sees("heartbeat:ack", timestamp="no callback")


@pytest.mark.sends("presence:set")
@pytest.mark.receives("presence:changed")
async def test_presence_set_is_shown_to_those_who_share_a_room(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await pair(server, connect, room)
    stranger = await connect(server)
    await bob.done("presence:set", {"status": "away"})
    changed = await alice.sees("presence:changed", userId=bob.user_id, status="away")
    assert changed.keys() == {"userId", "status", "lastSeen"}
    carol = await connect(server)
    members = {each["userId"]: each["status"] for each in (await carol.join(room))["members"]}
    assert members == {
        alice.user_id: "online",
        bob.user_id: "away",
        carol.user_id: "online",
    }
    await bob.done("presence:set", {"status": "online"})
    await alice.sees("presence:changed", userId=bob.user_id, status="online")
    await bob.refused("presence:set", {"status": "offline"}, "invalid_payload")
    await stranger.caught_up()
    assert stranger.all("presence:changed") == []


@pytest.mark.receives("presence:changed")
async def test_a_person_is_offline_when_the_last_connection_is_gone_and_a_grace_is_over(
    multi_server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await pair(multi_server, connect, room)
    second = await connect(multi_server, bob.user_id)
    await bob.lose()
    await second.lose()
    lost = asyncio.get_running_loop().time()
    offline = await alice.sees_event("presence:changed", userId=bob.user_id, status="offline")
    assert 0.4 < offline.at - lost < 2
    bob = await connect(multi_server, bob.user_id)
    await bob.join(room)
    # Coming back within the grace, or keeping one of two connections, is no news for anybody.
    second = await connect(multi_server, bob.user_id)
    await bob.lose()
    third = await connect(multi_server, bob.user_id)
    await second.lose()
    carol = await connect(multi_server)
    await carol.join(room)
    await carol.done("presence:set", {"status": "away"})
    await carol.lose()
    await alice.sees("presence:changed", userId=carol.user_id, status="offline")
    assert len(alice.all("presence:changed", userId=bob.user_id, status="offline")) == 1
    await third.caught_up()
