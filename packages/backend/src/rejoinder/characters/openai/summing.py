"""Has the model of a character sum up what does not fit into its prompts any more, after an answer and for the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from rejoinder.characters.base import CharacterInfo, PastMessage, Turn
from rejoinder.characters.openai.failures import EndpointError
from rejoinder.characters.openai.summaries import Summaries, covering, request
from rejoinder.characters.prompt import Message, shorten

# No answer waits for a summary; but an endpoint that does one thing at a time makes the next answer wait so long at most.
_SECONDS = 30.0
_AT_ONCE = 4
_WORDS_MIN, _WORDS_MAX = 40, 300
_LETTERS_OF_A_WORD = 12
# Of a window, in bytes for each of its tokens: few models make more tokens of a text.
_BYTES_OF_A_TOKEN = 2

Say = Callable[[Sequence[Message], float], Awaitable[str]]
"""What the model says to these messages within so many seconds; it may raise an `EndpointError`."""


class SummingUp:
    """The summaries of one character, and those that are being written. They are kept in memory only."""

    def __init__(self, info: CharacterInfo, tokens: int, say: Say) -> None:
        """`tokens` is what a prompt may have."""
        self._info = info
        self._words = max(_WORDS_MIN, min(_WORDS_MAX, tokens // 16))
        self._bytes_max = tokens * _BYTES_OF_A_TOKEN
        self._say = say
        self._summaries = Summaries()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    def summary(self, turn: Turn) -> str:
        """What there is for this turn, "" for nothing."""
        return self._summaries.of(turn.room_id, _written(turn))[0]

    def left_out(self, turn: Turn, messages: Sequence[PastMessage]) -> None:
        """These were left out of the prompt of a turn: what of them is in no summary is summed up, unless much else is."""
        before, covered = self._summaries.of(turn.room_id, _written(turn))
        if len(messages) <= covered or turn.room_id in self._running or self._closed:
            return
        if len(self._running) < _AT_ONCE:
            work = self._sum_up(turn.room_id, before, messages, covered)
            task = self._running[turn.room_id] = asyncio.create_task(work)
            task.add_done_callback(lambda _: self._running.pop(turn.room_id, None))

    async def settle(self) -> None:
        """Wait until none is being written."""
        while self._running:
            await asyncio.wait(tuple(self._running.values()))

    async def aclose(self) -> None:
        """End those that are being written."""
        self._closed = True
        running = tuple(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _sum_up(
        self, room_id: str, before: str, messages: Sequence[PastMessage], covered: int
    ) -> None:
        asked = request(
            self._info.name,
            before,
            messages[covered:],
            words=self._words,
            bytes_max=self._bytes_max,
        )
        try:
            said = await self._say(asked, _SECONDS)
        except EndpointError as error:
            structlog.get_logger("rejoinder.openai").info(
                "a conversation could not be summed up",
                character_id=self._info.id,
                kind=error.kind,
                detail=error.detail,
            )
            return
        text = shorten(said.strip(), self._words * _LETTERS_OF_A_WORD)
        if text:
            self._summaries.keep(room_id, covering(text, messages))


def _written(turn: Turn) -> list[PastMessage]:
    return [message for message in turn.history if message.content]
