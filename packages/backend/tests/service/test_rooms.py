"""What is shown is stored, whatever the store does in between."""

import asyncio
from typing import Any

import pytest
from tests.service.test_elsewhere import hear
from tests.service.world import Client, Fault, World

from rejoinder.protocol import catalogue, events
from rejoinder.protocol.catalogue import ServerEvent
from rejoinder.service import items
from rejoinder.service.rooms import HEAL_PAGE
from rejoinder.stores.records import Draft
from rejoinder.stores.sqlite import SqliteStore


async def try_to_send(client: Client, message_id: str, *, stream: bool = False) -> str:
    """Send, and let the time pass that a store has; the code, or that it was stored."""
    event = "message:send:stream" if stream else "message:send"
    message = {"roomId": "room", "content": message_id, "messageId": message_id}
    sending = asyncio.create_task(client.call(event, message))
    await client.world.advance(5.5)
    ack = await sending
    return ack.code if isinstance(ack, events.Failure) else "stored"


def shown(client: Client) -> list[str]:
    return [message.id for message in client.heard(catalogue.MESSAGE_NEW)]


@pytest.mark.parametrize("fault", ["refuse", "hang"])
async def test_what_is_not_stored_is_not_shown(world: World, fault: Fault) -> None:
    ann, ben = await world.in_room("ann", "ben")
    world.store.faults["append"] = fault
    assert await try_to_send(ann, "m1") == "unavailable"
    assert ben.names == []


async def test_one_that_cannot_be_shown_keeps_no_other_from_its_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = await world.in_room("ann", "ben")
    send = world.delivery.send

    def failing(connections: Any, event: ServerEvent[Any], payload: Any) -> None:
        if getattr(payload, "content", "") == "m1":
            raise RecursionError
        send(connections, event, payload)

    monkeypatch.setattr(world.delivery, "send", failing)
    stored = await asyncio.gather(ann.send("m1", messageId="m1"), ben.send("m2", messageId="m2"))
    assert [each.seq for each in stored] == [1, 2]
    assert shown(ann) == ["m2"]
    await ann.call("heartbeat", {})


async def test_a_late_commit_is_shown_once_and_a_repetition_is_a_duplicate(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    world.store.faults["append"] = "hang"
    assert await try_to_send(ann, "m1") == "unavailable"
    world.store.release()
    await world.advance(5)
    assert shown(ben) == ["m1"]
    assert (await ann.send("m1", messageId="m1")).duplicate is True
    await ann.send("m2", messageId="m2")
    await world.advance(5)
    assert shown(ben) == ["m1", "m2"]


async def test_tries_that_all_hang_become_one_message(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    world.store.faults["append"] = "hang"
    for _ in range(3):
        assert await try_to_send(ann, "m1", stream=True) == "unavailable"
    world.store.release()
    await world.advance(5)
    await ann.ask("m1", messageId="m1")
    await world.advance(5)
    assert shown(ben) == ["m1"]
    assert len(world.puppet.turns) == 1


async def test_a_commit_that_looked_like_a_failure_is_shown_within_five_seconds(
    world: World,
) -> None:
    ann, ben = await world.in_room("ann", "ben")
    world.store.faults["append"] = "refuse after it"
    lost = {"roomId": "room", "content": "m1", "messageId": "m1"}
    assert await ann.refused("message:send", lost) == "unavailable"
    world.store.release()
    await ben.send("m2", messageId="m2")
    await world.advance(5)
    assert shown(ann) == shown(ben) == ["m1", "m2"]
    assert (await ann.send("m1", messageId="m1")).duplicate is True
    await world.advance(5)
    assert shown(ben) == ["m1", "m2"]


async def test_a_commit_that_comes_long_after_its_failure_is_shown(world: World) -> None:
    """A database that hung does what it was asked when it goes on, which may be after the log was looked at."""
    ann, ben = await world.in_room("ann", "ben")
    world.store.faults["append"] = "refuse"
    lost = {"roomId": "room", "content": "m1", "messageId": "m1"}
    assert await ann.refused("message:send", lost) == "unavailable"
    world.store.release()
    await world.advance(4)
    await world.store.append(Draft("m1", "room", "user", "ann", "m1", "complete", 0))
    await world.advance(5)
    assert shown(ann) == shown(ben) == ["m1"]
    assert (await ann.send("m1", messageId="m1")).duplicate is True


async def test_a_log_that_stays_as_it_is_shown_is_not_looked_at_for_ever(world: World) -> None:
    (ann,) = await world.in_room("ann")
    world.store.faults["append"] = "refuse"
    assert await try_to_send(ann, "m1") == "unavailable"
    world.store.release()
    await world.advance(15)
    state = world.service._rooms.get("room")
    assert state is not None
    assert state.suspect_since is None


async def test_a_repetition_after_a_commit_that_looked_like_a_failure_is_answered(
    world: World,
) -> None:
    ann, ben = await world.in_room("ann", "ben")
    world.store.faults["append"] = "refuse after it"
    lost = {"roomId": "room", "content": "m1", "messageId": "m1"}
    assert await ann.refused("message:send:stream", lost) == "unavailable"
    world.store.release()
    await ann.ask("m1", messageId="m1")
    await world.advance(5)
    assert shown(ben) == ["m1"]
    assert len(world.puppet.turns) == 1
    await ann.ask("m1", messageId="m1")
    assert len(world.puppet.turns) == 1


@pytest.mark.parametrize("fault", ["refuse", "hang", "refuse after it"])
async def test_an_answer_waits_for_its_row(world: World, fault: Fault) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.send("first")
    append = world.store.append
    await ann.ask("hi")
    world.puppet.say("one", None)
    await world.advance(0.1)
    assert len(ben.heard(catalogue.STREAM_END)) == 1
    reference = {"roomId": "room", "messageId": ben.heard(catalogue.STREAM_START)[0].reply_to}
    world.store.faults["append"] = fault
    await ann.call("message:regenerate", reference)
    await world.advance(20)
    world.store.release()
    assert world.store.append == append
    await world.advance(5)
    world.puppet.say("two", None)
    await world.advance(1)
    assert len(ben.heard(catalogue.STREAM_START)) == 2
    assert [end.content for end in ben.heard(catalogue.STREAM_END)] == ["one", "two"]
    snapshot = await (await world.connect("eve")).join()
    assert [m.content for m in snapshot.messages] == ["first", "hi", "one", "two"]


@pytest.mark.parametrize("fault", ["refuse", "hang"])
async def test_an_end_is_shown_when_it_is_stored(world: World, fault: Fault) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.store.faults["end_stream"] = fault
    world.puppet.say("done", None)
    await world.advance(10)
    assert ann.heard(catalogue.STREAM_END) == []
    world.store.release()
    await world.advance(2)
    (end,) = ann.heard(catalogue.STREAM_END)
    assert (end.content, end.state) == ("done", "complete")
    assert (await world.row(end.message_id)).content == "done"


async def test_a_store_that_cannot_save_does_not_hold_up_an_answer(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.store.faults["save_stream"] = "refuse"
    for word in ("one ", "two ", "three"):
        world.puppet.say(word)
        await world.advance(2)
    world.puppet.say(None)
    await world.advance(0.1)
    assert [end.content for end in ann.heard(catalogue.STREAM_END)] == ["one two three"]


@pytest.mark.parametrize("event", ["messages:history", "messages:read", "message:stream:stop"])
async def test_a_store_that_refuses_to_read_is_unavailable(world: World, event: str) -> None:
    (ann,) = await world.in_room("ann")
    message_id = (await ann.send("x")).message_id
    world.store.faults.update(find="refuse", page_before="refuse")
    more = {} if event == "messages:history" else {"messageId": message_id}
    assert await ann.refused(event, {"roomId": "room", **more}) == "unavailable"
    world.store.release()
    await ann.call(event, {"roomId": "room", **more})


async def test_what_nobody_here_waits_for_any_more_is_told_to_others_all_the_same(
    world: World,
) -> None:
    """It was stored, it is not known that it was, and who sent it has left the room."""
    (ann,) = await world.in_room("ann")
    hear(world, items.Here("room", [], answer=False))
    await world.advance(3)
    world.store.faults["append"] = "refuse after it"
    message = {"roomId": "room", "content": "m1", "messageId": "m1"}
    assert await ann.refused("message:send", message) == "unavailable"
    await ann.call("room:leave", {"roomId": "room"})
    world.store.release()
    await world.advance(5)
    assert any(b'"Row"' in item and b'"m1"' in item for _, item in world.cluster.sent)
    await world.advance(15)
    assert world.service._rooms.get("room") is None


async def test_much_that_was_missed_is_shown_in_one_go(world: World) -> None:
    (ann,) = await world.in_room("ann")
    count = 5 * HEAL_PAGE // 2
    for number in range(count):
        draft = Draft(f"m{number}", "room", "user", "ben", "x", "complete", 0)
        await SqliteStore.append(world.store, draft)
    world.cluster.peers.missed(None)
    await world.advance(1)
    assert shown(ann) == [f"m{number}" for number in range(count)]


async def test_rooms_that_nobody_is_in_are_forgotten(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.send("x")
    await ann.call("room:leave", {"roomId": "room"})
    await world.advance(1)
    assert len(world.service._rooms) == 0
    snapshot = await ann.join()
    assert snapshot.last_seq == 1
    assert (await ann.send("y")).seq == 2
