"""What other servers say: in parts, in ways that this version does not know, and of people who are on their way in."""

# Items are written as they are on the wire.
# ruff: noqa: FBT003

import asyncio
from dataclasses import replace

import msgspec
import pytest
from msgspec import UNSET
from structlog.testing import capture_logs
from tests.service.world import Client, World

from rejoinder.core.others import Somebody
from rejoinder.core.users import User
from rejoinder.protocol import catalogue
from rejoinder.service import items
from rejoinder.service.entering import MEMBERS_SHOWN
from rejoinder.service.sharing import PART
from rejoinder.stores.records import Draft, StoredMember
from rejoinder.stores.sqlite import SqliteStore

ANN = Somebody("ann", "Ann", "online")
BEN = Somebody("ben", "Ben", "online")
OTHER = "other"


def says(world: World, *item: object) -> None:
    """Another server says that."""
    world.cluster.peers.heard(OTHER, msgspec.json.encode(item[0] if len(item) == 1 else item))


async def seen_by(client: Client) -> set[str]:
    """The people of the room, as who enters it is shown them."""
    return {member.user_id for member in (await client.join()).members}


async def test_people_in_several_parts_leave_nobody_out(world: World) -> None:
    (eve,) = await world.in_room("eve")
    for who in (ANN, BEN):
        says(world, items.Entered("room", who, "join"))
    eve.clear()
    crowd = [replace(ANN, user_id=f"user {number}") for number in range(PART)]
    says(world, items.Here("room", [*crowd, ANN], answer=False, part=0, parts=2))
    assert await seen_by(eve) >= {"eve", "ann", "ben"}
    says(world, items.Here("room", [], answer=False, part=1, parts=2))
    assert [left.user_id for left in eve.heard(catalogue.USER_LEFT)] == ["ben"]
    assert "ben" not in await seen_by(eve)


async def test_after_a_loss_a_part_takes_nobody_for_gone(world: World) -> None:
    (eve,) = await world.in_room("eve")
    says(world, items.Here("room", [ANN, BEN], answer=False))
    eve.clear()
    says(world, items.Here("room", [ANN], answer=False, part=0, parts=2))
    world.cluster.peers.missed(OTHER)
    says(world, items.Here("room", [], answer=False, part=1, parts=2))
    assert eve.heard(catalogue.USER_LEFT) == []
    assert await seen_by(eve) == {"eve", "ann", "ben"}


async def test_who_is_on_several_servers_is_shown_as_where_they_are_most_present(
    world: World,
) -> None:
    (eve,) = await world.in_room("eve")
    says(world, items.Here("room", [ANN], answer=False))
    away = replace(ANN, status="away")
    for item in (items.Entered("room", away, "quiet"), items.Here("room", [away], answer=False)):
        world.cluster.peers.heard("third", msgspec.json.encode(item))
    assert eve.heard(catalogue.PRESENCE_CHANGED) == []
    says(world, items.Here("room", [away], answer=False))
    assert [change.status for change in eve.heard(catalogue.PRESENCE_CHANGED)] == ["away"]


@pytest.mark.parametrize(
    "item",
    [
        ("Foretold", "room", "of a version to come"),
        ("Foretold",),
        ("LeftRoom", "room"),
        ("Entered", "room", {"user_id": "ann"}, "join"),
        ("Entered", "room", {"user_id": "ann", "name": "", "status": "dreaming"}, "join"),
        ("LeftRoom", 7, "ann"),
        {"kind": "LeftRoom"},
        None,
    ],
    ids=str,
)
async def test_what_is_not_understood_is_passed_over_with_a_line_in_the_log(
    world: World, item: object
) -> None:
    (eve,) = await world.in_room("eve")
    says(world, items.Here("room", [ANN, BEN], answer=False))
    eve.clear()
    with capture_logs() as logs:
        for _ in range(3):
            says(world, item)
    [line] = logs
    assert "passed over" in line["event"]
    assert line["log_level"] == "warning"
    assert line["kind"] == (item[0] if isinstance(item, tuple) else "")
    world.cluster.peers.heard(OTHER, b"[not JSON")
    says(world, items.LeftRoom("room", "ben"))
    assert eve.names == ["user:left"]


async def test_what_is_not_understood_of_a_room_has_its_log_looked_at(world: World) -> None:
    (eve,) = await world.in_room("eve")
    await eve.send("first")
    await world.settle()
    world.store.calls.clear()
    await world.advance(10)
    assert "page_after" not in world.store.calls
    says(world, "Row", "room", {"id": "of a shape to come"})
    await world.advance(2)
    assert "page_after" in world.store.calls


async def test_more_fields_than_are_known_are_let_be(world: World) -> None:
    """A newer version may say more: behind what is known, and within it."""
    (eve,) = await world.in_room("eve")
    who = {"user_id": "ann", "name": "Ann", "status": "online", "last_seen": None, "mood": "merry"}
    with capture_logs() as logs:
        says(world, "Entered", "room", who, "join", "by the back door", 7)
        says(world, "Here", "room", [who], False, 0, 1, True, False, {"more": 1})
        says(world, "Types", "room", "ann", True, "slowly")
    assert logs == []
    assert eve.names == ["user:joined", "typing:start"]


async def test_fewer_fields_than_are_known_are_those_of_an_older_version(world: World) -> None:
    (eve,) = await world.in_room("eve")
    says(world, items.Entered("room", BEN, "join"))
    says(world, "Here", "room", [{"user_id": "ann", "name": "Ann", "status": "online"}], False)
    assert eve.names == ["user:joined", "user:joined", "user:left"]
    assert await seen_by(eve) == {"eve", "ann"}


async def stored_elsewhere(world: World, message_id: str) -> None:
    """Another server has stored a message, and tells nobody."""
    draft = Draft(message_id, "room", "user", "ann", message_id, "complete", 0)
    await SqliteStore.append(world.store, draft)


async def test_a_loss_that_is_noticed_while_the_log_is_read_is_looked_for_again(
    world: World,
) -> None:
    (eve,) = await world.in_room("eve")
    says(world, items.Here("room", [ANN], answer=False))
    world.store.faults["page_after"] = "hang after it"
    world.store.calls.clear()
    await world.advance(1)
    assert "page_after" in world.store.calls, "the log is being read"
    await stored_elsewhere(world, "m1")
    world.cluster.peers.missed(OTHER)
    world.store.release()
    await world.advance(2)
    assert [row.id for row in eve.heard(catalogue.MESSAGE_NEW)] == ["m1"]


async def test_what_a_server_that_ends_has_stored_last_is_looked_for(world: World) -> None:
    (eve,) = await world.in_room("eve")
    says(world, items.Here("room", [ANN], answer=False))
    await world.advance(5)
    await stored_elsewhere(world, "m1")
    world.cluster.peers.gone(OTHER, ended=True)
    await world.advance(3)
    assert [row.id for row in eve.heard(catalogue.MESSAGE_NEW)] == ["m1"]


async def test_who_has_told_again_that_it_is_here_may_have_written_before(world: World) -> None:
    (eve,) = await world.in_room("eve")
    await stored_elsewhere(world, "m1")
    says(world, items.Here("room", [ANN], answer=True))
    await world.advance(1)
    assert [row.id for row in eve.heard(catalogue.MESSAGE_NEW)] == ["m1"]


async def test_who_has_only_just_come_to_a_room_costs_no_look_at_its_log(world: World) -> None:
    await world.in_room("eve")
    world.store.calls.clear()
    says(world, items.Here("room", [ANN], answer=True, new=True))
    await world.advance(3)
    assert "page_after" not in world.store.calls


# --- removals --------------------------------------------------------------------------------------


async def test_who_is_removed_elsewhere_on_their_way_in_does_not_get_in(world: World) -> None:
    eve, ben = (await world.in_room("eve"))[0], await world.connect("ben")
    await eve.send("hi")
    eve.clear()
    world.store.faults["page_before"] = "hang"
    entering = asyncio.ensure_future(ben.refused("room:join", {"roomId": "room"}))
    await world.settle()
    says(world, items.Expelled("room", "ben"))
    world.store.release()
    assert await entering == "forbidden"
    assert eve.names == []


async def test_who_is_removed_before_this_server_has_the_room_does_not_get_in(world: World) -> None:
    world.store.shared = True
    await world.store.create_room("room", "eve", 0, None)
    await world.store.add_member("room", StoredMember("ben", "Ben", 0))
    ben = await world.connect("ben")
    world.store.faults["people"] = "hang"
    entering = asyncio.ensure_future(ben.refused("room:join", {"roomId": "room"}))
    await world.settle()
    await world.store.remove_member("room", "ben")
    world.store.release()
    assert await entering == "forbidden"


@pytest.mark.parametrize("shared", [False, True])
async def test_who_is_removed_while_they_are_asked_for_does_not_become_a_member_again(
    world: World,
    shared: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Between the look at the membership and what is written stands whatever decides who may enter."""
    world.store.shared = shared
    await world.in_room("eve")
    ben = await world.connect("ben")

    async def removed_meanwhile(_user: User, room_id: str) -> bool:
        await world.store.add_member(room_id, StoredMember("ben", "Ben", 0))
        return await world.store.remove_member(room_id, "ben")

    world.service._context.authorize = removed_meanwhile
    assert await ben.refused("room:join", {"roomId": "room"}) == "forbidden"
    assert not await world.store.is_member("room", "ben")


async def test_a_removal_that_was_missed_is_found_in_the_store(world: World) -> None:
    eve, ben = await world.in_room("eve", "ben")
    await world.store.remove_member("room", "ben")
    await world.store.remove_member("room", "eve")
    await world.store.add_member("room", StoredMember("eve", "Eve", 0))
    for _ in range(3):
        world.cluster.peers.missed(OTHER)
        await world.settle()
    assert [each.reason for each in ben.heard(catalogue.ROOM_RESYNC)] == ["removed"]
    assert eve.names == ["user:left"]
    assert await ben.refused("message:send", {"roomId": "room", "content": "x"}) == "not_in_room"


# --- very many -------------------------------------------------------------------------------------


async def test_where_not_all_are_listed_it_is_said_how_many_there_are(world: World) -> None:
    (eve,) = await world.in_room("eve")
    assert (await eve.join()).member_count is UNSET
    crowd = [replace(ANN, user_id=f"user {number}") for number in range(PART)]
    says(world, items.Here("room", [*crowd, replace(ANN, user_id="eve")], answer=False))
    snapshot = await eve.join()
    assert len(snapshot.members) == MEMBERS_SHOWN
    assert snapshot.member_count == PART + 1
