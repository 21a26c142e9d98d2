"""The engine with the real model."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rejoinder.characters import Usage
from rejoinder.characters.local import LocalModelSettings, find_model, llama
from rejoinder.characters.local.engine import EngineError, Request
from rejoinder.characters.local.llama import LlamaEngine, load_llama
from rejoinder.characters.prompt import Message
from rejoinder.errors import ConfigurationError

SLOTS = 2
HELLO: list[Message] = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    settings = LocalModelSettings(
        path=find_model(), context_tokens=512, parallel=SLOTS, cache_mib=0
    )
    with closing(load_llama(settings)) as loaded:
        yield loaded


def never() -> bool:
    return False


def exactly(text: str, max_tokens: int = 64) -> Request:
    """A request that leaves the model nothing to write but this text."""
    literal = "".join(f"\\U{ord(character):08X}" for character in text)
    return Request(HELLO, max_tokens, 0, {"grammar": f'root ::= "{literal}"'})


def generate(engine: LlamaEngine, request: Request) -> tuple[list[str], Usage | None]:
    pieces: list[str] = []
    return pieces, engine.generate(request, pieces.append, never)


def test_streams_token_by_token_and_tells_the_usage(engine: LlamaEngine) -> None:
    arrived: list[float] = []
    request = Request(HELLO, 16, 0, {"ignore_eos": True})
    usage = engine.generate(request, lambda _: arrived.append(time.perf_counter()), never)
    assert usage == Usage(prompt_tokens=engine.count(HELLO), completion_tokens=16)
    assert len(arrived) == 16
    assert arrived == sorted(set(arrived))


def test_counts_what_a_prompt_has(engine: LlamaEngine) -> None:
    conversation: list[Message] = [
        {"role": "system", "content": "You are kind."},
        {"role": "user", "content": "안녕하세요 👋"},
        {"role": "assistant", "content": "Hello! " * 20},
        {"role": "user", "content": "\x00 <b>bye</b>"},
    ]
    for size in range(1, 5):
        usage = generate(engine, Request(conversation[:size], 1, 0))[1]
        assert usage is not None
        assert usage.prompt_tokens == engine.count(conversation[:size])


@pytest.mark.parametrize("text", ["안녕하세요 😀", "👨‍👩‍👧 🇰🇷 é", '<think>{"a": 1}</think>'])
def test_hands_over_whole_characters(engine: LlamaEngine, text: str) -> None:
    pieces, usage = generate(engine, exactly(text))
    assert "".join(pieces) == text
    assert usage is not None
    for tokens in range(1, min(usage.completion_tokens, 10)):
        pieces, _ = generate(engine, exactly(text, tokens))
        assert text.startswith("".join(pieces))
        "".join(pieces).encode()


def test_stops_while_it_writes_and_its_slot_is_free(engine: LlamaEngine) -> None:
    pieces: list[str] = []
    for _ in range(SLOTS + 1):
        pieces.clear()
        assert (
            engine.generate(
                Request(HELLO, 400, 0, {"ignore_eos": True}),
                pieces.append,
                lambda: len(pieces) >= 3,
            )
            is None
        )
        assert len(pieces) == 3
    assert generate(engine, exactly("a"))[0] == ["a"]


def test_stops_while_it_reads_the_prompt(engine: LlamaEngine) -> None:
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        # The first time comes before anything is read; the later ones between its parts.
        return asked > 4

    pieces: list[str] = []
    for number in range(SLOTS + 1):
        asked = 0
        long: list[Message] = [{"role": "user", "content": f"{number} two three four five " * 70}]
        assert engine.count(long) > 300
        assert engine.generate(Request(long, 16, 0), pieces.append, stopped) is None
        # Once more it is asked when all is over.
        assert asked == 6
    assert not pieces
    assert generate(engine, exactly("a"))[0] == ["a"]


def test_two_at_once(engine: LlamaEngine) -> None:
    meeting = threading.Barrier(SLOTS, timeout=10)
    results: list[Usage | None] = []

    def run() -> None:
        seen = 0

        def write(_text: str) -> None:
            nonlocal seen
            seen += 1
            if seen == 2:
                # Each gets on only when the other has begun as well.
                meeting.wait()

        results.append(engine.generate(Request(HELLO, 8, 0, {"ignore_eos": True}), write, never))

    threads = [threading.Thread(target=run) for _ in range(SLOTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [usage and usage.completion_tokens for usage in results] == [8, 8]


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (
            Request([{"role": "user", "content": "word " * 600}], 8, 0),
            "exceeds the available context size",
        ),
        (Request([{"role": "user"}], 8, 0), "must contain 'content'"),  # type: ignore[typeddict-item]
        (Request([{"role": "user", "content": "\ud800"}], 8, 0), "surrogate"),
    ],
)
def test_says_why_a_request_failed(engine: LlamaEngine, request_: Request, problem: str) -> None:
    with pytest.raises(EngineError, match=problem):
        generate(engine, request_)


def test_says_why_tokens_could_not_be_counted(engine: LlamaEngine) -> None:
    with pytest.raises(EngineError, match="could not be counted"):
        engine.count([{"role": "user"}])  # type: ignore[typeddict-item]


def test_an_error_of_the_writer_comes_back(engine: LlamaEngine) -> None:
    def write(_text: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        engine.generate(Request(HELLO, 8, 0), write, never)


def test_can_be_closed_as_soon_as_it_is_loaded() -> None:
    for _ in range(5):
        load_llama(LocalModelSettings(path=find_model(), context_tokens=128, cache_mib=0)).close()


def test_closing_one_model_leaves_another_alone(engine: LlamaEngine) -> None:
    other = load_llama(LocalModelSettings(path=find_model(), context_tokens=128, cache_mib=0))
    pieces: list[str] = []

    def write(text: str) -> None:
        if not pieces:
            other.close()
        pieces.append(text)

    assert engine.generate(Request(HELLO, 8, 0, {"ignore_eos": True}), write, never)
    assert len(pieces) == 8


def test_is_not_there_any_more_once_closed() -> None:
    engine = load_llama(LocalModelSettings(path=find_model(), context_tokens=128, cache_mib=0))
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        generate(engine, Request(HELLO, 8, 0))
    with pytest.raises(EngineError, match="did not answer"):
        engine.count(HELLO)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory with room for the path of a socket in it, which `tmp_path` may not have."""
    with tempfile.TemporaryDirectory(prefix="r-") as path:
        yield Path(path)


@pytest.mark.parametrize("place", ["short", "too long", "nowhere"])
def test_counts_for_nobody_else_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, short_path: Path, place: str
) -> None:
    directory = short_path if place == "short" else short_path / ("x" * 120)
    if place == "too long":
        directory.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    settings = LocalModelSettings(path=find_model(), context_tokens=128, cache_mib=0)
    with closing(load_llama(settings)) as engine:
        assert engine.count(HELLO) > 1
        if sys.platform == "linux":
            # Not even while it runs, so a killed program leaves nothing either.
            assert not list(short_path.rglob("*sock*"))
        monkeypatch.setattr(engine._endpoint, "key", "wrong")
        with pytest.raises(EngineError, match="Invalid API Key"):
            engine.count(HELLO)
    assert not [path for path in short_path.rglob("*") if path != directory]


def test_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_llama(LocalModelSettings(path=tmp_path / "none.gguf"))
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(find_model().read_bytes()[:100_000])
    with pytest.raises(ConfigurationError, match=r"damaged\.gguf cannot be loaded"):
        load_llama(LocalModelSettings(path=damaged))
    monkeypatch.setattr(llama, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="pip install xllamacpp"):
        load_llama(LocalModelSettings(path=find_model()))


LOUD = """
import sys
from pathlib import Path
from rejoinder.characters.local import LocalModelSettings, find_model
from rejoinder.characters.local.engine import EngineError, Request
from rejoinder.characters.local.llama import load_llama
from rejoinder.errors import ConfigurationError
damaged = Path(sys.argv[1])
damaged.write_bytes(b"GGUF damaged")
try:
    load_llama(LocalModelSettings(path=damaged))
except ConfigurationError:
    pass
engine = load_llama(LocalModelSettings(path=find_model(), context_tokens=128))
engine.generate(Request([{"role": "user", "content": "hello"}], 8, 0), lambda _: None, lambda: False)
try:
    engine.generate(Request([{"role": "user", "content": "hello " * 200}], 8, 0), lambda _: None, lambda: False)
except EngineError:
    pass
engine.close()
"""


def test_says_nothing_on_the_terminal(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOUD, tmp_path / "damaged.gguf"],
        capture_output=True,
        timeout=30,
        check=False,
        env=dict(os.environ),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
