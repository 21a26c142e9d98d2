"""One row, one event, one generation for one id (contract, section 4, promise 2)."""

import asyncio

import pytest
from tests.support.chat import Connect
from tests.support.process import ServerProcess
from tests.support.tokens import unique


async def test_the_same_message_again_is_a_duplicate(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    message_id = unique("m")
    first = await alice.send(room, "once", messageId=message_id)
    assert "duplicate" not in first
    for _ in range(3):
        again = await alice.send(room, "once", messageId=message_id)
        assert again == {**first, "duplicate": True}
    await bob.caught_up()
    assert len(bob.all("message:new")) == 1
    assert len(await bob.history(room)) == 1


async def test_the_same_message_again_from_another_connection_is_a_duplicate(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    message_id = unique("m")
    first = await alice.send(room, "once", messageId=message_id)
    alice = await connect(server, alice.user_id)
    await alice.join(room)
    assert await alice.send(room, "once", messageId=message_id) == {**first, "duplicate": True}
    assert len(await alice.history(room)) == 1


async def test_the_same_message_at_the_same_time_is_stored_once(
    multi_server: ServerProcess, connect: Connect, room: str
) -> None:
    one = await connect(multi_server)
    two = await connect(multi_server, one.user_id)
    await one.join(room)
    await two.join(room)
    message_id = unique("m")
    acks = await asyncio.gather(
        *(person.send(room, "once", messageId=message_id) for person in (one, two) * 5)
    )
    assert sorted(ack.get("duplicate", False) for ack in acks) == [False, *[True] * 9]
    assert len({(ack["messageId"], ack["seq"], ack["timestamp"]) for ack in acks}) == 1
    for person in (one, two):
        await person.caught_up()
        assert len(person.all("message:new")) == 1


@pytest.mark.parametrize("changed", ["content", "sender", "room"])
async def test_the_same_id_for_another_message_is_a_conflict(
    server: ServerProcess, connect: Connect, room: str, changed: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    message = {"roomId": room, "content": "mine", "messageId": unique("m")}
    await alice.done("message:send", message)
    sender = alice
    if changed == "content":
        message["content"] = "other"
    elif changed == "sender":
        sender = bob
    else:
        message["roomId"] = unique("room")
        await alice.join(message["roomId"])
    for event in ("message:send", "message:send:stream"):
        await sender.refused(event, {**message, "characterId": "echo"}, "conflict")
    assert [stored["content"] for stored in await alice.history(room)] == ["mine"]
    await bob.caught_up()
    assert len(bob.all("message:new")) == 1
    assert bob.all("message:stream:start") == []


async def test_duplicates_of_a_question_start_one_generation(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    message_id = unique("m")
    acks = await asyncio.gather(
        *(alice.ask(room, "/count 5 20", messageId=message_id) for _ in range(6))
    )
    assert [ack.get("duplicate", False) for ack in acks] == [False, *[True] * 5]
    await alice.sees("message:stream:end", replyTo=None)
    assert (await alice.ask(room, "/count 5 20", messageId=message_id))["duplicate"] is True
    # The same id as a plain message is the same message.
    assert (await alice.send(room, "/count 5 20", messageId=message_id))["duplicate"] is True
    await alice.caught_up()
    assert len(alice.all("message:stream:start")) == 1
    assert [row["role"] for row in await alice.history(room)] == ["user", "character"]
