"""Entering and leaving rooms, and the snapshot that one enters with."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.service.world import Client, Fault, World, running

from rejoinder.protocol import catalogue, events
from rejoinder.service.context import Limits


async def fill(client: Client, count: int, room_id: str = "room") -> list[str]:
    """Several messages, slowly enough to be taken; their ids."""
    ids = []
    for number in range(1, count + 1):
        if number % 20 == 0:
            await client.world.advance(2)
        ids.append((await client.send(f"message {number}", room_id)).message_id)
    return ids


def contents(snapshot: events.RoomSnapshot) -> list[str]:
    return [message.content for message in snapshot.messages]


async def test_an_empty_room(world: World) -> None:
    ann = await world.connect("ann")
    assert await ann.join("room", "puppet") == events.RoomAck(
        success=True,
        room_id="room",
        messages=[],
        recovered=False,
        has_more=False,
        last_seq=0,
        members=[
            events.Member(
                user_id="ann", status="online", name="Ann", last_seen="2026-01-01T00:00:00.000Z"
            )
        ],
        read=[],
        streams=[],
        character_id="puppet",
    )


async def test_the_others_hear_of_who_enters_and_leaves(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await world.advance(1)
    await ben.call("room:leave", {"roomId": "room"})
    await ben.join()
    at = "2026-01-01T00:00:01.000Z"
    gone = events.UserInRoom(room_id="room", user_id="ben", timestamp=at)
    assert ann.heard(catalogue.USER_LEFT) == [gone]
    assert ann.heard(catalogue.USER_JOINED) == [gone]
    assert ben.names == []


async def test_entering_twice_is_no_news(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ben.join()
    await ben.join(event="room:rejoin")
    assert ann.names == []
    assert ben.names == ["room:rejoined"]


async def test_who_left_hears_nothing_more(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ben.call("room:leave", {"roomId": "room"})
    ben.clear()
    await ann.send("hello")
    assert ben.names == []
    assert await ben.refused("room:leave", {"roomId": "room"}) == "not_in_room"


async def test_rooms_are_apart(world: World) -> None:
    (ann,) = await world.in_room("ann")
    (eve,) = await world.in_room("eve", room_id="other")
    await ann.send("hello")
    assert eve.names == []
    assert (await eve.send("first here", "other")).seq == 1


async def test_a_rejoin_brings_the_snapshot_twice_and_the_others_are_told(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    first = await ann.send("one")
    ben.drop()
    await ann.send("two")
    again = await world.connect("ben")
    ann.clear()
    ack = await again.join(last=first.message_id, event="room:rejoin")
    assert contents(ack) == ["two"]
    (rejoined,) = again.heard(catalogue.ROOM_REJOINED)
    for name in events.RoomSnapshot.__struct_fields__:
        assert getattr(rejoined, name) == getattr(ack, name)
    assert ann.names == ["user:reconnected"]


async def test_without_a_position_the_newest_page_comes(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await fill(ann, 51)
    ben = await world.connect("ben")
    snapshot = await ben.join()
    assert contents(snapshot) == [f"message {number}" for number in range(2, 52)]
    assert (snapshot.recovered, snapshot.has_more, snapshot.last_seq) == (False, True, 51)


async def test_a_page_that_is_just_full_has_no_more(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await fill(ann, 50)
    snapshot = await (await world.connect("ben")).join()
    assert (len(snapshot.messages), snapshot.has_more) == (50, False)


async def test_from_a_position_what_follows_comes(world: World) -> None:
    (ann,) = await world.in_room("ann")
    ids = await fill(ann, 52)
    ben = await world.connect("ben")
    for place, count, more in ((51, 0, False), (50, 1, False), (1, 50, False), (0, 50, True)):
        snapshot = await ben.join(last=ids[place])
        assert (snapshot.recovered, snapshot.has_more, snapshot.last_seq) == (True, more, 52)
        assert [message.seq for message in snapshot.messages] == list(
            range(place + 2, place + 2 + count)
        )


async def test_a_position_that_cannot_be_honoured_says_so(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await fill(ann, 2)
    (eve,) = await world.in_room("eve", room_id="other")
    (elsewhere,) = await fill(eve, 1, "other")
    ben = await world.connect("ben")
    for position in ("unknown", elsewhere):
        snapshot = await ben.join(last=position)
        assert snapshot.recovered is False
        assert contents(snapshot) == ["message 1", "message 2"]


async def test_a_snapshot_shows_read_marks_and_who_is_here(world: World) -> None:
    ann, _ = await world.in_room("ann", "ben")
    first = await ann.send("one")
    await ann.call("messages:read", {"roomId": "room", "messageId": first.message_id})
    await ann.call("presence:set", {"status": "away"})
    snapshot = await (await world.connect("eve")).join()
    assert [(mark.user_id, mark.seq) for mark in snapshot.read] == [("ann", 1)]
    statuses = {member.user_id: member.status for member in snapshot.members}
    assert statuses == {"ann": "away", "ben": "online", "eve": "online"}


async def test_a_snapshot_shows_who_writes_and_what_so_far(world: World) -> None:
    (ann,) = await world.in_room("ann")
    question = await ann.ask("hi")
    world.puppet.say("Hel")
    await world.settle()
    ben = await world.connect("ben")
    snapshot = await ben.join()
    (stream,) = snapshot.streams
    assert (stream.content, stream.index, stream.reply_to) == ("Hel", 1, question)
    assert (snapshot.messages[-1].content, snapshot.messages[-1].state) == ("Hel", "streaming")
    world.puppet.say("lo", None)
    await world.advance(0.1)
    (chunk,) = ben.heard(catalogue.STREAM_CHUNK)
    assert (chunk.index, chunk.offset, chunk.delta) == (1, 3, "lo")
    assert [end.content for end in ben.heard(catalogue.STREAM_END)] == ["Hello"]


@pytest.mark.parametrize("fault", ["hang", "hang after it"])
@pytest.mark.parametrize("with_position", [True, False])
async def test_what_is_published_while_one_enters_is_in_the_snapshot_or_comes_after_it(
    world: World, fault: Fault, *, with_position: bool
) -> None:
    (ann,) = await world.in_room("ann")
    ben = await world.connect("ben")
    first = await ann.send("first")
    await ann.send("before")
    world.store.faults.update(page_before=fault, page_after=fault)
    entering = asyncio.create_task(ben.join(last=first.message_id if with_position else None))
    await world.settle()
    await ann.send("meanwhile")
    world.store.release()
    snapshot = await entering
    await ann.send("after")
    assert contents(snapshot)[-2:] == ["before", "meanwhile"]
    assert (snapshot.last_seq, snapshot.has_more) == (3, False)
    assert [message.seq for message in ben.heard(catalogue.MESSAGE_NEW)] == [4]


async def test_an_answer_that_ends_while_one_enters_is_shown_as_it_ended(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.say("Hel")
    await world.settle()
    ben = await world.connect("ben")
    world.store.faults["page_before"] = "hang after it"
    entering = asyncio.create_task(ben.join())
    await world.settle()
    world.puppet.say("lo", None)
    await world.advance(0.1)
    world.store.release()
    snapshot = await entering
    assert [(m.content, m.state) for m in snapshot.messages][1:] == [("Hello", "complete")]
    assert snapshot.streams == []
    assert ben.names == []


async def test_what_is_stored_and_not_shown_yet_comes_after_the_snapshot(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.send("shown")
    world.store.faults["append"] = "hang after it"
    sending = asyncio.create_task(ann.send("stored"))
    await world.settle()
    ben = await world.connect("ben")
    snapshot = await ben.join()
    assert (contents(snapshot), snapshot.last_seq) == (["shown"], 1)
    world.store.release()
    await sending
    assert [message.content for message in ben.heard(catalogue.MESSAGE_NEW)] == ["stored"]


async def test_who_may_not_enter_does_not_and_makes_no_room(world: World) -> None:
    world.forbidden.add(("eve", "secret"))
    eve = await world.connect("eve")
    for event in ("room:join", "room:rejoin"):
        assert await eve.refused(event, {"roomId": "secret"}) == "forbidden"
    assert await world.store.room("secret") is None
    assert await eve.refused("message:send", {"roomId": "secret", "content": "x"}) == "not_in_room"
    assert eve.names == []


async def test_who_enters_is_a_member(world: World) -> None:
    ann, _ = await world.in_room("ann", "ben")
    await ann.call("room:leave", {"roomId": "room"})
    members = [(member.user_id, member.name) for member in await world.store.members("room", 9)]
    assert members == [("ann", "Ann"), ("ben", "Ben")]
    room = await world.store.room("room")
    assert room is not None
    assert (room.created_by, room.character_id) == ("ann", "puppet")


async def test_a_room_keeps_its_character_and_a_person_may_choose_another(world: World) -> None:
    await world.in_room("ann")
    ben = await world.connect("ben")
    assert (await ben.join()).character_id == "puppet"
    assert (await ben.join("room", "echo")).character_id == "echo"
    assert (await (await world.connect("eve")).join()).character_id == "puppet"


async def test_a_connection_is_in_a_bounded_number_of_rooms(tmp_path: Path) -> None:
    async with running(tmp_path, limits=replace(Limits(), rooms_per_connection=2)) as world:
        ann = await world.connect("ann")
        await ann.join("1")
        await ann.join("2")
        assert await ann.refused("room:join", {"roomId": "3"}) == "forbidden"
        await ann.join("2")
        await ann.call("room:leave", {"roomId": "1"})
        await ann.join("3")


async def test_a_store_that_fails_keeps_nobody_in_doubt(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.send("hi")
    await ben.call("room:leave", {"roomId": "room"})
    ann.clear()
    world.store.faults["page_before"] = "refuse"
    assert await ben.refused("room:join", {"roomId": "room"}) == "unavailable"
    assert ann.names == []
    world.store.release()
    await ben.join()
    assert ann.names == ["user:joined"]


async def test_a_store_that_hangs_is_unavailable_after_five_seconds(world: World) -> None:
    (ben,) = await world.in_room("ben")
    await ben.send("hi")
    ann = await world.connect("ann")
    world.store.faults["page_before"] = "hang"
    entering = asyncio.create_task(ann.refused("room:join", {"roomId": "room"}))
    await world.advance(4.75)
    assert not entering.done()
    await world.advance(0.5)
    assert await entering == "unavailable"


@pytest.mark.parametrize("end", ["dropped", "replaced"])
@pytest.mark.parametrize("event", ["room:join", "room:rejoin"])
async def test_who_goes_while_entering_is_not_in_the_room(
    world: World, end: str, event: str
) -> None:
    (ben,) = await world.in_room("ben")
    await ben.send("hi")
    ben.clear()
    ann = await world.connect("ann")
    world.store.faults["page_before"] = "hang"
    entering = asyncio.create_task(ann.call(event, {"roomId": "room"}))
    await world.settle()
    if end == "dropped":
        ann.drop()
    else:
        await world.connect("ann")
    world.store.release()
    ack = await entering
    assert isinstance(ack, events.Failure)
    assert ack.code == "unauthorized"
    snapshot = await ben.join()
    assert [member.user_id for member in snapshot.members] == ["ben"]
    assert ben.names == []


async def test_who_is_removed_while_entering_is_not_in_the_room(world: World) -> None:
    (ben,) = await world.in_room("ben")
    await ben.send("hi")
    ben.clear()
    ann = await world.connect("ann")
    world.store.faults["page_before"] = "hang"
    entering = asyncio.create_task(ann.refused("room:join", {"roomId": "room"}))
    await world.settle()
    with world.service.gate.closed("room", "ann"):
        pass
    world.store.release()
    assert await entering == "forbidden"
    assert ben.names == []
    await ann.join()
