"""Where a model is, what it is asked for, and how long it is waited for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from rejoinder.errors import ConfigurationError

# Each of these the provider says itself.
_TAKEN = frozenset({"messages", "stream", "stream_options", "model", "n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds that a character waits for its model.

    Attributes:
        first: To the first piece of an answer, thoughts included, all tries together.
        between: From one piece to the next.
        whole: For a whole answer.
        tries: How often it is asked, as long as nothing has come.

    Raises:
        ConfigurationError: A number is out of its range.
    """

    first: float = 60
    between: float = 30
    whole: float = 600
    tries: int = 3

    def __post_init__(self) -> None:
        for name in ("first", "between", "whole"):
            if not 0 < getattr(self, name) <= 86_400:  # noqa: PLR2004 - a day
                raise ConfigurationError(
                    f"Set {name} of an endpoint's patience to seconds above 0 and up to a day."
                )
        if not 1 <= self.tries <= 10:  # noqa: PLR2004 - more would only add to what it suffers from
            raise ConfigurationError(
                "Set tries of an endpoint's patience to a number from 1 to 10."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model behind an OpenAI-compatible address, and what it is asked for.

    Attributes:
        base_url: Where its `/chat/completions` is, without that: `https://api.openai.com/v1`, `http://127.0.0.1:11434/v1` …
        model: As the endpoint calls it.
        key: The API key; "" for none. It is shown nowhere.
        context_tokens: The model's window: prompt and answer together.
        max_tokens: The longest answer.
        max_tokens_field: How the endpoint calls that; OpenAI's reasoning models insist on `max_completion_tokens`.
        temperature: None leaves it to the endpoint.
        extra: Further fields of a request as the endpoint names them (`top_p`, `seed`, `reasoning_effort` …).
        headers: Further headers of a request.
        ask_tokens: Let the endpoint count tokens where a prompt may not fit, if it can. Else one token for each byte is
            assumed, and no model makes more of a text.
        ask_usage: Ask for the tokens that an answer took; a few endpoints refuse a request that does.
        goes_on: How it is had to go on with an answer: it is `asked` to, which every model understands, or the prompt ends
            with the answer as far as it is there (`prefilled`), as llama.cpp takes it up, and vLLM if it is told to (`vllm`).
        show_thoughts: Let people see what the model thinks before it answers. It may repeat there what it was told.
        summary: Have the model sum up what does not fit into a prompt any more, in a request of its own after an answer.
        patience: How long it is waited for.

    Raises:
        ConfigurationError: A value is not as it must be.
    """

    base_url: str
    model: str = ""
    key: str = field(default="", repr=False)
    context_tokens: int = 8192
    max_tokens: int = 1024
    max_tokens_field: str = "max_tokens"
    temperature: float | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ask_tokens: bool = True
    ask_usage: bool = True
    goes_on: Literal["asked", "prefilled", "vllm"] = "asked"
    show_thoughts: bool = False
    summary: bool = False
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        if not _is_address(self.base_url):
            raise ConfigurationError(
                "Set base_url of an endpoint to an address that begins with http:// or https://, and has no name, key or "
                "question mark in it."
            )
        if not self.key.isascii() or not self.key.isprintable():
            raise ConfigurationError("The key of an endpoint has characters that no key has.")
        if not 256 <= self.context_tokens <= 100_000_000:  # noqa: PLR2004 - less would hold nothing
            raise ConfigurationError(
                "Set context_tokens of an endpoint to a number from 256 to 100000000."
            )
        if not 1 <= self.max_tokens <= self.context_tokens - 128:
            raise ConfigurationError(
                f"Set max_tokens of an endpoint to a number from 1 to {self.context_tokens - 128}, so that its window of "
                f"{self.context_tokens} tokens has room for a prompt."
            )
        if self.temperature is not None and not 0 <= self.temperature <= 2:  # noqa: PLR2004 - what they take
            raise ConfigurationError("Set temperature of an endpoint to a number from 0 to 2.")
        if taken := _TAKEN & self.extra.keys():
            raise ConfigurationError(
                f"Leave {', '.join(sorted(taken))} out of the extra fields of an endpoint."
            )


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - a wrong one is noticed when it is read
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain
