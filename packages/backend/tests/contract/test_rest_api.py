"""The HTTP interface: guests, characters, rooms, members, health; its errors are JSON with a code."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from tests.support import schema
from tests.support.chat import Chat, Connect
from tests.support.process import ServerProcess, Start
from tests.support.rest import request
from tests.support.tokens import token, unique

INSIDE = ("Traceback", "rejoinder.", "sqlite", ".py", "msgspec", "site-packages")


async def test_healthz_and_readyz(server: ServerProcess) -> None:
    for path in ("/healthz", "/readyz"):
        answer = await request(server, "GET", path)
        assert answer.status == 200


async def test_a_guest_is_given_a_token(server: ServerProcess) -> None:
    answer = await request(server, "POST", "/api/guest", body={"name": "  Kim\t\n 김  "})
    assert answer.status == 200
    assert schema.problems({"$ref": "#/$defs/GuestToken"}, answer.body) == []
    assert answer.body.keys() == {"token", "userId", "name"}
    assert answer.body["name"] == "Kim 김"
    again = await request(server, "POST", "/api/guest", body={"name": "Kim 김"})
    assert again.body["userId"] != answer.body["userId"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"name":""}',
        b'{"name":null}',
        b'{"name":7}',
        b'{"name":"\\n\\t "}',
        b'{"name":"x","admin":true}',
        json.dumps({"name": "a" * 65}).encode(),
        b"[" * 50_000,
        b"\xff\xfe",
        b'{"name":"\\ud800"}',
    ],
    ids=lambda raw: repr(raw[:20]),
)
async def test_a_bad_name_is_invalid(start: Start, server: ServerProcess, raw: bytes) -> None:
    answer = await request(server, "POST", "/api/guest", raw=raw)
    assert (answer.status, answer.code) == (400, "invalid_payload")
    assert not any(word in answer.body["error"] for word in INSIDE)


async def test_a_big_body_is_too_large(server: ServerProcess) -> None:
    answer = await request(server, "POST", "/api/guest", raw=b"a" * 1_000_000)
    assert (answer.status, answer.code) == (413, "too_large")


async def test_guests_are_limited_and_may_be_off(start: Start) -> None:
    server = start("--guest-burst=2", "--guest-rate=0.1")
    body = {"name": "Kim"}
    answers = [await request(server, "POST", "/api/guest", body=body) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].code == "rate_limited"
    assert answers[2].body["retryAfterMs"] > 0
    closed = start("--no-guests")
    answer = await request(closed, "POST", "/api/guest", body=body)
    assert (answer.status, answer.code) == (403, "forbidden")


async def test_characters_are_listed(server: ServerProcess) -> None:
    answer = await request(server, "GET", "/api/characters")
    assert answer.status == 200
    assert "echo" in [character["id"] for character in answer.body]
    for character in answer.body:
        assert schema.problems({"$ref": "#/$defs/CharacterSummary"}, character) == []
    # It asks no model anything: a page need not offer to show what it was asked.
    assert [each["prompts"] for each in answer.body if each["id"] == "echo"] == [False]


async def test_one_s_own_rooms_are_listed_newest_first(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    other = unique("room")
    await alice.join(other)
    await bob.join(unique("room"))
    sent = await alice.send(other, "newest")
    answer = await request(server, "GET", "/api/rooms", bearer=token(alice.user_id))
    assert schema.problems({"$ref": "#/$defs/RoomList"}, answer.body) == []
    assert [each["roomId"] for each in answer.body["rooms"]] == [other, room]
    newest = answer.body["rooms"][0]
    assert (newest["lastMessage"]["id"], newest["lastSeq"], newest["readSeq"]) == (
        sent["messageId"],
        1,
        0,
    )


async def test_what_is_unread_is_counted(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    ids = [(await bob.send(room, f"{n}"))["messageId"] for n in range(3)]
    await alice.send(room, "one's own is not counted")

    async def unread(chat: Chat) -> int:
        answer = await request(server, "GET", "/api/rooms", bearer=token(chat.user_id))
        assert schema.problems({"$ref": "#/$defs/RoomList"}, answer.body) == []
        return int(answer.body["rooms"][0]["unread"])

    assert (await unread(alice), await unread(bob)) == (3, 1)
    await alice.done("messages:read", {"roomId": room, "messageId": ids[1]})
    assert (await unread(alice), await unread(bob)) == (1, 1)


async def test_too_many_changes_of_oneself_are_refused(server: ServerProcess) -> None:
    bearer, body = token(unique("user")), {"hideLastSeen": True}
    answers = await asyncio.gather(
        *(request(server, "PUT", "/api/me", bearer=bearer, body=body) for _ in range(60))
    )
    assert {each.status for each in answers} == {200, 429}
    assert {each.code for each in answers if each.status == 429} == {"rate_limited"}
    other = await request(server, "PUT", "/api/me", bearer=token(unique("user")), body=body)
    assert other.status == 200


async def test_one_may_hide_when_one_was_last_seen(
    start: Start, connect: Connect, room: str
) -> None:
    server = start("--presence-grace=0.2")
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    bearer = token(alice.user_id)

    async def me(method: str = "GET", body: object = None) -> object:
        answer = await request(server, method, "/api/me", bearer=bearer, body=body)
        assert answer.status == 200, answer
        assert schema.problems({"$ref": "#/$defs/Me"}, answer.body) == []
        return answer.body["hideLastSeen"]

    async def listed() -> dict[str, Any]:
        path = f"/api/rooms/{room}/members"
        answer = await request(server, "GET", path, bearer=token(bob.user_id))
        assert schema.problems({"$ref": "#/$defs/MemberList"}, answer.body) == []
        members: list[dict[str, Any]] = answer.body["members"]
        return next(each for each in members if each["userId"] == alice.user_id)

    assert await me() is False
    assert (await listed())["status"] == "online"
    assert "lastSeen" in await listed()
    assert await me("PUT", {"hideLastSeen": True}) is True
    assert await me("PUT", {}) is True
    assert await me() is True
    await bob.until(lambda: bool(bob.all("presence:changed", userId=alice.user_id)))
    await alice.lose()
    offline = await bob.sees("presence:changed", userId=alice.user_id, status="offline")
    assert "lastSeen" not in offline
    assert (await listed()).keys() == {"userId", "status", "name"}
    refused = await request(server, "PUT", "/api/me", bearer=bearer, body={"hideLastSeen": "yes"})
    assert (refused.status, refused.code) == (400, "invalid_payload")
    await bob.leave()

    server.stop()
    server.start()
    assert await me() is True
    assert (await listed()).keys() == {"userId", "status", "name"}
    assert await me("PUT", {"hideLastSeen": False}) is False
    again = await listed()
    assert again["status"] == "offline"
    assert "lastSeen" in again, "who was seen before this server has started"


async def test_members_come_in_pages(server: ServerProcess, connect: Connect, room: str) -> None:
    alice = await connect(server)
    await alice.join(room)
    path, bearer = f"/api/rooms/{room}/members", token(alice.user_id)
    names = [alice.user_id, *(f"user {number}: {room}" for number in range(4))]
    for name in names[1:]:
        await request(server, "PUT", f"{path}/{name}", bearer=bearer)
    everybody = (await request(server, "GET", path, bearer=bearer)).body
    assert everybody.keys() == {"members"}
    assert [each["userId"] for each in everybody["members"]] == names
    seen: list[str] = []
    query = "limit=2"
    while query:
        page = (await request(server, "GET", f"{path}?{query}", bearer=bearer)).body
        assert schema.problems({"$ref": "#/$defs/MemberList"}, page) == []
        seen += [each["userId"] for each in page["members"]]
        query = f"limit=2&after={quote(page['next'])}" if page.get("hasMore") else ""
    assert seen == names
    for wrong in ("limit=0", "limit=x", "after=x", "after=:x", "after=1:", "after=-1:x"):
        refused = await request(server, "GET", f"{path}?{wrong}", bearer=bearer)
        assert refused.code == "invalid_payload", wrong


async def test_members_are_listed_for_members(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    path = f"/api/rooms/{room}/members"
    answer = await request(server, "GET", path, bearer=token(alice.user_id))
    assert schema.problems({"$ref": "#/$defs/MemberList"}, answer.body) == []
    assert [member["userId"] for member in answer.body["members"]] == [alice.user_id]
    stranger = await request(server, "GET", path, bearer=token(unique("user")))
    assert (stranger.status, stranger.code) == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/me"),
        ("PUT", "/api/me"),
        ("GET", "/api/rooms"),
        ("POST", "/api/rooms"),
        ("GET", "/api/rooms/x/members"),
        ("PUT", "/api/rooms/x/members/y"),
        ("DELETE", "/api/rooms/x/members/y"),
    ],
)
@pytest.mark.parametrize("bearer", ["", "forged", token("x", expires_in=-60)])
async def test_without_a_valid_token_it_is_unauthorized(
    server: ServerProcess, method: str, path: str, bearer: str
) -> None:
    answer = await request(server, method, path, bearer=bearer, body={})
    assert (answer.status, answer.code) == (401, "unauthorized")


async def test_rooms_are_made_by_their_maker_s_wishes(server: ServerProcess, room: str) -> None:
    bearer = token(unique("user"))
    body = {"roomId": room, "characterId": "echo"}
    made = await request(server, "POST", "/api/rooms", bearer=bearer, body=body)
    assert (made.status, made.body["roomId"], made.body["characterId"]) == (201, room, "echo")
    again = await request(server, "POST", "/api/rooms", bearer=bearer, body=body)
    assert again.status == 200
    nameless = await request(server, "POST", "/api/rooms", bearer=bearer, body={})
    assert nameless.status == 201
    assert nameless.body["roomId"]
    unknown = {"characterId": unique("nobody")}
    answer = await request(server, "POST", "/api/rooms", bearer=bearer, body=unknown)
    assert (answer.status, answer.code) == (404, "not_found")
    for bad in ({"roomId": "a\nb"}, {"roomId": 7}, {"unknown": 1}, {"roomId": None}):
        answer = await request(server, "POST", "/api/rooms", bearer=bearer, body=bad)
        assert (answer.status, answer.code) == (400, "invalid_payload")


async def test_what_is_not_there_is_not_found_as_json(server: ServerProcess) -> None:
    for path in ("/api/nothing", "/api/", "/api/rooms/x/y/z"):
        answer = await request(server, "GET", path)
        assert (answer.status, answer.code) == (404, "not_found")


async def test_bad_ids_in_a_path_are_invalid(server: ServerProcess) -> None:
    bearer = token(unique("user"))
    for bad in ("a%0Db", "a" * 129, "%00", "a%E2%80%A8b"):
        answer = await request(server, "GET", f"/api/rooms/{bad}/members", bearer=bearer)
        assert (answer.status, answer.code) == (400, "invalid_payload")


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_a_wrong_method_is_told_as_json(server: ServerProcess, method: str) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, f"{server.url}/api/info") as answer,
    ):
        assert answer.status in {404, 405}
        assert answer.content_type == "application/json"
        assert (await answer.json())["success"] is False
