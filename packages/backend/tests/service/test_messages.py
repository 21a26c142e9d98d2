"""Messages: stored, acknowledged, shown, once each and in order."""

import asyncio

import pytest
from tests.service.world import World

from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import ChatMessage


async def test_a_message_is_stored_acked_and_shown_to_the_room(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await world.advance(1)
    ack = await ann.send(
        "안녕 👋",
        messageId="m1",
        characterId="echo",
        replyTo="m0",
        metadata={"mood": "good"},
    )
    at = "2026-01-01T00:00:01.000Z"
    assert ack == events.MessageStored(success=True, message_id="m1", timestamp=at, seq=1)
    message = ChatMessage(
        id="m1",
        room_id="room",
        seq=1,
        role="user",
        sender_id="ann",
        content="안녕 👋",
        state="complete",
        timestamp=at,
        character_id="echo",
        reply_to="m0",
        metadata={"mood": "good"},
    )
    assert ann.heard(catalogue.MESSAGE_NEW) == ben.heard(catalogue.MESSAGE_NEW) == [message]
    assert await world.row("m1") == message


async def test_without_an_id_the_server_gives_one(world: World) -> None:
    (ann,) = await world.in_room("ann")
    first, second = await ann.send("x"), await ann.send("x")
    assert first.message_id != second.message_id
    assert (await world.row(second.message_id)).seq == 2


async def test_a_message_sent_again_is_stored_and_shown_once(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    first = await ann.send("hello", messageId="m1")
    await world.advance(3)
    again = await ann.send("hello", messageId="m1", metadata={"try": 2})
    assert (again.duplicate, again.seq, again.timestamp) == (True, 1, first.timestamp)
    assert ben.names == ["message:new"]


async def test_sent_many_times_at_once_it_is_stored_and_shown_once(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    acks = await asyncio.gather(*(ann.send("hello", messageId="m1") for _ in range(10)))
    assert sorted(ack.duplicate is True for ack in acks) == [False] + [True] * 9
    assert {ack.seq for ack in acks} == {1}
    assert ben.names == ["message:new"]


async def test_an_id_that_is_taken_is_a_conflict(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.send("hello", messageId="m1")
    for client, content in ((ann, "other"), (ben, "hello")):
        message = {"roomId": "room", "content": content, "messageId": "m1"}
        assert await client.refused("message:send", message) == "conflict"
    await ann.join("other")
    elsewhere = {"roomId": "other", "content": "hello", "messageId": "m1"}
    assert await ann.refused("message:send", elsewhere) == "conflict"
    assert ben.names == ["message:new"]


async def test_everybody_sees_one_order(world: World) -> None:
    clients = await world.in_room("ann", "ben", "eve")
    await asyncio.gather(*(each.send(f"{each.user_id} {n}") for n in range(8) for each in clients))
    for client in clients:
        shown = client.heard(catalogue.MESSAGE_NEW)
        assert [message.seq for message in shown] == list(range(1, 25))
        assert shown == clients[0].heard(catalogue.MESSAGE_NEW)


async def test_history_goes_back_and_forth_without_hole_or_repeat(world: World) -> None:
    (ann,) = await world.in_room("ann")
    ids = [(await ann.send(f"{number}")).message_id for number in range(1, 11)]
    newest = await ann.history(limit=4)
    assert ([m.seq for m in newest.messages], newest.has_more) == ([7, 8, 9, 10], True)
    older = await ann.history(limit=4, before=newest.messages[0].id)
    assert ([m.seq for m in older.messages], older.has_more) == ([3, 4, 5, 6], True)
    oldest = await ann.history(limit=4, before=ids[2])
    assert ([m.seq for m in oldest.messages], oldest.has_more) == ([1, 2], False)
    after = await ann.history(limit=8, after=ids[1])
    assert ([m.seq for m in after.messages], after.has_more) == (list(range(3, 11)), False)
    assert (await ann.history(after=ids[-1])).messages == []


async def test_a_page_of_history_has_fifty_and_at_most_a_hundred(world: World) -> None:
    (ann,) = await world.in_room("ann")
    for number in range(101):
        await ann.send(f"{number}")
        await world.clock.advance(0.1)
    assert len((await ann.history()).messages) == 50
    assert len((await ann.history(limit=100_000)).messages) == 100
    for limit in (0, -1, 1.5, "5"):
        request = {"roomId": "room", "limit": limit}
        assert await ann.refused("messages:history", request) == "invalid_payload"


async def test_history_without_a_callback_comes_as_an_event(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.send("hello")
    ann.clear()
    await ann.call("messages:history", {"roomId": "room"}, wants_ack=False)
    (page,) = ann.heard(catalogue.HISTORY)
    assert ([m.content for m in page.messages], page.has_more) == (["hello"], False)
    assert ben.names == ["message:new"]
    await ann.history()
    assert len(ann.names) == 1


async def test_history_of_an_unknown_place_is_refused(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.join("other")
    elsewhere = (await ann.send("x", "other")).message_id
    for place in ("unknown", elsewhere):
        for way in ("before", "after"):
            request = {"roomId": "room", way: place}
            assert await ann.refused("messages:history", request) == "not_found"
    both = {"roomId": "room", "before": "a", "after": "b"}
    assert await ann.refused("messages:history", both) == "invalid_payload"


async def test_history_shows_the_end_of_an_answer_that_ended_while_it_was_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.say("Hello")
    await world.settle()
    read = world.store.page_before
    ready, go_on = asyncio.Event(), asyncio.Event()

    async def slow(room_id: str, before: int | None, limit: int) -> object:
        page = await read(room_id, before, limit)
        ready.set()
        await go_on.wait()
        return page

    monkeypatch.setattr(world.store, "page_before", slow)
    reading = asyncio.create_task(ann.history())
    await ready.wait()
    world.puppet.say(" there", None)
    await world.advance(0.1)
    assert len(ann.heard(catalogue.STREAM_END)) == 1
    go_on.set()
    answer = (await reading).messages[-1]
    assert (answer.content, answer.state) == ("Hello there", "complete")


async def test_history_shows_an_answer_as_far_as_it_was_shown(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.say("Hel")
    await world.settle()
    world.puppet.say("lo")
    await world.advance(0.1)
    world.puppet.say(", not shown yet")
    await world.settle()
    answer = (await ann.history()).messages[-1]
    assert (answer.content, answer.state) == ("Hello", "streaming")
    assert (await world.row(answer.id)).content == "", "the log is behind by about a second"


async def test_read_marks_only_go_forward(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    ids = [(await ann.send(f"{number}")).message_id for number in range(3)]
    ben.clear()
    for place in (1, 0, 1, 2):
        await ben.call("messages:read", {"roomId": "room", "messageId": ids[place]})
    moved = [(mark.user_id, mark.message_id, mark.seq) for mark in ann.heard(catalogue.READ_MOVED)]
    assert moved == [("ben", ids[1], 2), ("ben", ids[2], 3)]
    assert len(ben.heard(catalogue.READ_MOVED)) == 2, "a user's other devices hear of it"
    (mark,) = await world.store.read_marks("room", 9)
    assert (mark.user_id, mark.seq) == ("ben", 3)


async def test_only_a_message_of_the_room_can_be_read(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.join("other")
    elsewhere = (await ann.send("x", "other")).message_id
    for message_id in ("unknown", elsewhere):
        reference = {"roomId": "room", "messageId": message_id}
        for event in ("messages:read", "message:stream:stop", "message:regenerate"):
            assert await ann.refused(event, reference) == "not_found"
