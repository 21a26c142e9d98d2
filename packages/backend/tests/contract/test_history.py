"""Pages of history (contract, section 2) and catching up (section 4, promise 4)."""

import asyncio

import pytest
from tests.support.chat import Chat, Connect
from tests.support.process import ServerProcess
from tests.support.tokens import unique


async def filled(server: ServerProcess, connect: Connect, room: str, count: int) -> list[str]:
    """A room with that many messages; their ids. Several people write, for none may write so much at once."""
    ids: list[str] = []
    while len(ids) < count:
        writer = await connect(server)
        await writer.join(room)
        some = min(20, count - len(ids))
        acks = await asyncio.gather(*(writer.send(room, f"{n}") for n in range(some)))
        ids += [ack["messageId"] for ack in acks]
    return ids


async def page(reader: Chat, room: str, **asked: object) -> tuple[list[str], bool]:
    ack = await reader.done("messages:history", {"roomId": room, **asked})
    assert ack["roomId"] == room
    return [message["id"] for message in ack["messages"]], ack["hasMore"]


@pytest.mark.sends("messages:history")
async def test_messages_history_pages_in_both_directions(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ids = await filled(server, connect, room, 103)
    reader = await connect(server)
    snapshot = await reader.join(room)
    assert [message["id"] for message in snapshot["messages"]] == ids[-50:]
    assert (snapshot["recovered"], snapshot["hasMore"]) == (False, True)
    assert await page(reader, room) == (ids[-50:], True)
    assert await page(reader, room, limit=100) == (ids[-100:], True)
    assert await page(reader, room, limit=1000) == (ids[-100:], True)
    assert await page(reader, room, limit=1) == (ids[-1:], True)
    assert await page(reader, room, before=ids[3]) == (ids[:3], False)
    assert await page(reader, room, before=ids[60], limit=10) == (ids[50:60], True)
    assert await page(reader, room, before=ids[0]) == ([], False)
    assert await page(reader, room, after=ids[2], limit=5) == (ids[3:8], True)
    assert await page(reader, room, after=ids[100]) == (ids[101:], False)
    assert await page(reader, room, after=ids[-1]) == ([], False)


async def test_a_long_absence_is_caught_up_page_by_page(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ids = await filled(server, connect, room, 103)
    reader = await connect(server)
    held, more = ids[:1], True
    while more:
        ack = await reader.done("room:rejoin", {"roomId": room, "lastMessageId": held[-1]})
        assert ack["recovered"] is True
        assert ack["lastSeq"] == len(ids)
        assert len(ack["messages"]) <= 50
        held += [message["id"] for message in ack["messages"]]
        more = ack["hasMore"]
    assert held == ids


@pytest.mark.parametrize("position", ["unknown", "of another room"])
async def test_a_position_that_cannot_be_honoured_gives_the_newest_page(
    server: ServerProcess, connect: Connect, room: str, position: str
) -> None:
    ids = await filled(server, connect, room, 3)
    reader = await connect(server)
    last = unique("m")
    if position == "of another room":
        other = unique("room")
        await reader.join(other)
        last = (await reader.send(other, "elsewhere"))["messageId"]
    snapshot = await reader.join(room, lastMessageId=last)
    assert snapshot["recovered"] is False
    assert [message["id"] for message in snapshot["messages"]] == ids


@pytest.mark.receives("messages:history")
async def test_messages_history_without_a_callback_comes_as_an_event(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ids = await filled(server, connect, room, 3)
    reader = await connect(server)
    await reader.join(room)
    await reader.say("messages:history", {"roomId": room, "limit": 2})
    event = await reader.sees("messages:history")
    assert event.keys() == {"roomId", "messages", "hasMore"}
    assert ([message["id"] for message in event["messages"]], event["hasMore"]) == (ids[1:], True)
    # With a callback the answer comes once, as the ACK.
    await page(reader, room)
    await reader.caught_up()
    assert len(reader.all("messages:history")) == 1


async def test_messages_history_refuses_what_it_cannot_answer(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ids = await filled(server, connect, room, 2)
    reader = await connect(server)
    await reader.join(room)
    both = {"roomId": room, "before": ids[0], "after": ids[1]}
    await reader.refused("messages:history", both, "invalid_payload")
    unknown = {"roomId": room, "before": unique("m")}
    await reader.refused("messages:history", unknown, "not_found")
    for limit in (0, -1, "10", 1.5, True, None):
        await reader.refused(
            "messages:history", {"roomId": room, "limit": limit}, "invalid_payload"
        )
