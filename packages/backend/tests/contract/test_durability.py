"""Acked is durable: `kill -9`, and a restart on the same data (contract, section 4, promises 1, 3 and 8)."""

import asyncio
from collections.abc import Iterator
from itertools import count

from tests.support.chat import Chat, Connect, Payload, eventually
from tests.support.process import Start
from tests.support.tokens import unique

ROUNDS = 5
WRITERS = 4
IN_FLIGHT = 5
ACKED = 20
SETTLED_SECONDS = 40.0
"""15 s are promised, and rules in virtual time hold that; here is room for a machine that is busy."""


async def write(
    writer: Chat,
    room: str,
    numbers: Iterator[int],
    acked: dict[str, int],
    enough: asyncio.Event,
) -> None:
    """Send until the server is gone; a send whose ACK does not come may or may not be stored."""
    for number in numbers:
        message_id = f"{writer.user_id}-{number:04}"
        payload = {"roomId": room, "content": message_id, "messageId": message_id}
        ack = await writer.call("message:send", payload)
        assert ack["success"] is True, ack
        acked[message_id] = ack["seq"]
        if number >= ACKED:
            enough.set()


def check(rows: list[Payload], acked: dict[str, int]) -> None:
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    assert {row["id"]: row["seq"] for row in rows if row["id"] in acked} == acked
    assert all(row["content"] == row["id"] for row in rows)
    for writer in {message_id.partition("-")[0] for message_id in ids}:
        own = [message_id for message_id in ids if message_id.startswith(f"{writer}-")]
        assert own == sorted(own), "one sender's messages keep their order"


async def test_what_was_acked_survives_kill_9(start: Start, connect: Connect, room: str) -> None:
    server = start("--send-rate=10000", "--send-burst=10000", "--event-rate=10000")
    acked: dict[str, int] = {}
    for _ in range(ROUNDS):
        enough = asyncio.Event()
        writers = [await connect(server, f"{unique('user')}") for _ in range(WRITERS)]
        for writer in writers:
            await writer.join(room)
        # Several sends of each are under way when the server dies.
        writing = [
            asyncio.create_task(write(writer, room, numbers, acked, enough))
            for writer, numbers in [(writer, count()) for writer in writers]
            for _ in range(IN_FLIGHT)
        ]
        await asyncio.wait_for(enough.wait(), 10)
        server.kill()
        for task in writing:
            task.cancel()
        ends = await asyncio.gather(*writing, return_exceptions=True)
        assert [end for end in ends if isinstance(end, AssertionError)] == []
        server.start()
        reader = await connect(server)
        await reader.join(room)
        check(await reader.history(room), acked)
    assert len(acked) > ACKED * ROUNDS


async def test_kill_9_right_after_an_ack(start: Start, connect: Connect, room: str) -> None:
    server = start()
    sent: list[str] = []
    for turn in range(4):
        alice = await connect(server)
        await alice.join(room)
        ack = await alice.send(room, f"last words {turn}")
        server.kill()
        sent.append(ack["messageId"])
        server.start()
        bob = await connect(server)
        snapshot = await bob.join(room)
        assert [row["id"] for row in snapshot["messages"]] == sent
        # The sender did not see the ACK, and sends again.
        again = await connect(server, alice.user_id)
        await again.join(room)
        repeated = await again.send(room, f"last words {turn}", messageId=ack["messageId"])
        assert (repeated["duplicate"], repeated["seq"]) == (True, ack["seq"])


async def test_what_streamed_is_interrupted_with_the_text_kept(
    start: Start, connect: Connect, room: str
) -> None:
    server = start()
    alice = await connect(server)
    await alice.join(room)
    await alice.ask(room, "/count 1000 30")
    begun = await alice.sees("message:stream:start")
    # The text is saved every second.
    await alice.until(lambda: len(alice.all("message:stream:chunk")) > 50)
    server.kill()
    server.start()
    bob = await connect(server)
    snapshot = await bob.join(room)
    assert snapshot["streams"] == []
    row = snapshot["messages"][1]
    assert (row["id"], row["state"]) == (begun["messageId"], "interrupted")
    shown = "".join(chunk["delta"] for chunk in alice.all("message:stream:chunk"))
    assert len(row["content"]) > 20
    assert shown.startswith(row["content"]) or row["content"].startswith(shown)
    # The room goes on, in its order.
    assert (await bob.send(room, "go on"))["seq"] == 3


async def ask_several(alice: Chat, room: str) -> tuple[list[str], str]:
    """A question that is being answered, some that wait for their turns, and another answer that waits; their ids."""
    await alice.join(room, characterId="echo")
    answered = await alice.ask(room, "hi")
    await alice.sees("message:stream:end")
    texts = ("/count 2000 30", "second", "third", "fourth")
    asked = [(await alice.ask(room, text))["messageId"] for text in texts]
    again = {"roomId": room, "messageId": answered["messageId"]}
    swipe = await alice.done("message:regenerate", again)
    await alice.sees("message:stream:chunk", index=1)
    return [answered["messageId"], *asked], str(swipe["messageId"])


async def check_settled(viewer: Chat, room: str, questions: list[str], swipe: str) -> None:
    """Each question has one answer, and the one that was asked for another one has it."""

    async def all_ended() -> bool:
        rows = await viewer.history(room)
        answers = [row for row in rows if row["role"] == "character"]
        return len(answers) > len(questions) and all(r["state"] != "streaming" for r in answers)

    await eventually(all_ended, SETTLED_SECONDS, pause=0.5)
    rows = await viewer.history(room)
    answers = [(row["replyTo"], row["state"]) for row in rows if row["role"] == "character"]
    assert sorted(answers) == sorted(
        [(questions[0], "complete"), *((question, "interrupted") for question in questions)]
    )
    assert {row["content"] for row in rows if row.get("replyTo") in questions[2:]} == {""}
    assert [row["replyTo"] for row in rows if row["id"] == swipe] == questions[:1]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))


async def test_questions_that_wait_at_kill_9_have_an_answer_each(
    start: Start, connect: Connect, room: str
) -> None:
    server = start()
    questions, swipe = await ask_several(await connect(server), room)
    server.kill()
    server.start()
    bob = await connect(server)
    await bob.join(room)
    await check_settled(bob, room, questions, swipe)
    # And are not answered again.
    again = await connect(server)
    await again.join(room)
    await check_settled(again, room, questions, swipe)


async def test_read_marks_members_and_the_room_s_character_survive(
    start: Start, connect: Connect, room: str
) -> None:
    server = start("--rooms=members")
    alice = await connect(server)
    await alice.join(room, characterId="echo")
    sent = await alice.send(room, "x", metadata={"a": [1, {"b": "한"}]})
    await alice.done("messages:read", {"roomId": room, "messageId": sent["messageId"]})
    server.kill()
    server.start()
    bob = await connect(server)
    await bob.refused("room:join", {"roomId": room}, "forbidden")
    alice = await connect(server, alice.user_id)
    snapshot = await alice.join(room)
    assert snapshot["characterId"] == "echo"
    assert snapshot["messages"][0]["metadata"] == {"a": [1, {"b": "한"}]}
    assert [mark["messageId"] for mark in snapshot["read"]] == [sent["messageId"]]
