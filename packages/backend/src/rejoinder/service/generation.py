"""One answer of a character, from claiming its row to its one end.

What was shown in chunks by then is what is stored; `message:stream:end` or `message:stream:error` goes out after that.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from functools import partial
from typing import Literal

import structlog

from rejoinder.characters.base import Character, Prompt, Thought, Turn, Usage
from rejoinder.characters.registry import Characters
from rejoinder.core.clock import Clock
from rejoinder.core.leases import LEASE_SECONDS, Keeping
from rejoinder.core.streams import Thinking
from rejoinder.errors import CharacterFailed, ChatError, Conflict, NotFound, Unavailable
from rejoinder.protocol import catalogue
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.answers import (
    FAILED,
    announce_chunk,
    announce_end,
    announce_start,
    announce_thought,
)
from rejoinder.service.delivery import Delivery
from rejoinder.service.items import HasRead
from rejoinder.service.marks import taken_up
from rejoinder.service.patience import in_time
from rejoinder.service.prompts import Asking, Prompts
from rejoinder.service.recall import Names, recalled
from rejoinder.service.room_state import LiveStream, PendingTurn, RoomState
from rejoinder.service.rooms import Rooms
from rejoinder.service.sharing import Sharing
from rejoinder.service.tasks import Tasks
from rejoinder.stores.base import Store
from rejoinder.stores.records import Draft, EndState

JOIN_SECONDS = 0.03
BREATH = 64
STOP_SECONDS = 0.8
RETRY_SECONDS = 1.0
ANSWER_LIMIT = 256 * 1024
THOUGHT_LIMIT = 64 * 1024
LEASE_MS = round(LEASE_SECONDS * 1000)

Ending = Literal["stopped", "interrupted"]
Skipped = Literal["stopped", "interrupted", "merged"]
"""How a turn ends that is not to begin; what is merged is answered with a later question."""


@dataclass(frozen=True, slots=True)
class GenerationTools:
    """What a generation works with, and whoever looks after those that are left behind."""

    rooms: Rooms
    store: Store
    characters: Characters
    delivery: Delivery
    clock: Clock
    tasks: Tasks
    sharing: Sharing
    prompts: Prompts | None = None
    """Where what models are asked is kept; None: nowhere."""


class Generation:
    """Runs one turn. `run` returns when the turn is over; `stop` may be called at any time."""

    def __init__(self, tools: GenerationTools, state: RoomState, turn: PendingTurn) -> None:
        self._tools = tools
        self._state = state
        self._turn = turn
        self._ending: Ending | None = None
        self._failure: CharacterFailed | None = None
        self._thinking = Thinking(THOUGHT_LIMIT)
        self._usage: Usage | None = None
        self._writing: asyncio.Task[None] | None = None
        self._keeping: Keeping | None = None
        self._leaving = False
        self._left = False
        self._merged = False
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

    @property
    def claimed(self) -> bool:
        """True if the answer has its row, here or elsewhere."""
        return self._keeping is not None or self._left

    async def run(self) -> None:
        """Claim the row, write it, end it."""
        try:
            if await self._claim():
                await self._write()
                await self._end()
        finally:
            self._over.set()

    async def skip(self, ending: Skipped) -> None:
        """End a turn that is not to begin: its answer stays empty."""
        if ending == "merged":
            self._merged = True
            await self.run()
            return
        self._ending = ending
        self._leaving = ending == "interrupted"
        await self.run()

    async def stop(self, ending: Ending) -> None:
        """End it now; returns when it has ended.

        A character that does not heed its cancellation is left behind: what it writes after that is not shown.
        """
        self._ending = self._ending or ending
        self._leaving = self._leaving or ending == "interrupted"
        await self._halt()
        await self._over.wait()

    def tick(self) -> None:
        """Save the text and renew the lease, if that is due."""
        if self._keeping is None or self._sealed:
            return
        stream = self._begun.result() if self._begun.done() else None
        length = 0 if stream is None else stream.text.shown_length
        if self._keeping.begin(self._tools.clock.now(), length):
            text = "" if stream is None else stream.text.shown
            _ = self._tools.tasks.start(self._keep(self._keeping, text))

    # --- beginning -------------------------------------------------------------------------------

    async def _claim(self) -> bool:
        leased_at = self._tools.clock.now()
        # A try whose outcome is not known may have stored the row, so that only a repetition with its id is safe.
        first = True
        while True:
            try:
                appended = await self._tools.rooms.append(self._state, self._draft(), self._begin)
            except Unavailable:
                if self._leaving:
                    return False
                first = False
                await self._tools.clock.sleep(RETRY_SECONDS)
            except (Conflict, NotFound):
                # There is some of its text already, or the room was deleted.
                self._leave_to_another()
                return False
            else:
                if appended.duplicate and first:
                    self._leave_to_another()
                    return False
                self._keeping = Keeping(leased_at)
                if appended.message.state != "streaming":
                    await self._give_way()
                return True

    def _leave_to_another(self) -> None:
        """Another server was asked for the same answer, and was quicker."""
        self._left = True
        stream = self._state.streams.pop(self._turn.message_id, None)
        if stream is not None:
            self._state.elsewhere.begin(self._turn.message_id, stream)

    def _draft(self) -> Draft:
        turn, now = self._turn, self._tools.clock.wall_ms()
        beside = turn.beside
        return Draft(
            id=turn.message_id,
            room_id=self._state.id,
            role="character",
            sender_id=turn.character_id,
            content="",
            state="streaming",
            timestamp=now,
            character_id=turn.character_id,
            reply_to=turn.question.id,
            lease_until=now + LEASE_MS,
            parent_seq=self._state.place_answer(turn.message_id, turn.question, beside),
            variant_of=None if beside is None else beside.id,
        )

    def _begin(self, row: ChatMessage) -> None:
        stream = LiveStream(row, self._turn.asked_by)
        if self._left:
            self._state.elsewhere.begin(row.id, stream)
        else:
            self._state.streams[row.id] = stream
        announce_start(self._tools.delivery, self._state, row)
        if self._ending is None:
            self._take_up(row)
        self._begun.set_result(stream)

    def _take_up(self, row: ChatMessage) -> None:
        """The character has read what it is about to answer."""
        moved = taken_up(row, self._turn.question)
        self._tools.delivery.send(self._state.people.connections(), catalogue.READ_MOVED, moved)
        if self._state.listeners:
            self._tools.sharing.say(self._state.listeners, HasRead(self._state.id, moved))

    # --- writing ---------------------------------------------------------------------------------

    async def _write(self) -> None:
        stream = await self._begun
        if self._ending is not None or self._merged:
            return
        self._writing = self._tools.tasks.start(self._consume(stream))
        await asyncio.wait((self._writing, self._left_behind), return_when=asyncio.FIRST_COMPLETED)
        if self._writing.cancelled() and self._ending is None:
            self._ending, self._leaving = "interrupted", True

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
        turn = await self._context(character)
        if turn.begun:
            stream.text.write(turn.begun)
            self._show(stream)
        deltas, taken = character.reply(turn), 0
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
                    if self._tools.prompts is not None:
                        self._tools.prompts.cost(self._turn.message_id, delta)
                    continue
                if isinstance(delta, Thought):
                    self._thinking.write(_encodable(delta.text))
                    self._show_soon(stream)
                    continue
                stream.text.write(_encodable(delta)[: ANSWER_LIMIT - stream.text.length])
                self._show_soon(stream)
                if stream.text.length >= ANSWER_LIMIT:
                    self._log.warning("an answer was cut at the limit", limit=ANSWER_LIMIT)
                    self._ending = "stopped"
                    return

    async def _context(self, character: Character) -> Turn:
        question, beside = self._turn.question, self._turn.beside
        prompts = self._tools.prompts
        on_prompt: Callable[[Prompt], None] = _kept_nowhere
        if prompts is not None:
            on_prompt = partial(self._keep_prompt, prompts, prompts.begin(self._state.id))
        names = Names(self._tools.store, self._state, self._tools.characters)
        history = await recalled(self._tools.store, character, question, names)
        return Turn(
            room_id=self._state.id,
            message_id=question.id,
            user_id=question.sender_id,
            user_name=names.person(question.sender_id),
            character_id=self._turn.character_id,
            text=question.content,
            history=history,
            on_prompt=on_prompt,
            begun=self._begun_with(beside) if beside is not None else "",
        )

    def _begun_with(self, beside: ChatMessage) -> str:
        # It may have been deleted while this waited for its turn: then the answer is another one.
        is_there = beside.id not in self._state.branches.gone
        return beside.content if self._turn.goes_on and is_there else ""

    def _keep_prompt(self, prompts: Prompts, asking: Asking, prompt: Prompt) -> None:
        turn = self._turn
        prompts.keep(self._state.id, turn.message_id, turn.asked_by, prompt, asking)

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
        if self._sealed:
            return
        thought = self._thinking.take()
        if thought is not None:
            stream.chunk_at = self._tools.clock.now()
            announce_thought(self._tools.delivery, self._state, self._turn.message_id, *thought)
            if self._state.listeners:
                self._tools.sharing.thought(self._state, self._turn.message_id, *thought)
        chunk = stream.text.take_chunk()
        if chunk is None:
            return
        stream.chunk_at = self._tools.clock.now()
        announce_chunk(self._tools.delivery, self._state, self._turn.message_id, chunk)
        if self._state.listeners:
            self._tools.sharing.piece(self._state, self._turn.message_id, chunk)

    async def _keep(self, keeping: Keeping, text: str) -> None:
        lease_until = self._tools.clock.wall_ms() + LEASE_MS
        kept, lives = False, True
        try:
            # A save that is never answered must not be the last one.
            lives = await in_time(
                self._tools.store.save_stream(self._turn.message_id, text, lease_until)
            )
            kept = True
        except Unavailable:
            self._log.debug("an answer could not be saved; it is tried again")
        finally:
            keeping.ended(kept=kept)
        if not lives and not self._sealed:
            await self._give_way()

    async def _give_way(self) -> None:
        """Another hand has ended the row: what would be written after that would not be stored."""
        self._log.warning("another server has ended an answer that is written here")
        self._sealed = True
        self._ending = self._ending or "interrupted"
        await self._halt()

    # --- ending ----------------------------------------------------------------------------------

    async def _halt(self) -> None:
        """Have the character stop; one that does not is left behind."""
        if self._writing is None:
            return
        self._writing.cancel()
        heeded, _ = await asyncio.wait((self._writing,), timeout=STOP_SECONDS)
        if not heeded and not self._left_behind.done():
            self._log.warning("a character does not heed its cancellation")
            self._left_behind.set_result(None)

    async def _end(self) -> None:
        stream = await self._begun
        if self._timer is not None:
            self._timer.cancel()
        self._show(stream)
        self._sealed = True
        text = stream.text.shown
        state: EndState = self._ending or ("failed" if self._failure else "complete")
        # A save under way need not be waited for: of a row that has ended it changes nothing.
        while True:
            try:
                text, state = await self._store_end(text, state)
                break
            except Unavailable:
                if self._leaving:
                    return
                await self._tools.clock.sleep(RETRY_SECONDS)
        del self._state.streams[self._turn.message_id]
        announce_end(
            self._tools.delivery,
            self._state,
            self._turn.message_id,
            text,
            state,
            self._tools.clock.wall_ms(),
            failure=self._failure,
            usage=self._usage,
        )
        if self._state.listeners:
            usage = self._usage
            self._tools.sharing.ended(
                self._state,
                self._turn.message_id,
                text,
                state,
                None if self._failure is None else str(self._failure),
                None if usage is None else (usage.prompt_tokens, usage.completion_tokens),
            )

    async def _store_end(self, text: str, state: EndState) -> tuple[str, EndState]:
        """How the row has ended: so, or as it had before, by an earlier try or another hand."""
        if await self._tools.store.end_stream(self._turn.message_id, text, state):
            return text, state
        row = await self._tools.store.find(self._turn.message_id)
        if row is None or row.state == "streaming":
            return text, state
        return row.content, row.state


def _kept_nowhere(_prompt: Prompt) -> None:
    """Where prompts are not kept."""


def _encodable(delta: object) -> str:
    """The delta, with what is no Unicode text (lone surrogates) replaced.

    Raises:
        TypeError: it is no text.
    """
    if not isinstance(delta, str):
        raise TypeError(f"a character yields text, Thought or Usage, not {type(delta).__name__}")
    if delta.isascii():
        return delta
    return delta.encode("utf-8", "replace").decode("utf-8")
