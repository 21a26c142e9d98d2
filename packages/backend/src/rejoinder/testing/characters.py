"""What every character must do, as a suite that runs against any of them.

A program that brings a character of its own calls `check_character` from a test.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import cast

from rejoinder.characters.base import (
    Character,
    CharacterInfo,
    Delta,
    PastMessage,
    Thought,
    Turn,
    Usage,
    check_info,
)
from rejoinder.errors import CharacterFailed

SECONDS_TO_END = 1.0
"""An answer that is no longer wanted is gone after so many seconds."""

_ODD_TEXTS = ("", " \n\t", "\x00\x1b[2J", "안녕 👩‍👩‍👧 e\u0301", "word " * 2000)


async def check_character(
    make: Callable[[], Awaitable[Character]], *, patience: float = 30.0
) -> None:
    """Put characters through everything that the chat may ask of one.

    Args:
        make: Makes a character that nobody else uses; called more than once. What it makes is closed here.
        patience: Seconds that one whole answer may take.

    Raises:
        AssertionError: The character broke a promise of `Character`; the text says which.
    """
    for check in (
        _check_info,
        _check_answer,
        _check_closed_early,
        _check_cancelled,
        _check_several_at_once,
        _check_odd_texts,
    ):
        character = await make()
        try:
            async with asyncio.timeout(patience * 5):
                await check(character, patience)
        finally:
            await character.aclose()
        # Closing again is harmless.
        await character.aclose()


async def _check_info(character: Character, _patience: float) -> None:
    info = character.info
    _require(isinstance(info, CharacterInfo), "info must be a CharacterInfo")
    check_info(info)
    _require(character.info == info, "info must stay the same")


async def _check_answer(character: Character, patience: float) -> None:
    await _answer(character, _turn("Hello there, how are you today?"), patience)
    history = (
        PastMessage("character", character.info.id, "Good morning!"),
        PastMessage("user", "someone", "My name is Kim."),
        PastMessage("user", "someone else", "And mine is Lee."),
        PastMessage("character", character.info.id, "It is nice to meet you."),
    )
    await _answer(character, _turn("Do you know my name?", history), patience)


async def _check_closed_early(character: Character, patience: float) -> None:
    unread = _reply(character, _turn("Hello there"))
    await _soon(unread.aclose(), "closed before it was read")
    await _answer(character, _turn("One more time"), patience)

    begun = _reply(character, _turn("Please tell me a very long story"))
    async with asyncio.timeout(patience):
        await anext(begun)
    await _soon(begun.aclose(), "closed in the middle")
    _require(await anext(begun, None) is None, "a closed answer must stay closed")
    await _answer(character, _turn("And again"), patience)


async def _check_cancelled(character: Character, patience: float) -> None:
    for deltas in (0, 1):
        reached = asyncio.Event()
        reading = asyncio.create_task(_read(character, deltas, reached))
        async with asyncio.timeout(patience):
            await reached.wait()
        reading.cancel()
        await _soon(asyncio.wait([reading]), f"cancelled after {deltas} deltas")
        await _answer(character, _turn("What did I say?"), patience)


async def _check_several_at_once(character: Character, patience: float) -> None:
    turns = [
        _turn(f"This is message number {number}", room_id=f"room-{number}") for number in range(3)
    ]
    async with asyncio.TaskGroup() as group:
        for turn in turns:
            group.create_task(_answer(character, turn, patience * len(turns)))


async def _check_odd_texts(character: Character, patience: float) -> None:
    for text in _ODD_TEXTS:
        # It may refuse such a message with a sentence, and that is all.
        try:
            await _answer(character, _turn(text, (PastMessage("user", "someone", text),)), patience)
        except CharacterFailed as refusal:
            _require(bool(str(refusal)), "a refusal must say something")
    await _answer(character, _turn("Fine, thank you."), patience)


async def _answer(character: Character, turn: Turn, patience: float) -> str:
    text: list[str] = []
    usage: Usage | None = None
    try:
        async with asyncio.timeout(patience), aclosing(_reply(character, turn)) as deltas:
            async for delta in deltas:
                _require(usage is None, "nothing may come after the Usage")
                if isinstance(delta, Usage):
                    usage = delta
                    continue
                thought = isinstance(delta, Thought)
                piece = delta.text if isinstance(delta, Thought) else delta
                _require(
                    isinstance(piece, str),
                    f"a delta must be str, Thought or Usage, not {type(delta).__name__}",
                )
                _require(
                    piece.isascii() or _is_unicode(piece),
                    "a delta must hold no half of a character",
                )
                if not thought:
                    text.append(piece)
    except TimeoutError:
        raise AssertionError(
            f"the answer to {turn.text[:40]!r} must end within {patience} s"
        ) from None
    if usage is not None:
        _require(
            min(usage.prompt_tokens, usage.completion_tokens) >= 0, "tokens must not be negative"
        )
    _require(any(text), f"there must be an answer to {turn.text[:40]!r}")
    return "".join(text)


async def _read(character: Character, deltas: int, reached: asyncio.Event) -> None:
    async with aclosing(_reply(character, _turn("Please tell me a very long story"))) as answer:
        if deltas == 0:
            reached.set()
        seen = 0
        async for _ in answer:
            seen += 1
            if seen >= deltas:
                reached.set()


async def _soon(ending: Awaitable[object], how: str) -> None:
    try:
        async with asyncio.timeout(SECONDS_TO_END):
            await ending
    except TimeoutError:
        raise AssertionError(f"an answer {how} must end within {SECONDS_TO_END} s") from None


def _turn(text: str, history: tuple[PastMessage, ...] = (), *, room_id: str = "room") -> Turn:
    return Turn(
        room_id=room_id, message_id="message", user_id="someone", text=text, history=history
    )


def _reply(character: Character, turn: Turn) -> AsyncGenerator[Delta, None]:
    answer: AsyncIterator[Delta] = character.reply(turn)
    _require(
        hasattr(answer, "aclose"),
        "reply must return an iterator that can be closed (an async generator)",
    )
    return cast("AsyncGenerator[Delta, None]", answer)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require(condition: bool, message: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not condition:
        raise AssertionError(message)
