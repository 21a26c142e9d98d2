"""Answers of other servers on the same store: followed while they live, ended when they are gone."""

import msgspec
import pytest
from tests.service.test_generation import stop, text
from tests.service.world import Fault, World

from rejoinder.core.leases import LEASE_SECONDS, PARDON_SECONDS, SWEEP_SECONDS
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.constants import HISTORY_LIMIT
from rejoinder.protocol.events import ChatMessage
from rejoinder.service import items
from rejoinder.stores.records import Draft
from rejoinder.stores.sqlite import SqliteStore
from rejoinder.testing.store.tools import draft

LOOK = SWEEP_SECONDS + 0.25
PROMISED_SECONDS = 15.0


class OtherServer:
    """Another server on the same store."""

    def __init__(self, world: World) -> None:
        self.world = world

    def _lease(self) -> int:
        return self.world.clock.wall_ms() + round(LEASE_SECONDS * 1000)

    async def begin(self, message_id: str = "there", room_id: str = "room") -> ChatMessage:
        draft = Draft(
            id=message_id,
            room_id=room_id,
            role="character",
            sender_id="puppet",
            content="",
            state="streaming",
            timestamp=self.world.clock.wall_ms(),
            character_id="puppet",
            reply_to="question",
            lease_until=self._lease(),
        )
        return (await SqliteStore.append(self.world.store, draft)).message

    async def save(self, content: str, message_id: str = "there") -> bool:
        return await SqliteStore.save_stream(self.world.store, message_id, content, self._lease())


@pytest.fixture
def other(world: World) -> OtherServer:
    return OtherServer(world)


def hear(world: World, item: items.Item) -> None:
    """Have another server say that."""
    world.cluster.peers.heard("other", msgspec.json.encode(item))


def ends(client_heard: list[events.StreamEnd]) -> list[tuple[str, str, str]]:
    return [(end.message_id, end.content, end.state) for end in client_heard]


async def test_who_enters_follows_an_answer_of_another_server_to_its_end(
    world: World, other: OtherServer
) -> None:
    await other.begin()
    await other.save("one")
    ann = await world.connect("ann")
    snapshot = await ann.join()
    (row,) = snapshot.messages
    (running,) = snapshot.streams
    assert (row.content, row.state) == ("one", "streaming")
    assert (running.message_id, running.content, running.index) == ("there", "one", 1)
    assert (running.reply_to, running.character_id) == ("question", "puppet")
    await other.save("one two")
    await world.advance(LOOK)
    (chunk,) = ann.heard(catalogue.STREAM_CHUNK)
    assert (chunk.delta, chunk.index, chunk.offset) == (" two", 1, 3)
    ben = await world.connect("ben")
    (running,) = (await ben.join()).streams
    assert (running.content, running.index) == ("one two", 2)
    assert await world.store.end_stream("there", "one two three", "complete")
    await world.advance(LOOK * 3)
    for client in (ann, ben):
        assert client.heard(catalogue.STREAM_CHUNK)[-1].delta == " three"
        assert ends(client.heard(catalogue.STREAM_END)) == [("there", "one two three", "complete")]
    assert (await (await world.connect("eve")).join()).streams == []


async def test_an_answer_that_runs_is_in_every_snapshot_however_far_back_it_began(
    world: World, other: OtherServer
) -> None:
    """Found by `make chaos`, seed 102 on MongoDB: its end came to people who had not been told that it ran."""
    world.store.shared = True
    await other.begin()
    await other.save("so far")
    for number in range(HISTORY_LIMIT + 1):
        await SqliteStore.append(world.store, draft("room", f"number {number}"))
    ann = await world.connect("ann")
    snapshot = await ann.join()
    assert snapshot.messages[0].seq > 1
    assert [(each.message_id, each.content) for each in snapshot.streams] == [("there", "so far")]
    await world.advance(PROMISED_SECONDS)
    assert ends(ann.heard(catalogue.STREAM_END)) == [("there", "so far", "interrupted")]


async def test_what_was_shown_of_an_answer_is_kept_when_its_server_dies(
    world: World, other: OtherServer
) -> None:
    """Found by `make chaos SERVERS=3`, seed 201: killed before its first save, it ended as an empty one for who had seen more."""
    (ann,) = await world.in_room("ann")
    row = await other.begin()
    hear(world, items.Row("room", row))
    hear(world, items.Piece("room", row.id, 0, "seen by all"))
    assert [chunk.delta for chunk in ann.heard(catalogue.STREAM_CHUNK)] == ["seen by all"]
    await world.advance(PROMISED_SECONDS)
    assert ends(ann.heard(catalogue.STREAM_END)) == [("there", "seen by all", "interrupted")]
    assert (await world.row("there")).content == "seen by all"


async def test_who_has_seen_more_than_this_server_is_shown_nothing_twice(world: World) -> None:
    """Found by `make chaos SERVERS=3`, seeds 201 and 202: they came from a server that the bus told more."""
    world.store.shared = True
    (ann,) = await world.in_room("ann")
    rows = [
        (await SqliteStore.append(world.store, draft("room", f"{number}"))).message
        for number in range(3)
    ]
    ben = await world.connect("ben")
    # The last of them, too, of which they say nothing: a client names only what it holds without a gap.
    snapshot = await ben.join(last=rows[1].id)
    assert (snapshot.recovered, snapshot.last_seq) == (True, rows[2].seq)
    assert [row.id for row in snapshot.messages] == [rows[2].id]
    await world.advance(5)
    assert ben.heard(catalogue.MESSAGE_NEW) == []
    assert [row.id for row in ann.heard(catalogue.MESSAGE_NEW)] == [row.id for row in rows]


async def test_who_has_seen_far_more_than_they_name_is_shown_nothing_twice(world: World) -> None:
    """Found by `make chaos SERVERS=3`, seed 203: a client names what came before an answer that runs, perhaps pages back."""
    world.store.shared = True
    await world.in_room("ann")
    rows = [
        (await SqliteStore.append(world.store, draft("room", f"{number}"))).message
        for number in range(HISTORY_LIMIT + 10)
    ]
    ben = await world.connect("ben")
    snapshot = await ben.join(last=rows[0].id)
    assert (snapshot.has_more, len(snapshot.messages)) == (True, HISTORY_LIMIT)
    assert snapshot.last_seq == rows[-1].seq
    await world.advance(5)
    assert ben.heard(catalogue.MESSAGE_NEW) == []


async def test_a_failure_elsewhere_is_told_as_one(world: World, other: OtherServer) -> None:
    await other.begin()
    (ann,) = await world.in_room("ann")
    await world.store.end_stream("there", "half", "failed")
    await world.advance(LOOK)
    (error,) = ann.heard(catalogue.STREAM_ERROR)
    assert (error.content, error.code) == ("half", "character_failed")


async def test_an_answer_whose_server_is_gone_is_ended_in_time_and_told_once(
    world: World, other: OtherServer
) -> None:
    await other.begin()
    await other.save("so far")
    ann, ben = await world.in_room("ann", "ben")
    await world.advance(LEASE_SECONDS - 0.25)
    assert (await world.row("there")).state == "streaming"
    await world.advance(PROMISED_SECONDS - LEASE_SECONDS)
    row = await world.row("there")
    assert (row.content, row.state) == ("so far", "interrupted")
    await world.advance(60)
    for client in (ann, ben):
        assert ends(client.heard(catalogue.STREAM_END)) == [("there", "so far", "interrupted")]


async def test_an_answer_that_is_renewed_is_left_alone(world: World, other: OtherServer) -> None:
    await other.begin()
    await world.in_room("ann")
    for _ in range(20):
        assert await other.save("on and on")
        await world.advance(3)
    assert (await world.row("there")).state == "streaming"


async def test_an_answer_that_begins_elsewhere_is_shown_with_the_next_row(
    world: World, other: OtherServer
) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await other.begin()
    await other.save("one")
    await ann.send("hello")
    await world.advance(2)
    (start,) = ben.heard(catalogue.STREAM_START)
    assert (start.message_id, start.seq, start.reply_to) == ("there", 1, "question")
    assert [row.content for row in ben.heard(catalogue.MESSAGE_NEW)] == ["hello"]
    await other.save("one two")
    await world.advance(LOOK)
    assert text(ben) == "one two"
    await world.store.end_stream("there", "one two", "complete")
    await world.advance(LOOK)
    assert ends(ben.heard(catalogue.STREAM_END)) == [("there", "one two", "complete")]


async def test_who_enters_a_room_that_others_are_in_brings_what_another_server_has_stored(
    world: World, other: OtherServer
) -> None:
    world.store.shared = True
    (ann,) = await world.in_room("ann")
    await other.begin()
    ben = await world.connect("ben")
    snapshot = await ben.join()
    begun = [start.message_id for start in ann.heard(catalogue.STREAM_START)]
    assert begun == [row.id for row in snapshot.messages] == ["there"], "those who are there first"
    await world.advance(2)
    assert len(ann.heard(catalogue.STREAM_START)) == 1
    assert ben.heard(catalogue.STREAM_START) == []


async def test_a_page_of_history_follows_what_it_shows(world: World, other: OtherServer) -> None:
    await other.begin()
    (ann,) = await world.in_room("ann")
    world.store.calls.clear()
    page = await ann.history()
    assert [row.state for row in page.messages] == ["streaming"]
    assert world.store.calls.count("find") == 0, "it is followed already"
    state = world.service._rooms.get("room")
    assert state is not None
    state.elsewhere = type(state.elsewhere)()
    page = await ann.history()
    assert world.store.calls.count("find") == 1
    await world.store.end_stream("there", "done", "complete")
    await world.advance(LOOK)
    assert ends(ann.heard(catalogue.STREAM_END)) == [("there", "done", "complete")]


@pytest.mark.parametrize("fault", ["refuse", "hang", "refuse after it"])
async def test_an_own_answer_is_never_ended_however_late_its_renewal_is(
    world: World, fault: Fault
) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    (start,) = ann.heard(catalogue.STREAM_START)
    world.store.faults["save_stream"] = fault
    world.puppet.say("one ")
    await world.advance(60)
    assert (await world.row(start.message_id)).state == "streaming"
    world.puppet.say("two")
    await world.settle()
    assert text(ann) == "one two", "the text goes on to viewers"
    world.store.release()
    await world.advance(5)
    world.puppet.say(None)
    await world.advance(1)
    assert ends(ann.heard(catalogue.STREAM_END)) == [(start.message_id, "one two", "complete")]


async def test_an_own_answer_survives_that_the_process_was_held_up(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    (start,) = ann.heard(catalogue.STREAM_START)
    await world.clock.advance(120)
    await world.advance(10)
    world.puppet.say("still here", None)
    await world.advance(1)
    assert ends(ann.heard(catalogue.STREAM_END)) == [(start.message_id, "still here", "complete")]


async def test_after_a_silence_of_the_store_others_get_time_to_renew(
    world: World, other: OtherServer
) -> None:
    await other.begin()
    world.store.faults["unfinished"] = "refuse"
    await world.advance(30)
    world.store.release()
    await world.advance(PARDON_SECONDS - 0.25)
    assert (await world.row("there")).state == "streaming"
    await world.advance(LOOK)
    assert (await world.row("there")).state == "interrupted"


@pytest.mark.parametrize("fault", ["refuse", "refuse after it", "hang after it"])
async def test_viewers_are_told_also_when_the_outcome_was_not_known(
    world: World, other: OtherServer, fault: Fault
) -> None:
    await other.begin()
    (ann,) = await world.in_room("ann")
    world.store.faults["interrupt"] = fault
    await world.advance(20)
    world.store.release()
    await world.advance(10)
    assert ends(ann.heard(catalogue.STREAM_END)) == [("there", "", "interrupted")]


async def test_viewers_are_told_of_what_a_third_server_has_ended(
    world: World, other: OtherServer
) -> None:
    await other.begin()
    (ann,) = await world.in_room("ann")
    assert await SqliteStore.interrupt(world.store, "there")
    await world.advance(LOOK)
    assert ends(ann.heard(catalogue.STREAM_END)) == [("there", "", "interrupted")]


async def test_an_answer_whose_generation_failed_here_is_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    (start,) = ann.heard(catalogue.STREAM_START)

    async def broken(*_: object) -> bool:
        raise RuntimeError("a defect")

    monkeypatch.setattr(world.store, "end_stream", broken)
    world.puppet.say("one", None)
    await world.advance(PROMISED_SECONDS)
    (end,) = ann.heard(catalogue.STREAM_END)
    assert (end.message_id, end.state) == (start.message_id, "interrupted")
    assert (await world.row(start.message_id)).state == "interrupted"


async def test_an_answer_elsewhere_cannot_be_stopped_here_yet(
    world: World, other: OtherServer
) -> None:
    await other.begin()
    (ann,) = await world.in_room("ann")
    await stop(ann, "there")
    assert (await world.row("there")).state == "streaming"
