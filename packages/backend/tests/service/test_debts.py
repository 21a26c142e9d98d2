"""A question that waits for its turn is answered, or settled in time, whatever becomes of its server."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from tests.service.world import Client, Fault, World, running

from rejoinder.core.leases import LEASE_SECONDS, PARDON_SECONDS, RENEW_SECONDS, SWEEP_SECONDS
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.debts import answer_id_of
from rejoinder.service.generation import LEASE_MS
from rejoinder.stores.records import Debt
from rejoinder.stores.sqlite import SqliteStore
from rejoinder.testing.store.tools import draft, stream

PROMISED_SECONDS = 15.0
LOOK = SWEEP_SECONDS + 0.25


class OtherServer:
    """Another server on the same store, with questions that wait for their turns."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.debts: list[Debt] = []

    def _lease(self) -> int:
        return self.world.clock.wall_ms() + LEASE_MS

    async def ask(self, message_id: str, room_id: str = "room") -> Debt:
        asked = replace(draft(room_id, message_id, "eve"), id=message_id)
        debt = Debt(answer_id_of(message_id), message_id, room_id, "puppet", self._lease())
        await SqliteStore.append(self.world.store, replace(asked, owes=debt))
        self.debts.append(debt)
        return debt

    async def renew(self) -> None:
        await SqliteStore.renew_debts(self.world.store, self.debts, self._lease())


@pytest.fixture
def other(world: World) -> OtherServer:
    return OtherServer(world)


async def answers(world: World, question_id: str) -> list[ChatMessage]:
    rows = (await world.store.page_after("room", 0, 100)).messages
    return [row for row in rows if row.role == "character" and row.reply_to == question_id]


async def states(world: World, *questions: str) -> list[list[tuple[str, str]]]:
    """The answers to each of these, with their texts and states."""
    found = [await answers(world, question) for question in questions]
    return [[(row.content, row.state) for row in rows] for rows in found]


def left_by(world: World, folder: Path) -> None:
    """Put what is on the disk in this moment into another folder: what a kill would leave."""
    folder.mkdir()
    with (
        closing(sqlite3.connect(world.store._path)) as source,
        closing(sqlite3.connect(folder / "chat.db")) as target,
    ):
        source.backup(target)


async def regenerate(client: Client, message_id: str) -> str:
    ack = await client.call("message:regenerate", {"roomId": "room", "messageId": message_id})
    assert isinstance(ack, events.MessageStored)
    return ack.message_id


async def test_a_kill_makes_no_question_be_forgotten(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        ann, ben = await world.in_room("ann", "ben")
        answered = await ann.ask("answered")
        world.puppet.say("whole", None)
        await world.advance(0.1)
        questions = [await client.ask(f"{n}") for n, client in enumerate((ann, ben, ann, ben))]
        swipe = await regenerate(ben, answered)
        await world.settle()
        world.puppet.say("so far")
        await world.advance(2)
        assert len(world.puppet.turns) == 2
        left_by(world, tmp_path / "killed")
    async with running(tmp_path / "killed") as world:
        assert await states(world, answered, *questions) == [
            [("whole", "complete"), ("", "interrupted")],
            [("so far", "interrupted")],
            *[[("", "interrupted")]] * 3,
        ]
        first, second = await answers(world, answered)
        assert (second.id, second.variant_of) == (swipe, first.id), "it stands beside the first"
        assert await world.store.owed(9) == []
        ann = await world.connect("ann")
        assert [m.state for m in (await ann.join()).messages].count("interrupted") == 5
        await ann.ask("2", messageId=questions[2])
        await world.advance(PROMISED_SECONDS)
        assert await states(world, questions[2]) == [[("", "interrupted")]], "one answer, for good"


@pytest.mark.parametrize("asks", ["send", "regenerate"])
async def test_a_kill_right_after_the_ack(tmp_path: Path, asks: str) -> None:
    async with running(tmp_path) as world:
        (ann,) = await world.in_room("ann")
        first = await ann.ask("first")
        world.puppet.say("whole", None)
        await world.advance(0.1)
        if asks == "send":
            ack = await ann.send("second", stream=True)
            question = ack.message_id
        else:
            await regenerate(ann, first)
            question = first
        left_by(world, tmp_path / "killed")
    async with running(tmp_path / "killed") as world:
        ends = (await states(world, question))[0]
        assert ends[-1] == ("", "interrupted")
        assert len(ends) == (1 if asks == "send" else 2)


async def test_questions_whose_server_is_gone_are_settled_in_time_and_told_once(
    world: World, other: OtherServer
) -> None:
    world.store.shared = True
    ann, ben = await world.in_room("ann", "ben")
    for number in range(3):
        await other.ask(f"question {number}")
    await world.advance(LEASE_SECONDS - 0.25)
    assert await states(world, "question 0") == [[]]
    await world.advance(PROMISED_SECONDS - LEASE_SECONDS)
    await world.advance(30)
    for client in (ann, ben):
        told = [m for m in client.heard(catalogue.MESSAGE_NEW) if m.role == "character"]
        assert [(m.id, m.reply_to, m.content, m.state) for m in told] == [
            (debt.answer_id, debt.question_id, "", "interrupted") for debt in other.debts
        ]
    assert await world.store.owed(9) == []


async def test_a_slow_store_settles_many_rooms_in_time(
    world: World, other: OtherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by `make chaos` on MongoDB, on a machine with far too much to do: one after the other they took a minute."""
    rooms = [f"room {number}" for number in range(60)]
    for room in rooms:
        await other.ask(f"question in {room}", room)
    find = world.store.find

    async def slowly(message_id: str) -> ChatMessage | None:
        await world.clock.sleep(0.3)
        return await find(message_id)

    monkeypatch.setattr(world.store, "find", slowly)
    await world.advance(PROMISED_SECONDS)
    assert await world.store.owed(99) == []


async def test_they_are_settled_also_where_nobody_is(world: World, other: OtherServer) -> None:
    await other.ask("question")
    await world.advance(PROMISED_SECONDS)
    assert await states(world, "question") == [[("", "interrupted")]]
    await world.advance(1)
    assert len(world.service._rooms) == 0


async def test_a_question_that_was_deleted_is_not_settled(world: World, other: OtherServer) -> None:
    await other.ask("question")
    await world.store.erase("room", ["question"], world.clock.wall_ms())
    await world.advance(PROMISED_SECONDS)
    assert await states(world, "question") == [[]]
    assert await world.store.owed(9) == []


async def test_nothing_is_owed_in_a_room_that_was_deleted(world: World, other: OtherServer) -> None:
    await other.ask("question")
    assert await world.store.bury("room", world.clock.wall_ms())
    await world.advance(PROMISED_SECONDS)
    assert await states(world, "question") == [[]]
    assert await world.store.owed(9) == []


async def test_an_edited_question_waits_as_any(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        (ann,) = await world.in_room("ann")
        question = await ann.ask("hi")
        world.puppet.say("whole", None)
        await world.advance(0.1)
        await ann.ask("another")
        edit = {"roomId": "room", "messageId": question, "content": "ho", "newMessageId": "m2"}
        assert isinstance(await ann.call("message:edit", edit), events.MessageStored)
        left_by(world, tmp_path / "killed")
    async with running(tmp_path / "killed") as world:
        assert await states(world, "m2") == [[("", "interrupted")]]


async def test_what_is_renewed_is_left_alone(world: World, other: OtherServer) -> None:
    await world.in_room("ann")
    for number in range(3):
        await other.ask(f"question {number}")
    for _ in range(20):
        await other.renew()
        await world.advance(RENEW_SECONDS)
    assert await states(world, "question 0", "question 2") == [[], []]


@pytest.mark.parametrize("fault", ["refuse", "hang", "refuse after it"])
async def test_what_waits_here_is_answered_however_late_its_renewal_is(
    world: World, fault: Fault
) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("first")
    waits = await ann.ask("second")
    world.store.faults["renew_debts"] = fault
    await world.advance(60)
    assert await states(world, waits) == [[]]
    world.store.release()
    for turn in range(2):
        world.puppet.say("whole", None, turn=turn)
        await world.advance(0.1)
    assert await states(world, waits) == [[("whole", "complete")]]
    await world.advance(PROMISED_SECONDS)
    assert await world.store.owed(9) == []


async def test_it_costs_one_write_for_all(world: World) -> None:
    clients = await world.in_room("ann", "ben")
    (eve,) = await world.in_room("eve", room_id="other")
    await eve.ask("of another room", "other")
    await eve.ask("that waits", "other")
    for number in range(5):
        for client in clients:
            await client.ask(f"{number}")
    world.store.calls.clear()
    await world.advance(10 * RENEW_SECONDS)
    assert world.store.calls.count("renew_debts") in range(9, 12)
    assert await world.store.owed(99, world.clock.wall_ms()) == []
    assert len(await world.store.owed(99)) == 10


async def test_it_costs_nothing_where_nothing_waits(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.send("wants no answer")
    await ann.ask("first")
    world.store.calls.clear()
    await world.advance(30)
    assert "renew_debts" not in world.store.calls
    assert "owe" not in world.store.calls


async def test_after_a_silence_of_the_store_others_get_time_to_renew(
    world: World, other: OtherServer
) -> None:
    await other.ask("question")
    world.store.faults["owed"] = "refuse"
    await world.advance(30)
    world.store.release()
    await world.advance(PARDON_SECONDS - 0.25)
    assert await states(world, "question") == [[]]
    await world.advance(LOOK)
    assert await states(world, "question") == [[("", "interrupted")]]


@pytest.mark.parametrize("fault", ["refuse", "refuse after it", "hang after it"])
async def test_it_is_settled_once_also_when_the_outcome_was_not_known(
    world: World, other: OtherServer, fault: Fault
) -> None:
    (ann,) = await world.in_room("ann")
    debt = await other.ask("question")
    world.store.faults["append"] = fault
    await world.advance(30)
    world.store.release()
    await world.advance(30)
    assert await states(world, "question") == [[("", "interrupted")]]
    told = [m.id for m in ann.heard(catalogue.MESSAGE_NEW) if m.role == "character"]
    assert told == [debt.answer_id]
    assert await world.store.owed(9) == []


async def test_a_debt_whose_answer_is_there_is_forgotten(world: World, other: OtherServer) -> None:
    """Its server died between the two writes, where they are two."""
    debt = await other.ask("question")
    paid = replace(stream("room"), id=debt.answer_id, reply_to="question")
    await SqliteStore.append(world.store, paid)
    assert await world.store.end_stream(paid.id, "whole", "complete")
    with closing(sqlite3.connect(world.store._path)) as database, database:
        database.execute("INSERT INTO debts VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(debt))
    assert await world.store.owed(9) == [debt]
    await world.advance(PROMISED_SECONDS)
    assert await states(world, "question") == [[("whole", "complete")]]
    assert await world.store.owed(9) == []


async def test_a_server_that_was_held_up_leaves_the_answer_as_it_was_settled(
    world: World, other: OtherServer
) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("first")
    waits = await ann.ask("second")
    (debt,) = await world.store.owed(9)
    settled = replace(stream("room"), id=debt.answer_id, reply_to=waits, state="interrupted")
    await SqliteStore.append(world.store, replace(settled, sender_id="puppet"))
    for turn in range(2):
        world.puppet.say("whole", None, turn=turn)
        await world.advance(0.1)
    await world.advance(PROMISED_SECONDS)
    assert [turn.text for turn in world.puppet.turns] == ["first"]
    assert await states(world, waits) == [[("", "interrupted")]]
    starts = [start.message_id for start in ann.heard(catalogue.STREAM_START)]
    ends = [end.message_id for end in ann.heard(catalogue.STREAM_END)]
    assert sorted(starts) == sorted(ends), "what began for a viewer has ended"


async def test_a_question_is_answered_where_it_is_sent_again(
    world: World, other: OtherServer
) -> None:
    """Its server is gone, and its person has come here before anybody settled it."""
    (eve,) = await world.in_room("eve")
    await other.ask("question")
    await eve.ask("first")
    ack = await eve.send("question", stream=True, messageId="question")
    assert ack.duplicate is True
    await world.advance(60)
    assert await states(world, "question") == [[]], "it waits here, and is renewed"
    for turn in range(2):
        world.puppet.say("whole", None, turn=turn)
        await world.advance(1)
    assert [content for content, _ in (await states(world, "question"))[0]] == ["whole"]


async def test_a_question_that_was_stored_after_all_is_settled(world: World) -> None:
    """Its sender was told `unavailable`, and never sends it again."""
    (ann,) = await world.in_room("ann")
    world.store.faults["append"] = "refuse after it"
    asking = {"roomId": "room", "content": "hi", "messageId": "m1"}
    assert await ann.refused("message:send:stream", asking) == "unavailable"
    world.store.release()
    await world.advance(PROMISED_SECONDS + PARDON_SECONDS)
    assert await states(world, "m1") == [[("", "interrupted")]]


async def test_another_answer_that_cannot_be_promised_is_not_asked_for(world: World) -> None:
    (ann,) = await world.in_room("ann")
    question = await ann.ask("hi")
    world.puppet.say("first", None)
    await world.advance(0.1)
    again = {"roomId": "room", "messageId": question}
    world.store.faults["owe"] = "refuse"
    assert await ann.refused("message:regenerate", again) == "unavailable"
    assert len(world.puppet.turns) == 1
    world.store.release()
    await regenerate(ann, question)
    await world.settle()
    assert len(world.puppet.turns) == 2


async def test_two_who_want_another_answer_at_once_get_one(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    question = await ann.ask("hi")
    world.puppet.say("first", None)
    await world.advance(0.1)
    swipes = await asyncio.gather(*(regenerate(each, question) for each in (ann, ben)))
    await world.settle()
    world.puppet.say("second", None)
    await world.advance(PROMISED_SECONDS)
    assert len(set(swipes)) == 1
    assert await states(world, question) == [[("first", "complete"), ("second", "complete")]]
    assert await world.store.owed(9) == []
