"""Connections from their handshake to their end."""

from pathlib import Path

import pytest
from tests.service.world import World, running

from rejoinder.errors import InvalidPayload, Unauthorized
from rejoinder.protocol import catalogue, events
from rejoinder.service.auth import Handshake
from rejoinder.testing import Closed


async def test_nobody_gets_in_without_a_token(world: World) -> None:
    with pytest.raises(Unauthorized):
        await world.service.connect("1", Handshake({}))
    assert world.service.connections() == []


@pytest.mark.parametrize("reconnection", [5, [], {"roomId": 5}, {"room": "x"}, {"roomId": "\n"}])
async def test_a_wrong_reconnection_is_refused(world: World, reconnection: object) -> None:
    handshake = Handshake({"token": "ann", "reconnection": reconnection})
    with pytest.raises(InvalidPayload):
        await world.service.connect("1", handshake)
    assert world.service.connections() == []


async def test_a_newer_connection_replaces_the_older(world: World) -> None:
    older, ben = await world.in_room("ann", "ben")
    newer = await world.connect("ann")
    (heard,) = older.heard(catalogue.CONNECTION_REPLACED)
    assert heard.timestamp == "2026-01-01T00:00:00.000Z"
    assert world.delivery.entries(older.id)[-1] == Closed()
    assert await older.refused("heartbeat") == "unauthorized"
    assert "session:restored" not in newer.names
    assert [each.id for each in world.service.connections()] == [ben.id, newer.id]
    await ben.send("hello")
    assert "message:new" not in older.names


async def test_the_session_of_a_replaced_connection_is_not_kept(world: World) -> None:
    older, _ = await world.in_room("ann", "ben")
    newer = await world.connect("ann")
    older.drop()
    newer.drop()
    again = await world.connect("ann")
    (restored,) = again.heard(catalogue.SESSION_RESTORED)
    assert restored == events.SessionRestored(
        disconnected_at="2026-01-01T00:00:00.000Z", can_reconnect=True
    ), "it is the newer one's, which was in no room"


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ({}, "another device"),
        ({"locale": "ko"}, "다른 기기에서"),
        ({"language": "ko-KR,ko;q=0.9,en;q=0.5"}, "다른 기기에서"),
        ({"language": "fr,ko;q=0.1"}, "다른 기기에서"),
        ({"locale": "en", "language": "ko"}, "another device"),
    ],
)
async def test_a_replaced_person_reads_it_in_their_language(
    world: World, auth: dict[str, object], message: str
) -> None:
    older = await world.connect("ann", **auth)
    await world.connect("ann")
    (heard,) = older.heard(catalogue.CONNECTION_REPLACED)
    assert message in heard.message


async def test_a_takeover_in_a_room_makes_nobody_flicker(world: World) -> None:
    _, ben = await world.in_room("ann", "ben")
    newer = await world.connect("ann")
    await newer.join()
    await world.advance(60)
    assert ben.names == []


async def test_a_takeover_that_does_not_enter_again_leaves_after_the_grace(world: World) -> None:
    _, ben = await world.in_room("ann", "ben")
    await world.connect("ann")
    await world.advance(9.75)
    assert ben.names == []
    await world.advance(0.25)
    assert ben.names == ["user:left"]


async def test_several_connections_where_the_policy_allows_them(tmp_path: Path) -> None:
    async with running(tmp_path, policy="multi") as world:
        first, second, ben = await world.in_room("ann", "ann", "ben")
        await ben.send("hello")
        assert (first.names, second.names) == (["message:new"], ["message:new"])
        first.drop()
        await world.advance(400)
        assert ben.names == ["message:new"], "ann is here with the other connection"
        ben.clear()
        second.drop()
        await world.advance(9.75)
        assert ben.names == []
        await world.advance(0.25)
        assert [heard.status for heard in ben.heard(catalogue.PRESENCE_CHANGED)] == ["offline"]


async def test_one_connection_for_each_device(tmp_path: Path) -> None:
    async with running(tmp_path, policy="per-device") as world:
        phone = await world.connect("ann", deviceId="phone")
        laptop = await world.connect("ann", deviceId="laptop")
        await world.connect("ann", deviceId="phone")
        assert phone.names == ["connection:replaced"]
        assert laptop.names == []


async def test_a_session_is_restored_once(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await world.advance(1)
    ann.drop()
    await world.advance(299.75)
    again = await world.connect("ann")
    assert again.heard(catalogue.SESSION_RESTORED) == [
        events.SessionRestored(
            disconnected_at="2026-01-01T00:00:01.000Z",
            can_reconnect=True,
            previous_room_id="room",
            previous_character_id="puppet",
        )
    ]
    assert (await world.connect("ann")).names == []


async def test_a_session_ends_at_the_timeout(world: World) -> None:
    (ann,) = await world.in_room("ann")
    ann.drop()
    await world.advance(300)
    assert (await world.connect("ann")).names == []


async def test_a_jump_of_the_wall_clock_changes_no_session(world: World) -> None:
    (ann,) = await world.in_room("ann")
    ann.drop()
    world.clock.jump_wall(86_400_000)
    await world.advance(1)
    assert (await world.connect("ann")).names == ["session:restored"]


async def test_a_forced_end_keeps_no_session(world: World) -> None:
    (ann,) = await world.in_room("ann")
    world.service.ended(ann.id, forced=True)
    assert (await world.connect("ann")).names == []


async def test_a_session_remembers_the_room_over_a_connection_that_entered_none(
    world: World,
) -> None:
    (ann,) = await world.in_room("ann")
    ann.drop()
    (await world.connect("ann")).drop()
    (restored,) = (await world.connect("ann")).heard(catalogue.SESSION_RESTORED)
    assert restored.previous_room_id == "room"


async def test_a_session_of_a_room_that_was_left_has_no_room(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.call("room:leave", {"roomId": "room"})
    ann.drop()
    (restored,) = (await world.connect("ann")).heard(catalogue.SESSION_RESTORED)
    assert restored == events.SessionRestored(
        disconnected_at="2026-01-01T00:00:00.000Z", can_reconnect=True
    )


async def test_a_room_that_may_not_be_entered_any_more_says_so(world: World) -> None:
    (ann,) = await world.in_room("ann")
    ann.drop()
    world.forbidden.add(("ann", "room"))
    (restored,) = (await world.connect("ann")).heard(catalogue.SESSION_RESTORED)
    assert (restored.can_reconnect, restored.previous_room_id) == (False, "room")


async def test_the_handshake_may_take_one_back_to_the_room(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    seen = await ann.send("seen")
    ann.drop()
    await ben.send("missed")
    ben.clear()
    position = {"roomId": "room", "lastMessageId": seen.message_id, "characterId": "puppet"}
    again = await world.connect("ann", reconnection=position)
    assert again.names == ["session:restored", "room:rejoined"]
    (snapshot,) = again.heard(catalogue.ROOM_REJOINED)
    assert [message.content for message in snapshot.messages] == ["missed"]
    assert (snapshot.recovered, snapshot.last_seq) == (True, 2)
    assert ben.names == ["user:reconnected"]


async def test_a_short_loss_is_not_shown_to_others(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    ann.drop()
    await world.advance(9.75)
    again = await world.connect("ann")
    await again.join(event="room:rejoin")
    await world.advance(60)
    assert ben.names == ["user:reconnected"]


async def test_offline_after_the_grace_and_gone_after_the_session(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await world.advance(2)
    ann.drop()
    await world.advance(9.75)
    assert ben.names == []
    await world.advance(0.25)
    assert ben.heard(catalogue.PRESENCE_CHANGED) == [
        events.PresenceChanged(
            user_id="ann", status="offline", last_seen="2026-01-01T00:00:02.000Z"
        )
    ]
    await world.advance(289.75)
    assert ben.names == ["presence:changed"]
    await world.advance(0.25)
    assert ben.names == ["presence:changed", "user:left"]


async def test_back_after_the_grace_is_online_again(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    ann.drop()
    await world.advance(20)
    await world.connect("ann")
    statuses = [heard.status for heard in ben.heard(catalogue.PRESENCE_CHANGED)]
    assert statuses == ["offline", "online"]


async def test_a_token_that_expires_ends_the_connection(world: World) -> None:
    world.expires["ann"] = world.clock.wall_ms() + 60_000
    ann, ben = await world.in_room("ann", "ben")
    await world.advance(59.75)
    assert ann.names == []
    await world.advance(0.25)
    assert ann.heard(catalogue.AUTH_REQUIRED) == [events.AuthRequired(reason="token_expired")]
    assert world.delivery.entries(ann.id)[-1] == Closed()
    assert [each.id for each in world.service.connections()] == [ben.id]
    assert ben.names == []


async def test_a_newer_token_outlives_the_older_ones_end(world: World) -> None:
    world.expires["ann"] = world.clock.wall_ms() + 1_000
    await world.connect("ann")
    del world.expires["ann"]
    newer = await world.connect("ann")
    await world.advance(5)
    assert newer.names == []


async def test_the_ends_of_tokens_are_forgotten_with_their_connections(world: World) -> None:
    world.expires["ann"] = world.expires["ben"] = world.clock.wall_ms() + 3_600_000
    ben = await world.connect("ben")
    for _ in range(100):
        (await world.connect("ann")).drop()
    await world.advance(60)
    assert len(world.service._lifecycle._expiries) == 1
    await world.advance(3_600)
    assert ben.heard(catalogue.AUTH_REQUIRED)


async def test_who_did_not_keep_up_is_told_to_catch_up_in_each_room(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ann.join("other")
    world.service.missed(ann.id)
    resyncs = ann.heard(catalogue.ROOM_RESYNC)
    assert [(each.room_id, each.reason) for each in resyncs] == [
        ("room", "slow"),
        ("other", "slow"),
    ]
    assert ben.heard(catalogue.ROOM_RESYNC) == []
    world.service.missed("nobody")
