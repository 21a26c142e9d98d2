"""An engine for tests that does what it is told, when it is told."""

import threading
from collections.abc import Callable, Sequence

from rejoinder.characters import Usage
from rejoinder.characters.local.engine import Request
from rejoinder.characters.prompt import Message


class ScriptedEngine:
    """Writes the words of the last message back; a prompt has as many tokens as its texts have words.

    With `hold` a generation stays after its first word until it is stopped or `hold` is set.
    """

    def __init__(
        self, *, hold: threading.Event | None = None, failure: Exception | None = None
    ) -> None:
        self.requests: list[Request] = []
        self._closed = False
        self.most_at_once = 0
        self._running = 0
        self._hold = hold
        self._failure = failure
        self._lock = threading.Lock()

    def count(self, messages: Sequence[Message]) -> int:
        assert not self._closed
        return sum(len(message["content"].split()) for message in messages)

    def generate(
        self, request: Request, write: Callable[[str], None], stopped: Callable[[], bool]
    ) -> Usage | None:
        assert not self._closed
        with self._lock:
            self.requests.append(request)
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            return self._generate(request, write, stopped)
        finally:
            with self._lock:
                self._running -= 1

    def _generate(
        self, request: Request, write: Callable[[str], None], stopped: Callable[[], bool]
    ) -> Usage | None:
        words = request.messages[-1]["content"].split()
        for index, word in enumerate(words):
            write(word)
            while index == 0 and self._hold and not self._hold.wait(0.01):
                if stopped():
                    return None
            if self._failure:
                raise self._failure
        return Usage(self.count(request.messages), len(words))

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        assert not self._running
        self._closed = True
