"""`GET /api/search`: what was said in one's own rooms."""

import asyncio
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from tests.support import schema
from tests.support.chat import Connect
from tests.support.process import ServerProcess, Start
from tests.support.rest import Answer, request
from tests.support.tokens import token, unique


async def search(server: ServerProcess, user_id: str, q: str, **more: object) -> Answer:
    path = f"/api/search?{urlencode({'q': q, **more}, quote_via=quote)}"
    found = await request(server, "GET", path, bearer=token(user_id))
    if found.status == 200:
        assert schema.problems({"$ref": "#/$defs/SearchPage"}, found.body) == []
    return found


def marked(hit: dict[str, Any]) -> list[str]:
    return [hit["snippet"][each["start"] : each["end"]] for each in hit["matches"]]


async def test_korean_words_are_found_with_their_particles(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann, eve = await connect(server), await connect(server)
    await ann.join(room, characterId="echo")
    await eve.join(unique("room"))
    sent = await ann.send(room, "👋 우리 고양이가 밥을 안 먹어요. 고양이는 왜 그럴까요?")
    await ann.send(room, "The weather is nice")
    await ann.sees("room:updated")
    for query in ("고양", "고양이", "고양이가 밥", "밥을 고양이는", "고"):
        found = await search(server, ann.user_id, query)
        (hit,) = found.body["hits"]
        assert (hit["roomId"], hit["messageId"], hit["seq"]) == (room, sent["messageId"], 1)
        assert (hit["role"], hit["senderId"], hit["characterId"]) == ("user", ann.user_id, "echo")
        assert hit["title"].startswith("👋 우리 고양이가 밥을")
        assert (found.body["hasMore"], found.body["complete"]) == (False, True)
    assert marked((await search(server, ann.user_id, "고양이")).body["hits"][0]) == ["고양이"] * 2
    assert (await search(server, eve.user_id, "고양이")).body["hits"] == []
    assert (await search(server, ann.user_id, "강아지")).body["hits"] == []


async def test_an_answer_is_found_when_it_is_whole(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann = await connect(server)
    await ann.join(room)
    asked = await ann.ask(room, "zanzibar and quagga")
    end = await ann.sees("message:stream:end")
    found = await search(server, ann.user_id, "QUAGGA")
    ids = [hit["messageId"] for hit in found.body["hits"]]
    assert ids == [end["messageId"], asked["messageId"]]


async def test_it_comes_in_pages(server: ServerProcess, connect: Connect) -> None:
    ann = await connect(server)
    rooms = [unique("room") for _ in range(2)]
    for room in rooms:
        await ann.join(room)
    sent = [(await ann.send(rooms[n % 2], f"페이지 {n}"))["messageId"] for n in range(7)]
    seen: list[str] = []
    more: dict[str, object] = {}
    while True:
        page = (await search(server, ann.user_id, "페이지", limit=3, **more)).body
        seen += [hit["messageId"] for hit in page["hits"]]
        if not page["hasMore"]:
            assert "next" not in page
            break
        more = {"before": page["next"]}
    assert sorted(seen) == sorted(sent)
    assert len(page["hits"]) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "invalid_payload"),
        ("q=%20", "invalid_payload"),
        ("q=" + "a" * 201, "invalid_payload"),
        ("q=a&limit=0", "invalid_payload"),
        ("q=a&limit=x", "invalid_payload"),
        ("q=a&before=x", "invalid_payload"),
        ("q=a&before=9999999999999999:x", "invalid_payload"),
        ("q=a&before=%D9%A1:x", "invalid_payload"),
    ],
)
async def test_bad_searches(server: ServerProcess, query: str, code: str) -> None:
    found = await request(server, "GET", f"/api/search?{query}", bearer=token(unique("user")))
    assert (found.status, found.code) == (400, code)


async def test_it_needs_a_token(server: ServerProcess) -> None:
    assert (await request(server, "GET", "/api/search?q=a")).code == "unauthorized"


async def test_too_many_at_once(server: ServerProcess) -> None:
    user_id = unique("user")
    answers = await asyncio.gather(*(search(server, user_id, "a") for _ in range(60)))
    assert {each.status for each in answers} == {200, 429}


async def test_it_is_the_same_after_a_restart(start: Start, connect: Connect, room: str) -> None:
    first = start()
    ann = await connect(first)
    await ann.join(room)
    await ann.send(room, "다시 찾기")
    assert len((await search(first, ann.user_id, "찾기")).body["hits"]) == 1
    await ann.leave()
    first.kill()
    first.start()
    assert len((await search(first, ann.user_id, "찾기")).body["hits"]) == 1
