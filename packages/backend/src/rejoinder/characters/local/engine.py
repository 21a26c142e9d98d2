"""What runs a model, as the rest of this package sees it: it counts, it generates, it blocks its thread."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rejoinder.characters.base import Usage
from rejoinder.characters.prompt import Message


@dataclass(frozen=True, slots=True)
class Request:
    """One answer to generate: at most `max_tokens` tokens; `sampling` holds further fields as the engine names them."""

    messages: Sequence[Message]
    max_tokens: int
    temperature: float
    sampling: Mapping[str, object] = field(default_factory=dict)


class EngineError(Exception):
    """The engine refused a request or broke down over it. The text is for the log."""


class Engine(Protocol):
    """A loaded model. Every call blocks and may come from any thread, several at once."""

    def count(self, messages: Sequence[Message]) -> int:
        """How many tokens a prompt of these messages has, with all that the model's template adds.

        Raises:
            EngineError: It could not be counted.
        """
        ...

    def generate(
        self, request: Request, write: Callable[[str], None], stopped: Callable[[], bool]
    ) -> Usage | None:
        """Generate one answer and hand every piece of its text to `write` as soon as it is there.

        `stopped` is asked often, while the prompt is read as well; once it says so the generation ends and the result
        is None.

        Raises:
            EngineError: The answer could not be finished.
        """
        ...

    def close(self) -> None:
        """Free the model. Nothing is called afterwards; a second call does nothing."""
        ...
