"""Characters answer one at a time in a room, in the order in which they were asked."""

import asyncio
from pathlib import Path

from tests.service.world import World, running

from rejoinder.protocol import catalogue, events
from rejoinder.service.turns import CLOSE_SECONDS, TURNS_WAITING
from rejoinder.stores.records import Draft


async def test_one_after_the_other_in_the_order_of_asking(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    questions = [await client.ask(f"{n}") for n, client in enumerate((ann, ben, ann))]
    for number in range(3):
        assert len(world.puppet.turns) == number + 1
        assert len(ben.heard(catalogue.STREAM_START)) == number + 1
        world.puppet.say(f"answer {number}", None, turn=number)
        await world.advance(0.1)
    starts = ben.heard(catalogue.STREAM_START)
    assert [start.reply_to for start in starts] == questions
    ends = {end.message_id: end.content for end in ben.heard(catalogue.STREAM_END)}
    assert [ends[start.message_id] for start in starts] == ["answer 0", "answer 1", "answer 2"]


async def test_rooms_do_not_wait_for_each_other(world: World) -> None:
    (ann,) = await world.in_room("ann")
    (ben,) = await world.in_room("ben", room_id="other")
    await ann.ask("hi")
    await ben.ask("hi", "other")
    assert len(world.puppet.turns) == 2


async def test_a_turn_that_waits_can_be_stopped(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("first")
    second = await ann.ask("second")
    await ann.ask("third")
    for _ in range(2):
        ack = await ann.call("message:stream:stop", {"roomId": "room", "messageId": second})
        assert ack == events.Ack(success=True)
    world.puppet.say("one", None, turn=0)
    world.puppet.say("three", None, turn=1)
    await world.advance(0.1)
    assert [turn.text for turn in world.puppet.turns] == ["first", "third"]
    assert len(ann.heard(catalogue.STREAM_START)) == len(ann.heard(catalogue.STREAM_END)) == 3
    (skipped,) = (end for end in ann.heard(catalogue.STREAM_END) if end.state == "stopped")
    row = await world.row(skipped.message_id)
    assert (row.reply_to, row.content, row.state) == (second, "", "stopped")


async def test_a_question_whose_turn_was_stopped_is_not_answered_when_sent_again(
    world: World,
) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("first")
    second = await ann.ask("second", messageId="m2")
    await ann.call("message:stream:stop", {"roomId": "room", "messageId": second})
    await ann.ask("second", messageId="m2")
    world.puppet.say("one", None, turn=0)
    await world.advance(0.1)
    assert [turn.text for turn in world.puppet.turns] == ["first"]
    (skipped,) = (end for end in ann.heard(catalogue.STREAM_END) if end.state == "stopped")
    again = {"roomId": "room", "messageId": skipped.message_id}
    assert await ann.call("message:stream:stop", again) == events.Ack(success=True)


async def test_a_question_sent_again_while_it_waits_is_answered_once(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("first")
    for _ in range(3):
        await ann.ask("second", messageId="m2")
    for number in range(2):
        world.puppet.say("answer", None, turn=number)
        await world.advance(0.1)
    assert [turn.text for turn in world.puppet.turns] == ["first", "second"]


async def test_a_bounded_number_waits(world: World) -> None:
    (ann,) = await world.in_room("ann")
    for number in range(TURNS_WAITING + 1):
        await ann.ask(f"{number}")
    ann.clear()
    await world.advance(5)
    ack = await ann.call("message:send:stream", {"roomId": "room", "content": "one more"})
    assert isinstance(ack, events.Failure)
    assert (ack.code, ack.retry_after_ms) == ("rate_limited", 2000)
    assert ann.names == [], "nothing of it was stored"
    await ann.send("a message that wants no answer")
    world.puppet.say("done", None, turn=0)
    await world.advance(0.1)
    await ann.ask("one more")


async def test_another_answer_stands_beside_the_first(world: World) -> None:
    (ann,) = await world.in_room("ann")
    question = await ann.ask("hi")
    world.puppet.say("first", None)
    await world.advance(0.1)
    (first,) = ann.heard(catalogue.STREAM_END)
    for named in (first.message_id, question):
        ack = await ann.call("message:regenerate", {"roomId": "room", "messageId": named})
        assert isinstance(ack, events.MessageStored)
        await world.settle()
        world.puppet.say(f"beside {named}", None)
        await world.advance(0.1)
        end = ann.heard(catalogue.STREAM_END)[-1]
        assert (end.message_id, end.content) == (ack.message_id, f"beside {named}")
        assert (await world.row(ack.message_id)).reply_to == question
    assert (await world.row(first.message_id)).content == "first"
    assert [turn.text for turn in world.puppet.turns] == ["hi"] * 3
    assert all(turn.history == () for turn in world.puppet.turns)


async def test_to_regenerate_while_it_is_written_is_a_duplicate(world: World) -> None:
    (ann,) = await world.in_room("ann")
    question = await ann.ask("hi")
    (start,) = ann.heard(catalogue.STREAM_START)
    for named in (start.message_id, question):
        ack = await ann.call("message:regenerate", {"roomId": "room", "messageId": named})
        assert isinstance(ack, events.MessageStored)
        assert (ack.message_id, ack.duplicate) == (start.message_id, True)
    assert len(world.puppet.turns) == 1


async def test_a_shutdown_interrupts_what_runs_and_keeps_the_text(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        (ann,) = await world.in_room("ann")
        await ann.ask("first")
        await ann.ask("waits")
        world.puppet.say("so far")
        await world.settle()
        await world.service.close()
        ends = {end.content: end for end in ann.heard(catalogue.STREAM_END)}
        assert {text: end.state for text, end in ends.items()} == {
            "so far": "interrupted",
            "": "interrupted",  # The one that waited: it, too, has come to nothing.
        }
        end = ends["so far"]
    async with running(tmp_path) as world:
        row = await world.row(end.message_id)
        assert (row.content, row.state) == ("so far", "interrupted")
        assert await world.store.unfinished(9) == []
        snapshot = await (await world.connect("ann")).join()
        assert [m.content for m in snapshot.messages] == [
            "first",
            "so far",
            "waits",
            "",
        ]


async def test_a_shutdown_waits_once_for_a_store_that_hangs(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        for number in range(6):
            (ann,) = await world.in_room(f"user {number}", room_id=f"room {number}")
            await ann.ask("first", f"room {number}")
            await ann.ask("waits", f"room {number}")
            world.puppet.say("so far")
        world.store.faults.update(append="hang", save_stream="hang", end_stream="hang")
        await world.advance(3)
        closing = asyncio.ensure_future(world.service.interrupt())
        await world.advance(CLOSE_SECONDS - 0.25)
        assert not closing.done()
        await world.advance(0.25)
        assert closing.done()
        await world.service.interrupt()  # It is over: this waits for nothing more.
    async with running(tmp_path) as world:
        assert await world.store.unfinished(9) == []


async def test_what_an_earlier_process_left_is_interrupted_at_open(tmp_path: Path) -> None:
    """The embedded store is nobody else's, so that no lease has to be waited for."""
    async with running(tmp_path) as world:
        for number in range(3):
            draft = Draft(
                id=f"m{number}",
                room_id="room",
                role="character",
                sender_id="puppet",
                content="",
                state="streaming",
                timestamp=0,
                lease_until=world.clock.wall_ms() + 10_000,
            )
            await world.store.append(draft)
            await world.store.save_stream(draft.id, f"so far {number}")
    async with running(tmp_path) as world:
        for number in range(3):
            row = await world.row(f"m{number}")
            assert (row.content, row.state) == (f"so far {number}", "interrupted")
        assert await world.store.unfinished(9) == []


async def test_where_that_is_wanted_sending_again_ends_ones_own_answers_and_no_others(
    world: World,
) -> None:
    world.service._turns._policy = "interrupt"
    ann, ben = await world.in_room("ann", "ben")
    first = await ann.ask("first")
    world.puppet.say("so far", turn=0)
    await world.advance(0.1)
    of_ben = await ben.ask("of ben")
    second = await ann.ask("second")
    third = await ann.ask("third")
    await world.advance(0.1)
    for turn in (1, 2):
        world.puppet.say("whole", None, turn=turn)
        await world.advance(0.1)
    ends = {}
    for end in ann.heard(catalogue.STREAM_END):
        row = await world.row(end.message_id)
        ends[row.reply_to] = (end.state, end.content)
    assert ends == {
        first: ("stopped", "so far"),
        second: ("stopped", ""),
        of_ben: ("complete", "whole"),
        third: ("complete", "whole"),
    }
    assert [turn.text for turn in world.puppet.turns] == ["first", "of ben", "third"]
