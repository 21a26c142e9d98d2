"""The provider against a server that fails in every way there is."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import cast

import pytest
from structlog.testing import capture_logs
from tests.characters.openai.faulty import HEAD, Exchange, Script, faulty, for_ever

from rejoinder.characters import CharacterInfo, Delta, PastMessage, Prompt, Thought, Turn, Usage
from rejoinder.characters.openai import Endpoint, OpenAICharacter, Patience
from rejoinder.characters.openai.failures import SENTENCES
from rejoinder.errors import CharacterFailed
from rejoinder.testing.characters import check_character

INFO = CharacterInfo(id="sage", name="Sage")
KEY = "sk-very-secret-0123456789"
PATIENCE = Patience(first=5, between=5, tries=1)


def turn(text: str = "hello", *history: PastMessage) -> Turn:
    return Turn(room_id="room", message_id="m", user_id="kim", text=text, history=history)


def character(url: str, patience: Patience = PATIENCE, **options: object) -> OpenAICharacter:
    given = {"model": "m1", "key": KEY, "patience": patience, **options}
    return OpenAICharacter(INFO, Endpoint(base_url=url, **given))  # type: ignore[arg-type]


async def listen(asked: OpenAICharacter, about: Turn | None = None) -> list[Delta]:
    return [delta async for delta in asked.reply(about or turn())]


async def heard(
    url: str, patience: Patience = PATIENCE, **options: object
) -> tuple[list[Delta], str]:
    """What comes until it fails, and the sentence; nothing that must not be seen is in that or in the log."""
    speaker = character(url, patience, **options)
    deltas: list[Delta] = []

    async def read() -> None:
        async for delta in speaker.reply(turn()):
            deltas.append(delta)  # noqa: PERF401 - they count although it fails

    with capture_logs() as logs, pytest.raises(CharacterFailed) as failed:
        await read()
    await speaker.aclose()
    said = str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None
    (log,) = logs
    assert (log["character_id"], log["log_level"]) == ("sage", "warning")
    for inside in (KEY, "127.0.0.1", url.split(":")[2].removesuffix("/v1"), "leaked"):
        assert inside not in said
        assert inside not in repr(logs)
    return deltas, said


async def test_asks_as_it_was_told_and_passes_on_what_comes() -> None:
    async with faulty(lambda exchange: exchange.say("Hel", "lo", " 안녕")) as server:
        speaker = OpenAICharacter(
            INFO,
            Endpoint(
                base_url=f"{server.url}/",
                model="m1",
                key=KEY,
                max_tokens=77,
                temperature=0.2,
                extra={"top_p": 0.5},
                headers={"X-Title": "chat"},
            ),
            system_prompt="Be kind.",
        )
        history = (PastMessage("user", "kim", "hi"), PastMessage("character", "sage", "yes?"))
        assert await listen(speaker, turn("how are you?", *history)) == [
            "Hel", "lo", " 안녕", Usage(3, 2),
        ]  # fmt: skip
        await speaker.aclose()
        (asked,) = server.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["x-title"] == "chat"
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.body == {
        "model": "m1",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 77,
        "temperature": 0.2,
        "top_p": 0.5,
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "yes?"},
            {"role": "user", "content": "how are you?"},
        ],
    }


@pytest.mark.parametrize(
    ("goes_on", "last", "more"),
    [
        ("asked", "user", {}),
        ("prefilled", "assistant", {}),
        ("vllm", "assistant", {"add_generation_prompt": False, "continue_final_message": True}),
    ],
)
async def test_goes_on_with_an_answer(goes_on: str, last: str, more: dict[str, bool]) -> None:
    async with faulty(lambda exchange: exchange.say("a time")) as server:
        speaker = character(server.url, goes_on=goes_on)
        begun = replace(turn("tell me"), begun="Once upon")
        deltas = await listen(speaker, begun)
        await listen(speaker)
        await speaker.aclose()
        asked, other = server.asked
    assert deltas[0] == (" a time" if goes_on == "asked" else "a time")
    assert asked.body["messages"][1] == {"role": "assistant", "content": "Once upon"}
    assert asked.body["messages"][-1]["role"] == last
    fields = ("add_generation_prompt", "continue_final_message")
    assert {field: asked.body[field] for field in fields if field in asked.body} == more
    assert not set(fields) & other.body.keys()


async def test_tells_what_the_model_is_asked_before_it_answers() -> None:
    kept: list[Prompt] = []
    async with faulty(lambda exchange: exchange.refuse(500)) as server:
        speaker = character(server.url)
        with pytest.raises(CharacterFailed):
            await listen(speaker, replace(turn("how are you?"), on_prompt=kept.append))
        await speaker.aclose()
    assert kept == [Prompt(({"role": "user", "content": "how are you?"},), "m1")]


async def test_leaves_out_what_was_not_given() -> None:
    async with faulty(lambda exchange: exchange.say("yes")) as server:
        speaker = OpenAICharacter(
            INFO,
            Endpoint(
                base_url=server.url, ask_usage=False, max_tokens_field="max_completion_tokens"
            ),
        )
        assert await listen(speaker) == ["yes", Usage(3, 2)]
        await speaker.aclose()
        (asked,) = server.asked
    assert asked.body.keys() == {"messages", "stream", "max_completion_tokens"}
    assert "authorization" not in asked.headers


async def test_the_first_delta_does_not_wait_for_the_second() -> None:
    first_read = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        await exchange.delta("first")
        await first_read.wait()
        await exchange.delta(" second")
        await exchange.finish()

    async with faulty(script) as server:
        speaker = character(server.url)
        deltas = speaker.reply(turn())
        assert await anext(deltas) == "first"
        first_read.set()
        assert [delta async for delta in deltas] == [" second", Usage(3, 2)]
        await speaker.aclose()


async def test_answers_share_a_connection_one_after_the_other() -> None:
    async with faulty(lambda exchange: exchange.say("yes")) as server:
        speaker = character(server.url)
        for _ in range(3):
            await listen(speaker)
        assert server.connections == 1
        await speaker.aclose()


async def test_an_answer_without_usage() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        await exchange.delta("yes")
        await exchange.finish(usage=None)

    async with faulty(script) as server:
        speaker = character(server.url)
        assert await listen(speaker) == ["yes"]
        await speaker.aclose()


async def test_does_not_wait_long_for_a_usage_that_never_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rejoinder.characters.openai.character._USAGE_SECONDS", 0.05)

    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        await exchange.event({"choices": [{"delta": {"content": "yes"}, "finish_reason": "stop"}]})
        await for_ever(exchange)

    async with faulty(script) as server:
        speaker = character(server.url, Patience(first=50, between=50, tries=1))
        assert await listen(speaker) == ["yes"]
        await speaker.aclose()


@pytest.mark.parametrize(
    "events",
    [
        [
            {"content": "<think>hm, "},
            {"content": "a</thi"},
            {"content": "nk>\n\n"},
            {"content": "yes"},
        ],
        [{"reasoning_content": "hm"}, {"content": "yes"}],
        [{"reasoning": "hm", "content": ""}, {"content": "yes"}],
        [{"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}]}],
        [{"role": "assistant", "content": None}, {"content": "yes"}],
    ],
)
async def test_thoughts_are_not_text(events: list[object]) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        for delta in events:
            await exchange.event({"choices": [{"delta": delta}]})
        await exchange.finish()

    async with faulty(script) as server:
        speaker = character(server.url)
        assert await listen(speaker) == ["yes", Usage(3, 2)]
        await speaker.aclose()


@pytest.mark.parametrize(
    "events",
    [
        [{"content": "<think>h"}, {"content": "m</think>yes"}],
        [{"reasoning_content": "h"}, {"reasoning_content": "m"}, {"content": "yes"}],
        [{"reasoning": "hm", "reasoning_content": "hm"}, {"content": "yes"}],
        [{"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}]}],
        [
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
            {"content": "yes"},
        ],
        [{"reasoning_content": "hm"}, {"content": [{"type": "image"}]}, {"content": "yes"}],
    ],
)
async def test_thoughts_are_said_apart_where_they_may_be_shown(events: list[object]) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        for delta in events:
            await exchange.event({"choices": [{"delta": delta}]})
        await exchange.finish()

    async with faulty(script) as server:
        speaker = character(server.url, show_thoughts=True)
        deltas = await listen(speaker)
        await speaker.aclose()
    thoughts = [delta.text for delta in deltas if isinstance(delta, Thought)]
    assert "".join(thoughts) == "hm"
    assert deltas[len(thoughts) :] == ["yes", Usage(3, 2)]


# --- failures ------------------------------------------------------------------------------------

LEAK = {"error": {"message": f"leaked: bad key {KEY} at http://127.0.0.1/inside"}}


def refusing(status: int, body: object = LEAK, *headers: str) -> Script:
    return lambda exchange: exchange.refuse(status, body, *headers)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (refusing(400), "did not take this message"),
        (refusing(400, {"error": {"code": "context_length_exceeded"}}), "too long for Sage"),
        (refusing(401), "no access to its model"),
        (refusing(403), "no access to its model"),
        (refusing(404), "its model is not there any more"),
        (refusing(413), "too long for Sage"),
        (refusing(429), "Try again in a minute."),
        (refusing(429, LEAK, "Retry-After: 17"), "Try again in 17 seconds."),
        (refusing(429, LEAK, "Retry-After: -1"), "Try again in a minute."),
        (refusing(429, LEAK, "Retry-After: inf"), "Try again in a minute."),
        (refusing(429, LEAK, "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"), "in a minute."),
        (refusing(429, {"error": {"code": "insufficient_quota"}}), "no access to its model"),
        (refusing(500), "has a problem"),
        (refusing(503, "no JSON object"), "has a problem"),
        (refusing(302, None, "Location: http://127.0.0.1/inside"), "has a problem"),
        (refusing(500, "x" * 100_000), "has a problem"),
    ],
)
async def test_a_refusal_is_a_sentence(script: Script, says: str) -> None:
    async with faulty(script) as server:
        deltas, said = await heard(server.url)
        assert deltas == []
        assert says in said
        assert len(server.asked) == 1


async def test_nobody_there() -> None:
    async with faulty(for_ever) as server:
        url = server.url
    assert "can't be reached" in (await heard(url))[1]


@pytest.mark.parametrize("address", ["http://no-such-host.invalid/v1", "http://127.0.0.1:1/v1"])
async def test_an_address_where_nothing_can_be(address: str) -> None:
    speaker = character(address)
    with pytest.raises(CharacterFailed, match=r"^Sage can't be reached right now\."):
        await listen(speaker)
    await speaker.aclose()


async def hangs_up(exchange: Exchange) -> None:
    exchange.hang_up()


async def speaks_no_http(exchange: Exchange) -> None:
    await exchange.raw(b"what?\r\n\r\n")


@pytest.mark.parametrize("script", [hangs_up, speaks_no_http])
async def test_no_answer_at_all(script: Script) -> None:
    async with faulty(script) as server:
        assert "broke off" in (await heard(server.url))[1]


def after_some_text(*rest: bytes, hang_up: bool = False) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        await exchange.delta("Once ")
        await exchange.delta("upon")
        for content in rest:
            await exchange.chunk(content)
        if hang_up:
            exchange.hang_up()
        else:
            await exchange.raw(b"0\r\n\r\n")

    return script


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (after_some_text(), "broke off"),
        (after_some_text(hang_up=True), "broke off"),
        (after_some_text(b"data: {\n\n"), "can't be read"),
        (after_some_text(b"data: 5\n\n"), "can't be read"),
        (after_some_text(b'data: {"choices": 5}\n\n'), "can't be read"),
        (after_some_text(b'data: {"choices": [{"delta": {"content": 5}}]}\n\n'), "can't be read"),
        (after_some_text(b'data: {"choices": [{"finish_reason": 5}]}\n\n'), "can't be read"),
        (after_some_text(b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'), "can't be"),
        (after_some_text(b"data: " + b"[" * 100_000 + b"\n\n"), "can't be read"),
        (after_some_text(*[b"data: " + b"x" * 100_000] * 11), "can't be read"),
        (after_some_text(*[b"data: " + b"x" * 100_000 + b"\n"] * 11), "can't be read"),
        (after_some_text(b"data: " + json.dumps(LEAK).encode() + b"\n\n"), "has a problem"),
        (after_some_text(b'data: {"error": {"code": 429}}\n\n'), "is asked too much"),
        (after_some_text(b'data: {"choices": [{"finish_reason": "error"}]}\n\n'), "has a problem"),
        (
            after_some_text(b'data: {"choices": [{"finish_reason": "content_filter"}]}\n\n'),
            "because of its rules",
        ),
    ],
)
async def test_a_failure_in_the_middle_keeps_the_text_and_is_not_tried_again(
    script: Script, says: str
) -> None:
    async with faulty(script) as server:
        deltas, said = await heard(server.url, Patience(first=5, between=5, tries=3))
        assert deltas == ["Once ", "upon"]
        assert says in said
        assert len(server.asked) == 1


@pytest.mark.parametrize("texts", [(), ("",), (" \n",), ("<think>only a thought",)])
async def test_no_text_is_no_answer(texts: Sequence[str]) -> None:
    async with faulty(lambda exchange: exchange.say(*texts)) as server:
        assert "has no answer" in (await heard(server.url))[1]


def silent_after(*events: object) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        for event in events:
            await exchange.event(event)
        # Signs of life that are none of the answer: proxies send such comments.
        while not exchange.asked.closed.is_set():
            await exchange.chunk(b": still working\n\n")
            await asyncio.sleep(0.01)

    return script


ROLE = {"choices": [{"delta": {"role": "assistant", "content": ""}}]}
THOUGHT = {"choices": [{"delta": {"reasoning_content": "hm"}}]}
TEXT = {"choices": [{"delta": {"content": "Once"}}]}


@pytest.mark.parametrize(
    ("script", "patience", "text", "says"),
    [
        (for_ever, Patience(first=0.5, between=50), [], "did not begin to answer in time"),
        (silent_after(), Patience(first=0.5, between=50), [], "did not begin to answer in time"),
        (
            silent_after(ROLE),
            Patience(first=0.5, between=50),
            [],
            "did not begin to answer in time",
        ),
        (silent_after(THOUGHT), Patience(first=50, between=0.1), [], "fell silent"),
        (silent_after(TEXT), Patience(first=50, between=0.1), ["Once"], "fell silent"),
        (silent_after(TEXT), Patience(first=50, between=50, whole=0.5), ["Once"], "fell silent"),
    ],
)
async def test_silence_ends(
    script: Script, patience: Patience, text: list[Delta], says: str
) -> None:
    async with faulty(script) as server:
        deltas, said = await heard(server.url, patience)
        assert says in said
        assert deltas == text
        (asked,) = server.asked
        async with asyncio.timeout(5):
            await asked.closed.wait()


# --- again ---------------------------------------------------------------------------------------


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rejoinder.characters.openai.character._BACKOFF_SECONDS", 0.001)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("bad", [refusing(429), refusing(500), refusing(503), hangs_up])
async def test_tries_again_before_the_first_delta(bad: Script) -> None:
    async with faulty(bad, bad, lambda exchange: exchange.say("yes")) as server:
        speaker = character(server.url, Patience(first=5, tries=3))
        assert await listen(speaker) == ["yes", Usage(3, 2)]
        assert len(server.completions) == 3
        await speaker.aclose()


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize(
    ("bad", "tries"), [(refusing(500), 3), (refusing(401), 1), (refusing(400), 1)]
)
async def test_gives_up(bad: Script, tries: int) -> None:
    async with faulty(bad) as server:
        await heard(server.url, Patience(first=5, tries=3))
        assert len(server.completions) == tries


async def test_waits_as_long_as_it_is_told_but_not_longer_than_people_would() -> None:
    async def good(exchange: Exchange) -> None:
        await exchange.say("yes")

    async with faulty(refusing(429, None, "Retry-After: 0.2"), good) as server:
        speaker = character(server.url, Patience(first=5, tries=2))
        began = asyncio.get_running_loop().time()
        assert await listen(speaker) == ["yes", Usage(3, 2)]
        assert asyncio.get_running_loop().time() - began >= 0.2
        await speaker.aclose()
    async with faulty(refusing(429, None, "Retry-After: 6"), good) as server:
        began = asyncio.get_running_loop().time()
        assert "in 6 seconds" in (await heard(server.url, Patience(first=5, tries=2)))[1]
        assert asyncio.get_running_loop().time() - began < 3
        assert len(server.completions) == 1


async def test_a_thought_is_a_beginning() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        await exchange.event(THOUGHT)
        exchange.hang_up()

    async with faulty(script) as server:
        await heard(server.url, Patience(first=5, tries=3))
        assert len(server.completions) == 1


# --- stopping ------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [for_ever, silent_after(TEXT)])
async def test_stopping_closes_the_request(script: Script) -> None:
    async with faulty(script) as server:
        speaker = character(server.url, Patience(first=50, between=50))
        reading = asyncio.create_task(listen(speaker))
        async with asyncio.timeout(5):
            while not server.asked:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)
            assert not server.asked[0].closed.is_set()
            reading.cancel()
            await asyncio.wait([reading])
            await server.asked[0].closed.wait()
        assert reading.cancelled()
        await speaker.aclose()


async def test_closing_an_answer_closes_the_request() -> None:
    async with faulty(silent_after(TEXT)) as server:
        speaker = character(server.url)
        deltas = cast("AsyncGenerator[Delta]", speaker.reply(turn()))
        assert await anext(deltas) == "Once"
        await deltas.aclose()
        async with asyncio.timeout(5):
            await server.asked[0].closed.wait()
        await speaker.aclose()


@pytest.mark.parametrize(
    "script", [for_ever, silent_after(TEXT), refusing(503, None, "Retry-After: 9")]
)
async def test_closing_the_character_ends_its_answers(script: Script) -> None:
    async with faulty(script) as server:
        speaker = character(server.url, Patience(first=50, between=50, tries=2))
        reading = asyncio.create_task(listen(speaker))
        async with asyncio.timeout(5):
            while not server.asked:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)
            await speaker.aclose()
            with pytest.raises(CharacterFailed, match="because Sage is leaving"):
                await reading
    with pytest.raises(CharacterFailed, match="because Sage is leaving"):
        await listen(speaker)


# --- the rest ------------------------------------------------------------------------------------


async def test_does_what_every_character_must_do() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        for word in exchange.asked.body["messages"][-1]["content"].split() or ["…"]:
            await exchange.delta(f"{word} ")
        await exchange.finish()

    async with faulty(script) as server:

        async def make() -> OpenAICharacter:
            return character(server.url)

        await check_character(make)


async def test_too_much_to_be_told() -> None:
    async with faulty(for_ever) as server:
        speaker = OpenAICharacter(
            INFO,
            Endpoint(base_url=server.url, context_tokens=256, max_tokens=100),
            system_prompt="word " * 200,
        )
        with pytest.raises(CharacterFailed, match="What Sage was told to be leaves no room"):
            await listen(speaker)
        assert not server.completions
        await speaker.aclose()


async def test_speaks_korean() -> None:
    assert SENTENCES["en"].keys() == SENTENCES["ko"].keys()
    async with faulty(refusing(429, None, "Retry-After: 9")) as server:
        endpoint = Endpoint(base_url=server.url, patience=PATIENCE)
        speaker = OpenAICharacter(INFO, endpoint, locale="ko")
        with pytest.raises(CharacterFailed, match=r"지금은 Sage에게 요청이 너무 많습니다. 9초 후"):
            await listen(speaker)
        await speaker.aclose()


def test_the_key_is_not_shown() -> None:
    endpoint = Endpoint(base_url="http://a/v1", key=KEY, headers={"X-Key": KEY})
    assert KEY not in repr(endpoint)
