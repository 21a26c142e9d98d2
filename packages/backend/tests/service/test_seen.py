"""When people were last seen: who is told, who is not, and what is left of it after a restart."""

from pathlib import Path

import msgspec
import pytest
from msgspec import UNSET
from tests.service.world import Client, World, running

from rejoinder.errors import Unavailable
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.fields import given
from rejoinder.stores.records import StoredMember

START = "2026-01-01T00:00:{:02}.000Z"


async def last_seen(world: World, *user_ids: str) -> list[str | None]:
    """When they were last seen, as a member of the room is told."""
    stored = [StoredMember(user_id, "", 0) for user_id in user_ids]
    members = await world.service.members("room", stored)
    return [given(member.last_seen) for member in members]


def told(client: Client) -> list[tuple[str, str | None]]:
    """What somebody was told of others."""
    changes = client.heard(catalogue.PRESENCE_CHANGED)
    return [(change.status, given(change.last_seen)) for change in changes]


async def shown(client: Client) -> dict[str, str | None]:
    """When the others were last seen, as a snapshot has it."""
    members = (await client.join()).members
    others = [each for each in members if each.user_id != client.user_id]
    return {each.user_id: given(each.last_seen) for each in others}


async def test_who_does_not_mind_is_shown_with_the_time(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await world.advance(2)
    ann.drop()
    await world.advance(11)
    assert told(ben) == [("offline", START.format(2))]
    assert await shown(ben) == {"ann": START.format(2)}
    assert await last_seen(world, "ann") == [START.format(2)]


async def test_who_hides_it_is_shown_without(world: World) -> None:
    await world.store.hide_last_seen("ann", hides=True)
    ann, ben = await world.in_room("ann", "ben")
    assert await shown(ben) == {"ann": None}
    ben.clear()
    await ann.call("presence:set", {"status": "away"})
    ann.drop()
    await world.advance(11)
    assert told(ben) == [("away", None), ("offline", None)]
    assert await shown(ben) == {"ann": None}
    assert await last_seen(world, "ann") == [None]


async def test_a_choice_is_told_at_once_to_those_who_see_it(world: World) -> None:
    ann, ben, eve = await world.in_room("ann", "ben", "eve")
    ann.drop()
    await world.advance(11)
    ben.clear()
    eve.clear()
    await world.service.hide_last_seen("ann", hides=True)
    assert told(ben) == told(eve) == [("offline", None)]
    assert await shown(ben) == {"ann": None, "eve": START.format(0)}
    assert await last_seen(world, "ann") == [None]
    await world.service.hide_last_seen("ann", hides=True)
    await world.service.hide_last_seen("ann", hides=False)
    assert told(ben)[-1] == ("offline", START.format(0))
    assert len(told(ben)) == 2, "no news is not told"


async def test_a_choice_that_is_not_kept_is_none(world: World) -> None:
    await world.in_room("ann", "ben")

    async def broken(user_id: str, *, hides: bool) -> None:
        raise Unavailable(f"{user_id} {hides}: the disk is broken.")

    world.store.hide_last_seen = broken  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await world.service.hide_last_seen("ann", hides=True)
    assert await last_seen(world, "ann") == [START.format(0)]


async def test_where_the_store_does_not_say_it_is_hidden(world: World) -> None:
    ann, ben = await world.connect("ann"), await world.connect("ben")
    world.store.faults["people"] = "refuse"
    await ann.join()
    await ben.join()
    assert await shown(ben) == {"ann": None}
    ben.clear()
    await ann.call("presence:set", {"status": "away"})
    assert told(ben) == [("away", None)]
    with pytest.raises(Unavailable):
        await last_seen(world, "ann")
    world.store.release()
    await ann.join()
    assert told(ben)[-1] == ("away", START.format(0)), "it is known now"


async def test_it_outlives_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        ann, ben, _ = await world.in_room("ann", "ben", "eve")
        await world.service.hide_last_seen("ben", hides=True)
        await world.advance(3)
        ann.drop()
        ben.drop()
        await world.advance(6)
    async with running(tmp_path) as world:
        seen = await last_seen(world, "ann", "ben", "eve", "nobody")
        assert seen == [START.format(3), None, START.format(9), None], "Eve was here at the end"


async def test_after_a_kill_it_is_at_most_ten_minutes_old(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        await world.in_room("ann")
        await world.advance(1_300, step=10)
        people = await world.store.people(["ann"])
        assert people["ann"].last_seen is not None
        assert world.clock.wall_ms() - people["ann"].last_seen <= 600_000


async def test_what_the_store_did_not_take_is_stored_later(world: World) -> None:
    world.store.faults["put_last_seen"] = "refuse"
    await world.connect("ann")
    await world.advance(6)
    assert await world.store.people(["ann"]) == {}
    world.store.release()
    await world.advance(6)
    assert (await world.store.people(["ann"]))["ann"].last_seen is not None


async def test_members_are_shown_as_they_are_now(world: World) -> None:
    _, ben = await world.in_room("ann", "ben")
    await ben.call("presence:set", {"status": "away"})
    stored = [StoredMember(each, each.title(), 0) for each in ("ann", "ben", "eve")]
    members = await world.service.members("room", stored)
    assert [(each.user_id, each.status, each.name) for each in members] == [
        ("ann", "online", "Ann"),
        ("ben", "away", "Ben"),
        ("eve", "offline", "Eve"),
    ]
    assert members[2].last_seen is UNSET


async def test_with_several_connections_one_is_away_only_with_all(tmp_path: Path) -> None:
    async with running(tmp_path, policy="multi") as world:
        (ben,) = await world.in_room("ben")
        desk, phone = await world.in_room("ann", "ann")
        ben.clear()
        await desk.call("presence:set", {"status": "away"})
        assert told(ben) == []
        await phone.call("presence:set", {"status": "away"})
        await desk.call("presence:set", {"status": "online"})
        desk.drop()
        await world.settle()
        assert [status for status, _ in told(ben)] == ["away", "online", "away"]
        phone.drop()
        await world.advance(11)
        assert [status for status, _ in told(ben)][3:] == ["offline"]


async def test_a_short_reconnect_makes_nobody_flicker(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.call("presence:set", {"status": "away"})
    ben.clear()
    for _ in range(3):
        ann.drop()
        await world.advance(9)
        ann = await world.connect("ann")
        await ann.join(event="room:rejoin")
        await ann.call("presence:set", {"status": "away"})
        await world.advance(11)
    assert told(ben) == []


# --- read marks ----------------------------------------------------------------------------------


async def test_a_mark_that_moves_while_somebody_enters_is_in_their_snapshot(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    ids = [(await ben.send(text)).message_id for text in ("one", "two")]
    await ann.call("messages:read", {"roomId": "room", "messageId": ids[0]})
    read_marks = world.store.read_marks
    moved = False

    async def moving(room_id: str, limit: int) -> object:
        nonlocal moved
        marks = await read_marks(room_id, limit)
        if not moved:
            moved = True
            await ann.call("messages:read", {"roomId": "room", "messageId": ids[1]})
        return marks

    world.store.read_marks = moving  # type: ignore[assignment, method-assign]
    eve = await world.connect("eve")
    snapshot = await eve.join()
    assert [(mark.user_id, mark.seq) for mark in snapshot.read] == [("ann", 2)]


async def test_a_character_has_read_what_it_takes_up(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ben.send("earlier")
    question = await ann.ask("hi")
    (read,) = ben.heard(catalogue.READ_MOVED)
    assert (read.message_id, read.seq) == (question, 2)
    assert (read.character_id, read.user_id) == ("puppet", "ann")
    fields = msgspec.to_builtins(read)
    del fields["roomId"]
    assert (await ben.join()).read == [msgspec.convert(fields, events.ReadMarker)]
    world.puppet.say("hello", None)
    await world.advance(0.1)
    assert [mark.seq for mark in (await ben.join()).read] == [2]
    assert await world.store.read_marks("room", 9) == [], "no user of that name has a mark"


async def test_a_question_that_waits_is_not_read_yet_and_one_that_is_skipped_never(
    world: World,
) -> None:
    (ann,) = await world.in_room("ann")
    first = await ann.ask("first")
    second = await ann.ask("second")
    assert [read.message_id for read in ann.heard(catalogue.READ_MOVED)] == [first]
    await ann.call("message:stream:stop", {"roomId": "room", "messageId": second})
    world.puppet.say("done", None)
    await world.advance(1)
    assert [read.message_id for read in ann.heard(catalogue.READ_MOVED)] == [first]
    assert [mark.message_id for mark in (await ann.join()).read] == [first]


# --- rooms in the background ---------------------------------------------------------------------


async def test_a_room_in_the_background_brings_messages_and_no_pieces(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.call("room:join", {"roomId": "room", "background": True})
    ann.clear()
    await ben.ask("hi")
    world.puppet.say("a", "b", None)
    await world.advance(0.2)
    names = ["message:new", "message:stream:start", "messages:read", "message:stream:end"]
    assert ann.names == names
    assert ben.heard(catalogue.STREAM_CHUNK)
    await ann.join()
    ann.clear()
    await ben.ask("again")
    world.puppet.say("c", None)
    await world.advance(0.2)
    assert ann.heard(catalogue.STREAM_CHUNK), "it is in view again"


async def test_a_room_in_the_background_is_not_where_one_was(world: World) -> None:
    ann = await world.connect("ann")
    await ann.join("seen", "puppet")
    for other in ("one", "two"):
        await ann.call("room:join", {"roomId": other, "background": True})
    ann.drop()
    ann = await world.connect("ann")
    (restored,) = ann.heard(catalogue.SESSION_RESTORED)
    assert restored.previous_room_id == "seen"
    await ann.call("room:join", {"roomId": "one", "background": True})
    ann.drop()
    ann = await world.connect("ann")
    (restored,) = ann.heard(catalogue.SESSION_RESTORED)
    assert restored.previous_room_id == "seen", "it is remembered until another is in view"
    await ann.join("one")
    await ann.call("room:leave", {"roomId": "one"})
    ann.drop()
    ann = await world.connect("ann")
    (restored,) = ann.heard(catalogue.SESSION_RESTORED)
    assert restored.previous_room_id is UNSET


async def test_typing_ends_when_one_of_two_connections_leaves(tmp_path: Path) -> None:
    async with running(tmp_path, policy="multi") as world:
        ben, desk, _phone = await world.in_room("ben", "ann", "ann")
        await desk.call("typing:start", {"roomId": "room"})
        await desk.call("room:leave", {"roomId": "room"})
        assert ben.names == ["typing:start", "typing:stop"]
