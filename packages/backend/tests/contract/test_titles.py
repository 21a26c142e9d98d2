"""A room's title: made of the first message, changed by people, told to all whom it concerns."""

import asyncio
from typing import Any

import pytest
from tests.support.chat import Chat, Connect, eventually
from tests.support.process import ServerProcess
from tests.support.rest import Answer, request
from tests.support.tokens import token, unique

pytestmark = pytest.mark.receives("room:updated")


async def rename(server: ServerProcess, who: Chat | str, room: str, title: object) -> Answer:
    user_id = who if isinstance(who, str) else who.user_id
    body = {"title": title}
    return await request(server, "PATCH", f"/api/rooms/{room}", bearer=token(user_id), body=body)


async def summary(server: ServerProcess, user_id: str, room: str) -> dict[str, Any]:
    listed = await request(server, "GET", "/api/rooms", bearer=token(user_id))
    return next(each for each in listed.body["rooms"] if each["roomId"] == room)


async def test_the_first_message_gives_the_title(
    multi_server: ServerProcess, connect: Connect, room: str
) -> None:
    ann, ben = await connect(multi_server), await connect(multi_server)
    elsewhere = await connect(multi_server, ann.user_id)
    assert "title" not in await ann.join(room)
    await ben.join(room)
    await ann.send(room, "# 고양이가 밥을 안 먹어요\n어떻게 하죠?")
    for person in (ann, ben, elsewhere):
        await person.sees("room:updated", roomId=room, title="고양이가 밥을 안 먹어요")
    await ann.send(room, "Another one")
    await ann.caught_up()
    assert len(ann.all("room:updated")) == 1
    assert (await summary(multi_server, ann.user_id, room))["title"] == "고양이가 밥을 안 먹어요"
    carl = await connect(multi_server)
    assert (await carl.join(room))["title"] == "고양이가 밥을 안 먹어요"


async def test_a_member_changes_it(server: ServerProcess, connect: Connect, room: str) -> None:
    ann, ben, eve = await connect(server), await connect(server), await connect(server)
    await ann.join(room)
    await ben.join(room)
    await ann.send(room, "first")
    await ben.sees("room:updated", title="first")
    changed = await rename(server, ben, room, "  우리\n방 👋 ")
    assert (changed.status, changed.body) == (200, {"roomId": room, "title": "우리 방 👋"})
    for person in (ann, ben):
        await person.sees("room:updated", roomId=room, title="우리 방 👋")
    assert (await rename(server, eve, room, "mine")).code == "forbidden"
    assert (await rename(server, eve, unique("room"), "mine")).code == "not_found"
    for title in ("", " \n ", "x" * 101, None, 7, "\x00"):
        assert (await rename(server, ann, room, title)).code == "invalid_payload", title
    rejoined = await ann.done("room:rejoin", {"roomId": room})
    assert rejoined["title"] == "우리 방 👋"
    await eve.caught_up()
    assert eve.all("room:updated") == []


async def test_a_title_of_a_person_stays(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann = await connect(server)
    await ann.join(room)
    assert (await rename(server, ann, room, "Mine")).status == 200
    await ann.sees("room:updated", title="Mine")
    await ann.send(room, "something else")
    await asyncio.gather(*(ann.send(room, f"more {n}") for n in range(5)))
    await ann.caught_up()
    assert [each["title"] for each in ann.all("room:updated")] == ["Mine"]
    assert (await summary(server, ann.user_id, room))["title"] == "Mine"


async def test_what_says_nothing_gives_no_title(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann = await connect(server)
    await ann.join(room)
    await ann.send(room, "…\n---")
    await ann.send(room, "Now then")
    await ann.sees("room:updated", title="Now then")

    async def listed() -> bool:
        return (await summary(server, ann.user_id, room)).get("title") == "Now then"

    await eventually(listed)


async def test_too_many_changes_at_once_are_refused(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann = await connect(server)
    await ann.join(room)
    answers = await asyncio.gather(
        *(rename(server, ann, room, f"title {number}") for number in range(60))
    )
    assert {each.status for each in answers} == {200, 429}
    refused = next(each for each in answers if each.status == 429)
    assert refused.body["code"] == "rate_limited"
    assert refused.body["retryAfterMs"] > 0
