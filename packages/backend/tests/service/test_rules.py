"""A room's characters and its rule for who sends again: who answers, in which order, and what is answered together."""

import pytest
from tests.service.world import Client, Puppet, World

from rejoinder.errors import Conflict, NotFound
from rejoinder.protocol import catalogue, events
from rejoinder.service.items import Ruled
from rejoinder.service.rules import CHARACTERS_MAX
from rejoinder.stores.sqlite import SqliteStore


async def rule(world: World, policy: events.DoubleTexting | None) -> None:
    await world.service.rules.set_double_texting("room", policy)
    await world.settle()


async def answers(world: World) -> list[tuple[str, str, str]]:
    """What is answered, with what, and how that ended, in the order of the log."""
    rows = (await SqliteStore.page_after(world.store, "room", 0, 100)).messages
    texts = {row.id: row.content for row in rows}
    return [
        (texts[str(row.reply_to)], row.content, row.state)
        for row in rows
        if row.role == "character"
    ]


# --- who sends again -----------------------------------------------------------------------------


async def test_what_waits_is_answered_together(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await rule(world, "merge")
    await ann.ask("one")
    await ann.ask("two")
    await ben.ask("other")
    await ann.ask("three")
    await ann.ask("four")
    assert len(world.puppet.turns) == 1, "what is being answered is let be"
    for number, text in enumerate(("first", "together", "for ben")):
        world.puppet.say(text, None, turn=number)
        await world.advance(0.1)
    assert [turn.text for turn in world.puppet.turns] == ["one", "four", "other"], (
        "in the place of the oldest that waits"
    )
    told = [past.content for past in world.puppet.turns[1].history]
    assert told == ["one", "first", "two", "other", "three"]
    found = sorted(await answers(world))
    assert found == sorted(
        [
            ("one", "first", "complete"),
            ("two", "", "complete"),
            ("three", "", "complete"),
            ("four", "together", "complete"),
            ("other", "for ben", "complete"),
        ]
    )
    for question in (await SqliteStore.page_after(world.store, "room", 0, 100)).messages:
        assert question.role == "character" or await world.store.answered(question.id)
    starts, ends = ben.heard(catalogue.STREAM_START), ben.heard(catalogue.STREAM_END)
    assert {each.message_id for each in starts} == {each.message_id for each in ends}
    assert len(ends) == 5


async def test_a_merged_question_that_is_sent_again_is_not_answered_again(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await rule(world, "merge")
    await ann.ask("one")
    await ann.ask("two", messageId="m2")
    await ann.ask("three")
    await ann.ask("two", messageId="m2")
    for number in range(2):
        world.puppet.say("yes", None, turn=number)
        await world.advance(0.1)
    await ann.ask("two", messageId="m2")
    await world.advance(0.1)
    assert [turn.text for turn in world.puppet.turns] == ["one", "three"]


async def test_those_for_different_characters_are_not_merged(world: World) -> None:
    other = Puppet("other")
    world.characters.add(other)
    (ann,) = await world.in_room("ann")
    await rule(world, "merge")
    await ann.ask("one")
    await ann.ask("two", characterId="puppet")
    await ann.ask("three", characterId="other")
    world.puppet.say("1", None, turn=0)
    world.puppet.say("2", None, turn=1)
    other.say("3", None)
    await world.advance(0.5)
    assert [content for _, content, _ in await answers(world)] == ["1", "2", "3"]


async def test_a_room_s_own_rule_beats_the_server_s_and_can_be_taken_back(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await rule(world, "interrupt")
    await ann.ask("one")
    await ann.ask("two")
    await world.advance(0.1)
    assert [turn.text for turn in world.puppet.turns] == ["one", "two"]
    await rule(world, None)
    await ann.ask("three")
    await world.advance(0.1)
    assert len(world.puppet.turns) == 2, "it waits, as the server has it"
    changed = ann.heard(catalogue.ROOM_CHANGED)
    assert [each.double_texting for each in changed] == [
        "interrupt",
        events.RoomChanged(room_id="room", character_ids=[]).double_texting,
    ]
    await rule(world, "queue")
    again = await (await world.connect("ben")).join()
    assert again.double_texting == "queue"


# --- several characters --------------------------------------------------------------------------


async def several(world: World) -> tuple[Client, dict[str, Puppet]]:
    """Somebody who has not chosen any in a room with three characters."""
    puppets = {name: Puppet(name) for name in ("sage", "bard", "cook")}
    for puppet in puppets.values():
        world.characters.add(puppet)
    ann = await world.connect("ann")
    await ann.join()
    for name in puppets:
        await world.service.rules.add("room", name)
    await world.settle()
    return ann, puppets


async def answered_by(world: World, ann: Client, puppets: dict[str, Puppet], text: str) -> str:
    before = {name: len(puppet.turns) for name, puppet in puppets.items()}
    await ann.ask(text)
    (name,) = (name for name, puppet in puppets.items() if len(puppet.turns) > before[name])
    puppets[name].say(f"{name} says", None)
    await world.advance(0.1)
    return name


async def test_they_answer_in_turn_and_who_is_named_answers(world: World) -> None:
    ann, puppets = await several(world)
    asked = ("a", "b", "c", "d", "@cook: e", "f", "What of it, @bard?", "g")
    by = [await answered_by(world, ann, puppets, text) for text in asked]
    assert by == ["sage", "bard", "cook", "sage", "cook", "sage", "bard", "cook"]


async def test_whose_turn_it_is_is_known_after_a_while_too(world: World) -> None:
    ann, puppets = await several(world)
    assert await answered_by(world, ann, puppets, "a") == "sage"
    await ann.call("room:leave", {"roomId": "room"})
    await world.advance(5)
    snapshot = await ann.join()
    assert snapshot.character_ids == ["sage", "bard", "cook"]
    assert await answered_by(world, ann, puppets, "b") == "bard"


async def test_questions_that_wait_take_their_turns(world: World) -> None:
    ann, puppets = await several(world)
    for text in ("a", "b", "c"):
        await ann.ask(text)
    for name in puppets:
        puppets[name].say("yes", None)
        await world.advance(0.1)
    assert [len(puppet.turns) for puppet in puppets.values()] == [1, 1, 1]


async def test_an_addressed_one_answers_whoever_is_in_the_room(world: World) -> None:
    ann, _ = await several(world)
    await ann.ask("@sage hi", characterId="puppet")
    assert len(world.puppet.turns) == 1


async def test_each_sees_the_others_lines_and_names(world: World) -> None:
    ann, puppets = await several(world)
    await answered_by(world, ann, puppets, "a")
    await answered_by(world, ann, puppets, "b")
    history = puppets["bard"].turns[0].history
    assert [(past.role, past.sender_id, past.name) for past in history] == [
        ("user", "ann", "Ann"),
        ("character", "sage", "Puppet"),
    ]
    assert puppets["bard"].turns[0].character_id == "bard"


async def test_regenerate_asks_the_one_who_had_answered(world: World) -> None:
    ann, puppets = await several(world)
    await answered_by(world, ann, puppets, "a")
    await answered_by(world, ann, puppets, "b")
    first = ann.heard(catalogue.STREAM_START)[0].message_id
    await ann.call("message:regenerate", {"roomId": "room", "messageId": first})
    await world.settle()
    assert [turn.text for turn in puppets["sage"].turns] == ["a", "a"]


async def test_characters_come_and_go_and_the_room_hears_of_it(world: World) -> None:
    ann, _ = await several(world)
    await world.service.rules.remove("room", "sage")
    await world.settle()
    assert [each.character_ids for each in ann.heard(catalogue.ROOM_CHANGED)] == [
        ["sage"],
        ["sage", "bard"],
        ["sage", "bard", "cook"],
        ["bard", "cook"],
    ]


async def test_who_may_not_come(world: World) -> None:
    await several(world)
    with pytest.raises(NotFound):
        await world.service.rules.add("room", "nobody")
    with pytest.raises(NotFound):
        await world.service.rules.add("no room", "sage")
    for number in range(CHARACTERS_MAX - 3):
        world.characters.add(Puppet(f"p{number}"))
        await world.service.rules.add("room", f"p{number}")
    with pytest.raises(Conflict):
        await world.service.rules.add("room", "puppet")


async def test_what_another_server_has_changed_holds_here(world: World) -> None:
    (ann,) = await world.in_room("ann")
    world.service.rules.heard(Ruled("room", ["puppet", "echo"], "merge"))
    world.service.rules.heard(Ruled("a room that nobody is in", ["puppet"]))
    await ann.ask("one", characterId="puppet")
    await ann.ask("two", characterId="puppet")
    await ann.ask("three", characterId="puppet")
    world.puppet.say("yes", None, turn=0)
    await world.advance(0.1)
    assert [turn.text for turn in world.puppet.turns] == ["one", "three"]
