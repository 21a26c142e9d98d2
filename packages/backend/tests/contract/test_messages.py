"""Sending messages (contract, section 2), and their one order (section 4, promise 3)."""

import asyncio
from itertools import pairwise

import pytest
from tests.support.chat import Connect
from tests.support.process import ServerProcess
from tests.support.tokens import unique


@pytest.mark.sends("message:send")
@pytest.mark.receives("message:new")
async def test_message_send_stores_acks_and_shows_it_to_the_room(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    ack = await alice.send(room, "안녕 👋", messageId=(message_id := unique("m")))
    assert ack.keys() == {"success", "messageId", "timestamp", "seq"}
    assert (ack["messageId"], ack["seq"]) == (message_id, 1)
    shown = await bob.sees("message:new")
    assert shown == {
        "id": message_id,
        "roomId": room,
        "seq": 1,
        "role": "user",
        "senderId": alice.user_id,
        "content": "안녕 👋",
        "state": "complete",
        "timestamp": ack["timestamp"],
    }
    assert await alice.sees("message:new") == shown
    assert await bob.history(room) == [shown]


async def test_message_send_without_an_id_is_given_one(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    first, second = await alice.send(room, "same"), await alice.send(room, "same")
    assert first["messageId"] != second["messageId"]
    assert [message["id"] for message in await alice.history(room)] == [
        first["messageId"],
        second["messageId"],
    ]


async def test_message_send_keeps_character_reply_and_metadata(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    first = await alice.send(room, "first")
    more = {
        "characterId": "echo",
        "replyTo": first["messageId"],
        "metadata": {"client": {"mood": "😀", "nothing": None, "list": [1, 2.5, True]}},
    }
    ack = await alice.send(room, "second", **more)
    shown = await bob.sees("message:new", id=ack["messageId"])
    assert {key: shown[key] for key in more} == more
    assert (await bob.history(room))[1] == shown


async def test_message_send_without_a_callback_works(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    await alice.say("message:send", {"roomId": room, "content": "no callback"})
    assert (await bob.sees("message:new"))["content"] == "no callback"


async def test_one_client_s_sends_keep_their_order(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    texts = [f"{n}" for n in range(20)]
    acks = await asyncio.gather(*(alice.send(room, text) for text in texts))
    assert [ack["seq"] for ack in acks] == list(range(1, 21))
    await bob.sees("message:new", seq=20)
    assert [message["content"] for message in bob.all("message:new")] == texts


async def test_one_client_s_events_do_not_overtake_each_other(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await bob.join(room)
    # None waits for the one before it, and entering takes the server longer than sending.
    await asyncio.gather(
        alice.join(room),
        alice.send(room, "0"),
        alice.ask(room, "/count 2"),
        alice.send(room, "2"),
        alice.done("messages:history", {"roomId": room}),
        alice.done("room:leave", {"roomId": room}),
        alice.refused("message:send", {"roomId": room, "content": "3"}, "not_in_room"),
    )
    await bob.sees("user:left", userId=alice.user_id)
    assert [row["content"] for row in bob.all("message:new")] == ["0", "/count 2", "2"]


async def test_a_room_has_one_order_for_live_events_catch_up_and_history(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    people = [await connect(server) for _ in range(4)]
    for person in people:
        await person.join(room)
    sends = [person.send(room, f"{n}") for n in range(12) for person in people]
    acks = asyncio.gather(*sends)
    # Somebody who comes while messages flow: the snapshot and what follows it fit together.
    late = await connect(server)
    snapshot = await late.join(room)
    await acks
    last = len(sends)
    for person in (*people, late):
        await person.caught_up()
    order = [message["id"] for message in await late.history(room)]
    assert len(order) == last
    for person in people:
        assert [message["id"] for message in person.all("message:new")] == order
    live = [message["seq"] for message in late.all("message:new")]
    assert live == list(range(snapshot["lastSeq"] + 1, last + 1))
    seqs = [message["seq"] for message in snapshot["messages"]] + live
    assert all(after == before + 1 for before, after in pairwise(seqs))
