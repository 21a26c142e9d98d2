"""Answers of other servers in the same room: one at a time, in the order of the questions."""

from dataclasses import replace

import msgspec
import pytest
from tests.service.world import Client, Fault, World

from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import ChatMessage, DoubleTexting
from rejoinder.service import items
from rejoinder.service.debts import answer_id_of
from rejoinder.service.generation import LEASE_MS
from rejoinder.service.hearing import PARTED_SECONDS
from rejoinder.service.turns import LOOK_SECONDS, TURNS_WAITING
from rejoinder.stores.records import Debt, place_behind
from rejoinder.stores.sqlite import SqliteStore
from rejoinder.testing.store.tools import draft, stream

PROMISED_SECONDS = 15.0
SOON = 0.3


class OtherServer:
    """Another server on the same store, which has somebody in the room, and says what it does unless it is `silent`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.silent = False
        self.debts: dict[str, Debt] = {}

    def say(self, item: items.Item) -> None:
        if not self.silent:
            self.world.cluster.peers.heard("other", msgspec.json.encode(item))

    def _lease(self) -> int:
        return self.world.clock.wall_ms() + LEASE_MS

    async def ask(self, message_id: str, user_id: str = "eve") -> Debt:
        asked = replace(draft("room", message_id, user_id), id=message_id)
        debt = Debt(answer_id_of(message_id), message_id, "room", "puppet", self._lease())
        row = (await SqliteStore.append(self.world.store, replace(asked, owes=debt))).message
        self.say(items.Row("room", row))
        self.debts[message_id] = debt
        await self.world.settle()
        return debt

    async def ask_again(self, question_id: str) -> Debt:
        """For another answer."""
        debt = Debt(f"{question_id} again", question_id, "room", "puppet", self._lease())
        await SqliteStore.owe(self.world.store, debt)
        self.debts[debt.answer_id] = debt
        return debt

    async def begin(self, debt: Debt) -> ChatMessage:
        begun = replace(stream("room"), id=debt.answer_id, reply_to=debt.question_id)
        row = await SqliteStore.append(self.world.store, replace(begun, lease_until=self._lease()))
        self.say(items.Row("room", row.message))
        await self.world.settle()
        return row.message

    async def end(self, debt: Debt, text: str = "theirs") -> None:
        self.say(items.Piece("room", debt.answer_id, 0, text))
        assert await SqliteStore.end_stream(self.world.store, debt.answer_id, text, "complete")
        self.say(items.Ended("room", debt.answer_id, len(text), "complete"))
        await self.world.settle()

    async def lives(self, seconds: float) -> None:
        """Let time pass in which it renews what it owes and writes."""
        while seconds > 0:
            for debt in self.debts.values():
                await SqliteStore.renew_debts(self.world.store, [debt], self._lease())
                await SqliteStore.save_stream(self.world.store, debt.answer_id, "", self._lease())
            await self.world.advance(min(seconds, 1))
            seconds -= 1


@pytest.fixture
async def other(world: World, monkeypatch: pytest.MonkeyPatch) -> OtherServer:
    monkeypatch.setattr(type(world.cluster), "alone", False)
    world.store.shared = True
    return OtherServer(world)


async def together(world: World, other: OtherServer, *user_ids: str) -> list[Client]:
    """People here, and somebody on the other server."""
    clients = await world.in_room(*user_ids)
    other.say(items.Here("room", [], answer=False))
    return clients


def begun(world: World) -> list[str]:
    """What the character was asked here."""
    return [turn.text for turn in world.puppet.turns]


def answers(client: Client) -> list[tuple[str, str]]:
    """The beginnings and the ends of answers, in the order of hearing: each with the question, or the text."""
    told = []
    for entry in client.world.delivery.entries(client.id):
        payload = getattr(entry, "payload", None)
        if isinstance(payload, events.StreamStart):
            told.append(("start", payload.reply_to))
        elif isinstance(payload, events.StreamEnd):
            told.append(("end", payload.content))
    return told


async def test_a_turn_waits_for_the_answers_to_earlier_questions_on_another_server(
    world: World, other: OtherServer
) -> None:
    (ann,) = await together(world, other, "ann")
    first = await other.ask("theirs")
    ours = await ann.ask("ours")
    later = await other.ask("later")
    await other.lives(20)
    assert begun(world) == []
    await other.begin(first)
    await other.lives(20)
    assert begun(world) == []
    await other.end(first)
    await world.advance(SOON)
    assert begun(world) == ["ours"]
    world.puppet.say("whole", None)
    await world.advance(0.1)
    await other.begin(later)
    await other.end(later)
    assert answers(ann) == [
        ("start", "theirs"),
        ("end", "theirs"),
        ("start", ours),
        ("end", "whole"),
        ("start", "later"),
        ("end", "theirs"),
    ]


async def test_what_nobody_tells_is_found_in_the_store_and_shown_in_order(
    world: World, other: OtherServer
) -> None:
    (ann,) = await together(world, other, "ann")
    first = await other.ask("theirs")
    ours = await ann.ask("ours")
    await other.begin(first)
    other.say(items.Piece("room", first.answer_id, 0, "th"))
    other.silent = True
    await other.end(first)
    await world.advance(LOOK_SECONDS + SOON, step=0.05)
    assert begun(world) == ["ours"]
    assert answers(ann) == [("start", "theirs"), ("end", "theirs"), ("start", ours)]


@pytest.mark.parametrize("left", ["a question", "an answer"])
async def test_a_server_that_dies_keeps_nobody_waiting_for_longer_than_its_lease(
    world: World, other: OtherServer, left: str
) -> None:
    (ann,) = await together(world, other, "ann")
    first = await other.ask("theirs")
    if left == "an answer":
        await other.begin(first)
    ours = await ann.ask("ours")
    await world.advance(PROMISED_SECONDS + LOOK_SECONDS + SOON)
    assert begun(world) == ["ours"]
    (start,) = (start for start in ann.heard(catalogue.STREAM_START) if start.reply_to == ours)
    assert start.seq == 4
    assert (await world.row(first.answer_id)).state == "interrupted"


async def test_a_turn_that_waits_for_another_server_is_renewed_and_keeps_the_server_busy(
    world: World, other: OtherServer
) -> None:
    (ann,) = await together(world, other, "ann")
    first = await other.ask("theirs")
    ours = await ann.ask("ours")
    await other.lives(60)
    assert world.service.busy
    (debt,) = (each for each in await world.store.owed(9) if each.question_id == ours)
    assert debt.until > world.clock.wall_ms()
    await other.begin(first)
    await other.end(first)
    await world.advance(SOON)
    world.puppet.say("whole", None)
    await world.advance(SOON)
    assert not world.service.busy


async def test_a_turn_that_waits_for_another_server_can_be_stopped(
    world: World, other: OtherServer
) -> None:
    ann, ben = await together(world, other, "ann", "ben")
    first = await other.ask("theirs")
    ours, next_one = await ann.ask("ours"), await ben.ask("of ben")
    reference = {"roomId": "room", "messageId": ours}
    assert await ann.call("message:stream:stop", reference) == events.Ack(success=True)
    assert answers(ann) == [("start", ours), ("end", "")]
    # And from the other server.
    other.say(items.Stop("room", next_one, "ben", "call"))
    await world.advance(SOON)
    assert answers(ann)[2:] == [("start", next_one), ("end", "")]
    assert not world.service.busy
    await other.begin(first)
    await other.end(first)
    await world.advance(LOOK_SECONDS)
    assert begun(world) == []


async def test_a_room_is_not_forgotten_while_the_store_is_asked_whose_turn_it_is(
    world: World, other: OtherServer
) -> None:
    (ann,) = await together(world, other, "ann")
    world.store.faults["in_turn"] = "hang"
    reference = {"roomId": "room", "messageId": await ann.ask("ours")}
    assert await ann.call("message:stream:stop", reference) == events.Ack(success=True)
    await ann.call("room:leave", {"roomId": "room"})
    await world.advance(2)
    await ann.join(character_id="puppet")
    other.say(items.Here("room", [], answer=False))
    await ann.ask("again")
    world.store.release()
    await world.advance(LOOK_SECONDS + SOON)
    assert begun(world) == ["again"]


async def test_who_ends_leaves_what_waits_as_any(world: World, other: OtherServer) -> None:
    (ann,) = await together(world, other, "ann")
    await other.ask("theirs")
    ours = await ann.ask("ours")
    await world.service.interrupt()
    assert answers(ann) == [("start", ours), ("end", "")]
    assert [end.state for end in ann.heard(catalogue.STREAM_END)] == ["interrupted"]
    assert not world.service.busy


async def test_a_bounded_number_waits_for_another_server(world: World, other: OtherServer) -> None:
    (ann,) = await together(world, other, "ann")
    await other.ask("theirs")
    for number in range(TURNS_WAITING):
        await ann.ask(f"{number}")
        await other.lives(1)
    refused = await ann.refused("message:send:stream", {"roomId": "room", "content": "one more"})
    assert refused == "rate_limited"


async def test_a_question_that_is_deleted_elsewhere_is_not_waited_with(
    world: World, other: OtherServer
) -> None:
    (ann,) = await together(world, other, "ann")
    first = await other.ask("theirs")
    ours = await ann.ask("ours")
    other.say(items.Erased("room", [ours], "ann", world.clock.wall_ms(), 1))
    await world.advance(SOON)
    assert [end.state for end in ann.heard(catalogue.STREAM_END)] == ["stopped"]
    await other.begin(first)
    await other.end(first)
    await world.advance(LOOK_SECONDS)
    assert begun(world) == []


@pytest.mark.parametrize("fault", ["refuse", "hang"])
async def test_a_store_that_says_nothing_has_a_turn_wait_for_it(
    world: World, other: OtherServer, fault: Fault
) -> None:
    (ann,) = await together(world, other, "ann")
    world.store.faults["in_turn"] = fault
    await ann.ask("ours")
    await world.advance(30)
    assert begun(world) == []
    world.store.release()
    await world.advance(LOOK_SECONDS + SOON)
    assert begun(world) == ["ours"]


async def test_another_answer_has_its_turn_behind_what_was_asked_before(
    world: World, other: OtherServer
) -> None:
    (ann,) = await together(world, other, "ann")
    question = await ann.ask("ours")
    world.puppet.say("whole", None)
    await world.advance(SOON)
    theirs = await other.ask("theirs")
    again = {"roomId": "room", "messageId": question}
    assert isinstance(await ann.call("message:regenerate", again), events.MessageStored)
    later = await other.ask("later")
    their_other = await other.ask_again("theirs")
    await other.lives(5)
    assert begun(world) == ["ours"]
    await other.begin(theirs)
    await other.end(theirs)
    await world.advance(SOON)
    assert begun(world) == ["ours", "ours"]
    order = await world.store.in_turn("room")
    assert order.owed == (later.answer_id, their_other.answer_id)


async def test_the_same_question_on_two_servers_is_left_to_who_was_quicker(
    world: World, other: OtherServer
) -> None:
    (ann,) = await together(world, other, "ann")
    first = await other.ask("theirs")
    same = await other.ask("same", "ann")
    assert (await ann.send("same", stream=True, messageId="same")).duplicate is True
    await other.lives(3)
    await other.begin(first)
    other.silent = True
    await other.end(first)
    await other.begin(same)
    other.silent = False
    await world.advance(LOOK_SECONDS + SOON)
    assert not world.service.busy, "it is followed here, and does not wait"
    ours = await ann.ask("ours")
    await other.lives(3)
    await other.end(same)
    await world.advance(SOON)
    assert begun(world) == ["ours"]
    assert answers(ann)[2:] == [("start", "same"), ("end", "theirs"), ("start", ours)]


# --- when others are in the room, as far as is known ---------------------------------------------


async def test_a_room_of_one_server_costs_nothing_more(world: World, other: OtherServer) -> None:
    (ann,) = await world.in_room("ann")
    for number in range(3):
        await ann.ask(f"{number}")
    question = ann.heard(catalogue.MESSAGE_NEW)[0].id
    for turn in range(3):
        world.puppet.say("whole", None, turn=turn)
        await world.advance(0.1)
    again = {"roomId": "room", "messageId": question}
    assert isinstance(await ann.call("message:regenerate", again), events.MessageStored)
    await world.advance(1)
    assert len(begun(world)) == 4
    assert "in_turn" not in world.store.calls
    assert (await world.store.in_turn("room")).owed == ()


async def test_with_others_it_is_one_look_for_each_answer(world: World, other: OtherServer) -> None:
    (ann,) = await together(world, other, "ann")
    for number in range(3):
        await ann.ask(f"{number}")
    for turn in range(3):
        world.puppet.say("whole", None, turn=turn)
        await world.advance(0.1)
    assert begun(world) == ["0", "1", "2"]
    assert world.store.calls.count("in_turn") == 3


@pytest.mark.parametrize("how", ["out of reach", "gone"])
async def test_servers_that_can_not_be_heard_are_waited_for_by_the_store(
    world: World, other: OtherServer, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "gone":
        (ann,) = await together(world, other, "ann")
        world.cluster.peers.gone("other", ended=False)
    else:
        (ann,) = await world.in_room("ann")
        monkeypatch.setattr(type(world.cluster), "healthy", False)
    other.silent = True
    first = await other.ask("theirs")
    await ann.ask("ours")
    await other.lives(5)
    assert begun(world) == []
    await other.begin(first)
    await other.lives(5)
    await other.end(first)
    await world.advance(LOOK_SECONDS + SOON)
    assert begun(world) == ["ours"]
    assert answers(ann)[:2] == [("start", "theirs"), ("end", "theirs")]
    if how == "gone":
        world.puppet.say("whole", None)
        await world.advance(PARTED_SECONDS)
        world.store.calls.clear()
        await ann.ask("alone by now")
        assert "in_turn" not in world.store.calls


# --- who asks again on another server ------------------------------------------------------------


def rule(world: World, policy: DoubleTexting) -> None:
    world.service._turns._policy = policy


def said(world: World, monkeypatch: pytest.MonkeyPatch) -> list[items.AnyItem]:
    """What is said to other servers from now on."""
    heard: list[items.AnyItem] = []

    def send(servers: object, item: bytes) -> None:
        heard.append(msgspec.json.decode(item, type=items.AnyItem))

    monkeypatch.setattr(world.cluster, "send", send)
    return heard


def superseding(heard: list[items.AnyItem]) -> list[items.Supersedes]:
    return [item for item in heard if isinstance(item, items.Supersedes)]


async def test_who_asks_again_on_another_server_ends_what_was_asked_here_before(
    world: World, other: OtherServer
) -> None:
    rule(world, "interrupt")
    ann, ben = await together(world, other, "ann", "ben")
    first = await ann.ask("first")
    world.puppet.say("so far")
    of_ben = await ben.ask("of ben")
    await world.advance(SOON)
    newer = await other.ask("newer", "ann")
    newest = await ann.ask("newest")
    other.say(items.Supersedes("room", "ann", place_behind(2)))
    await world.advance(SOON)
    ends = {end.message_id: end for end in ann.heard(catalogue.STREAM_END)}
    assert [(end.content, end.state) for end in ends.values()] == [("so far", "stopped")]
    assert answer_id_of(first) in ends
    world.puppet.say("whole", None)
    await other.lives(1)
    assert begun(world) == ["first", "of ben"], "the others go on, and the newest waits"
    await other.begin(newer)
    await other.end(newer)
    await world.advance(SOON)
    assert begun(world) == ["first", "of ben", "newest"]
    assert (await world.row(answer_id_of(of_ben))).state == "complete"
    assert (await world.store.find(answer_id_of(newest))) is not None


async def test_who_asks_again_here_has_the_others_end_what_was_asked_there(
    world: World, other: OtherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ann,) = await together(world, other, "ann")
    heard = said(world, monkeypatch)
    first = await other.ask("first", "ann")
    await other.begin(first)
    await ann.ask("second")
    assert superseding(heard) == [], "the rule is to wait"
    rule(world, "interrupt")
    question = await ann.ask("third")
    seq = (await world.row(question)).seq
    assert {(each.user_id, each.merged_with) for each in superseding(heard)} == {("ann", None)}
    assert place_behind(seq - 1) < superseding(heard)[0].place < place_behind(seq)
    heard.clear()
    await other.lives(3)
    assert len(superseding(heard)) >= 2, "it may have been lost"
    await other.end(first)
    await world.advance(SOON)
    assert begun(world) == ["third"]
    heard.clear()
    await world.advance(5)
    assert superseding(heard) == []


async def test_two_who_want_another_answer_on_two_servers_do_not_end_each_other(
    world: World, other: OtherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(world, "interrupt")
    (ann,) = await together(world, other, "ann")
    question = await ann.ask("ours")
    world.puppet.say("whole", None)
    await world.advance(SOON)
    heard = said(world, monkeypatch)
    again = {"roomId": "room", "messageId": question}
    assert isinstance(await ann.call("message:regenerate", again), events.MessageStored)
    await world.settle()
    (item,) = superseding(heard)
    other.say(item)
    await world.advance(SOON)
    world.puppet.say("another", None)
    await world.advance(SOON)
    assert [end.state for end in ann.heard(catalogue.STREAM_END)] == ["complete", "complete"]


async def test_what_waits_here_is_merged_with_a_question_on_another_server(
    world: World, other: OtherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(world, "merge")
    ann, ben = await together(world, other, "ann", "ben")
    await ben.ask("of ben")
    waits = await ann.ask("two")
    await other.ask("three", "ann")
    elsewhere = items.Supersedes("room", "ann", place_behind(3), "somebody else")
    other.say(elsewhere)
    await world.advance(SOON)
    assert ann.heard(catalogue.STREAM_END) == []
    other.say(replace_character(elsewhere, "puppet"))
    await world.advance(SOON)
    (end,) = ann.heard(catalogue.STREAM_END)
    assert (end.message_id, end.content, end.state) == (answer_id_of(waits), "", "complete")
    heard = said(world, monkeypatch)
    await ann.ask("four")
    (item,) = superseding(heard)
    assert (item.user_id, item.merged_with) == ("ann", "puppet")
    assert begun(world) == ["of ben"]


def replace_character(item: items.Supersedes, character_id: str) -> items.Supersedes:
    return items.Supersedes(item.room, item.user_id, item.place, character_id)
