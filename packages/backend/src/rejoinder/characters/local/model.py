"""A model that several characters and rooms share: loaded once, a few answers at a time, the others wait in order."""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress

from rejoinder.characters.base import Delta, Usage
from rejoinder.characters.local.engine import Engine, EngineError, Request
from rejoinder.characters.local.llama import load_llama
from rejoinder.characters.local.pipe import End, Pipe, run_in_thread
from rejoinder.characters.local.settings import LocalModelSettings
from rejoinder.characters.prompt import Count, Message
from rejoinder.errors import CharacterFailed

# Deltas on their way from the model's thread to the chat. A reader that falls behind holds its writer up here; what
# llama.cpp writes on meanwhile is bounded by the answer's tokens.
_DELTAS_IN_TRANSIT = 64

_LEAVING = "The answer was cut short because the character is leaving."


class LocalModel:
    """Runs a model inside this process. One event loop uses it.

    It belongs to the characters that are attached to it, and is closed when the last one of them is.

    Args:
        settings: The file and what its use may cost.
        load: Loads the model; blocks. For another engine than llama.cpp.
    """

    def __init__(
        self,
        settings: LocalModelSettings,
        *,
        load: Callable[[LocalModelSettings], Engine] = load_llama,
    ) -> None:
        self.settings = settings
        self._load = load
        self._loading: asyncio.Future[Engine] | None = None
        self._close_engine: Callable[[], object] | None = None
        self._owners: set[object] = set()
        self._slots = asyncio.Semaphore(settings.parallel)
        # Answers that run or wait.
        self._turns = 0
        self._running: dict[Pipe, tuple[object, asyncio.Future[None]]] = {}

    def attach(self, owner: object) -> None:
        """Count a character among the users of the model."""
        self._owners.add(owner)

    async def detach(self, owner: object) -> None:
        """End a character's answers; close the model if nobody else uses it."""
        self._owners.discard(owner)
        await self._end(owner)
        if not self._owners:
            await self._close()

    async def start(self) -> None:
        """Load the model now rather than with the first answer. If it fails, the next call tries again.

        The interpreter stands still for a part of it: 0.2 to 0.4 s for the bundled model, more for a larger one.

        Raises:
            ConfigurationError: xllamacpp or the model file is missing or not as it must be.
        """
        await self._loaded()

    async def stream(
        self, owner: object, prepare: Callable[[Count], Request]
    ) -> AsyncGenerator[Delta, None]:
        """Generate an answer for an attached character.

        Args:
            owner: The character.
            prepare: Makes the request, given a function that counts tokens; called in a thread.

        Raises:
            ConfigurationError: The model cannot be loaded.
            CharacterFailed: There is no answer, or no more of it; the text says why.
        """
        self._admit(owner)
        try:
            engine = await self._loaded()
            await self._slots.acquire()
        except BaseException:
            self._turns -= 1
            raise
        # From here to the `try` nothing may wait, or a cancellation would keep the slot.
        pipe = Pipe(_DELTAS_IN_TRANSIT)
        if owner not in self._owners:
            pipe.close()
        work = run_in_thread(lambda: _generate(engine, prepare, pipe))
        self._running[pipe] = owner, work
        work.add_done_callback(lambda _: self._free(pipe))
        try:
            while isinstance(item := await pipe.read(), str):
                yield item
            yield _usage(item)
        finally:
            # The slot is taken until the thread has noticed; that is one token or one batch of the prompt.
            pipe.close()

    def _admit(self, owner: object) -> None:
        if owner not in self._owners:
            raise CharacterFailed(_LEAVING)
        if self._turns >= self.settings.parallel + self.settings.waiting:
            raise CharacterFailed(
                "Too many answers are being written right now. Try again in a minute."
            )
        self._turns += 1

    async def _loaded(self) -> Engine:
        if self._loading is None or _failed(self._loading):
            self._loading = run_in_thread(self._load_and_keep)
        return await asyncio.shield(self._loading)

    def _load_and_keep(self) -> Engine:
        engine = self._load(self.settings)
        # A program that ends without closing the model frees it in an orderly way all the same.
        self._close_engine = weakref.finalize(self, engine.close)
        return engine

    def _free(self, pipe: Pipe) -> None:
        del self._running[pipe]
        self._turns -= 1
        self._slots.release()

    async def _end(self, owner: object) -> None:
        ending = []
        for pipe, (running_for, work) in self._running.items():
            if running_for is owner:
                pipe.close()
                ending.append(work)
        if ending:
            await asyncio.wait(ending)

    async def _close(self) -> None:
        if self._loading is not None:
            with suppress(Exception):
                await asyncio.shield(self._loading)
        if self._close_engine is not None:
            self._close_engine()
        self._loading = None


def _failed(future: asyncio.Future[Engine]) -> bool:
    return future.done() and (future.cancelled() or future.exception() is not None)


def _generate(engine: Engine, prepare: Callable[[Count], Request], pipe: Pipe) -> None:
    def count(messages: Sequence[Message]) -> int:
        # A long conversation is counted several times; stopping must not wait for all of them.
        if pipe.stopped():
            raise EngineError("nobody waits for this answer any more")
        return engine.count(messages)

    end: End
    try:
        end = engine.generate(prepare(count), pipe.write, pipe.stopped)
    except EngineError as error:
        end = CharacterFailed("The model could not finish this answer. Try again.")
        end.__cause__ = error
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is read
        end = error
    pipe.finish(None if pipe.stopped() else end)


def _usage(end: End) -> Usage:
    if isinstance(end, Exception):
        raise end
    if end is None:
        raise CharacterFailed(_LEAVING)
    return end
