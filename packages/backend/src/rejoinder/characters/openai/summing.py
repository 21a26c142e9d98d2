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
        self._asked: dict[str, str] = {}
        """The turns that are being answered, and their rooms; without those in whose room something was deleted since."""
        self._closed = False

    def summary(self, turn: Turn) -> str:
        """What there is for this turn, "" for nothing."""
        return self._summaries.of(turn.room_id, _written(turn))[0]

    def asks(self, turn: Turn) -> None:
        """A turn is about to be answered."""
        self._asked[turn.message_id] = turn.room_id

    def ends(self, turn: Turn) -> None:
        """It is not being answered any more."""
        self._asked.pop(turn.message_id, None)

    def left_out(self, turn: Turn, messages: Sequence[PastMessage]) -> None:
        """These were left out of the prompt of a turn: what of them is in no summary is summed up, unless much else is."""
        if turn.message_id not in self._asked:
            return  # Some of it is not to be told any more.
        before, covered = self._summaries.of(turn.room_id, _written(turn))
        if len(messages) <= covered or turn.room_id in self._running or self._closed:
            return
        if len(self._running) < _AT_ONCE:
            work = self._sum_up(turn.room_id, before, messages, covered)
            task = self._running[turn.room_id] = asyncio.create_task(work)
            task.add_done_callback(lambda _: self._running.pop(turn.room_id, None))

    def forget(self, room_id: str) -> None:
        """Keep no summary of that room, nor one that is being written or would be."""
        self._summaries.forget(room_id)
        self._asked = {each: room for each, room in self._asked.items() if room != room_id}
        running = self._running.get(room_id)
        if running is not None:
            running.cancel()

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
