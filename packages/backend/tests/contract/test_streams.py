"""Answers that stream (contract, sections 2 and 4, promises 6, 7, 9)."""

import pytest
from tests.support.chat import Chat, Connect, Payload
from tests.support.process import ServerProcess
from tests.support.tokens import unique

WORDS = "안녕하세요 👩‍👩‍👧‍👦 e\u0301 \U0001f1f0\U0001f1f7 naïve\n\ttabs  and   spaces 끝 "


def assembled(viewer: Chat, message_id: str, joined: Payload | None = None) -> str:
    """The text as a viewer puts it together, from the start or from a snapshot's stream."""
    text, index = (joined["content"], joined["index"]) if joined else ("", 0)
    for chunk in viewer.all("message:stream:chunk", messageId=message_id):
        assert chunk["index"] == index, "chunks come without a hole and without a repeat"
        assert chunk["offset"] == len(text), "an offset counts code points"
        text, index = text + chunk["delta"], index + 1
    return text


@pytest.mark.sends("message:send:stream")
@pytest.mark.receives(
    "message:new", "message:stream:start", "message:stream:chunk", "message:stream:end"
)
async def test_message_send_stream_is_answered_as_a_stream(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room, characterId="echo")
    await bob.join(room)
    ack = await alice.done("message:send:stream", {"roomId": room, "content": WORDS})
    assert ack["seq"] == 1
    begun = await alice.sees("message:stream:start")
    for viewer in (alice, bob):
        assert await viewer.sees("message:stream:start") == begun
        assert begun.keys() == {
            "roomId",
            "messageId",
            "characterId",
            "replyTo",
            "seq",
            "timestamp",
        }
        assert (begun["characterId"], begun["replyTo"], begun["seq"]) == (
            "echo",
            ack["messageId"],
            2,
        )
        end = await viewer.sees("message:stream:end", messageId=begun["messageId"])
        assert (end["state"], end["content"]) == ("complete", WORDS)
        assert assembled(viewer, begun["messageId"]) == WORDS
        await viewer.caught_up()
        assert len(viewer.all("message:stream:end")) == 1
        # The answer is told by its stream, and no second time as a message.
        assert [message["role"] for message in viewer.all("message:new")] == ["user"]
        kinds = [e.name.rsplit(":", 1)[1] for e in viewer.events if "stream" in e.name]
        assert kinds == ["start", *["chunk"] * (len(kinds) - 2), "end"]
    stored = (await bob.history(room))[1]
    assert {key: stored[key] for key in ("id", "role", "senderId", "characterId", "state")} == {
        "id": begun["messageId"],
        "role": "character",
        "senderId": "echo",
        "characterId": "echo",
        "state": "complete",
    }
    assert stored["content"] == WORDS


async def test_the_ack_does_not_wait_for_the_character(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    await alice.ask(room, "/count 3 400")
    assert alice.all("message:stream:end") == []
    # Nor does anything else that the client sends meanwhile.
    await alice.send(room, "meanwhile")
    await alice.sees("message:stream:start")
    assert alice.all("message:stream:end") == []
    assert (await alice.sees("message:stream:end"))["content"] == "1 2 3"


async def test_a_second_person_joins_in_mid_stream(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await alice.ask(room, "/count 60 15")
    begun = await alice.sees("message:stream:start")
    await alice.until(lambda: len(alice.all("message:stream:chunk")) > 5)
    snapshot = await bob.join(room)
    [running] = snapshot["streams"]
    assert running["messageId"] == begun["messageId"]
    assert {key: running[key] for key in ("characterId", "replyTo", "seq", "timestamp")} == {
        key: begun[key] for key in ("characterId", "replyTo", "seq", "timestamp")
    }
    row = snapshot["messages"][-1]
    assert (row["id"], row["state"], row["content"]) == (
        begun["messageId"],
        "streaming",
        running["content"],
    )
    assert running["content"].startswith("1 2")
    assert running["index"] > 0
    end = await bob.sees("message:stream:end")
    assert assembled(bob, begun["messageId"], running) == end["content"]
    assert bob.all("message:stream:start") == []
    await alice.sees("message:stream:end")
    assert assembled(alice, begun["messageId"]) == end["content"]
    assert end["content"] == " ".join(str(n) for n in range(1, 61))


async def test_a_disconnect_changes_nothing_about_the_stream(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    await alice.ask(room, "/count 40 20")
    begun = await alice.sees("message:stream:start")
    await alice.sees("message:stream:chunk")
    await alice.lose()
    alice = await connect(server, alice.user_id)
    snapshot = await alice.done("room:rejoin", {"roomId": room})
    [running] = snapshot["streams"]
    end = await alice.sees("message:stream:end", messageId=begun["messageId"])
    assert (end["state"], end["content"]) == ("complete", " ".join(map(str, range(1, 41))))
    assert assembled(alice, begun["messageId"], running) == end["content"]


async def test_nobody_needs_to_watch_a_stream(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    await alice.ask(room, "/count 10 20")
    await alice.lose()
    bob = await connect(server)
    snapshot = await bob.join(room)
    if snapshot["streams"] or len(snapshot["messages"]) < 2:
        await bob.sees("message:stream:end")
    row = (await bob.history(room))[1]
    assert (row["state"], row["content"]) == ("complete", "1 2 3 4 5 6 7 8 9 10")


@pytest.mark.receives("message:stream:error")
async def test_message_stream_error_keeps_what_was_written(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    await alice.ask(room, "/fail 3")
    error = await alice.sees("message:stream:error")
    for viewer in (alice, bob):
        assert await viewer.sees("message:stream:error") == error
        assert error.keys() == {"roomId", "messageId", "content", "error", "code", "timestamp"}
        assert (error["content"], error["code"]) == ("1 2 3", "character_failed")
        assert assembled(viewer, error["messageId"]) == "1 2 3"
        await viewer.caught_up()
        assert viewer.all("message:stream:end") == []
        assert len(viewer.all("message:stream:error")) == 1
    row = (await bob.history(room))[1]
    assert (row["id"], row["state"], row["content"]) == (error["messageId"], "failed", "1 2 3")


async def test_a_failure_before_the_first_word_is_an_error_too(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    await alice.ask(room, "/fail 0")
    assert (await alice.sees("message:stream:error"))["content"] == ""
    assert (await alice.history(room))[1]["state"] == "failed"


async def test_message_send_stream_without_a_character_is_not_found_and_not_stored(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    question = {"roomId": room, "content": "anybody?"}
    await alice.refused("message:send:stream", question, "not_found")
    await alice.refused(
        "message:send:stream", {**question, "characterId": unique("nobody")}, "not_found"
    )
    assert await alice.history(room) == []
