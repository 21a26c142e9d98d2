"""A character that a model behind an OpenAI-compatible endpoint speaks for."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

import structlog

from rejoinder.characters.base import (
    CharacterInfo,
    Delta,
    Prompt,
    Thought,
    Turn,
    Usage,
)
from rejoinder.characters.openai.failures import EndpointError, Kind, Locale, sentence
from rejoinder.characters.openai.settings import Endpoint
from rejoinder.characters.openai.stream import Events, Halves, Piece, read
from rejoinder.characters.openai.summing import SummingUp
from rejoinder.characters.openai.thoughts import Thoughts
from rejoinder.characters.openai.tokens import Tokens, at_most
from rejoinder.characters.openai.transport import Transport
from rejoinder.characters.prompt import (
    GoesOn,
    Message,
    NoRoomError,
    Persona,
    Told,
    Window,
    counted_elsewhere,
    joint,
)
from rejoinder.errors import CharacterFailed

# After the last word of an answer only its usage is still to come, and the end of the stream.
_USAGE_SECONDS = 2.0
_DRAIN_SECONDS = 0.2
_BACKOFF_SECONDS = 0.5


@dataclass(slots=True)
class _Answer:
    """What there is of an answer so far, all tries together."""

    messages: Sequence[Message]
    first_by: float
    whole_by: float
    begun: bool = False
    said: bool = False
    finish: str = ""
    usage: Usage | None = None
    halves: Halves = field(default_factory=Halves)
    thoughts: Thoughts = field(default_factory=Thoughts)
    thought_halves: Halves = field(default_factory=Halves)


class OpenAICharacter:
    """Answers with the model of an endpoint. What the model thinks before it answers is no part of the answer.

    Args:
        info: Who the character is.
        endpoint: Who speaks for it.
        system_prompt: What the model is told first, always; "" for nothing.
        persona: What it is told instead of one text: a character card, say.
        locale: The language of the sentences by which it says that it failed.
    """

    def __init__(
        self,
        info: CharacterInfo,
        endpoint: Endpoint,
        *,
        system_prompt: str = "",
        persona: Persona | None = None,
        locale: Locale = "en",
    ) -> None:
        self._info = info
        self._endpoint = endpoint
        self._locale: Locale = locale
        self._transport = Transport(endpoint)
        self._tokens = Tokens(self._transport.base_url, endpoint.model, self._transport.post)
        room = endpoint.context_tokens - endpoint.max_tokens
        goes_on: GoesOn = "asked" if endpoint.goes_on == "asked" else "prefilled"
        self._window = Window(room, persona or Told(system_prompt), goes_on)
        self._summing = SummingUp(info, room, self._say)

    @property
    def info(self) -> CharacterInfo:
        return self._info

    @property
    def history_bytes(self) -> int:
        """How many bytes of text may come into a prompt at most."""
        return self._window.most_bytes if self._endpoint.ask_tokens else self._window.tokens

    async def reply(self, turn: Turn) -> AsyncIterator[Delta]:
        self._summing.asks(turn)
        try:
            async with aclosing(self._answer(turn)) as deltas:
                async for delta in deltas:
                    yield delta
                return
        except EndpointError as error:
            failure = error
        except NoRoomError:
            failure = EndpointError("no_room", "the character's own parts fill the window")
        finally:
            self._summing.ends(turn)
        structlog.get_logger("rejoinder.openai").warning(
            "an endpoint gave no whole answer",
            character_id=self._info.id,
            message_id=turn.message_id,
            kind=failure.kind,
            detail=failure.detail,
        )
        # Raised here, where no other error is being handled: nothing of it can be seen through this one.
        raise CharacterFailed(
            sentence(failure.kind, self._info.name, self._locale, failure.retry_after)
        )

    def forget(self, room_id: str) -> None:
        """Keep no summary of that room."""
        self._summing.forget(room_id)

    async def settle(self) -> None:
        """Wait until nothing is done any more that was left to do after answers."""
        await self._summing.settle()

    def speaking_as(self, system_prompt: str, max_tokens: int) -> "OpenAICharacter":
        """The same model, told something else; to be closed after use."""
        endpoint = replace(self._endpoint, max_tokens=max_tokens)
        return OpenAICharacter(
            self._info, endpoint, system_prompt=system_prompt, locale=self._locale
        )

    async def aclose(self) -> None:
        await self._summing.aclose()
        await self._transport.aclose()

    async def _answer(self, turn: Turn) -> AsyncGenerator[Delta]:
        await self._transport.ready()
        patience, now = self._endpoint.patience, asyncio.get_running_loop().time()
        summary = self._summing.summary(turn) if self._endpoint.summary else ""
        fitted = await counted_elsewhere(self._window.fitted(turn, summary), self._count)
        turn.on_prompt(Prompt(tuple(fitted.messages), self._endpoint.model))
        answer = _Answer(fitted.messages, now + patience.first, now + patience.whole)
        async with aclosing(self._spoken(answer)) as deltas:
            before = turn.begun if self._endpoint.goes_on == "asked" else ""
            async for delta in deltas:
                if isinstance(delta, str):
                    yield joint(before, delta) + delta
                    before = ""
                else:
                    yield delta
        if answer.finish == "content_filter":
            raise EndpointError("filtered", "the endpoint kept text back")
        if not answer.said:
            raise EndpointError("empty", "the answer has no text")
        if self._endpoint.summary:
            self._summing.left_out(turn, fitted.left_out)
        if answer.usage is not None:
            yield answer.usage

    async def _spoken(self, answer: _Answer) -> AsyncGenerator[str | Thought]:
        """What the model says, however often it has to be asked before it begins."""
        patience = self._endpoint.patience
        for number in range(patience.tries):
            try:
                async with aclosing(self._try(answer)) as texts:
                    async for text in texts:
                        yield text
                break
            except EndpointError as error:
                last = number + 1 == patience.tries
                if answer.begun or last or not error.passing:
                    raise
                wait = error.retry_after
                if wait is None:
                    wait = _BACKOFF_SECONDS * 2**number * random.uniform(0.5, 1.5)  # noqa: S311
                if wait >= _left(answer.first_by):
                    raise
            await self._transport.within(wait + 1, asyncio.sleep(wait), "late")

    async def _say(self, messages: Sequence[Message], seconds: float) -> str:
        """What the model says to something else than a turn; "" if it may not say it all."""
        by = asyncio.get_running_loop().time() + seconds
        answer, texts = _Answer(messages, by, by), list[str]()
        async with aclosing(self._spoken(answer)) as deltas:
            async for delta in deltas:
                if isinstance(delta, str):
                    texts.append(delta)
        return "" if answer.finish == "content_filter" else "".join(texts)

    async def _try(self, answer: _Answer) -> AsyncGenerator[str | Thought]:
        body = self._body(answer.messages)
        async with self._transport.stream(body, _left(answer.first_by)) as stream:
            async with aclosing(self._pieces(stream, answer)) as pieces:
                async for piece in pieces:
                    answer.begun = answer.begun or piece.thought or bool(piece.text)
                    answer.finish = piece.finish or answer.finish
                    answer.usage = piece.usage or answer.usage
                    text = answer.thoughts.feed(answer.halves.feed(piece.text))
                    if thought := self._thought(answer, piece.thoughts):
                        yield thought
                    if text:
                        answer.said = answer.said or not text.isspace()
                        yield text
            text = answer.thoughts.end()
            if thought := self._thought(answer, ""):
                yield thought
            if text:
                answer.said = answer.said or not text.isspace()
                yield text

    def _thought(self, answer: _Answer, apart: str) -> Thought | None:
        """What was thought, apart from the text or taken out of it, if anybody is to see it."""
        taken = answer.thoughts.taken()
        if not self._endpoint.show_thoughts:
            return None
        text = answer.thought_halves.feed(apart) + taken
        return Thought(text) if text else None

    async def _pieces(self, stream: AsyncIterator[bytes], answer: _Answer) -> AsyncGenerator[Piece]:
        """The pieces of a stream, each in its time."""
        events, patience = Events(), self._endpoint.patience
        by = answer.first_by
        while True:
            late: Kind = "silent" if answer.begun else "late"
            left = min(_left(by), _left(answer.whole_by))
            try:
                bytes_ = await self._transport.within(left, anext(stream, None), late)
            except EndpointError as error:
                if answer.finish and error.kind != "leaving":
                    return
                raise
            for data in events.end() if bytes_ is None else events.feed(bytes_):
                piece = read(data)
                if piece.done:
                    await self._drain(stream)
                    return
                yield piece
                if answer.finish:
                    by = min(by, asyncio.get_running_loop().time() + _USAGE_SECONDS)
                elif piece.text or piece.thought:
                    by = asyncio.get_running_loop().time() + patience.between
            if bytes_ is None:
                if answer.finish:
                    return
                raise EndpointError("cut", "the stream ended before the answer")

    async def _drain(self, stream: AsyncIterator[bytes]) -> None:
        """Read the end of a stream, so that its connection can serve the next answer."""

        async def read_on() -> None:
            async for _ in stream:
                pass

        with suppress(EndpointError):
            await self._transport.within(_DRAIN_SECONDS, read_on(), "late")

    def _body(self, messages: Sequence[Message]) -> dict[str, object]:
        endpoint = self._endpoint
        body: dict[str, object] = {
            **endpoint.extra,
            "messages": messages,
            "stream": True,
            endpoint.max_tokens_field: endpoint.max_tokens,
        }
        if endpoint.goes_on == "vllm" and messages[-1]["role"] == "assistant":
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        if endpoint.model:
            body["model"] = endpoint.model
        if endpoint.ask_usage:
            body["stream_options"] = {"include_usage": True}
        if endpoint.temperature is not None:
            body["temperature"] = endpoint.temperature
        return body

    async def _count(self, messages: Sequence[Message]) -> int:
        tokens = at_most(messages)
        # Most prompts are far from filling a window, and need not be counted.
        if tokens <= self._window.goal or not self._endpoint.ask_tokens:
            return tokens
        return await self._tokens.count(messages)


def _left(until: float) -> float:
    return max(0.0, until - asyncio.get_running_loop().time())
