"""A busy room's messages are stored by its home; whatever goes wrong with that, each is stored once, in order, and acked."""

import asyncio
from dataclasses import dataclass, replace

import msgspec
import pytest
from tests.service.world import Client, World

from rejoinder.core.homes import BUSY_SECONDS, home_of
from rejoinder.core.others import Somebody
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import ChatMessage
from rejoinder.service import items
from rejoinder.service.homes import ANSWER_SECONDS
from rejoinder.stores.records import Draft
from rejoinder.stores.sqlite import SqliteStore

ROOM = "room"


def named(world: World, *, home: bool) -> str:
    """A name for another server with which it is the room's home, or is not."""
    me = world.cluster.server_id
    names = (f"server {number}" for number in range(1000))
    return next(name for name in names if (home_of(ROOM, (me, name)) == name) is home)


@dataclass
class Other:
    """The other server."""

    world: World
    name: str

    def says(self, item: items.Item) -> None:
        self.world.cluster.peers.heard(self.name, msgspec.json.encode(item))

    async def stores(self, draft: Draft) -> ChatMessage:
        return (await SqliteStore.append(self.world.store, draft)).message

    async def tells(self, draft: Draft) -> ChatMessage:
        """Store that and tell all of it."""
        row = await self.stores(draft)
        self.says(items.Row(ROOM, row))
        return row

    async def takes(self, draft: Draft) -> ChatMessage:
        """Store what was handed on, and say so."""
        row = await self.tells(draft)
        self.says(items.Handed(ROOM, draft.id, "new"))
        return row

    def was_told(self, kind: type[items.Item]) -> list[items.Item]:
        """What was said to it of one kind."""
        decoder = msgspec.json.Decoder(items.AnyItem)
        said = [decoder.decode(item) for to, item in self.world.cluster.sent if self.name in to]
        return [item for item in said if isinstance(item, kind)]

    @property
    def handed(self) -> list[Draft]:
        """What was handed on to it."""
        return [item.draft for item in self.was_told(items.HandOn)]  # type: ignore[attr-defined]


def draft(message_id: str, sender: str = "zoe") -> Draft:
    return Draft(message_id, ROOM, "user", sender, message_id, "complete", 1)


async def beside(world: World, *, home: bool) -> tuple[Other, Client, Client]:
    """Two people here, and another server in the same room."""
    ann, ben = await world.in_room("ann", "ben")
    other = Other(world, named(world, home=home))
    other.says(items.Here(ROOM, [Somebody("zoe", "Zoe", "online")], answer=False))
    await world.settle()
    world.cluster.sent.clear()
    ann.clear()
    ben.clear()
    return other, ann, ben


async def busy(world: World) -> tuple[Other, Client, Client]:
    """The other server is the room's home, and both have been in each other's way."""
    other, ann, ben = await beside(world, home=True)
    row = await other.stores(draft("first"))
    sending = asyncio.ensure_future(ann.send("second", messageId="second"))
    await asyncio.sleep(0)
    other.says(items.Row(ROOM, row))
    await sending
    assert shown(ben) == ["first", "second"]
    assert other.handed == []
    return other, ann, ben


def shown(client: Client) -> list[str]:
    return [message.id for message in client.heard(catalogue.MESSAGE_NEW)]


def sending(client: Client, *ids: str) -> "list[asyncio.Future[events.MessageStored]]":
    return [asyncio.ensure_future(client.send(each, messageId=each)) for each in ids]


async def test_a_message_of_a_busy_room_is_handed_on_and_acked_by_its_row(world: World) -> None:
    other, ann, ben = await busy(world)
    [sent] = sending(ann, "m1")
    await world.settle()
    assert not sent.done()
    assert await world.store.find("m1") is None
    [handed] = other.handed
    assert (handed.id, handed.sender_id, handed.content) == ("m1", "ann", "m1")
    world.cluster.sent.clear()
    row = await other.takes(handed)
    ack = await sent
    assert (ack.message_id, ack.seq, ack.duplicate) == ("m1", row.seq, msgspec.UNSET)
    assert shown(ben)[-1] == "m1"
    # Its home tells all servers of it.
    assert other.was_told(items.Row) == []


async def test_servers_that_are_not_in_each_others_way_store_by_themselves(world: World) -> None:
    other, ann, ben = await beside(world, home=True)
    for number in range(3):
        await other.tells(draft(f"there {number}"))
        await ann.send("here", messageId=f"here {number}")
    assert other.handed == []
    assert len(other.was_told(items.Row)) == 3
    assert len(shown(ben)) == 6


async def test_a_room_is_busy_for_a_while(world: World) -> None:
    other, ann, _ = await busy(world)
    await world.advance(BUSY_SECONDS + 1)
    await ann.send("m1", messageId="m1")
    assert other.handed == []


async def test_the_home_itself_stores(world: World) -> None:
    other, ann, ben = await beside(world, home=False)
    row = await other.stores(draft("first"))
    sent = sending(ann, "second")
    await asyncio.sleep(0)
    other.says(items.Row(ROOM, row))
    await asyncio.gather(*sent, *sending(ann, "third"))
    assert other.handed == []
    assert shown(ben) == ["first", "second", "third"]


async def test_what_is_not_answered_for_is_stored_from_here(world: World) -> None:
    other, ann, ben = await busy(world)
    sent = sending(ann, "m1", "m2", "m3")
    await world.settle()
    assert [each.id for each in other.handed] == ["m1", "m2", "m3"]
    # Of the second one it was told, but of neither of the others.
    await world.advance(ANSWER_SECONDS + 1)
    acks = await asyncio.gather(*sent)
    assert [ack.seq for ack in acks] == [3, 4, 5]
    assert shown(ben)[2:] == ["m1", "m2", "m3"]
    assert len(other.was_told(items.Row)) == 4
    # And nothing more is handed on to it for a while.
    await asyncio.gather(*sending(ann, "m4"))
    assert len(other.handed) == 3


async def test_a_home_that_stored_and_could_not_say_so_doubles_nothing(world: World) -> None:
    other, ann, ben = await busy(world)
    sent = sending(ann, "m1", "m2")
    await world.settle()
    first = await other.stores(other.handed[0])
    await world.advance(ANSWER_SECONDS + 1)
    assert [(ack.seq, ack.duplicate) for ack in await asyncio.gather(*sent)] == [
        (first.seq, True),
        (first.seq + 1, msgspec.UNSET),
    ]
    other.says(items.Row(ROOM, first))
    await world.advance(5)
    assert shown(ben)[2:] == ["m1", "m2"]


@pytest.mark.parametrize("how", ["said before it is told", "told before it is said"])
async def test_the_acknowledgement_waits_for_both(world: World, how: str) -> None:
    """That a row of its id is there does not say that it is there by this message: somebody may have sent it twice."""
    other, ann, ben = await busy(world)
    [sent] = sending(ann, "m1")
    await world.settle()
    steps = [
        items.Row(ROOM, await other.stores(other.handed[0])),
        items.Handed(ROOM, "m1", "new"),
    ]
    for step in steps if how.startswith("told") else reversed(steps):
        assert not sent.done()
        other.says(step)
        await world.settle()
    assert (await sent).duplicate is msgspec.UNSET
    assert shown(ben)[-1] == "m1"


async def test_one_that_is_found_in_the_log_is_shown_and_then_acked(world: World) -> None:
    other, ann, ben = await busy(world)
    [sent] = sending(ann, "m1")
    await world.settle()
    await other.stores(other.handed[0])
    world.cluster.peers.missed(other.name)
    await world.advance(0.6)
    assert shown(ben)[-1] == "m1"
    await world.advance(ANSWER_SECONDS)
    assert (await sent).seq == 3
    assert shown(ben)[2:] == ["m1"]


async def test_one_that_was_sent_twice_is_a_duplicate_once(world: World) -> None:
    other, ann, _ = await busy(world)
    [sent] = sending(ann, "m1")
    await world.settle()
    row = await other.tells(other.handed[0])
    other.says(items.Handed(ROOM, "m1", "stored", row))
    assert (await sent).duplicate is True


async def test_what_was_sent_before_goes_first(world: World) -> None:
    """A row that is on its way into the log from here must not be overtaken by one that is handed on."""
    other, ann, _ = await busy(world)
    await world.advance(BUSY_SECONDS + 1)
    world.store.faults["append"] = "hang"
    held = sending(ann, "m1")
    await world.settle()
    row = await other.stores(draft("there"))
    other.says(items.Row(ROOM, row))
    later = sending(ann, "m2", "m3")
    await world.settle()
    assert other.handed == []
    world.store.release()
    await asyncio.gather(*held)
    await world.settle()
    assert [each.id for each in other.handed] == ["m2", "m3"]
    for each in other.handed:
        await other.takes(each)
    acks = await asyncio.gather(*held, *later)
    first = acks[0].seq or 0
    assert [ack.seq for ack in acks] == [first, first + 1, first + 2]


async def test_a_home_has_its_time_from_when_it_was_handed_something(world: World) -> None:
    other, ann, _ = await busy(world)
    await world.advance(BUSY_SECONDS + 1)
    world.store.faults["append"] = "hang"
    held = sending(ann, "m1")
    await world.settle()
    other.says(items.Row(ROOM, await other.stores(draft("there"))))
    later = sending(ann, "m2")
    await world.advance(ANSWER_SECONDS * 0.75)
    world.store.release()
    await asyncio.gather(*held)
    await world.advance(ANSWER_SECONDS * 0.75)
    await other.takes(other.handed[0])
    assert [ack.duplicate for ack in await asyncio.gather(*later)] == [msgspec.UNSET]
    [last] = sending(ann, "m3")
    await world.settle()
    assert [each.id for each in other.handed] == ["m2", "m3"]
    await other.takes(other.handed[1])
    await last


@pytest.mark.parametrize("how", ["gone", "away", "refused"])
async def test_without_its_home_a_message_is_stored_from_here_at_once(
    world: World, how: str
) -> None:
    other, ann, ben = await busy(world)
    sent = sending(ann, "m1", "m2")
    await world.settle()
    if how == "gone":
        world.cluster.peers.gone(other.name, ended=True)
    elif how == "away":
        other.says(items.Away(ROOM))
    else:
        other.says(items.Handed(ROOM, "m1", "refused"))
        other.says(items.Handed(ROOM, "m2", "refused"))
    await world.advance(0.6)
    assert [(await each).seq for each in sent] == [3, 4]
    assert shown(ben)[2:] == ["m1", "m2"]


async def test_who_waits_when_the_server_ends_is_told_to_send_again(world: World) -> None:
    _, ann, _ = await busy(world)
    waits = asyncio.ensure_future(ann.refused("message:send", {"roomId": ROOM, "content": "x"}))
    await world.settle()
    await world.service.close()
    assert await waits == "unavailable"


async def test_the_home_says_what_became_of_one_that_is_not_new(world: World) -> None:
    other, ann, _ = await busy(world)
    [again] = sending(ann, "second")
    await world.settle()
    row = await world.row("second")
    other.says(items.Handed(ROOM, "second", "stored", row))
    assert ((await again).seq, (await again).duplicate) == (row.seq, True)
    taken = asyncio.ensure_future(
        ann.refused("message:send", {"roomId": ROOM, "content": "x", "messageId": "first"})
    )
    await world.settle()
    other.says(items.Handed(ROOM, "first", "taken"))
    assert await taken == "conflict"


async def test_a_repetition_meanwhile_is_answered_as_well(world: World) -> None:
    other, ann, ben = await busy(world)
    [first] = sending(ann, "m1")
    await world.settle()
    [again] = sending(ann, "m1")
    await world.settle()
    await world.advance(ANSWER_SECONDS + 1)
    assert (await first).seq == (await again).seq == 3
    assert shown(ben)[2:] == ["m1"]
    assert len(other.handed) == 1


async def test_a_repetition_does_not_overtake_what_was_sent_before(world: World) -> None:
    other, ann, ben = await busy(world)
    sent = sending(ann, "m1", "m2", "m2")
    await world.settle()
    for each in other.handed:
        await other.takes(each)
    acks = await asyncio.gather(*sent)
    assert [(ack.seq, ack.duplicate is True) for ack in acks] == [(3, False), (4, False), (4, True)]
    assert shown(ben)[2:] == ["m1", "m2"]


async def test_a_repetition_of_one_that_is_still_to_be_handed_on_is_answered_as_well(
    world: World,
) -> None:
    other, ann, _ = await busy(world)
    await world.advance(BUSY_SECONDS + 1)
    world.store.faults["append"] = "hang"
    held = sending(ann, "m1")
    await world.settle()
    other.says(items.Row(ROOM, await other.stores(draft("there"))))
    later = sending(ann, "m2", "m2")
    await world.settle()
    world.store.release()
    await asyncio.gather(*held)
    await world.settle()
    [handed] = other.handed
    row = await other.takes(handed)
    acks = await asyncio.gather(*later)
    assert [(ack.seq, ack.duplicate is True) for ack in acks] == [(row.seq, False), (row.seq, True)]


async def test_an_id_that_another_person_was_quicker_with_is_a_conflict(world: World) -> None:
    other, ann, _ = await busy(world)
    message = {"roomId": ROOM, "content": "mine", "messageId": "m1"}
    refused = asyncio.ensure_future(ann.refused("message:send", message))
    await world.settle()
    await other.tells(draft("m1"))
    other.says(items.Handed(ROOM, "m1", "taken"))
    assert await refused == "conflict"


async def test_a_room_that_is_deleted_meanwhile(world: World) -> None:
    other, ann, _ = await busy(world)
    refused = asyncio.ensure_future(ann.refused("message:send", {"roomId": ROOM, "content": "x"}))
    await world.settle()
    other.says(items.Handed(ROOM, other.handed[0].id, "gone"))
    assert await refused == "not_found"


# --- the home's side -------------------------------------------------------------------------------


async def test_the_home_stores_for_others_and_tells_all(world: World) -> None:
    other, ann, _ = await beside(world, home=False)
    other.says(items.HandOn(ROOM, "", draft("m1")))
    other.says(items.HandOn(ROOM, "m1", draft("m2")))
    await world.settle()
    assert shown(ann) == ["m1", "m2"]
    rows = other.was_told(items.Row)
    assert [(item.row.id, item.row.seq) for item in rows] == [("m1", 1), ("m2", 2)]  # type: ignore[attr-defined]
    answers = [(item.message_id, item.outcome) for item in other.was_told(items.Handed)]  # type: ignore[attr-defined]
    assert answers == [("m1", "new"), ("m2", "new")]


async def test_the_home_refuses_what_another_one_is_missing_before(world: World) -> None:
    other, ann, _ = await beside(world, home=False)
    other.says(items.HandOn(ROOM, "", draft("m1")))
    other.says(items.HandOn(ROOM, "lost", draft("m3")))
    other.says(items.HandOn(ROOM, "m3", draft("m4")))
    await world.settle()
    assert shown(ann) == ["m1"]
    answers = {item.message_id: item.outcome for item in other.was_told(items.Handed)}  # type: ignore[attr-defined]
    assert answers == {"m1": "new", "m3": "refused", "m4": "refused"}


async def test_the_home_answers_for_what_is_there_already(world: World) -> None:
    other, ann, _ = await beside(world, home=False)
    await ann.send("m1", messageId="m1")
    other.says(items.HandOn(ROOM, "", draft("m1", "ann")))
    other.says(items.HandOn(ROOM, "m1", draft("m1", "eve")))
    await world.settle()
    answers = [(item.outcome, item.row) for item in other.was_told(items.Handed)]  # type: ignore[attr-defined]
    assert answers == [("stored", await world.row("m1")), ("taken", None)]


async def test_a_home_that_cannot_store_refuses(world: World) -> None:
    other, _, _ = await beside(world, home=False)
    world.store.faults["append"] = "refuse"
    other.says(items.HandOn(ROOM, "", draft("m1")))
    await world.settle()
    [answer] = other.was_told(items.Handed)
    assert answer.outcome == "refused"  # type: ignore[attr-defined]


async def test_a_server_without_the_room_refuses(world: World) -> None:
    other, _, _ = await beside(world, home=False)
    other.says(items.HandOn("another room", "", replace(draft("m1"), room_id="another room")))
    stranger = Other(world, "stranger")
    stranger.says(items.HandOn(ROOM, "", draft("m2")))
    await world.settle()
    assert len(other.was_told(items.Handed)) == len(stranger.was_told(items.Handed)) == 1
    assert await world.store.find("m1") is await world.store.find("m2") is None


async def test_what_is_sent_when_the_home_is_gone_comes_after_what_it_was_handed(
    world: World,
) -> None:
    other, ann, ben = await busy(world)
    first = sending(ann, "m1", "m2")
    await world.settle()
    assert [each.id for each in other.handed] == ["m1", "m2"]
    world.cluster.peers.gone(other.name, ended=False)
    last = sending(ann, "m3")
    await world.advance(ANSWER_SECONDS + 1)
    acks = await asyncio.gather(*first, *last)
    assert [ack.seq for ack in acks] == [3, 4, 5]
    assert shown(ben)[-3:] == ["m1", "m2", "m3"]
