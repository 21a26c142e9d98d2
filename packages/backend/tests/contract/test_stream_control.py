"""Stopping and regenerating answers (contract, sections 2 and 4, promise 7)."""

import time

import pytest
from tests.contract.test_streams import assembled
from tests.support.chat import Connect
from tests.support.process import ServerProcess
from tests.support.tokens import unique


@pytest.mark.sends("message:stream:stop")
@pytest.mark.receives("message:stream:end")
async def test_message_stream_stop_keeps_what_was_written(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    await alice.ask(room, "/count 1000 20")
    message_id = (await alice.sees("message:stream:start"))["messageId"]
    await alice.until(lambda: len(alice.all("message:stream:chunk")) > 3)
    asked = time.monotonic()
    await alice.done("message:stream:stop", {"roomId": room, "messageId": message_id})
    for viewer in (alice, bob):
        end = await viewer.sees_event("message:stream:end")
        assert end.at - asked < 1
        assert end.payload["state"] == "stopped"
        assert assembled(viewer, message_id) == end.payload["content"]
        assert end.payload["content"].startswith("1 2 3")
    row = (await bob.history(room))[1]
    assert (row["state"], row["content"]) == ("stopped", assembled(alice, message_id))
    # Too late, and once more: no harm.
    await alice.done("message:stream:stop", {"roomId": room, "messageId": message_id})
    await bob.caught_up()
    assert len(bob.all("message:stream:end")) == 1


async def test_a_second_connection_stops_it_within_a_second(
    multi_server: ServerProcess, connect: Connect, room: str
) -> None:
    phone = await connect(multi_server)
    laptop = await connect(multi_server, phone.user_id)
    await phone.join(room)
    await laptop.join(room)
    # A delay that is longer than the second: the character is asleep when it is stopped.
    await phone.ask(room, "/count 10 5000")
    message_id = (await laptop.sees("message:stream:start"))["messageId"]
    await laptop.sees("message:stream:chunk")
    asked = time.monotonic()
    await laptop.done("message:stream:stop", {"roomId": room, "messageId": message_id})
    end = await phone.sees_event("message:stream:end")
    assert end.at - asked < 1
    assert (end.payload["state"], end.payload["content"]) == ("stopped", "1")


async def test_only_who_asked_may_stop_it(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    await alice.ask(room, "/count 20 30")
    message_id = (await bob.sees("message:stream:start"))["messageId"]
    stop = {"roomId": room, "messageId": message_id}
    await bob.refused("message:stream:stop", stop, "forbidden")
    unknown = {"roomId": room, "messageId": unique("m")}
    await bob.refused("message:stream:stop", unknown, "not_found")
    assert (await bob.sees("message:stream:end"))["state"] == "complete"


@pytest.mark.sends("message:regenerate")
@pytest.mark.receives("message:stream:start", "message:stream:end")
async def test_message_regenerate_keeps_both_answers(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    question = await alice.ask(room, "say it again")
    first = (await alice.sees("message:stream:end"))["messageId"]
    ack = await alice.done("message:regenerate", {"roomId": room, "messageId": first})
    second = ack["messageId"]
    assert second != first
    begun = await bob.sees("message:stream:start", messageId=second)
    assert begun["replyTo"] == question["messageId"]
    assert (await bob.sees("message:stream:end", messageId=second))["content"] == "say it again"
    rows = await bob.history(room)
    assert [row["id"] for row in rows] == [question["messageId"], first, second]
    assert {row["replyTo"] for row in rows[1:]} == {question["messageId"]}
    assert [row["state"] for row in rows[1:]] == ["complete", "complete"]


async def test_message_regenerate_after_a_failure_and_after_a_stop(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room, characterId="echo")
    await alice.ask(room, "/fail 1")
    failed = (await alice.sees("message:stream:error"))["messageId"]
    ack = await alice.done("message:regenerate", {"roomId": room, "messageId": failed})
    await alice.sees("message:stream:error", messageId=ack["messageId"])
    unknown = {"roomId": room, "messageId": unique("m")}
    await alice.refused("message:regenerate", unknown, "not_found")
    assert [row["state"] for row in await alice.history(room)] == ["complete", "failed", "failed"]
