"""What each event does that needs no room of its own part: bad input, limits, signs of life, typing, presence."""

from pathlib import Path

import pytest
from tests.service.world import FaultyStore, World, running

from rejoinder.core.limits import Rate
from rejoinder.errors import ConfigurationError
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.catalogue import CLIENT_EVENTS
from rejoinder.service.context import Limits


@pytest.mark.parametrize(
    "payload",
    [
        (),
        (None,),
        ("room",),
        ([],),
        ({},),
        ({"roomId": None, "content": "x"},),
        ({"roomId": 5, "content": "x"},),
        ({"roomId": "", "content": "x"},),
        ({"roomId": "a\nb", "content": "x"},),
        ({"roomId": "r" * 129, "content": "x"},),
        ({"roomId": "room", "content": ""},),
        ({"roomId": "room", "content": 5},),
        (b'{"roomId": "room", "content": "\\ud800"}',),
        (b'{"roomId": "room", "content": "\xff"}',),
        (b'{"roomId": "room", "content": "x"',),
        (b"",),
        ({"roomId": "room", "content": "x", "room_id": "room"},),
        ({"roomId": "room", "content": "x", "messageId": None},),
        ({"roomId": "room", "content": "x", "metadata": []},),
        (b'{"roomId": "room", "content": "x", "metadata": {1: 2}}',),
        ({"roomId": "room", "content": "x"}, {}),
    ],
)
async def test_bad_input_is_refused_and_nothing_is_stored(
    world: World, payload: tuple[object, ...]
) -> None:
    (ann,) = await world.in_room("ann")
    for event in ("message:send", "message:send:stream"):
        assert await ann.refused(event, *payload) == "invalid_payload"
    assert ann.names == []
    assert "append" not in world.store.calls
    await ann.send("the connection lives on")


async def test_deep_input_is_refused(world: World) -> None:
    (ann,) = await world.in_room("ann")
    deep = b'{"deeper": ' * 5000 + b"0" + b"}" * 5000
    message = b'{"roomId": "room", "content": "x", "metadata": %b}' % deep
    assert await ann.refused("message:send", message) == "invalid_payload"


async def test_metadata_may_be_nested_as_deep_as_everybody_can_read(world: World) -> None:
    (ann,) = await world.in_room("ann")
    for opening, closing in ((b"[", b"]"), (b'{"deeper":', b"}")):
        for levels, is_stored in ((63, True), (64, False), (900, False)):
            inner = b"0" if opening != b"[" else b""
            metadata = b'{"deep": %b}' % (opening * levels + inner + closing * levels)
            message = b'{"roomId": "room", "content": "x", "metadata": %b}' % metadata
            ack = await ann.call("message:send", message)
            assert isinstance(ack, events.MessageStored) is is_stored


@pytest.mark.parametrize("name", ["", "connect", "disconnect", "message:new", "x" * 10_000, "__"])
async def test_an_unknown_event_is_not_found(world: World, name: str) -> None:
    ann = await world.connect("ann")
    assert await ann.refused(name, {}) == "not_found"
    await ann.join()


async def test_every_event_of_the_catalogue_is_handled(world: World) -> None:
    ann = await world.connect("ann")
    assert {*world.service.requests._handlers, "message:send"} == set(CLIENT_EVENTS)
    for name in CLIENT_EVENTS:
        ack = await ann.call(name, {"no such field": 1})
        assert isinstance(ack, events.Failure)
        assert ack.code == "invalid_payload"


async def test_a_connection_that_has_ended_is_unauthorized(world: World) -> None:
    ann = await world.connect("ann")
    ann.drop()
    assert await ann.refused("heartbeat") == "unauthorized"


async def test_a_defect_is_internal_and_says_nothing_of_the_inside(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ann,) = await world.in_room("ann")

    async def broken(_draft: object) -> None:
        raise KeyError("a secret of the inside")

    monkeypatch.setattr(world.store, "append_all", broken)
    ack = await ann.call("message:send", {"roomId": "room", "content": "x"})
    assert isinstance(ack, events.Failure)
    assert ack.code == "internal"
    assert "secret" not in ack.error
    monkeypatch.undo()
    await ann.send("the connection lives on")


async def test_payloads_have_a_limit(world: World) -> None:
    (ann,) = await world.in_room("ann")
    message = {"roomId": "room", "content": "x", "metadata": {"fill": "y" * 65_536}}
    assert await ann.refused("message:send", message) == "too_large"
    message["metadata"] = {"fill": "y" * 65_000}
    await ann.call("message:send", message)
    assert ann.names == ["message:new"]


async def test_content_has_a_limit_in_bytes(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.send("x" * 32_768)
    await ann.send("가" * 10_922)
    for content in ("x" * 32_769, "가" * 10_923):
        for event in ("message:send", "message:send:stream"):
            message = {"roomId": "room", "content": content}
            assert await ann.refused(event, message) == "too_large"
    assert len(ann.names) == 2


async def test_sends_are_limited_for_each_user(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    message = {"roomId": "room", "content": "x"}
    for _ in range(20):
        await ann.send("x")
    ack = await ann.call("message:send", message)
    assert isinstance(ack, events.Failure)
    assert (ack.code, ack.retry_after_ms) == ("rate_limited", 100)
    assert await ann.refused("message:send:stream", message) == "rate_limited"
    again = {"roomId": "room", "messageId": "x"}
    assert await ann.refused("message:regenerate", again) == "rate_limited"
    await ben.send("others are not")
    await ann.call("heartbeat")
    await world.advance(0.1)
    await ann.send("after the time that was said")
    again_ann = await world.connect("ann")
    await again_ann.join()
    assert await again_ann.refused("message:send", message) == "rate_limited"


async def test_all_events_are_limited_for_each_connection(tmp_path: Path) -> None:
    async with running(tmp_path, limits=Limits(events=Rate(10, 3))) as world:
        ann, ben = await world.connect("ann"), await world.connect("ben")
        for _ in range(3):
            await ann.call("heartbeat")
        assert await ann.refused("heartbeat") == "rate_limited"
        assert await ann.refused("no such event") == "rate_limited"
        await ben.call("heartbeat")
        await world.advance(0.1)
        assert isinstance(await ann.call("heartbeat"), events.HeartbeatReply)


async def test_a_heartbeat_is_answered_twice_over(world: World) -> None:
    ann = await world.connect("ann")
    ack = await ann.call("heartbeat", {"timestamp": 12345, "rtt": 20.5})
    assert isinstance(ack, events.HeartbeatReply)
    assert (ack.success, ack.timestamp, ack.server_time) == (
        True,
        12345,
        "2026-01-01T00:00:00.000Z",
    )
    (heard,) = ann.heard(catalogue.HEARTBEAT_ACK)
    assert (heard.timestamp, heard.server_time) == (12345, "2026-01-01T00:00:00.000Z")


@pytest.mark.parametrize("payload", [(), ({},)])
async def test_a_heartbeat_may_be_empty(world: World, payload: tuple[object, ...]) -> None:
    ann = await world.connect("ann")
    ack = await ann.call("heartbeat", *payload)
    assert isinstance(ack, events.HeartbeatReply)
    assert ack.timestamp == ack.server_time


async def test_the_last_activity_is_known(world: World) -> None:
    ann = await world.connect("ann")
    await world.advance(5)
    await ann.call("heartbeat")
    (connection,) = world.service.connections()
    assert connection.last_activity == connection.connected_at + 5000
    assert (connection.id, connection.user.id) == (ann.id, "ann")


async def test_typing_is_shown_to_the_others_each_time_and_its_end_once(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    for _ in range(2):  # Viewers forget a typist who is not heard of again.
        await ann.call("typing:start", {"roomId": "room"})
    assert (ann.names, ben.names) == ([], ["typing:start"] * 2)
    typing = events.UserTyping(room_id="room", user_id="ann")
    assert ben.heard(catalogue.USER_TYPING) == [typing] * 2
    for _ in range(2):
        await ann.call("typing:stop", {"roomId": "room"})
    assert (ann.names, ben.names) == ([], [*["typing:start"] * 2, "typing:stop"])


async def test_typing_ends_by_itself_after_six_seconds(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.call("typing:start", {"roomId": "room"})
    await world.advance(5)
    await ann.call("typing:start", {"roomId": "room"})
    await world.advance(5.75)
    assert ben.names == ["typing:start"] * 2
    await world.advance(0.25)
    assert ben.names == [*["typing:start"] * 2, "typing:stop"]
    await world.advance(20)
    assert ben.names == [*["typing:start"] * 2, "typing:stop"]
    assert ann.names == []


async def test_typing_ends_with_a_message_with_leaving_and_with_the_connection(
    world: World,
) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.call("typing:start", {"roomId": "room"})
    await ann.send("done")
    assert ben.names == ["typing:start", "typing:stop", "message:new"]
    ben.clear()
    await ann.call("typing:start", {"roomId": "room"})
    await ann.call("room:leave", {"roomId": "room"})
    assert ben.names == ["typing:start", "typing:stop", "user:left"]
    await ann.join()
    ben.clear()
    await ann.call("typing:start", {"roomId": "room"})
    ann.drop()
    assert ben.names == ["typing:start", "typing:stop"]


async def test_presence_is_set_and_shown_to_those_who_share_a_room(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    (eve,) = await world.in_room("eve", room_id="elsewhere")
    await world.advance(1)
    for status in ("away", "away", "online"):
        await ann.call("presence:set", {"status": status})
    statuses = [heard.status for heard in ben.heard(catalogue.PRESENCE_CHANGED)]
    assert statuses == ["away", "online"]
    assert ben.heard(catalogue.PRESENCE_CHANGED)[0].last_seen == "2026-01-01T00:00:01.000Z"
    assert (ann.names, eve.names) == ([], [])
    assert await ann.refused("presence:set", {"status": "offline"}) == "invalid_payload"


@pytest.mark.parametrize(
    ("event", "more"),
    [
        ("room:leave", {}),
        ("message:send", {"content": "x"}),
        ("message:send:stream", {"content": "x"}),
        ("message:stream:stop", {"messageId": "m"}),
        ("message:regenerate", {"messageId": "m"}),
        ("messages:history", {}),
        ("messages:read", {"messageId": "m"}),
        ("typing:start", {}),
        ("typing:stop", {}),
    ],
)
async def test_nobody_acts_in_a_room_they_are_not_in(
    world: World, event: str, more: dict[str, str]
) -> None:
    (ann,) = await world.in_room("ann")
    eve = await world.connect("eve")
    assert await eve.refused(event, {"roomId": "room", **more}) == "not_in_room"
    assert await eve.refused(event, {"roomId": "nowhere", **more}) == "not_in_room"
    assert ann.names == []
    assert eve.names == []


@pytest.mark.parametrize("operation", ["unfinished", "owed"])
async def test_a_store_that_cannot_be_written_to_at_the_start_is_told_in_a_sentence(
    tmp_path: Path, operation: str
) -> None:
    def full(path: Path) -> FaultyStore:
        store = FaultyStore(path)
        store.faults[operation] = "refuse"
        return store

    with pytest.raises(ConfigurationError, match="can't be written to"):
        async with running(tmp_path, make_store=full):
            raise AssertionError("it has begun to serve")
    # It let go of the store.
    async with running(tmp_path) as world:
        await world.in_room("ann")
