"""Answers beside answers, edited messages, choices and deletions, as those in the room see them."""

import asyncio

import pytest
from msgspec import UNSET
from tests.service.world import Client, World

from rejoinder.characters import CharacterInfo, EchoCharacter
from rejoinder.core.branches import path
from rejoinder.protocol import catalogue, events
from rejoinder.service import entering


def named(message_id: str, **more: object) -> dict[str, object]:
    return {"roomId": "room", "messageId": message_id, **more}


async def question(client: Client, content: str, message_id: str, answer: str = "") -> str:
    """Ask, and be answered; the answer's id."""
    world = client.world
    await client.ask(content, messageId=message_id)
    return await finish(world, answer or f"to {content}")


async def finish(world: World, answer: str) -> str:
    """Let the puppet say that and end; the answer's id."""
    await world.settle()
    world.puppet.say(answer, None)
    await world.advance(0.1)
    (row,) = [
        each
        for each in (await world.store.page_after("room", 0, 1000)).messages
        if each.content == answer
    ]
    return row.id


async def edited(
    client: Client, message_id: str, content: str, new_id: str
) -> events.MessageStored:
    edit = named(message_id, content=content, newMessageId=new_id)
    ack = await client.call("message:edit", edit)
    assert isinstance(ack, events.MessageStored), ack
    await client.world.settle()
    return ack


async def shown(client: Client) -> list[str]:
    """What somebody who enters now sees of the conversation."""
    snapshot = await client.join("room")
    head = snapshot.head if isinstance(snapshot.head, int) else snapshot.last_seq
    return [each.content for each in path(snapshot.messages, head)]


def last_prompt(world: World) -> list[str]:
    turn = world.puppet.turns[-1]
    return [*(each.content for each in turn.history), turn.text]


async def test_a_further_answer_stands_beside_the_first_and_is_chosen(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    first = await question(ann, "one", "q1")
    await ann.call("message:regenerate", named(first))
    await world.settle()
    second = await finish(world, "again")
    start = ben.heard(catalogue.STREAM_START)[-1]
    assert (start.message_id, start.parent_seq, start.variant_of) == (second, 1, first)
    assert await shown(ann) == ["one", "again"]
    assert last_prompt(world) == ["one"]


async def test_the_next_prompt_has_the_branch_that_is_chosen(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    first = await question(ann, "one", "q1")
    await ann.call("message:regenerate", named("q1"))
    await finish(world, "again")
    await question(ann, "two", "q2")
    assert last_prompt(world) == ["one", "again", "two"]

    ben.clear()
    assert await ben.call("message:choose", named(first)) == events.Ack(success=True)
    chosen = ben.heard(catalogue.MESSAGE_CHOSEN)
    assert chosen == ann.heard(catalogue.MESSAGE_CHOSEN)
    told = [(each.message_id, each.user_id, each.head, each.last_seq) for each in chosen]
    assert told == [(first, "ben", 2, 5)]
    assert await shown(ann) == ["one", "to one"]

    await question(ann, "three", "q3")
    assert last_prompt(world) == ["one", "to one", "three"]
    assert await shown(ben) == ["one", "to one", "three", "to three"]
    row = await world.row("q3")
    assert row.parent_seq == 2
    await ann.call("message:choose", named("q2"))
    assert await shown(ben) == ["one", "again", "two", "to two"]


async def test_to_choose_what_is_chosen_tells_nobody(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    first = await question(ann, "one", "q1")
    await question(ann, "two", "q2")
    for message_id in (first, "q1", "q2"):
        assert await ann.call("message:choose", named(message_id)) == events.Ack(success=True)
    assert ben.heard(catalogue.MESSAGE_CHOSEN) == []
    assert await ann.refused("message:choose", named("no")) == "not_found"
    assert await ann.refused("message:choose", {"roomId": "other", "messageId": "q1"}) == (
        "not_in_room"
    )


async def test_of_choices_at_once_the_last_in_the_store_holds_for_all(world: World) -> None:
    clients = await world.in_room("ann", "ben", "eve")
    first = await question(clients[0], "one", "q1")
    answers = [first]
    for text in ("b", "c"):
        await clients[0].call("message:regenerate", named("q1"))
        answers.append(await finish(world, text))
    await clients[0].call("message:choose", named(answers[0]))
    choices = [
        client.call("message:choose", named(answer))
        for client, answer in zip(clients, answers[1:] * 2, strict=False)
    ]
    await asyncio.gather(*choices)
    heard = [client.heard(catalogue.MESSAGE_CHOSEN) for client in clients]
    assert heard[0] == heard[1] == heard[2]
    revisions = [each.revision for each in heard[0]]
    assert revisions == sorted(set(revisions))
    last = max(heard[0], key=lambda each: each.revision)
    row = await world.row(last.message_id)
    assert await shown(clients[1]) == ["one", row.content]


async def test_an_edit_begins_a_branch_and_is_asked_anew(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await question(ann, "one", "q1")
    await question(ann, "two", "q2")
    ben.clear()
    ack = await edited(ann, "q1", "other", "e1")
    assert (ack.message_id, ack.seq) == ("e1", 5)
    answer = await finish(world, "to other")
    assert last_prompt(world) == ["other"]
    row = ben.heard(catalogue.MESSAGE_NEW)[0]
    assert (row.id, row.role, row.parent_seq, row.variant_of) == ("e1", "user", 0, "q1")
    assert await shown(ben) == ["other", "to other"]
    assert (await world.row(answer)).parent_seq is UNSET

    # With the same id it is stored and answered once.
    assert (await edited(ann, "q1", "other", "e1")).duplicate is True
    assert len(world.puppet.turns) == 3
    different = named("q1", content="else", newMessageId="e1")
    assert await ann.refused("message:edit", different) == "conflict"
    await ann.call("message:choose", named("q1"))
    assert await shown(ben) == ["one", "to one", "two", "to two"]


async def test_only_one_s_own_messages_can_be_edited(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    answer = await question(ann, "one", "q1")
    edit = {"content": "other"}
    assert await ben.refused("message:edit", named("q1", **edit)) == "forbidden"
    assert await ann.refused("message:edit", named(answer, **edit)) == "forbidden"
    assert await ann.refused("message:edit", named("no", **edit)) == "not_found"
    assert await ann.refused("message:edit", named("q1", content="")) == "invalid_payload"
    assert await ann.refused("message:edit", named("q1", content="x" * 33_000)) == "too_large"
    assert len(world.puppet.turns) == 1


async def test_an_edit_among_people_asks_nobody(world: World) -> None:
    ann, _ = await world.in_room("ann", "ben")
    await ann.send("between us", messageId="m1")
    await edited(ann, "m1", "only between us", "m2")
    assert world.puppet.turns == []
    assert await shown(ann) == ["only between us"]


async def test_an_edit_ends_the_answer_to_what_it_stands_for(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.ask("one", messageId="q1")
    world.puppet.say("to o")
    await world.advance(0.1)
    await edited(ann, "q1", "other", "e1")
    await world.advance(0.1)
    world.puppet.say("to other", None)
    await world.advance(0.1)
    assert await shown(ben) == ["other", "to other"]
    ends = [(each.content, each.state) for each in ben.heard(catalogue.STREAM_END)]
    assert ends == [("to o", "stopped"), ("to other", "complete")]


async def test_an_answer_that_waited_belongs_to_its_question_s_branch(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.ask("one", messageId="q1")
    await ben.ask("two", messageId="q2")
    await edited(ben, "q2", "other", "e2")
    await finish(world, "to one")
    await world.advance(0.1)
    world.puppet.say("to other", None)
    await world.advance(0.1)
    assert last_prompt(world) == ["one", "to one", "other"]
    assert await shown(ann) == ["one", "to one", "other", "to other"]
    await ann.call("message:choose", named("q2"))
    # The answer that nobody waits for any more was ended before it began.
    assert await shown(ann) == ["one", "to one", "two", ""]


async def test_an_answer_goes_on_from_its_text(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    first = await question(ann, "one", "q1", "Once upon")
    ben.clear()
    ack = await ann.call("message:continue", named(first))
    assert isinstance(ack, events.MessageStored)
    await world.settle()
    assert world.puppet.turns[-1].begun == "Once upon"
    assert last_prompt(world) == ["one"]
    await finish_with(world, " a time")
    row = await world.row(ack.message_id)
    assert (row.content, row.variant_of, row.parent_seq) == ("Once upon a time", first, 1)
    chunks = [(each.offset, each.delta) for each in ben.heard(catalogue.STREAM_CHUNK)]
    assert chunks == [(0, "Once upon"), (9, " a time")]
    assert await shown(ben) == ["one", "Once upon a time"]
    assert (await world.row(first)).content == "Once upon"


async def test_an_answer_that_was_deleted_meanwhile_does_not_go_on(world: World) -> None:
    (ann,) = await world.in_room("ann")
    first = await question(ann, "one", "q1", "Once upon")
    await ann.ask("two", messageId="q2")
    await world.settle()
    ack = await ann.call("message:continue", named(first))
    assert isinstance(ack, events.MessageStored)
    await ann.call("message:delete", named(first))
    await finish_with(world, "to two")
    assert world.puppet.turns[-1].begun == ""
    await finish_with(world, "Anew")
    assert (await world.row(ack.message_id)).content == "Anew"


async def finish_with(world: World, text: str) -> None:
    world.puppet.say(text, None)
    await world.advance(0.1)


async def test_only_an_answer_that_has_ended_goes_on(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("one", messageId="q1")
    world.puppet.say("to o")
    await world.advance(0.1)
    running = ann.heard(catalogue.STREAM_START)[0].message_id
    assert await ann.refused("message:continue", named(running)) == "conflict"
    assert await ann.refused("message:continue", named("q1")) == "not_found"
    assert await ann.refused("message:continue", named("no")) == "not_found"


class Notes(EchoCharacter):
    """A character that remembers rooms."""

    def __init__(self) -> None:
        super().__init__(CharacterInfo(id="notes", name="Notes"))
        self.forgotten: list[str] = []

    def forget(self, room_id: str) -> None:
        self.forgotten.append(room_id)


async def test_characters_forget_what_they_made_of_it(world: World) -> None:
    notes, removed = Notes(), Notes()
    world.characters.add(removed)
    world.characters.remove("notes")
    world.characters.add(notes)
    (ann,) = await world.in_room("ann")
    await question(ann, "secret", "q1")
    assert notes.forgotten == []
    await ann.call("message:delete", named("q1"))
    assert "room" in notes.forgotten
    assert removed.forgotten == notes.forgotten
    notes.forgotten.clear()
    await world.service.deletion.delete("room")
    assert "room" in notes.forgotten


async def test_what_is_deleted_is_gone_for_everybody(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await question(ann, "keep", "q0")
    answer = await question(ann, "secret", "q1", "a secret too")
    ben.clear()
    assert await ann.call("message:delete", named("q1")) == events.Ack(success=True)
    deleted = ben.heard(catalogue.MESSAGE_DELETED)
    assert [(each.message_id, each.user_id, each.revision) for each in deleted] == [
        ("q1", "ann", 1),
        (answer, "ann", 1),
    ]
    for message_id in ("q1", answer):
        row = await world.row(message_id)
        assert (row.content, row.state) == ("", "complete")
        assert row.deleted_at is not UNSET
    history = await ben.history()
    assert [each.seq for each in history.messages] == [1, 2, 3, 4]
    assert "secret" not in "".join(each.content for each in history.messages)
    assert history.revision == 1

    # The next prompt has nothing of it, and to repeat it does no harm.
    await question(ann, "next", "q2")
    assert last_prompt(world) == ["keep", "to keep", "next"]
    assert await ann.call("message:delete", named("q1")) == events.Ack(success=True)
    assert len(ben.heard(catalogue.MESSAGE_DELETED)) == 2
    # A repetition of the send is still one, and asks nobody.
    turns = len(world.puppet.turns)
    assert (await ann.send("secret", stream=True, messageId="q1")).duplicate is True
    await world.settle()
    assert len(world.puppet.turns) == turns
    for event in ("message:regenerate", "message:edit", "message:continue"):
        more = {"content": "x"} if event == "message:edit" else {}
        assert await ann.refused(event, named("q1", **more)) == "not_found"


async def test_one_answer_can_be_deleted_by_who_asked(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    answer = await question(ann, "one", "q1")
    assert await ben.refused("message:delete", named("q1")) == "forbidden"
    assert await ben.refused("message:delete", named(answer)) == "forbidden"
    assert await ann.refused("message:delete", named("no")) == "not_found"
    assert await ann.call("message:delete", named(answer)) == events.Ack(success=True)
    assert (await world.row("q1")).content == "one"
    assert (await world.row(answer)).content == ""


async def test_an_answer_that_is_being_written_ends_with_its_question(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.ask("one", messageId="q1")
    world.puppet.say("half of")
    await world.advance(0.1)
    await ann.ask("two", messageId="q2")
    assert await ann.call("message:delete", named("q1")) == events.Ack(success=True)
    await world.settle()
    (end, *_) = ben.heard(catalogue.STREAM_END)
    assert (end.content, end.state) == ("half of", "stopped")
    assert [(await world.row(end.message_id)).content] == [""]
    assert await ann.call("message:delete", named("q2")) == events.Ack(success=True)
    await world.advance(1)
    assert all(
        each.content == "" for each in (await world.store.page_after("room", 0, 100)).messages
    )


async def test_who_was_away_hears_of_what_was_deleted_before_their_position(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    for number in range(3):
        await question(ann, f"number {number}", f"q{number}")
    snapshot = await ben.join("room", last="q2")
    assert snapshot.revision is UNSET
    ben.drop()
    await ann.call("message:delete", named("q0"))
    again = await world.connect("ben")
    entry = {"roomId": "room", "lastMessageId": "q2", "revision": 0}
    ack = await again.call("room:rejoin", entry)
    assert isinstance(ack, events.RoomAck)
    assert ack.recovered
    assert ack.revision == 1
    assert isinstance(ack.deleted, list)
    assert [each.message_id for each in ack.deleted][:1] == ["q0"]
    assert len(ack.deleted) == 2
    known = await again.call("room:rejoin", {**entry, "revision": 1})
    assert isinstance(known, events.RoomAck)
    assert known.deleted is UNSET
    assert known.recovered


async def test_too_many_deletions_to_name_are_a_new_beginning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entering, "ERASED_SHOWN", 3)
    ann, _ = await world.in_room("ann", "ben")
    for number in range(5):
        await ann.send(f"number {number}", messageId=f"m{number}")
    for number in range(4):
        await ann.call("message:delete", named(f"m{number}"))
    ack = await ann.join("room", last="m4")
    assert not ack.recovered
    assert ack.deleted is UNSET
    assert [each.content for each in ack.messages] == ["", "", "", "", "number 4"]


@pytest.mark.parametrize("event", ["message:choose", "message:delete"])
async def test_a_change_whose_outcome_was_not_known_is_shown_when_it_is(
    world: World, event: str
) -> None:
    ann, ben = await world.in_room("ann", "ben")
    first = await question(ann, "one", "q1")
    await ann.call("message:regenerate", named("q1"))
    await finish(world, "again")
    world.store.faults["choose"] = world.store.faults["erase"] = "hang after it"
    asking = asyncio.create_task(ann.call(event, named(first)))
    await world.advance(5.5)
    ack = await asking
    assert isinstance(ack, events.Failure)
    assert ack.code == "unavailable"
    world.store.release()
    await world.advance(5)
    shown_by = catalogue.MESSAGE_CHOSEN if event == "message:choose" else catalogue.MESSAGE_DELETED
    heard: list[str] = [each.message_id for each in ben.heard(shown_by)]  # type: ignore[attr-defined]
    assert heard == [first]


async def test_edits_and_further_answers_count_as_sends(world: World) -> None:
    (ann,) = await world.in_room("ann")
    answer = await question(ann, "one", "q1")
    for event in ("message:continue", "message:regenerate", "message:edit"):
        more = {"content": "x"} if event == "message:edit" else {}
        acks = [await ann.call(event, named("q1" if more else answer, **more)) for _ in range(25)]
        assert isinstance(acks[-1], events.Failure)
        assert acks[-1].code == "rate_limited"
        await world.advance(5)
