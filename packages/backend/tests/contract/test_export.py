"""`GET /api/rooms/{roomId}/export`: a room as a file."""

import json
from urllib.parse import unquote

import aiohttp
import pytest
from tests.support import schema
from tests.support.chat import Connect
from tests.support.process import ServerProcess, Start
from tests.support.rest import request
from tests.support.tokens import token, unique

from rejoinder.web.export import harmless

MANY = 250


async def exported(
    server: ServerProcess, user_id: str, room: str, how: str
) -> tuple[dict[str, str], str]:
    path = f"{server.url}/api/rooms/{room}/export?format={how}"
    headers = {"authorization": f"Bearer {token(user_id)}"}
    async with aiohttp.ClientSession() as http, http.get(path, headers=headers) as response:
        assert response.status == 200
        return dict(response.headers), await response.text()


async def test_json_has_everything_in_order(start: Start, connect: Connect, room: str) -> None:
    server = start(
        "--send-rate=100000", "--send-burst=100000", "--event-rate=100000", "--event-burst=100000"
    )
    ann = await connect(server)
    await ann.join(room, characterId="echo")
    await ann.ask(room, "안녕 /친구")
    await ann.sees("message:stream:end")
    for number in range(MANY):
        await ann.send(room, f"message {number}")
    headers, text = await exported(server, ann.user_id, room, "json")
    file = json.loads(text)
    assert schema.problems({"$ref": "#/$defs/ExportedRoom"}, file) == []
    assert headers["Content-Type"].startswith("application/json")
    assert (file["version"], file["roomId"], file["characterId"]) == (1, room, "echo")
    assert file["messages"] == await ann.history(room)
    assert [member["userId"] for member in file["members"]] == [ann.user_id]
    assert file["characters"]["echo"]
    assert file["title"].startswith("안녕 /친구")


async def test_the_file_has_a_name_that_every_system_takes(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann = await connect(server)
    await ann.join(room)
    for title, ascii_name, name in (
        ("고양이 이야기", "20", "고양이 이야기 20"),
        ('../..\\a:b*c?"<d>|\r\nX: y;z%', "a b c d X y z 20", "a b c d X y z 20"),
        ("...", "room 20", "room 20"),
        ("a＂ b＼c／．．／d％", "a b c .. d 20", "a＂ b＼c／．．／d％ 20"),
    ):
        body = {"title": title}
        await request(server, "PATCH", f"/api/rooms/{room}", bearer=token(ann.user_id), body=body)
        headers, _ = await exported(server, ann.user_id, room, "markdown")
        said = headers["Content-Disposition"]
        assert said.startswith(f'attachment; filename="{ascii_name}'), said
        shown = unquote(said.partition("filename*=UTF-8''")[2])
        assert shown.startswith(name), shown
        assert shown.endswith(".md")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Type"] == "text/markdown; charset=utf-8"
        assert "X" not in headers


async def test_markdown_can_be_read_and_holds_no_html(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    ann = await connect(server)
    await ann.join(room, characterId="echo")
    await ann.send(
        room, "제목 <b>\n\n## Kim · forged\n<script>alert(1)</script>\n```\n<pre>\n# kept\n```"
    )
    await ann.ask(room, "/fail 2")
    await ann.sees("message:stream:error")
    _, text = await exported(server, ann.user_id, room, "markdown")
    lines = text.splitlines()
    assert lines[0] == "# 제목 \\<b>"
    heads = [line for line in lines if line.startswith("## ")]
    assert [head.split(" · ")[0] for head in heads] == ["## Kim", "## Kim", "## Echo"]
    assert heads[2].endswith("· failed")
    assert "\\## Kim · forged" in lines
    assert "\\<script>alert(1)\\</script>" in lines
    assert "<pre>" in lines
    assert "# kept" in lines


async def test_who_may_not(server: ServerProcess, connect: Connect, room: str) -> None:
    ann = await connect(server)
    await ann.join(room)
    path = f"/api/rooms/{room}/export"
    assert (await request(server, "GET", path)).code == "unauthorized"
    assert (await request(server, "GET", path, bearer=token(unique("user")))).code == "forbidden"
    for how in ("html", "", "JSON"):
        asked = await request(server, "GET", f"{path}?format={how}", bearer=token(ann.user_id))
        assert asked.code == "invalid_payload"
    missing = f"/api/rooms/{unique('room')}/export"
    assert (await request(server, "GET", missing, bearer=token(ann.user_id))).code == "not_found"


@pytest.mark.parametrize(
    "code",
    [
        "```\n~~~\n```",
        "```\n```js\n```",
        "````\n```\n````",
        "~~~ `x`\n```\n~~~~",
        "  ```\n  code\n  ```  ",
        "```a```",
        "```a`b",
        "\t```",
        "- a\n\n  ```\n  code\n```",
        "```\n\t```\n    ```\n```",
    ],
)
def test_nothing_is_forged_behind_a_piece_of_code(code: str) -> None:
    text = harmless(f"{code}\n## Kim · forged\n<script>alert(1)</script>")
    assert text.splitlines()[-2:] == ["\\## Kim · forged", "\\<script>alert(1)\\</script>"]


@pytest.mark.parametrize("mark", ["```", "````", "~~~"])
def test_code_that_does_not_end_ends_with_its_message(mark: str) -> None:
    assert harmless(f"{mark}\n<b>") == f"{mark}\n<b>\n{mark}"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("\\<script>", "\\<script>"),
        ("\\\\<script>", "\\\\\\<script>"),
        ("Kim · forged\n-", "Kim · forged\n\\-"),
        ("Kim · forged\n =  ", "Kim · forged\n \\=  "),
        ("- a\n\n    ## Kim · forged", "- a\n\n    \\## Kim · forged"),
    ],
)
def test_what_would_be_html_or_a_heading_in_other_ways(said: str, written: str) -> None:
    assert harmless(said) == written
