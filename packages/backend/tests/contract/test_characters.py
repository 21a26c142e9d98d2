"""Characters that an operator described, through a real server: what an endpoint does is what people see."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.characters.cards.samples import V3, picture
from tests.characters.openai.faulty import HEAD, Exchange, faulty, for_ever
from tests.support import schema
from tests.support.chat import Chat, Connect
from tests.support.process import OPERATOR, Start, run
from tests.support.rest import request
from tests.support.tokens import token

KEY = "sk-very-secret-0123456789"
FILE = """
[endpoints.main]
base_url = "{url}"
key_env = "MAIN_KEY"
patience = {{ tries = 1 }}

[cards]
endpoint = "main"

[[characters]]
id = "sage"
name = "Sage"
endpoint = "main"
"""


async def good(exchange: Exchange) -> None:
    await exchange.say("Yes", ", of ", "course.")


async def breaks_off(exchange: Exchange) -> None:
    await exchange.raw(HEAD)
    await exchange.delta("Well, ")
    exchange.hang_up()


async def stays(exchange: Exchange) -> None:
    await exchange.raw(HEAD)
    await exchange.delta("Once")
    await for_ever(exchange)


async def thinks(exchange: Exchange) -> None:
    await exchange.raw(HEAD)
    for thought in ("They ", "greet me."):
        await exchange.event({"choices": [{"delta": {"reasoning_content": thought}}]})
    await exchange.delta("Hello.")
    await exchange.finish()


async def test_an_endpoint_speaks_fails_and_is_stopped(
    start: Start, connect: Connect, room: str, tmp_path: Path
) -> None:
    async with faulty(good, breaks_off, stays, good) as endpoint:
        described = tmp_path / "characters.toml"
        described.write_text(FILE.format(url=endpoint.url), encoding="utf-8")
        server = await asyncio.to_thread(
            start, "--characters", str(described), env={"MAIN_KEY": KEY}
        )
        kim = await connect(server)
        await kim.join(room, characterId="sage")

        ack = await kim.ask(room, "Do you know?", characterId="sage")
        first = await kim.sees("message:stream:start", replyTo=ack["messageId"])
        end = await kim.sees("message:stream:end", messageId=first["messageId"])
        assert (end["content"], end["state"]) == ("Yes, of course.", "complete")
        assert end["usage"] == {"promptTokens": 3, "completionTokens": 2}
        assert endpoint.asked[0].headers["authorization"] == f"Bearer {KEY}"

        ack = await kim.ask(room, "And that?", characterId="sage")
        start_ = await kim.sees("message:stream:start", replyTo=ack["messageId"])
        error = await kim.sees("message:stream:error", messageId=start_["messageId"])
        assert (error["content"], error["code"]) == ("Well, ", "character_failed")
        assert error["error"] == "The answer of Sage broke off. Try again."
        assert [message["content"] for message in endpoint.asked[1].body["messages"]] == [
            "Do you know?", "Yes, of course.", "And that?",
        ]  # fmt: skip

        ack = await kim.ask(room, "A story?", characterId="sage")
        start_ = await kim.sees("message:stream:start", replyTo=ack["messageId"])
        await kim.sees("message:stream:chunk", messageId=start_["messageId"])
        assert not endpoint.asked[2].closed.is_set()
        stop = {"roomId": room, "messageId": start_["messageId"]}
        await kim.done("message:stream:stop", stop)
        async with asyncio.timeout(1):
            await endpoint.asked[2].closed.wait()
        end = await kim.sees("message:stream:end", messageId=start_["messageId"])
        assert (end["content"], end["state"]) == ("Once", "stopped")

        states = [(each["content"], each["state"]) for each in await kim.history(room)]
        assert states[1::2] == [
            ("Yes, of course.", "complete"), ("Well, ", "failed"), ("Once", "stopped"),
        ]  # fmt: skip
        assert "an endpoint gave no whole answer" in server.log
        for inside in (KEY, endpoint.url.removesuffix("/v1")):
            assert inside not in server.log


@pytest.mark.receives("message:stream:thought")
async def test_a_model_s_thoughts_are_shown_only_where_the_operator_says_so(
    start: Start, connect: Connect, room: str, tmp_path: Path
) -> None:
    async with faulty(thinks) as endpoint:
        described = tmp_path / "characters.toml"
        shy = FILE.format(url=endpoint.url)
        open_ = (
            '[[characters]]\nid = "open"\nname = "Open"\nendpoint = "main"\nshow_thoughts = true\n'
        )
        described.write_text(shy + open_, encoding="utf-8")
        server = await asyncio.to_thread(
            start, "--characters", str(described), env={"MAIN_KEY": KEY}
        )
        kim = await connect(server)
        await kim.join(room)
        begun: dict[str, Any] = {}
        for character_id in ("sage", "open"):
            ack = await kim.ask(room, "Hi!", characterId=character_id)
            begun = await kim.sees("message:stream:start", replyTo=ack["messageId"])
            end = await kim.sees("message:stream:end", messageId=begun["messageId"])
            assert end["content"] == "Hello."
        thoughts = kim.all("message:stream:thought")
        assert "".join(each["delta"] for each in thoughts) == "They greet me."
        assert {each["messageId"] for each in thoughts} == {begun["messageId"]}
        assert "They greet me." not in str(await kim.history(room))


PROMPT = "/api/rooms/{}/messages/{}/prompt"


async def answered(person: Chat, room: str, content: str, **fields: object) -> str:
    """Ask and have the answer written; the answer's id."""
    ack = await person.ask(room, content, **fields)
    begun = await person.sees("message:stream:start", replyTo=ack["messageId"])
    answer_id: str = begun["messageId"]
    await person.sees("message:stream:end", messageId=answer_id)
    return answer_id


async def test_who_asked_sees_what_the_model_was_asked_and_nobody_else_does(
    start: Start, connect: Connect, room: str, tmp_path: Path
) -> None:
    async with faulty(good) as endpoint:
        described = tmp_path / "characters.toml"
        told = 'system_prompt = "You are Sage."\nmodel = "m1"\n'
        described.write_text(FILE.format(url=endpoint.url) + told, encoding="utf-8")
        flags, env = ("--characters", str(described)), {"MAIN_KEY": KEY}
        server = await asyncio.to_thread(start, *flags, env=env)
        assert (await request(server, "GET", "/api/info")).body["prompts"] is True
        kim, lee = await connect(server), await connect(server)
        for person in (kim, lee):
            await person.join(room, characterId="sage")
        first = await answered(kim, room, "Do you know?", characterId="sage")
        second = await answered(kim, room, "And that?", characterId="sage")
        bearer = token(kim.user_id)
        shown = await request(server, "GET", PROMPT.format(room, second), bearer=bearer)
        assert schema.problems({"$ref": "#/$defs/AnswerPrompt"}, shown.body) == []
        assert shown.body == {
            "messages": endpoint.asked[1].body["messages"],
            "model": "m1",
            "usage": {"promptTokens": 3, "completionTokens": 2},
        }
        assert shown.body["messages"][0] == {"role": "system", "content": "You are Sage."}
        older = await request(server, "GET", PROMPT.format(room, first), bearer=bearer)
        assert older.body["messages"] == endpoint.asked[0].body["messages"]

        other = await request(server, "GET", PROMPT.format(room, second), bearer=token(lee.user_id))
        assert (other.status, other.code) == (403, "forbidden")
        nobody = await request(server, "GET", PROMPT.format(room, second))
        assert nobody.code == "unauthorized"
        unknown = await request(server, "GET", PROMPT.format(room, "unknown"), bearer=bearer)
        assert (unknown.status, unknown.code) == (404, "not_found")
        assert "not kept" in unknown.body["error"]
        await kim.done("message:delete", {"roomId": room, "messageId": second})
        gone = await request(server, "GET", PROMPT.format(room, first), bearer=bearer)
        assert gone.code == "not_found", "a prompt may hold what was deleted"
        third = await answered(kim, room, "Once more?", characterId="sage")
        await request(server, "DELETE", f"/api/rooms/{room}", bearer=bearer)
        operator = await request(server, "GET", PROMPT.format(room, third), bearer=OPERATOR)
        assert operator.code == "not_found", "nothing is left of a room that was deleted"


@pytest.mark.parametrize(("policy", "seen"), [("operator", 200), ("nobody", 403)])
async def test_prompts_may_be_the_operator_s_alone_or_nobody_s(
    start: Start, connect: Connect, room: str, policy: str, seen: int
) -> None:
    env = {"REJOINDER_OPERATOR_TOKEN": "the operator's own token"}
    server = await asyncio.to_thread(start, "--prompts", policy, env=env)
    assert "prompts" not in (await request(server, "GET", "/api/info")).body
    kim = await connect(server)
    await kim.join(room, characterId="echo")
    answer = await answered(kim, room, "Hello?")
    path = PROMPT.format(room, answer)
    assert (await request(server, "GET", path, bearer=token(kim.user_id))).code == "forbidden"
    # A test character has no model that would be asked anything.
    operator = await request(server, "GET", path, bearer=env["REJOINDER_OPERATOR_TOKEN"])
    assert operator.status == (404 if seen == 200 else seen)


async def test_an_imported_card_is_a_character(
    start: Start, connect: Connect, room: str, tmp_path: Path
) -> None:
    async with faulty(good) as endpoint:
        described, card = tmp_path / "characters.toml", tmp_path / "ada.png"
        described.write_text(FILE.format(url=endpoint.url), encoding="utf-8")
        card.write_bytes(picture((b"ccv3", V3)))
        # The folder that the fixture gives to the first server.
        folder = str(tmp_path / "0" / "data")
        imported = await asyncio.to_thread(
            run, "character", "import", str(card), "--data-dir", folder
        )
        assert imported.stdout == "Ada is kept: ada\n"
        server = await asyncio.to_thread(
            start, "--characters", str(described), env={"MAIN_KEY": KEY}
        )
        listed = {
            each["id"]: each for each in (await request(server, "GET", "/api/characters")).body
        }
        assert listed["ada"] == {
            "id": "ada",
            "name": "Ada",
            "description": "<script>alert(1)</script> Best in the evening.",
            "greeting": "Hello you, hand me that wheel.",
            "card": True,
        }
        kim = await connect(server)
        await kim.join(room, characterId="ada")
        ack = await kim.ask(room, "How is the engine?", characterId="ada")
        begun = await kim.sees("message:stream:start", replyTo=ack["messageId"])
        await kim.sees("message:stream:end", messageId=begun["messageId"])
        messages = endpoint.asked[0].body["messages"]
        assert [message["role"] for message in messages] == [
            "system",
            "assistant",
            "user",
            "system",
        ]
        assert "The engine has 25,000 parts." in messages[0]["content"]
        assert messages[1]["content"] == "Hello Kim, hand me that wheel."


async def test_a_wrong_file_keeps_the_server_from_starting(tmp_path: Path) -> None:
    described = tmp_path / "characters.toml"
    described.write_text('[cards]\nendpoint = "main"', encoding="utf-8")
    ended = await asyncio.to_thread(
        run, "serve", "--no-model", "--data-dir", str(tmp_path), "--characters", str(described)
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"rejoinder: {described}: There is no endpoint 'main'")
