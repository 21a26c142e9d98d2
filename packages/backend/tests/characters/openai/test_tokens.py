"""How a prompt is measured, by whatever the endpoint offers."""

from collections.abc import Callable

import pytest
from tests.characters.openai.faulty import Exchange, Script, faulty, for_ever

from rejoinder.characters import CharacterInfo, PastMessage, Turn
from rejoinder.characters.openai import Endpoint, OpenAICharacter, transport as module
from rejoinder.characters.openai.tokens import at_most

LLAMA = "/v1/chat/completions/input_tokens"
VLLM = "/tokenize"
LONG = Turn(
    room_id="room",
    message_id="m",
    user_id="kim",
    text="and now?",
    history=tuple(
        PastMessage("character" if number % 2 else "user", "x", f"{number}:" + "word " * 20)
        for number in range(50)
    ),
)


def counting(field: str, tokens: Callable[[int], object]) -> Script:
    """Counts words, less or more honestly."""

    async def script(exchange: Exchange) -> None:
        words = sum(len(message["content"].split()) for message in exchange.asked.body["messages"])
        await exchange.refuse(200, {field: tokens(words)})

    return script


async def kept(
    others: dict[str, Script], answers: int = 1, **options: object
) -> tuple[int, list[str]]:
    """How many messages the prompt has, and what was asked besides."""
    async with faulty(lambda exchange: exchange.say("yes")) as server:
        server.others = others
        endpoint = Endpoint(
            base_url=server.url,
            model="m1",
            context_tokens=1256,
            max_tokens=256,
            **options,  # type: ignore[arg-type]
        )
        character = OpenAICharacter(CharacterInfo(id="sage", name="Sage"), endpoint)
        for _ in range(answers):
            _ = [delta async for delta in character.reply(LONG)]
        await character.aclose()
        last = server.completions[-1].body["messages"]
        assert last[-1]["content"] == "and now?"
        paths = [asked.path for asked in server.asked if asked not in server.completions]
        return len(last), paths


async def test_the_endpoint_counts_if_it_can() -> None:
    # 1000 tokens: all of it in words of 20 a message would be 1002, and the cut is to 600.
    messages, paths = await kept({LLAMA: counting("input_tokens", lambda words: words)})
    assert messages == 1 + 29
    assert set(paths) == {LLAMA}
    messages, paths = await kept({VLLM: counting("count", lambda words: words)})
    assert messages == 1 + 29
    assert paths.count(LLAMA) == 1
    assert paths.count(VLLM) > 3


@pytest.mark.parametrize(
    "others",
    [
        {},
        {LLAMA: counting("input_tokens", lambda _: "many")},
        {LLAMA: counting("input_tokens", lambda _: 0), VLLM: counting("tokens", lambda _: 3)},
        {LLAMA: lambda exchange: exchange.refuse(200, [1])},
        {LLAMA: lambda exchange: exchange.refuse(200)},
        {LLAMA: lambda exchange: exchange.refuse(401)},
    ],
)
async def test_where_it_cannot_a_byte_is_a_token_and_it_is_asked_once(
    others: dict[str, Script],
) -> None:
    messages, paths = await kept(others, answers=3)
    assert messages == 1 + 4
    assert sorted(paths) == [VLLM, LLAMA]


async def test_where_it_does_not_right_now_it_is_asked_again_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_BODY_SECONDS", 0.05)

    async def fails(exchange: Exchange) -> None:
        await exchange.refuse(500)

    for script in (fails, for_ever):
        messages, paths = await kept({LLAMA: script}, answers=2)
        assert messages == 1 + 4
        assert len(paths) > 2
        assert set(paths) == {LLAMA}


async def test_it_is_not_asked_where_that_is_switched_off() -> None:
    answer = counting("input_tokens", lambda words: words)
    messages, paths = await kept({LLAMA: answer}, ask_tokens=False)
    assert messages == 1 + 4
    assert paths == []


async def test_a_short_prompt_need_not_be_counted() -> None:
    async with faulty(lambda exchange: exchange.say("yes")) as server:
        character = OpenAICharacter(CharacterInfo(id="a", name="A"), Endpoint(base_url=server.url))
        turn = Turn(room_id="room", message_id="m", user_id="kim", text="hi", history=())
        _ = [delta async for delta in character.reply(turn)]
        await character.aclose()
        assert [asked.path for asked in server.asked] == ["/v1/chat/completions"]


def test_a_byte_is_a_token() -> None:
    empty = at_most([{"role": "user", "content": ""}])
    assert at_most([{"role": "user", "content": "안녕"}]) == empty + 6
