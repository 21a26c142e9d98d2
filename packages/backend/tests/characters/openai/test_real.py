"""The provider against llama.cpp's own HTTP server with a real model."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import xllamacpp
from blockbuster import blockbuster_ctx

from rejoinder.characters import CharacterInfo, Delta, PastMessage, Turn, Usage
from rejoinder.characters.local import find_model
from rejoinder.characters.openai import Endpoint, OpenAICharacter
from rejoinder.errors import CharacterFailed
from rejoinder.testing.characters import check_character

INFO = CharacterInfo(id="sage", name="Sage")
KEY = "a-key-of-the-tests"
WINDOW = 512
SLOTS = 4


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    params: Any = xllamacpp.CommonParams()
    params.model.path = str(find_model())
    params.n_ctx = WINDOW * SLOTS
    params.n_parallel = SLOTS
    params.n_batch = params.n_ubatch = 64
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = params.fit_params = params.ui = False
    params.cache_ram_mib = params.verbosity = 0
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [KEY]
    params.endpoint_metrics = True
    server: Any = xllamacpp.Server(params)
    # Freeing a server whose loop has not begun yet would wait for ever. Only the loop can answer this.
    server.handle_metrics()
    yield f"{server.listening_address}/v1"
    del server


def speaker(url: str, **options: Any) -> OpenAICharacter:
    given = {
        "key": KEY, "context_tokens": WINDOW, "max_tokens": 16, "temperature": 0, **options,
    }  # fmt: skip
    return OpenAICharacter(INFO, Endpoint(base_url=url, **given), system_prompt="You are kind.")


def turn(text: str, *history: PastMessage) -> Turn:
    return Turn(room_id="room", message_id="m", user_id="kim", text=text, history=history)


async def listen(character: OpenAICharacter, asked: Turn) -> list[Delta]:
    return [delta async for delta in character.reply(asked)]


async def test_answers_token_by_token(url: str) -> None:
    character = speaker(url, extra={"ignore_eos": True})
    with blockbuster_ctx():
        *text, usage = await listen(character, turn("What is the capital of France?"))
    assert isinstance(usage, Usage)
    assert usage.completion_tokens == 16
    assert usage.prompt_tokens > 15
    assert 10 < len(text) <= 16
    assert "".join(filter(lambda delta: isinstance(delta, str), text)).strip()  # type: ignore[arg-type]
    await character.aclose()


async def test_does_what_every_character_must_do(url: str) -> None:
    async def make() -> OpenAICharacter:
        return speaker(url)

    await check_character(make)


async def test_a_prompt_fits_by_the_models_own_count(url: str) -> None:
    """Three times the window in bytes, and a prompt that fills most of it in tokens: it was counted, not guessed."""
    character = speaker(url, max_tokens=32)
    history = tuple(
        PastMessage("character" if number % 2 else "user", "x", f"In the year {1900 + number} " * 6)
        for number in range(40)
    )
    *_, usage = await listen(character, turn("What was that?", *history))
    assert isinstance(usage, Usage)
    assert 0.4 * WINDOW < usage.prompt_tokens <= WINDOW - 32
    await character.aclose()


async def test_a_prompt_fits_without_being_counted(url: str) -> None:
    character = speaker(url, max_tokens=32, ask_tokens=False)
    *_, usage = await listen(character, turn("안녕하세요 👋🏽 " * 200))
    assert isinstance(usage, Usage)
    assert 100 < usage.prompt_tokens <= WINDOW - 32
    await character.aclose()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"key": "wrong"}, "no access to its model"),
        ({"key": ""}, "no access to its model"),
        ({"extra": {"grammar": "no grammar"}}, "did not take this message"),
        ({"context_tokens": 8 * WINDOW, "ask_tokens": False}, "did not take this message"),
    ],
)
async def test_what_a_real_server_refuses(url: str, options: dict[str, Any], says: str) -> None:
    character = speaker(url, **options)
    with pytest.raises(CharacterFailed, match=says):
        await listen(character, turn("hello " * 3000))
    await character.aclose()


async def test_stopping_frees_the_slot(url: str) -> None:
    """As many answers as there are slots, each far too long; stopped, the next one begins at once."""
    character = speaker(url, max_tokens=384, extra={"ignore_eos": True})
    begun = asyncio.Semaphore(0)

    async def read() -> None:
        async for _ in character.reply(turn("Tell me a very long story.")):
            begun.release()

    answers = [asyncio.create_task(read()) for _ in range(SLOTS)]
    for _ in range(SLOTS):
        await begun.acquire()
    for answer in answers:
        answer.cancel()
    await asyncio.wait(answers)
    short = speaker(url, max_tokens=1)
    async with asyncio.timeout(15):
        await listen(short, turn("hi"))
    await short.aclose()
    await character.aclose()
