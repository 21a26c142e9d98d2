import asyncio
import gc
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from tests.characters.local.engines import ScriptedEngine

from rejoinder.characters import Delta, Usage
from rejoinder.characters.local import LocalModel, LocalModelSettings
from rejoinder.characters.local.engine import EngineError, Request
from rejoinder.characters.prompt import Count
from rejoinder.errors import CharacterFailed, ConfigurationError

OWNER = "somebody"


def model_of(
    *engines: ScriptedEngine | Exception, parallel: int = 2, waiting: int = 8, owner: object = OWNER
) -> LocalModel:
    """A model whose loads end as given, one after the other."""
    loads = iter(engines)

    def load(_settings: LocalModelSettings) -> ScriptedEngine:
        loaded = next(loads)
        if isinstance(loaded, Exception):
            raise loaded
        return loaded

    settings = LocalModelSettings(path=Path("none.gguf"), parallel=parallel, waiting=waiting)
    model = LocalModel(settings, load=load)
    model.attach(owner)
    return model


def say(model: LocalModel, text: str, owner: object = OWNER) -> AsyncGenerator[Delta, None]:
    return model.stream(owner, asking(text))


def asking(text: str) -> Callable[[Count], Request]:
    def prepare(count: Count) -> Request:
        message = {"role": "user", "content": text}
        assert count([message]) == len(text.split())  # type: ignore[list-item]
        return Request([message], 10, 0.5)  # type: ignore[list-item]

    return prepare


async def listen(deltas: AsyncGenerator[Delta, None]) -> list[Delta]:
    async with aclosing(deltas):
        return [delta async for delta in deltas]


async def test_streams_and_ends_with_the_usage() -> None:
    model = model_of(ScriptedEngine())
    assert await listen(say(model, "one two three")) == ["one", "two", "three", Usage(3, 3)]
    await model.detach(OWNER)


async def test_loads_once_and_not_before_it_must() -> None:
    engine = ScriptedEngine()
    model = model_of(engine)
    assert not engine.requests
    answers = await asyncio.gather(*(listen(say(model, f"hello {number}")) for number in range(5)))
    assert [answer[1] for answer in answers] == ["0", "1", "2", "3", "4"]
    await model.start()
    await model.detach(OWNER)
    assert engine.is_closed()


async def test_a_load_that_failed_is_tried_again() -> None:
    engine = ScriptedEngine()
    model = model_of(ConfigurationError("no file"), ConfigurationError("no file"), engine)
    with pytest.raises(ConfigurationError, match="no file"):
        await model.start()
    with pytest.raises(ConfigurationError, match="no file"):
        await listen(say(model, "hello"))
    assert await listen(say(model, "hello")) == ["hello", Usage(1, 1)]
    await model.detach(OWNER)


async def test_a_load_goes_on_when_the_first_to_need_it_gives_up() -> None:
    loading, go = threading.Event(), threading.Event()
    engine = ScriptedEngine()

    def load(_settings: LocalModelSettings) -> ScriptedEngine:
        loading.set()
        go.wait()
        return engine

    model = LocalModel(LocalModelSettings(path=Path("none.gguf")), load=load)
    model.attach(OWNER)
    first = asyncio.create_task(listen(say(model, "hello")))
    await asyncio.to_thread(loading.wait)
    first.cancel()
    await asyncio.wait([first])
    second = asyncio.create_task(listen(say(model, "hello")))
    go.set()
    assert await second == ["hello", Usage(1, 1)]
    await model.detach(OWNER)


async def test_generates_no_more_than_allowed_at_once_and_in_the_order_of_asking() -> None:
    hold = threading.Event()
    engine = ScriptedEngine(hold=hold)
    model = model_of(engine, parallel=2)
    answers = [asyncio.create_task(listen(say(model, f"hello {number}"))) for number in range(6)]
    begun = say(model, "last")
    last = asyncio.create_task(listen(begun))
    await asyncio.sleep(0)
    hold.set()
    await asyncio.gather(*answers, last)
    assert engine.most_at_once <= 2
    asked = [request.messages[0]["content"] for request in engine.requests]
    assert set(asked[:2]) == {"hello 0", "hello 1"}
    assert asked[-1] in ("hello 5", "last")
    await model.detach(OWNER)


async def test_refuses_more_than_may_wait() -> None:
    engine = ScriptedEngine(hold=threading.Event())
    model = model_of(engine, parallel=1, waiting=1)
    running = say(model, "hello")
    assert await anext(running) == "hello"
    waiting = asyncio.create_task(listen(say(model, "hello")))
    await asyncio.sleep(0)
    with pytest.raises(CharacterFailed, match="Too many answers"):
        await listen(say(model, "hello"))
    waiting.cancel()
    await asyncio.wait([waiting])
    waiting = asyncio.create_task(listen(say(model, "hello")))
    await asyncio.sleep(0)
    await model.detach(OWNER)
    with pytest.raises(CharacterFailed, match="leaving"):
        await waiting
    await running.aclose()


async def test_giving_up_while_waiting_costs_nothing() -> None:
    engine = ScriptedEngine(hold=threading.Event())
    model = model_of(engine, parallel=1)
    running = say(model, "first")
    assert await anext(running) == "first"
    waiting = asyncio.create_task(listen(say(model, "second")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await running.aclose()
    third = say(model, "third")
    assert await anext(third) == "third"
    assert [request.messages[0]["content"] for request in engine.requests] == ["first", "third"]
    await third.aclose()
    await model.detach(OWNER)


async def test_a_stopped_answer_frees_its_slot() -> None:
    model = model_of(ScriptedEngine(hold=threading.Event()), parallel=1)
    for _ in range(3):
        async with asyncio.timeout(1):
            begun = say(model, "hello again")
            assert await anext(begun) == "hello"
            await begun.aclose()
    reading = asyncio.create_task(listen(say(model, "hello")))
    for _ in range(10):
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    async with asyncio.timeout(1):
        begun = say(model, "hello again")
        assert await anext(begun) == "hello"
        await begun.aclose()
    await model.detach(OWNER)


async def test_what_the_engine_says_is_wrong_becomes_a_sentence() -> None:
    failure = EngineError("exploded at address 0x1")
    model = model_of(ScriptedEngine(failure=failure))
    answer = say(model, "hello there")
    assert await anext(answer) == "hello"
    with pytest.raises(CharacterFailed, match="could not finish this answer") as failed:
        await anext(answer)
    assert failed.value.__cause__ is failure
    await model.detach(OWNER)


async def test_a_defect_is_raised_as_it_is() -> None:
    model = model_of(ScriptedEngine(failure=ZeroDivisionError()), parallel=1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await listen(say(model, "hello there"))
    await model.detach(OWNER)


async def test_leaving_ends_ones_own_answers_and_no_others() -> None:
    engine = ScriptedEngine(hold=threading.Event())
    model = model_of(engine)
    model.attach("other")
    mine, others = say(model, "mine"), say(model, "others", "other")
    assert [await anext(mine), await anext(others)] == ["mine", "others"]
    async with asyncio.timeout(1):
        await model.detach(OWNER)
    with pytest.raises(CharacterFailed, match="leaving"):
        await anext(mine)
    with pytest.raises(CharacterFailed, match="leaving"):
        await listen(say(model, "again"))
    assert not engine.is_closed()
    more = say(model, "more", "other")
    assert await anext(more) == "more"
    await more.aclose()
    await others.aclose()
    await model.detach("other")
    assert engine.is_closed()
    await model.detach("other")


async def test_leaving_while_the_model_loads() -> None:
    loading, go = threading.Event(), threading.Event()
    engine = ScriptedEngine()

    def load(_settings: LocalModelSettings) -> ScriptedEngine:
        loading.set()
        go.wait()
        return engine

    model = LocalModel(LocalModelSettings(path=Path("none.gguf")), load=load)
    model.attach(OWNER)
    answer = asyncio.create_task(listen(say(model, "hello")))
    await asyncio.to_thread(loading.wait)
    leaving = asyncio.create_task(model.detach(OWNER))
    await asyncio.sleep(0)
    go.set()
    await leaving
    with pytest.raises(CharacterFailed, match="leaving"):
        await answer
    assert engine.is_closed()
    assert not engine.requests


async def test_a_forgotten_model_is_freed() -> None:
    engine = ScriptedEngine()
    model = model_of(engine)
    await model.start()
    del model
    gc.collect()
    assert engine.is_closed()
