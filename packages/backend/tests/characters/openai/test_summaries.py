"""What a summary covers, and when it still holds; and a character that has one written."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from tests.characters.openai.faulty import Exchange, FaultyServer, Script, faulty

from rejoinder.characters import CharacterInfo, PastMessage, Turn
from rejoinder.characters.openai import Endpoint, OpenAICharacter, Patience
from rejoinder.characters.openai.summaries import Summaries, covering, request
from rejoinder.characters.prompt import SUMMARY_LABEL

INFO = CharacterInfo(id="sage", name="Sage")


def talk(count: int, begin: int = 0) -> tuple[PastMessage, ...]:
    return tuple(
        PastMessage("character" if number % 2 else "user", "kim", f"message {number} " + "x" * 60)
        for number in range(begin, begin + count)
    )


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 10))
def test_it_holds_while_what_it_covers_is_there(covered: int, more: int, scrolled: int) -> None:
    summaries = Summaries()
    history = talk(covered + more)
    summaries.keep("room", covering("So far.", history[:covered]))
    assert summaries.of("other", history) == ("", 0)
    # The server hands over the newest part only.
    gone = min(scrolled, covered - 1)
    assert summaries.of("room", history[gone:]) == ("So far.", covered - gone)


@given(st.integers(2, 20), st.data())
def test_it_is_none_where_anything_that_it_covers_is_another(
    covered: int, data: st.DataObject
) -> None:
    summaries = Summaries()
    history = list(talk(covered + 3))
    summaries.keep("room", covering("So far.", history[:covered]))
    place = data.draw(st.integers(0, covered - 1))
    if data.draw(st.booleans()):
        history[place] = replace(history[place], content="edited")
    else:
        # Without its first message a history may only begin later.
        del history[max(place, 1)]
    assert summaries.of("room", history) == ("", 0)


def test_those_of_the_newest_rooms_are_kept() -> None:
    summaries = Summaries(rooms=2)
    for room in "abc":
        summaries.keep(room, covering(room, talk(1)))
    assert [summaries.of(room, talk(1))[0] for room in "abc"] == ["", "b", "c"]


@given(st.integers(0, 3000), st.text(max_size=50))
def test_a_request_stays_within_its_bytes(bytes_max: int, before: str) -> None:
    asked = request("Sage", before, talk(20), words=40, bytes_max=bytes_max)
    assert [message["role"] for message in asked] == ["system", "user"]
    task, text = (len(message["content"].encode()) for message in asked)
    assert text <= max(len("\n…\n".encode()), bytes_max - task)


# --- a character ---------------------------------------------------------------------------------


def turn(text: str, history: Sequence[PastMessage]) -> Turn:
    return Turn(room_id="room", message_id="m", user_id="kim", text=text, history=tuple(history))


def character(server: FaultyServer, *, summary: bool = True) -> OpenAICharacter:
    endpoint = Endpoint(
        base_url=server.url,
        context_tokens=2048,
        max_tokens=128,
        ask_tokens=False,
        patience=Patience(tries=1),
        summary=summary,
    )
    return OpenAICharacter(INFO, endpoint, system_prompt="Be kind.")


def saying(text: str) -> Script:
    return lambda exchange: exchange.say(text)


async def answer(speaker: OpenAICharacter, asked: Turn) -> None:
    """Have it answer, and then do what it does after an answer."""
    async for _ in speaker.reply(asked):
        pass
    await speaker.settle()


def prompts(server: FaultyServer) -> list[list[str]]:
    return [[each["content"] for each in asked.body["messages"]] for asked in server.completions]


async def test_what_falls_out_is_summed_up_once_for_the_answers_after_it() -> None:
    history = talk(40)
    async with faulty(saying("Yes."), saying("They spoke of numbers."), saying("Yes.")) as server:
        speaker = character(server)
        await answer(speaker, turn("one?", history))
        await answer(speaker, turn("two?", history))
        await answer(speaker, turn("three?", history))
        first, summing, *later = prompts(server)
        await speaker.aclose()
    assert first[0] == "Be kind."
    assert "message 0 " not in "".join(first)
    assert "message 0 " in summing[1]
    kept = next(number for number in range(40) if f"message {number} " in "".join(first))
    assert f"message {kept - 1} " in summing[1]
    assert f"message {kept} " not in summing[1]
    for each in later[0], later[-1]:
        assert each[0] == f"Be kind.\n\n{SUMMARY_LABEL}\nThey spoke of numbers."
        assert sum(len(text.encode()) + 12 for text in each) <= 2048 - 128


async def test_the_next_summary_goes_on_from_the_last() -> None:
    lines = ("Yes.", "The first half.", "Yes.", "All of it.", "Yes.")
    async with faulty(*map(saying, lines)) as server:
        speaker = character(server)
        await answer(speaker, turn("one?", talk(40)))
        await answer(speaker, turn("two?", talk(60)))
        await answer(speaker, turn("three?", talk(60)))
        _, first, _, second, last = prompts(server)[:5]
        await speaker.aclose()
    assert "message 0 " in first[1]
    assert "The first half." in second[1]
    assert "message 0 " not in second[1]
    assert last[0].endswith("\nAll of it.")


async def test_nothing_is_summed_up_where_everything_fits_or_it_is_switched_off() -> None:
    async with faulty(saying("Yes.")) as server:
        speaker, off = character(server), character(server, summary=False)
        await answer(speaker, turn("one?", talk(4)))
        await answer(off, turn("two?", talk(40)))
        assert len(server.completions) == 2
        await speaker.aclose()
        await off.aclose()


@pytest.mark.parametrize("failing", [lambda exchange: exchange.refuse(500), saying(" ")])
async def test_without_a_summary_the_prompt_is_as_it_was(failing: Script) -> None:
    async with faulty(saying("Yes."), failing, saying("Yes.")) as server:
        speaker = character(server)
        await answer(speaker, turn("one?", talk(40)))
        await answer(speaker, turn("two?", talk(40)))
        assert prompts(server)[2][0] == "Be kind."
        await speaker.aclose()


async def test_another_branch_has_no_summary_of_this_one() -> None:
    edited = [replace(talk(1)[0], content="something else"), *talk(39, 1)]
    async with faulty(*map(saying, ("Yes.", "Old.", "Yes.", "New.", "Yes."))) as server:
        speaker = character(server)
        await answer(speaker, turn("one?", talk(40)))
        await answer(speaker, turn("two?", edited))
        await answer(speaker, turn("three?", edited))
        firsts = [prompt[0] for prompt in prompts(server)]
        await speaker.aclose()
    assert firsts[2] == "Be kind."
    assert firsts[4].endswith("\nNew.")


async def test_an_answer_does_not_wait_for_a_summary_and_closing_ends_it() -> None:
    begun = asyncio.Event()

    async def hangs(exchange: Exchange) -> None:
        begun.set()
        await exchange.asked.closed.wait()

    async with faulty(saying("Yes."), hangs, saying("Yes.")) as server:
        speaker = character(server)
        async for _ in speaker.reply(turn("one?", talk(40))):
            pass
        await begun.wait()
        async for _ in speaker.reply(turn("two?", talk(40))):
            pass
        assert prompts(server)[2][0] == "Be kind."
        await speaker.aclose()
        await server.completions[1].closed.wait()


async def test_where_something_was_deleted_no_summary_has_it_any_more() -> None:
    history = talk(40)
    lines = ("Yes.", "The secret is out.", "Yes.", "The rest.", "Yes.")
    async with faulty(*map(saying, lines)) as server:
        speaker = character(server)
        await answer(speaker, turn("one?", history))
        speaker.forget("another")
        speaker.forget("room")
        # The first message is not there any more: what is left could be the end of the same conversation.
        await answer(speaker, turn("two?", history[1:]))
        await speaker.aclose()
        second = prompts(server)[2]
    assert second[0] == "Be kind."


async def test_one_that_is_being_written_meanwhile_is_not_kept() -> None:
    begun = asyncio.Event()

    async def hangs(exchange: Exchange) -> None:
        begun.set()
        await exchange.asked.closed.wait()

    async with faulty(saying("Yes."), hangs, saying("Yes."), saying("New.")) as server:
        speaker = character(server)
        async for _ in speaker.reply(turn("one?", talk(40))):
            pass
        await begun.wait()
        speaker.forget("room")
        await server.completions[1].closed.wait()
        await speaker.settle()
        # Nor is one begun of an answer that was asked for before.
        async for delta in speaker.reply(turn("two?", talk(40))):
            if isinstance(delta, str):
                speaker.forget("room")
        await speaker.settle()
        assert len(server.completions) == 3
        await speaker.aclose()
