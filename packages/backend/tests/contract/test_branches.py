"""Answers beside answers, edits, choices and deletions, on the wire."""

import pytest
from tests.support.chat import Chat, Connect
from tests.support.process import ServerProcess
from tests.support.tokens import unique


async def two(server: ServerProcess, connect: Connect, room: str) -> tuple[Chat, Chat]:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    return alice, bob


async def answered(alice: Chat, room: str, content: str) -> tuple[str, str]:
    """Ask, and wait for the answer; the ids of both."""
    question = (await alice.ask(room, content))["messageId"]
    start = await alice.sees("message:stream:start", replyTo=question)
    await alice.sees("message:stream:end", messageId=start["messageId"])
    return question, start["messageId"]


async def another(alice: Chat, room: str, event: str, message_id: str) -> str:
    """An answer beside one that is there, whole; its id."""
    ack = await alice.done(event, {"roomId": room, "messageId": message_id})
    await alice.sees("message:stream:end", messageId=ack["messageId"])
    return str(ack["messageId"])


@pytest.mark.sends("message:choose")
@pytest.mark.receives("message:chosen")
async def test_message_choose_is_seen_by_everybody_and_by_who_enters(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await two(server, connect, room)
    _, first = await answered(alice, room, "say it")
    second = await another(alice, room, "message:regenerate", first)
    assert "head" not in await (await connect(server)).join(room)

    await bob.done("message:choose", {"roomId": room, "messageId": first})
    for viewer in (alice, bob):
        chosen = await viewer.sees("message:chosen")
        assert (chosen["messageId"], chosen["head"], chosen["lastSeq"]) == (first, 2, 3)
        assert (chosen["userId"], chosen["revision"]) == (bob.user_id, 1)
    snapshot = await (await connect(server)).join(room)
    assert (snapshot["head"], snapshot["revision"], snapshot["lastSeq"]) == (2, 1, 3)

    assert (await alice.send(room, "go on"))["parentSeq"] == 2
    row = await bob.sees("message:new", content="go on")
    assert row["parentSeq"] == 2
    assert "head" not in await (await connect(server)).join(room)
    unknown = {"roomId": room, "messageId": unique("m")}
    await bob.refused("message:choose", unknown, "not_found")
    assert second != first


@pytest.mark.sends("message:edit")
@pytest.mark.receives("message:new", "message:stream:end")
async def test_message_edit_is_stored_and_asked_once(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await two(server, connect, room)
    question, _ = await answered(alice, room, "first words")
    edit = {
        "roomId": room,
        "messageId": question,
        "content": "second words",
        "newMessageId": unique("m"),
    }
    ack = await alice.done("message:edit", edit)
    row = await bob.sees("message:new", id=ack["messageId"])
    assert (row["parentSeq"], row["variantOf"], row["role"]) == (0, question, "user")
    start = await bob.sees("message:stream:start", replyTo=ack["messageId"])
    end = await bob.sees("message:stream:end", messageId=start["messageId"])
    assert end["content"] == "second words"
    assert (await alice.done("message:edit", edit))["duplicate"] is True
    await bob.refused("message:edit", {**edit, "newMessageId": unique("m")}, "forbidden")
    rows = await bob.history(room)
    assert [each["content"] for each in rows] == ["first words"] * 2 + ["second words"] * 2


@pytest.mark.sends("message:continue")
@pytest.mark.receives("message:stream:start", "message:stream:chunk")
async def test_message_continue_begins_with_the_old_text(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await two(server, connect, room)
    _, first = await answered(alice, room, "and so on")
    second = await another(alice, room, "message:continue", first)
    start = await bob.sees("message:stream:start", messageId=second)
    assert (start["parentSeq"], start["variantOf"]) == (1, first)
    chunks = [each for each in bob.all("message:stream:chunk") if each["messageId"] == second]
    assert (chunks[0]["offset"], chunks[0]["delta"]) == (0, "and so on")
    row = (await bob.history(room))[2]
    assert row["content"].startswith("and so on")
    assert len(row["content"]) > len("and so on")


@pytest.mark.sends("message:delete")
@pytest.mark.receives("message:deleted")
async def test_message_delete_takes_the_text_from_everybody(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await two(server, connect, room)
    question, answer = await answered(alice, room, "a secret")
    await alice.send(room, "something else")
    position = (await bob.sees("message:new", content="something else"))["id"]
    reference = {"roomId": room, "messageId": question}
    await bob.refused("message:delete", reference, "forbidden")
    await bob.leave()
    await alice.done("message:delete", reference)
    assert {
        (await alice.sees("message:deleted", messageId=each))["revision"]
        for each in (question, answer)
    } == {1}
    rows = await alice.history(room)
    assert [each["content"] for each in rows] == ["", "", "something else"]
    assert ["deletedAt" in each for each in rows] == [True, True, False]

    # Who was away holds them still, before their position.
    again = await connect(server, bob.user_id)
    entry = {"roomId": room, "lastMessageId": position}
    snapshot = await again.done("room:rejoin", entry)
    assert snapshot["recovered"] is True
    assert {each["messageId"] for each in snapshot["deleted"]} == {question, answer}
    known = await again.done("room:rejoin", {**entry, "revision": snapshot["revision"]})
    assert "deleted" not in known
