"""How a character begins a room."""

import asyncio

import pytest
from tests.service.world import World

from rejoinder.characters import CharacterInfo, EchoCharacter
from rejoinder.core.branches import path
from rejoinder.protocol import catalogue, events
from rejoinder.service import greeting
from rejoinder.stores.records import Draft

TEXTS = ("Hello {{user}}!", "Oh, {{user}}, {{user}}.", "What now?")


@pytest.fixture(autouse=True)
def greeter(world: World) -> None:
    """A character with three greetings, and one with one."""
    info = CharacterInfo("ada", "Ada", greeting="Hello you!", greetings=TEXTS)
    world.characters.add(EchoCharacter(info, sleep=world.clock.sleep))
    plain = CharacterInfo("plain", "Plain", greeting="Good day.")
    world.characters.add(EchoCharacter(plain, sleep=world.clock.sleep))


def texts(snapshot: events.RoomAck) -> list[str]:
    return [each.content for each in snapshot.messages]


def chosen(snapshot: events.RoomAck) -> list[str]:
    head = snapshot.head if isinstance(snapshot.head, int) else snapshot.last_seq
    return [each.content for each in path(snapshot.messages, head)]


async def test_a_new_room_begins_with_them_and_the_first_is_chosen(world: World) -> None:
    ann = await world.connect("ann")
    snapshot = await ann.join("room", "ada")
    assert texts(snapshot) == ["Hello Ann!", "Oh, Ann, Ann.", "What now?"]
    assert chosen(snapshot) == ["Hello Ann!"]
    assert {each.role for each in snapshot.messages} == {"character"}
    assert {each.sender_id for each in snapshot.messages} == {"ada"}
    # It is the same for who comes later, whatever their name.
    ben = await world.connect("ben")
    assert texts(await ben.join("room", "ada")) == texts(snapshot)
    assert ben.heard(catalogue.MESSAGE_NEW) == []


async def test_another_one_can_be_chosen_and_the_talk_goes_on_from_it(world: World) -> None:
    ann = await world.connect("ann")
    snapshot = await ann.join("room", "ada")
    second = snapshot.messages[1].id
    await ann.ask("one", characterId="ada")
    await world.advance(1)
    assert chosen(await ann.join("room")) == ["Hello Ann!", "one", "one"]
    await ann.call("message:choose", {"roomId": "room", "messageId": second})
    assert chosen(await ann.join("room")) == ["Oh, Ann, Ann."]
    await ann.join("room", "puppet")
    await ann.ask("two")
    (turn,) = world.puppet.turns
    assert [each.content for each in turn.history] == ["Oh, Ann, Ann."]


async def test_who_enters_at_the_same_time_writes_them_once(world: World) -> None:
    clients = [await world.connect(name) for name in ("ann", "ben", "eve")]
    snapshots = await asyncio.gather(*(client.join("room", "ada") for client in clients))
    assert {tuple(texts(snapshot)) for snapshot in snapshots} == {tuple(texts(snapshots[0]))}
    assert len(snapshots[0].messages) == len(TEXTS)


async def test_a_room_that_something_was_said_in_is_left_alone(world: World) -> None:
    ann = await world.connect("ann")
    await ann.join("room")
    await ann.send("here first")
    assert texts(await ann.join("room", "ada")) == ["here first"]


async def test_one_greeting_is_enough_and_none_is_none(world: World) -> None:
    ann = await world.connect("ann")
    assert texts(await ann.join("one", "plain")) == ["Good day."]
    assert texts(await ann.join("none", "puppet")) == []
    assert texts(await ann.join("unknown", "nobody")) == []


async def test_there_are_not_too_many_and_none_is_too_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "GREETINGS_MAX", 2)
    monkeypatch.setattr(greeting, "LENGTH_MAX", 5)
    ann = await world.connect("ann")
    assert texts(await ann.join("room", "ada")) == ["Hello", "Oh, A"]


async def test_while_they_cannot_be_stored_nobody_enters(world: World) -> None:
    ann = await world.connect("ann")
    world.store.faults["append"] = "refuse"
    entry = {"roomId": "room", "characterId": "ada"}
    assert await ann.refused("room:join", entry) == "unavailable"
    world.store.release()
    assert len((await ann.join("room", "ada")).messages) == len(TEXTS)


async def test_where_another_server_was_quicker_nothing_is_written_behind_it(world: World) -> None:
    ben = await world.connect("ben")
    await ben.join()
    # That server's telling is still on its way.
    await world.store.append(
        Draft(
            id="first",
            room_id="room",
            role="user",
            sender_id="ann",
            content="here first",
            state="complete",
            timestamp=world.clock.wall_ms(),
        )
    )
    assert texts(await ben.join("room", "ada")) == ["here first"]
    assert await world.store.last_seq("room") == 1
