"""One answer, from its beginning to its one end."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec import UNSET
from tests.service.world import Client, Puppet, World

from rejoinder.characters import Delta, Thought, Turn, Usage
from rejoinder.core.leases import RENEW_SECONDS
from rejoinder.errors import CharacterFailed
from rejoinder.protocol import catalogue, events
from rejoinder.service.generation import ANSWER_LIMIT, LEASE_MS, THOUGHT_LIMIT
from rejoinder.stores.records import Draft
from rejoinder.stores.sqlite import SqliteStore

RENEW_MS = round(RENEW_SECONDS * 1000)


def text(client: Client) -> str:
    """What a viewer has assembled from the chunks, each where its offset says."""
    assembled = ""
    for number, chunk in enumerate(client.heard(catalogue.STREAM_CHUNK)):
        assert (chunk.index, chunk.offset) == (number, len(assembled))
        assembled += chunk.delta
    return assembled


async def stop(client: Client, message_id: str) -> None:
    ack = await client.call("message:stream:stop", {"roomId": "room", "messageId": message_id})
    assert ack == events.Ack(success=True)


async def test_an_answer_is_shown_as_it_is_written_and_stored(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    ack = await ann.send("hi", stream=True)
    assert ack.seq == 1
    await world.settle()
    (start,) = ben.heard(catalogue.STREAM_START)
    assert (start.reply_to, start.character_id, start.seq) == (ack.message_id, "puppet", 2)
    world.puppet.say("안녕", " 👋\r\n", "\x00", Usage(3, 4), None)
    await world.advance(0.1)
    names = ["message:new", "message:stream:start", "messages:read"]
    assert ann.names == ben.names == [*names, *["message:stream:chunk"] * 2, "message:stream:end"]
    (end,) = ben.heard(catalogue.STREAM_END)
    assert end == events.StreamEnd(
        room_id="room",
        message_id=start.message_id,
        content="안녕 👋\r\n\x00",
        state="complete",
        timestamp="2026-01-01T00:00:00.000Z",
        usage=events.TokenUsage(prompt_tokens=3, completion_tokens=4),
    )
    row = await world.row(start.message_id)
    assert (row.content, row.state, row.role) == (end.content, "complete", "character")
    assert (row.sender_id, row.character_id, row.reply_to) == ("puppet", "puppet", ack.message_id)
    assert text(ann) == end.content


async def test_the_ack_does_not_wait_for_the_character(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.send("hi", stream=True)
    assert ann.heard(catalogue.STREAM_END) == []


async def test_deltas_are_joined_over_thirty_milliseconds(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.say("a")
    await world.settle()
    assert [chunk.delta for chunk in ann.heard(catalogue.STREAM_CHUNK)] == ["a"]
    for delta in "bcd":
        world.puppet.say(delta)
        await world.settle()
    await world.advance(0.029)
    assert len(ann.heard(catalogue.STREAM_CHUNK)) == 1
    await world.advance(0.001)
    assert [chunk.delta for chunk in ann.heard(catalogue.STREAM_CHUNK)] == ["a", "bcd"]
    await world.advance(1)
    world.puppet.say("e")
    await world.settle()
    assert text(ann) == "abcde"


async def test_the_character_is_told_what_came_before(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ben.send("earlier")
    question = await ann.ask("and now?")
    (turn,) = world.puppet.turns
    assert (turn.room_id, turn.message_id, turn.user_id) == ("room", question, "ann")
    assert turn.text == "and now?"
    assert [(m.role, m.sender_id, m.content) for m in turn.history] == [("user", "ben", "earlier")]


async def test_a_sent_character_answers_instead_of_the_rooms(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi there", characterId="echo")
    await world.advance(0.1)
    assert [end.content for end in ann.heard(catalogue.STREAM_END)] == ["hi there"]
    assert world.puppet.turns == []


async def test_an_unknown_character_is_refused_before_anything_is_stored(world: World) -> None:
    (ann,) = await world.in_room("ann", character_id="nobody")
    message = {"roomId": "room", "content": "x"}
    for more in ({}, {"characterId": "nobody"}):
        assert await ann.refused("message:send:stream", {**message, **more}) == "not_found"
    assert ann.names == []


async def test_a_stream_sent_again_is_answered_once(world: World) -> None:
    (ann,) = await world.in_room("ann")
    for _ in range(3):
        await ann.ask("hi", messageId="m1")
    world.puppet.say("yes", None)
    await world.advance(0.1)
    await ann.ask("hi", messageId="m1")
    assert len(world.puppet.turns) == 1
    assert len(ann.heard(catalogue.STREAM_START)) == 1


async def test_a_stop_keeps_what_was_written(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.ask("hi")
    world.puppet.say("some", " words")
    await world.settle()
    (start,) = ann.heard(catalogue.STREAM_START)
    await stop(ann, start.message_id)
    (end,) = ben.heard(catalogue.STREAM_END)
    assert (end.content, end.state) == ("some words", "stopped")
    assert text(ben) == "some words"
    row = await world.row(start.message_id)
    assert (row.content, row.state) == ("some words", "stopped")
    await world.settle()
    assert world.puppet.ended == 1, "the character was told"


async def test_a_stop_by_the_question_or_from_another_connection(world: World) -> None:
    (ann,) = await world.in_room("ann")
    question = await ann.ask("hi")
    again = await world.connect("ann")
    await again.join()
    await stop(again, question)
    assert [end.state for end in again.heard(catalogue.STREAM_END)] == ["stopped"]


async def test_a_stop_that_comes_again_or_too_late_does_no_harm(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.say("done", None)
    await world.advance(0.1)
    (start,) = ann.heard(catalogue.STREAM_START)
    for _ in range(2):
        await stop(ann, start.message_id)
    assert [end.state for end in ann.heard(catalogue.STREAM_END)] == ["complete"]
    assert (await world.row(start.message_id)).state == "complete"


async def test_only_who_asked_can_stop(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    question = await ann.ask("hi")
    reference = {"roomId": "room", "messageId": question}
    assert await ben.refused("message:stream:stop", reference) == "forbidden"
    assert ann.heard(catalogue.STREAM_END) == []


async def test_a_stop_before_the_row_is_there(world: World) -> None:
    ann, _ = await world.in_room("ann", "ben")
    ack = await ann.send("hi", stream=True)
    await stop(ann, ack.message_id)
    await world.advance(0.1)
    ends = ann.heard(catalogue.STREAM_END)
    assert len(ends) == len(ann.heard(catalogue.STREAM_START)) <= 1
    assert all((end.state, end.content) == ("stopped", "") for end in ends)
    assert await world.store.unfinished(9) == []


async def test_a_character_that_does_not_heed_is_left_behind_within_a_second(world: World) -> None:
    stubborn = Puppet("stubborn", stubborn=True)
    world.characters.add(stubborn)
    (ann,) = await world.in_room("ann", character_id="stubborn")
    question = await ann.ask("hi")
    stubborn.say("before")
    await world.settle()
    stopping = world.service._tasks.start(stop(ann, question))
    await world.advance(0.75)
    assert ann.heard(catalogue.STREAM_END) == []
    await world.advance(0.25)
    await stopping
    (end,) = ann.heard(catalogue.STREAM_END)
    assert (end.state, end.content) == ("stopped", "before")
    stubborn.say(" and after", None)
    await world.advance(1)
    assert text(ann) == "before"
    assert (await world.row(end.message_id)).content == "before"
    await ann.ask("next")
    assert len(stubborn.turns) == 2, "the room goes on without it"
    stubborn.say("fine", None)
    await world.advance(0.1)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (CharacterFailed("The model is asleep."), "The model is asleep."),
        (KeyError("a secret of the inside"), None),
        (b"bytes", None),
        (5, None),
    ],
)
async def test_a_failure_ends_it_with_a_sentence_and_keeps_the_text(
    world: World, line: object, sentence: str | None
) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.ask("hi")
    world.puppet.say("half", line)
    await world.advance(0.1)
    (error,) = ben.heard(catalogue.STREAM_ERROR)
    assert (error.content, error.code) == ("half", "character_failed")
    assert error.error == (sentence or "The character could not finish its answer. Try again.")
    assert ben.heard(catalogue.STREAM_END) == []
    row = await world.row(error.message_id)
    assert (row.content, row.state) == ("half", "failed")
    await ann.ask("again")
    assert len(world.puppet.turns) == 2


async def test_halves_of_characters_are_replaced(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.say("a\ud83d", "\ude00b", None)
    await world.advance(0.1)
    (end,) = ann.heard(catalogue.STREAM_END)
    assert end.content == text(ann) == (await world.row(end.message_id)).content == "a??b"


async def test_an_answer_has_a_limit(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.say("가" * (ANSWER_LIMIT - 1), "x" * 1000, "never read")
    await world.advance(0.1)
    (end,) = ann.heard(catalogue.STREAM_END)
    assert end.state == "stopped"
    assert len(end.content) == ANSWER_LIMIT
    assert text(ann) == end.content
    await world.settle()
    assert world.puppet.ended == 1


async def test_an_empty_answer_is_complete(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.say("", None)
    await world.advance(0.1)
    assert ann.heard(catalogue.STREAM_CHUNK) == []
    assert [(end.content, end.state) for end in ann.heard(catalogue.STREAM_END)] == [
        ("", "complete")
    ]


async def test_a_generation_goes_on_when_everybody_is_gone(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    ann.drop()
    await world.advance(600)
    world.puppet.say("still here", None)
    await world.advance(1)
    snapshot = await (await world.connect("ann")).join()
    assert [(m.content, m.state) for m in snapshot.messages] == [
        ("hi", "complete"),
        ("still here", "complete"),
    ]


async def test_what_is_written_is_saved_about_once_a_second(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    (start,) = ann.heard(catalogue.STREAM_START)
    for number in range(1, 41):
        world.puppet.say(f"{number} ")
        await world.advance(0.1)
    stored = (await world.row(start.message_id)).content
    assert stored.startswith("1 2 3 ")
    assert len(text(ann)) - len(stored) <= len("30 ") * 12
    assert world.store.calls.count("save_stream") in range(3, 6)


class Torrent(Puppet):
    """It never waits."""

    async def reply(self, turn: Turn) -> AsyncIterator[Delta]:
        while not self.ended:
            yield "x"


async def test_a_character_that_never_waits_keeps_nobody_else_waiting(world: World) -> None:
    torrent = Torrent("torrent")
    world.characters.add(torrent)
    (ann,) = await world.in_room("ann", character_id="torrent")
    sent = await ann.send("go", stream=True)
    while not ann.heard(catalogue.STREAM_CHUNK):  # noqa: ASYNC110 - no time passes
        await asyncio.sleep(0)
    ack = await ann.call("message:stream:stop", {"roomId": "room", "messageId": sent.message_id})
    assert ack == events.Ack(success=True)
    (end,) = ann.heard(catalogue.STREAM_END)
    assert end.state == "stopped"
    assert len(end.content) < ANSWER_LIMIT


async def test_what_another_hand_has_ended_is_announced_as_it_is_stored(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.ask("hi")
    world.puppet.say("one")
    await world.advance(1.5)
    (start,) = ben.heard(catalogue.STREAM_START)
    assert await world.store.end_stream(start.message_id, "on", "interrupted")
    world.puppet.say(" two", None)
    await world.advance(0.1)
    (end,) = ben.heard(catalogue.STREAM_END)
    assert (end.content, end.state) == ("on", "interrupted")


async def test_an_answer_that_another_hand_has_ended_stops_when_it_notices(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.ask("hi")
    world.puppet.say("one")
    await world.advance(1.5)
    (start,) = ben.heard(catalogue.STREAM_START)
    assert await world.store.interrupt(start.message_id)
    await world.advance(RENEW_SECONDS + 0.25)
    (end,) = ben.heard(catalogue.STREAM_END)
    assert (end.content, end.state) == ("one", "interrupted")
    assert world.puppet.ended == 1
    await ann.ask("next")
    assert len(world.puppet.turns) == 2, "the room goes on"


async def test_a_lease_is_renewed_without_text(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    (start,) = ann.heard(catalogue.STREAM_START)
    for _ in range(40):
        now = world.clock.wall_ms()
        assert await SqliteStore.unfinished(world.store, 9, now + RENEW_MS) == []
        (row,) = await SqliteStore.unfinished(world.store, 9, now + LEASE_MS)
        assert row.id == start.message_id
        await world.advance(1)
    assert world.store.calls.count("save_stream") in range(11, 14)


async def test_an_answer_that_was_ended_before_it_began(world: World) -> None:
    """The first try to claim its row had stored it, and the store was away for longer than its lease."""
    (ann,) = await world.in_room("ann")
    world.store.faults["append"] = "refuse after it"
    question = (
        await SqliteStore.append(
            world.store, Draft("m", "room", "user", "ann", "hi", "complete", 0)
        )
    ).message
    await ann.call("message:regenerate", {"roomId": "room", "messageId": question.id})
    await world.settle()
    (row,) = await SqliteStore.unfinished(world.store, 9)
    assert await SqliteStore.interrupt(world.store, row.id)
    world.store.release()
    await world.advance(5)
    (end,) = ann.heard(catalogue.STREAM_END)
    assert (end.message_id, end.content, end.state) == (row.id, "", "interrupted")
    assert world.puppet.turns == [], "the character was not asked"


async def test_a_save_under_way_does_not_hold_up_the_end(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.store.faults["save_stream"] = "hang"
    world.puppet.say("one")
    await world.advance(5)
    world.puppet.say(" two", None)
    await world.advance(0.25)
    (end,) = ann.heard(catalogue.STREAM_END)
    world.store.release()
    await world.advance(1)
    row = await world.row(end.message_id)
    assert (row.content, row.state) == (end.content, end.state) == ("one two", "complete")


async def test_a_save_that_is_never_answered_is_not_the_last(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.store.faults["save_stream"] = "hang"
    world.puppet.say("one")
    await world.advance(3)
    world.store.faults.clear()  # What hangs goes on hanging.
    await world.advance(6)
    (start,) = ann.heard(catalogue.STREAM_START)
    assert (await world.row(start.message_id)).content == "one"
    world.puppet.say(None)
    await world.advance(1)


async def test_a_character_is_told_who_asks(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("Who am I?")
    await world.settle()
    (turn,) = world.puppet.turns
    assert (turn.user_id, turn.user_name) == ("ann", "Ann")


async def test_thoughts_are_shown_while_they_come_and_kept_nowhere(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.ask("hi")
    world.puppet.say(Thought("They "), Thought("greet \ud800me."))
    await world.advance(0.1)
    world.puppet.say("Hello.", None)
    await world.advance(0.1)
    for each in (ann, ben):
        thoughts = each.heard(catalogue.STREAM_THOUGHT)
        assert "".join(thought.delta for thought in thoughts) == "They greet ?me."
        assert [thought.index for thought in thoughts] == list(range(len(thoughts)))
        assert text(each) == "Hello."
    (end,) = ann.heard(catalogue.STREAM_END)
    assert (await world.row(end.message_id)).content == end.content == "Hello."
    await ann.ask("and you?")
    await world.settle()
    assert [past.content for past in world.puppet.turns[1].history] == ["hi", "Hello."]


async def test_who_comes_in_the_middle_of_thoughts_is_shown_those_that_follow(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.say(Thought("one"))
    await world.advance(0.1)
    ben = await world.connect("ben")
    (stream,) = (await ben.join()).streams
    assert (stream.content, stream.index) == ("", 0)
    world.puppet.say(Thought(" two"))
    await world.advance(0.1)
    assert [(each.index, each.delta) for each in ben.heard(catalogue.STREAM_THOUGHT)] == [
        (1, " two")
    ]


async def test_thoughts_are_bounded(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    for _ in range(THOUGHT_LIMIT // 1000 + 5):
        world.puppet.say(Thought("x" * 1000))
    world.puppet.say("Hello.", None)
    await world.advance(1)
    shown = sum(len(each.delta) for each in ann.heard(catalogue.STREAM_THOUGHT))
    assert shown == THOUGHT_LIMIT
    (end,) = ann.heard(catalogue.STREAM_END)
    assert (end.content, end.state) == ("Hello.", "complete")


async def test_a_thought_that_is_no_text_is_a_defect_of_the_character(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.say(Thought(5))  # type: ignore[arg-type]
    await world.advance(0.1)
    assert len(ann.heard(catalogue.STREAM_ERROR)) == 1


async def beats(client: Client, rtt: int, times: int) -> list[object]:
    """Say so often how long a round trip took; the quality after each."""
    acks = [await client.call("heartbeat", {"rtt": rtt}) for _ in range(times)]
    return [ack.quality for ack in acks if isinstance(ack, events.HeartbeatReply)]


async def on_a_poor_line(client: Client) -> None:
    # Before the third round trip nothing can be said.
    assert await beats(client, 1500, 3) == [UNSET, UNSET, "poor"]


async def test_a_poor_line_gets_answers_in_larger_pieces(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await on_a_poor_line(ann)
    await ann.ask("hi")
    for number in range(20):
        world.puppet.say(f"{number} ")
        await world.advance(0.05, step=0.05)
    assert len(ben.heard(catalogue.STREAM_CHUNK)) == 20
    world.puppet.say("and more", None)
    await world.advance(0.1, step=0.05)
    (end,) = ann.heard(catalogue.STREAM_END)
    assert text(ann) == text(ben) == end.content
    # Everything is said before the end is.
    assert ann.names[-1] == "message:stream:end"


async def test_thoughts_are_joined_for_a_poor_line_as_chunks_are(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await on_a_poor_line(ann)
    await ann.ask("hi")
    for delta in (Thought("a"), Thought("b"), Thought("c"), "d", "e"):
        world.puppet.say(delta)
        await world.settle()
        await world.clock.advance(0.04)
    assert [each.delta for each in ben.heard(catalogue.STREAM_THOUGHT)] == ["a", "b", "c"]
    assert ann.heard(catalogue.STREAM_THOUGHT) == []
    world.service.tick()
    (thought,) = ann.heard(catalogue.STREAM_THOUGHT)
    assert (thought.index, thought.delta) == (0, "abc")
    assert ann.names[-2:] == ["message:stream:thought", "message:stream:chunk"]
    world.puppet.say(Thought("f"), None)
    await world.settle()
    assert [each.index for each in ann.heard(catalogue.STREAM_THOUGHT)] == [0, 1]
    assert ann.names[-2:] == ["message:stream:thought", "message:stream:end"]


async def test_thoughts_are_not_shown_to_those_who_have_the_room_in_the_background(
    world: World,
) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ben.call("room:join", {"roomId": "room", "background": True})
    await ann.ask("hi")
    world.puppet.say(Thought("Hm."), "Hello.", None)
    await world.advance(0.1)
    assert len(ann.heard(catalogue.STREAM_THOUGHT)) == 1
    assert ben.heard(catalogue.STREAM_THOUGHT) == []
    assert ben.heard(catalogue.STREAM_CHUNK) == []
    assert len(ben.heard(catalogue.STREAM_END)) == 1


async def test_what_is_joined_goes_out_with_the_next_tick(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await on_a_poor_line(ann)
    await ann.ask("hi")
    for _ in range(5):
        world.puppet.say("x")
        await world.settle()
        await world.clock.advance(0.04)
    assert (ann.heard(catalogue.STREAM_CHUNK), len(ben.heard(catalogue.STREAM_CHUNK))) == ([], 5)
    world.service.tick()
    assert [chunk.delta for chunk in ann.heard(catalogue.STREAM_CHUNK)] == ["xxxxx"]


async def test_a_snapshot_on_a_poor_line_joins_with_what_follows(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await on_a_poor_line(ann)
    await ann.ask("hi")
    for delta in ("a", "b", "c"):
        world.puppet.say(delta)
        await world.settle()
        await world.clock.advance(0.04)
    snapshot = await ann.join(event="room:rejoin")
    (stream,) = snapshot.streams
    assert (stream.content, stream.index) == ("abc", 3)
    assert text(ann) == "abc"
    ann.clear()
    world.puppet.say("d")
    await world.advance(0.5)
    (chunk,) = ann.heard(catalogue.STREAM_CHUNK)
    assert (chunk.index, chunk.offset, chunk.delta) == (3, 3, "d")
    world.puppet.say("e")
    await world.settle()
    await world.clock.advance(0.04)
    history = await ann.history()
    assert (history.messages[-1].content, ann.heard(catalogue.STREAM_CHUNK)[-1].delta) == (
        "abcde",
        "e",
    )


async def test_a_line_that_is_good_again_gets_its_answers_as_everybody_does(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await on_a_poor_line(ann)
    await ann.ask("hi")
    for delta in ("a", "b", "c"):
        world.puppet.say(delta)
        await world.settle()
        await world.clock.advance(0.04)
    assert (await beats(ann, 20, 12))[-1] == "good"
    world.puppet.say("d")
    await world.settle()
    assert text(ann) == "abcd"


async def test_nothing_is_kept_for_a_poor_line_that_is_gone(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await on_a_poor_line(ann)
    await ben.ask("hi")
    world.puppet.say("a")
    await world.settle()
    ann.drop()
    await world.advance(0.5)
    assert ann.heard(catalogue.STREAM_CHUNK) == []
    assert text(ben) == "a"
