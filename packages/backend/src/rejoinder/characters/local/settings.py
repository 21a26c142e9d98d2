"""What a local model is run with."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from rejoinder.errors import ConfigurationError


def default_threads() -> int:
    """The cores that this process may use, less the one that the chat server needs; at least 1."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        # Only Linux knows which cores a process may use.
        cores = os.cpu_count() or 1
    return max(1, cores - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModelSettings:
    """A model file and what its use may cost.

    Attributes:
        path: The GGUF file.
        context_tokens: The window of one answer: prompt and answer together. A longer window costs memory, and time
            before the first word: the bundled model reads about 200 tokens a second on one core.
        parallel: Answers generated at the same time. Further ones wait for their turn.
        waiting: Answers that may wait; one more is refused.
        threads: Threads that compute.
        cache_mib: Memory for prompts read before, in MiB, so that a room that comes back need not be read again.

    Raises:
        ConfigurationError: A number is out of its range.
    """

    path: Path
    context_tokens: int = 1024
    parallel: int = 2
    waiting: int = 64
    threads: int = field(default_factory=default_threads)
    cache_mib: int = 192

    def __post_init__(self) -> None:
        for name, least, most in (
            ("context_tokens", 128, 1_048_576),
            ("parallel", 1, 64),
            ("waiting", 0, 100_000),
            ("threads", 1, 1024),
            ("cache_mib", 0, 1_048_576),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ConfigurationError(
                    f"Set {name} of the local model to a number from {least} to {most} instead of {value}."
                )
