"""The way of text from a thread that blocks to a task that must not.

It holds a limited number of pieces: a writer that is faster than its reader waits. Either side may go away: when the
reader closes, the writer is told and never waits again; when the loop is gone, nothing is carried any more.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from rejoinder.characters.base import Usage

T = TypeVar("T")

End = Usage | Exception | None
"""How the text ended: complete, or with an error; None is for a writer that was told to stop."""

# How long a waiting writer may overlook that the program is over.
_LOOK_AROUND = 0.2


def run_in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Run a blocking function in a thread of its own; cancelling the future does not stop it.

    The thread is no daemon: the interpreter must not be taken apart while native code still calls back into it.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: Callable[[], None]) -> None:
        if not future.done():
            result()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whoever awaits the future gets it
            failure = error
            post(loop, settle, lambda: future.set_exception(failure))
        else:
            post(loop, settle, lambda: future.set_result(result))

    threading.Thread(target=run, name="rejoinder-model").start()
    return future


def post(loop: asyncio.AbstractEventLoop, function: Callable[[T], object], argument: T) -> bool:
    """Have the loop call a function; False if the loop is closed."""
    try:
        loop.call_soon_threadsafe(function, argument)
    except RuntimeError:
        return False
    return True


class Pipe:
    """One text on its way. The thread calls `write` and `finish`, the task `read` and `close`.

    Args:
        limit: Pieces that may be on their way.
    """

    def __init__(self, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[str | End] = asyncio.Queue()
        self._room = threading.Semaphore(limit)
        self._closed = False

    def stopped(self) -> bool:
        """Whether nobody reads any more: the reader closed, or the program is ending."""
        # A program may end without closing anything. Its main thread is over then, and the others are waited for.
        return self._closed or not threading.main_thread().is_alive()

    def write(self, text: str) -> None:
        """Hand over a piece, once there is room for it. What nobody will read is dropped."""
        while not self.stopped():
            if self._room.acquire(timeout=_LOOK_AROUND):
                self._post(text)
                return

    def finish(self, end: End) -> None:
        """Say how it ended; nothing comes after that."""
        self._post(end)

    def _post(self, item: str | End) -> None:
        if not post(self._loop, self._items.put_nowait, item):
            self._closed = True

    async def read(self) -> str | End:
        """The next piece, or the end."""
        item = await self._items.get()
        if isinstance(item, str):
            self._room.release()
        return item

    def close(self) -> None:
        """Tell the writer to stop."""
        self._closed = True
        # It may be waiting for room.
        self._room.release()
