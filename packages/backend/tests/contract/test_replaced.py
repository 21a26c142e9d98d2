"""One connection per user, and the policies beside it (contract, section 3, point 2)."""

import asyncio

import pytest
from tests.support.chat import Connect, eventually
from tests.support.process import ServerProcess, Start
from tests.support.rest import connections

KOREAN = "다른 기기에서 로그인하여 이 연결이 종료되었습니다."


@pytest.mark.receives("connection:replaced")
async def test_connection_replaced_comes_and_then_the_older_is_closed(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    older = await connect(server)
    await older.join(room)
    newer = await connect(server, older.user_id)
    replaced = await older.sees("connection:replaced")
    assert replaced.keys() == {"message", "timestamp"}
    assert "another device" in replaced["message"]
    await older.closed()
    await newer.join(room)
    await newer.alive(room)
    assert newer.all("connection:replaced") == []
    assert [each["socketId"] for each in await connections(server, newer.user_id)] == [
        newer.connection_id
    ]


@pytest.mark.parametrize(
    ("auth", "accepted", "korean"),
    [
        ({"locale": "ko"}, None, True),
        ({"locale": "ko-KR"}, "en", True),
        ({}, "ko-KR,ko;q=0.9,en-US;q=0.8", True),
        ({}, "fr;q=1, ko;q=0.5, en;q=0.1", True),
        ({}, "en-US,en;q=0.9,ko;q=0.8", False),
        ({"locale": "en"}, "ko", False),
        ({}, "fr", False),
        ({}, None, False),
        ({"locale": 7}, ";;q=x,,,", False),
    ],
)
@pytest.mark.receives("connection:replaced")
async def test_connection_replaced_speaks_the_user_s_language(
    server: ServerProcess,
    connect: Connect,
    auth: dict[str, object],
    accepted: str | None,
    korean: bool,  # noqa: FBT001
) -> None:
    headers = {"Accept-Language": accepted} if accepted else {}
    older = await connect(server, auth=auth, headers=headers)
    await connect(server, older.user_id)
    replaced = await older.sees("connection:replaced")
    assert (replaced["message"] == KOREAN) is korean
    await older.closed()


async def test_a_replaced_connection_s_session_is_not_kept(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    older = await connect(server)
    await older.join(room)
    newer = await connect(server, older.user_id)
    await older.closed()
    await newer.caught_up()
    assert newer.all("session:restored") == []


async def test_a_replaced_connection_hears_and_does_nothing_any_more(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    older, bob = await connect(server), await connect(server)
    await older.join(room)
    await bob.join(room)
    newer = await connect(server, older.user_id)
    sent = await bob.send(room, "after the takeover")
    await older.closed()
    assert older.all("message:new", id=sent["messageId"]) == []
    # Who takes over within the grace has not left: nobody flickers.
    await newer.join(room)
    await bob.caught_up()
    assert bob.all("user:left") == []
    assert bob.all("presence:changed", status="offline") == []


async def test_there_is_no_fight(server: ServerProcess, connect: Connect) -> None:
    first = await connect(server)
    everybody = [first, *[await connect(server, first.user_id) for _ in range(4)]]
    for older in everybody[:-1]:
        await older.closed()
        assert len(older.all("connection:replaced")) == 1
    await everybody[-1].caught_up()
    assert everybody[-1].connected
    assert len(await connections(server, first.user_id)) == 1


async def test_many_at_the_same_time_leave_one(server: ServerProcess, connect: Connect) -> None:
    first = await connect(server)
    rivals = await asyncio.gather(*(connect(server, first.user_id) for _ in range(6)))

    async def one_is_left() -> bool:
        return sum(each.connected for each in (first, *rivals)) == 1

    await eventually(one_is_left)
    [left] = await connections(server, first.user_id)
    assert left["socketId"] in [each.connection_id for each in rivals if each.connected]


async def test_policy_per_device_replaces_on_the_same_device_only(
    start: Start, connect: Connect
) -> None:
    server = start("--connection-policy=per-device")
    phone = await connect(server, auth={"deviceId": "phone"})
    laptop = await connect(server, phone.user_id, auth={"deviceId": "laptop"})
    await phone.caught_up()
    newer = await connect(server, phone.user_id, auth={"deviceId": "phone"})
    await phone.sees("connection:replaced")
    await phone.closed()
    await laptop.caught_up()
    assert laptop.all("connection:replaced") == []
    listed = await connections(server, phone.user_id)
    assert {each["socketId"] for each in listed} == {laptop.connection_id, newer.connection_id}


async def test_policy_multi_replaces_nobody(
    multi_server: ServerProcess, connect: Connect, room: str
) -> None:
    first = await connect(multi_server)
    others = [await connect(multi_server, first.user_id) for _ in range(3)]
    for each in (first, *others):
        await each.join(room)
    sent = await others[0].send(room, "to all of mine")
    for each in (first, *others):
        await each.sees("message:new", id=sent["messageId"])
        assert each.all("connection:replaced") == []
    snapshot = await first.join(room)
    assert [member["userId"] for member in snapshot["members"]] == [first.user_id]
