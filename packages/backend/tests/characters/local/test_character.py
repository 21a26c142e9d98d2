import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from tests.characters.local.engines import ScriptedEngine

from rejoinder.characters import Character, CharacterInfo, Delta, PastMessage, Prompt, Turn, Usage
from rejoinder.characters.local import (
    LocalCharacter,
    LocalModel,
    LocalModelSettings,
    find_model,
    smol,
)
from rejoinder.characters.local.engine import Engine, Request
from rejoinder.characters.local.llama import load_llama
from rejoinder.errors import CharacterFailed, ConfigurationError
from rejoinder.testing.characters import check_character

INFO = CharacterInfo(id="bot", name="Bot")


def turn(text: str, *history: PastMessage) -> Turn:
    return Turn(room_id="room", message_id="m", user_id="kim", text=text, history=history)


async def listen(character: Character, asked: Turn) -> list[Delta]:
    return [delta async for delta in character.reply(asked)]


class Scripted:
    """A character on an engine that does what it is told."""

    def __init__(self, engine: ScriptedEngine, context_tokens: int = 128) -> None:
        self.engine = engine
        settings = LocalModelSettings(path=Path("none.gguf"), context_tokens=context_tokens)
        self.model = LocalModel(settings, load=lambda _: engine)

    def character(self, **options: object) -> LocalCharacter:
        return LocalCharacter(INFO, self.model, **options)  # type: ignore[arg-type]


async def test_asks_the_model_as_it_was_told() -> None:
    scripted = Scripted(ScriptedEngine())
    character = scripted.character(
        system_prompt="Be kind.", max_tokens=7, temperature=0.1, sampling={"seed": 3}
    )
    assert character.info is INFO
    history = (PastMessage("user", "kim", "hi"), PastMessage("character", "bot", "hello"))
    assert await listen(character, turn("how are you?", *history)) == [
        "how",
        "are",
        "you?",
        Usage(7, 3),
    ]
    (request,) = scripted.engine.requests
    assert [(message["role"], message["content"]) for message in request.messages] == [
        ("system", "Be kind."),
        ("user", "hi"),
        ("assistant", "hello"),
        ("user", "how are you?"),
    ]
    assert (request.max_tokens, request.temperature, request.sampling) == (7, 0.1, {"seed": 3})
    await character.aclose()
    assert scripted.engine.is_closed()


async def test_tells_what_the_model_was_asked() -> None:
    kept: list[Prompt] = []
    scripted = Scripted(ScriptedEngine())
    character = scripted.character(system_prompt="Be kind.", max_tokens=7)
    await listen(character, replace(turn("how are you?"), on_prompt=kept.append))
    (request,) = scripted.engine.requests
    assert kept == [Prompt(tuple(request.messages), "none")]
    await character.aclose()


async def test_leaves_room_for_the_answer() -> None:
    scripted = Scripted(ScriptedEngine(), context_tokens=128)
    character = scripted.character(system_prompt="Be kind.", max_tokens=28)
    history = [PastMessage("user", "kim", "some words " * 10) for _ in range(20)]
    await listen(character, turn("how are you?", *history))
    (request,) = scripted.engine.requests
    assert 40 < scripted.engine.count(request.messages) <= 100
    assert request.messages[0]["content"] == "Be kind."
    await character.aclose()


async def test_says_when_it_was_told_too_much_to_hear_anything() -> None:
    character = Scripted(ScriptedEngine()).character(system_prompt="word " * 200, max_tokens=8)
    with pytest.raises(CharacterFailed, match="What Bot was told to be leaves no room"):
        await listen(character, turn("hi"))
    await character.aclose()


async def test_what_is_wrong_with_the_set_up_is_not_for_the_chat() -> None:
    model = LocalModel(LocalModelSettings(path=Path("/secret/none.gguf")))
    character = LocalCharacter(INFO, model)
    with pytest.raises(ConfigurationError, match="/secret/none"):
        await character.start()
    with pytest.raises(CharacterFailed, match=r"^Bot cannot answer on this server\.$") as failed:
        await listen(character, turn("hi"))
    assert isinstance(failed.value.__cause__, ConfigurationError)
    await character.aclose()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"max_tokens": 0}, "Set max_tokens of the character 'bot' to a number from 1 to 64"),
        ({"max_tokens": 65}, "Set max_tokens of the character 'bot' to a number from 1 to 64"),
        ({"max_tokens": 8, "temperature": 2.1}, "Set the temperature of the character 'bot'"),
        ({"max_tokens": 8, "temperature": -0.1}, "Set the temperature of the character 'bot'"),
    ],
)
async def test_refuses_numbers_out_of_range(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        Scripted(ScriptedEngine()).character(**options)


@pytest.mark.parametrize("text", ["", " "])
async def test_an_empty_answer_is_none(text: str) -> None:
    character = Scripted(ScriptedEngine()).character(max_tokens=8)
    with pytest.raises(CharacterFailed, match="Bot has no answer to that"):
        await listen(character, turn(text))
    await character.aclose()


async def test_two_characters_share_a_model() -> None:
    scripted = Scripted(ScriptedEngine())
    one, two = scripted.character(max_tokens=8), scripted.character(max_tokens=8)
    assert await listen(one, turn("hi")) == ["hi", Usage(1, 1)]
    await one.aclose()
    assert await listen(two, turn("hi")) == ["hi", Usage(1, 1)]
    await two.aclose()
    await two.aclose()
    assert scripted.engine.is_closed()


async def test_scripted_does_what_every_character_must_do() -> None:
    async def make() -> Character:
        return Scripted(ScriptedEngine(), context_tokens=4096).character(max_tokens=8)

    await check_character(make)


# With the real model from here on.


def bundled(**options: object) -> LocalCharacter:
    settings = LocalModelSettings(path=find_model(), context_tokens=192, cache_mib=0)
    return LocalCharacter(INFO, LocalModel(settings), **{"max_tokens": 16, **options})  # type: ignore[arg-type]


async def test_does_what_every_character_must_do() -> None:
    async def make() -> Character:
        return bundled(temperature=0)

    await check_character(make)


async def test_smol_answers() -> None:
    character = smol()
    assert (character.info.id, character.info.name) == ("smol", "Smol")
    await character.start()
    *text, usage = await listen(
        character, turn("What is the capital of France? Answer with one word.")
    )
    assert isinstance(usage, Usage)
    assert len(text) > 1
    assert all(isinstance(delta, str) and delta for delta in text)
    assert usage.prompt_tokens > 10
    assert usage.completion_tokens >= len(text)
    await character.aclose()


@pytest.mark.parametrize("missing", ["check_library", "find_model"])
def test_smol_says_at_once_what_is_missing(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    def absent() -> None:
        raise ConfigurationError("install it")

    monkeypatch.setattr(f"rejoinder.characters.local.character.{missing}", absent)
    with pytest.raises(ConfigurationError, match="install it"):
        smol()


def test_smol_says_at_once_that_the_file_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        smol(LocalModelSettings(path=Path("none.gguf")))


class Watched:
    """The real engine; `reached` is set when a generation has asked so many times whether it is to stop."""

    def __init__(self, engine: Engine, times: int) -> None:
        self.count = engine.count
        self.close = engine.close
        self.reached = threading.Event()
        self.asked = 0
        self._engine = engine
        self._times = times

    def generate(
        self, request: Request, write: Callable[[str], None], stopped: Callable[[], bool]
    ) -> Usage | None:
        def noticed() -> bool:
            self.asked += 1
            if self.asked >= self._times:
                self.reached.set()
            return stopped()

        return self._engine.generate(request, write, noticed)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("Tell me a very long story.", 20),
        ("one two three four five six seven eight nine ten " * 60, 4),
    ],
    ids=["while it writes", "while it reads the prompt"],
)
async def test_stops_at_the_next_token_or_batch(text: str, times: int) -> None:
    settings = LocalModelSettings(path=find_model(), context_tokens=512, cache_mib=0)
    watched = Watched(load_llama(settings), times)
    model = LocalModel(settings, load=lambda _: watched)
    character = LocalCharacter(INFO, model, max_tokens=160, sampling={"ignore_eos": True})
    reading = asyncio.create_task(listen(character, turn(text)))
    await asyncio.to_thread(watched.reached.wait)
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    asked = watched.asked
    await asyncio.wait([work for _, work in model._running.values()])
    # Once when it is told, twice more on its way out. A token takes milliseconds, a batch 0.3 s on an idle core; a
    # test that measured it would measure what else the machine does.
    assert watched.asked <= asked + 3
    assert isinstance((await listen(character, turn("hi")))[-1], Usage)
    await character.aclose()


async def test_the_event_loop_runs_on_meanwhile() -> None:
    character = bundled(max_tokens=32)
    await character.start()
    with blockbuster_ctx():
        assert len(await listen(character, turn("Count to ten."))) > 1
    await character.aclose()
