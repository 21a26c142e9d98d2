"""One answer of a character, from claiming its row to its one end.

What was shown in chunks by then is what is stored; `message:stream:end` or `message:stream:error` goes out after that.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Literal, TypeVar

import structlog
from msgspec import UNSET

from rejoinder.characters.base import PastMessage, Turn, Usage
from rejoinder.characters.registry import Characters
from rejoinder.core.clock import Clock
from rejoinder.core.conversation import branch
from rejoinder.errors import CharacterFailed, ChatError, Unavailable
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import ServerPayload, iso
from rejoinder.service.delivery import Delivery
from rejoinder.service.rooms import LiveStream, PendingTurn, Rooms, RoomState
from rejoinder.service.tasks import Tasks
from rejoinder.stores.base import Draft, EndState, Store

JOIN_SECONDS = 0.03
BREATH = 64
SAVE_SECONDS = 1.0
STOP_SECONDS = 0.8
RETRY_SECONDS = 1.0
CONTEXT_MESSAGES = 50
ANSWER_LIMIT = 256 * 1024
FAILED = "The character could not finish its answer. Try again."

P = TypeVar("P", bound=ServerPayload)
Ending = Literal["stopped", "interrupted"]


@dataclass(frozen=True, slots=True)
class GenerationTools:
    """What a generation works with."""

    rooms: Rooms
    store: Store
    characters: Characters
    delivery: Delivery
    clock: Clock
    tasks: Tasks


class Generation:
    """Runs one turn. `run` returns when the turn is over; `stop` may be called at any time."""

    def __init__(self, tools: GenerationTools, state: RoomState, turn: PendingTurn) -> None:
        self._tools = tools
        self._state = state
        self._turn = turn
        self._ending: Ending | None = None
        self._failure: ChatError | None = None
        self._usage: Usage | None = None
        self._writing: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._begun: asyncio.Future[LiveStream] = asyncio.get_running_loop().create_future()
        self._left_behind: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._sealed = False
        self._log = structlog.get_logger("rejoinder.generation").bind(
            message_id=turn.message_id, character_id=turn.character_id
        )

    @property
    def turn(self) -> PendingTurn:
        """What is being answered."""
        return self._turn

    @property
    def room_id(self) -> str:
        """Where."""
        return self._state.id

    async def run(self) -> None:
        """Claim the row, write it, end it."""
        try:
            if await self._claim():
                await self._write()
                await self._end()
        finally:
            self._over.set()

    async def skip(self, ending: Ending) -> None:
        """End a turn that is not to begin: its answer stays empty."""
        self._ending = ending
        await self.run()

    async def stop(self, ending: Ending) -> None:
        """End it now; returns when it has ended.

        A character that does not heed its cancellation is left behind: what it writes after that is not shown.
        """
        self._ending = self._ending or ending
        if self._writing is not None:
            self._writing.cancel()
            heeded, _ = await asyncio.wait((self._writing,), timeout=STOP_SECONDS)
            if not heeded and not self._left_behind.done():
                self._log.warning("a character does not heed its cancellation")
                self._left_behind.set_result(None)
        await self._over.wait()

    # --- beginning -------------------------------------------------------------------------------

    async def _claim(self) -> bool:
        turn = self._turn
        draft = Draft(
            id=turn.message_id,
            room_id=self._state.id,
            role="character",
            sender_id=turn.character_id,
            content="",
            state="streaming",
            timestamp=self._tools.clock.wall_ms(),
            character_id=turn.character_id,
            reply_to=turn.question.id,
        )
        # A try whose outcome is not known may have stored the row, so that only a repetition with its id is safe.
        while True:
            try:
                await self._tools.rooms.append(self._state, draft, self._begin)
            except Unavailable:
                if self._ending == "interrupted":
                    return False
                await self._tools.clock.sleep(RETRY_SECONDS)
            else:
                return True

    def _begin(self, row: ChatMessage) -> None:
        stream = self._state.streams[row.id] = LiveStream(row, self._turn.asked_by)
        self._send(
            catalogue.STREAM_START,
            events.StreamStart(
                room_id=row.room_id,
                message_id=row.id,
                character_id=self._turn.character_id,
                reply_to=self._turn.question.id,
                seq=row.seq,
                timestamp=row.timestamp,
            ),
        )
        self._begun.set_result(stream)

    # --- writing ---------------------------------------------------------------------------------

    async def _write(self) -> None:
        stream = await self._begun
        if self._ending is not None:
            return
        self._writing = self._tools.tasks.start(self._consume(stream))
        await asyncio.wait((self._writing, self._left_behind), return_when=asyncio.FIRST_COMPLETED)
        if self._writing.cancelled() and self._ending is None:
            self._ending = "interrupted"

    async def _consume(self, stream: LiveStream) -> None:
        try:
            await self._read_deltas(stream)
        except CharacterFailed as failure:
            self._failure = failure
        except ChatError as error:
            self._log.warning("a generation failed", code=error.code)
            self._failure = CharacterFailed(FAILED)
        except Exception:  # noqa: BLE001 - characters are other people's code
            self._log.exception("a character raised an error")
            self._failure = CharacterFailed(FAILED)

    async def _read_deltas(self, stream: LiveStream) -> None:
        character = self._tools.characters.get(self._turn.character_id)
        if character is None:
            raise CharacterFailed("This character is not here any more. Choose another one.")
        deltas, taken = character.reply(await self._context()), 0
        async with AsyncExitStack() as stack:
            if isinstance(deltas, AsyncGenerator):
                await stack.enter_async_context(aclosing(deltas))
            async for delta in deltas:
                taken += 1
                if taken % BREATH == 0:
                    # A character that never waits must not keep everybody else waiting.
                    await asyncio.sleep(0)
                if isinstance(delta, Usage):
                    self._usage = delta
                    continue
                stream.text.write(_encodable(delta)[: ANSWER_LIMIT - stream.text.length])
                self._show_soon(stream)
                if stream.text.length >= ANSWER_LIMIT:
                    self._log.warning("an answer was cut at the limit", limit=ANSWER_LIMIT)
                    self._ending = "stopped"
                    return

    async def _context(self) -> Turn:
        question = self._turn.question
        page = await self._tools.store.page_before(self._state.id, question.seq, CONTEXT_MESSAGES)
        return Turn(
            room_id=self._state.id,
            message_id=question.id,
            user_id=question.sender_id,
            text=question.content,
            history=tuple(
                PastMessage(message.role, message.sender_id, message.content)
                for message in branch(page.messages)
            ),
        )

    def _show_soon(self, stream: LiveStream) -> None:
        if self._timer is not None or self._sealed:
            return
        wait = stream.chunk_at + JOIN_SECONDS - self._tools.clock.now()
        if wait <= 0:
            self._show(stream)
        else:
            self._timer = asyncio.get_running_loop().call_later(wait, self._show, stream)

    def _show(self, stream: LiveStream) -> None:
        self._timer = None
        chunk = stream.text.take_chunk()
        if chunk is None:
            return
        now = self._tools.clock.now()
        stream.chunk_at = now
        self._send(
            catalogue.STREAM_CHUNK,
            events.StreamChunk(
                room_id=self._state.id,
                message_id=self._turn.message_id,
                index=chunk.index,
                offset=chunk.offset,
                delta=chunk.delta,
            ),
        )
        if now - stream.saved_at >= SAVE_SECONDS and (self._saving is None or self._saving.done()):
            stream.saved_at = now
            self._saving = self._tools.tasks.start(self._save(stream.text.shown))

    async def _save(self, text: str) -> None:
        await self._tools.store.save_stream(self._turn.message_id, text)

    # --- ending ----------------------------------------------------------------------------------

    async def _end(self) -> None:
        stream = await self._begun
        if self._timer is not None:
            self._timer.cancel()
        self._show(stream)
        self._sealed = True
        text = stream.text.shown
        state: EndState = self._ending or ("failed" if self._failure else "complete")
        if self._saving is not None:
            await asyncio.wait((self._saving,))
        while True:
            try:
                text, state = await self._store_end(text, state)
                break
            except Unavailable:
                if self._ending == "interrupted":
                    return
                await self._tools.clock.sleep(RETRY_SECONDS)
        del self._state.streams[self._turn.message_id]
        self._announce(text, state)

    async def _store_end(self, text: str, state: EndState) -> tuple[str, EndState]:
        """How the row has ended: so, or as it had before, by an earlier try or another hand."""
        if await self._tools.store.end_stream(self._turn.message_id, text, state):
            return text, state
        row = await self._tools.store.find(self._turn.message_id)
        if row is None or row.state == "streaming":
            return text, state
        return row.content, row.state

    def _announce(self, text: str, state: EndState) -> None:
        timestamp = iso(self._tools.clock.wall_ms())
        if state == "failed":
            failure = self._failure or CharacterFailed(FAILED)
            self._send(
                catalogue.STREAM_ERROR,
                events.StreamError(
                    room_id=self._state.id,
                    message_id=self._turn.message_id,
                    content=text,
                    error=str(failure),
                    code=failure.code,
                    timestamp=timestamp,
                ),
            )
            return
        usage = self._usage
        self._send(
            catalogue.STREAM_END,
            events.StreamEnd(
                room_id=self._state.id,
                message_id=self._turn.message_id,
                content=text,
                state=state,
                timestamp=timestamp,
                usage=UNSET
                if usage is None
                else events.TokenUsage(
                    prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens
                ),
            ),
        )

    def _send(self, event: catalogue.ServerEvent[P], payload: P) -> None:
        self._tools.delivery.send(self._state.people.connections(), event, payload)


def _encodable(delta: object) -> str:
    """The delta, with what is no Unicode text (lone surrogates) replaced.

    Raises:
        TypeError: it is no text.
    """
    if not isinstance(delta, str):
        raise TypeError(f"a character yields text or Usage, not {type(delta).__name__}")
    return delta.encode("utf-8", "replace").decode("utf-8")
