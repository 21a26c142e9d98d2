"""How many tokens a prompt has, as the endpoint itself counts them, or at most."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from rejoinder.characters.prompt import Message

# What a chat template puts around a message and around a prompt; the longest of the common ones take about half.
_AROUND_MESSAGE = 12
_AROUND_PROMPT = 32

Post = Callable[[str, object], Awaitable[object]]
"""Posts JSON to an address and returns the JSON of the answer; None where there is no such thing, now or at all.

Raises:
    NotOfferedError: The endpoint has no such address.
"""


class NotOfferedError(Exception):
    """The endpoint does not count in this way, and never will."""


def at_most(messages: Sequence[Message]) -> int:
    """More tokens than any model makes of it.

    The vocabularies in use have a token for each byte and make longer ones of several, so a text never has more tokens
    than bytes.
    """
    return _AROUND_PROMPT + sum(
        _AROUND_MESSAGE + len(message["content"].encode()) for message in messages
    )


class Tokens:
    """Counts for one endpoint. It finds out once in which way the endpoint counts, if it does.

    Args:
        base_url: The address of the API.
        model: The model's name.
        post: Asks the endpoint.
    """

    def __init__(self, base_url: str, model: str, post: Post) -> None:
        root = base_url.removesuffix("/v1")
        named = {"model": model} if model else {}
        self._post = post
        self._ways: list[
            tuple[str, Callable[[Sequence[Message]], object], Callable[[Any], Any]]
        ] = [
            # llama.cpp: the whole prompt, with its template.
            (
                f"{base_url}/chat/completions/input_tokens",
                lambda messages: {**named, "messages": messages},
                lambda answer: answer["input_tokens"],
            ),
            # vLLM: the same.
            (
                f"{root}/tokenize",
                lambda messages: {**named, "messages": messages},
                lambda answer: answer["count"],
            ),
        ]

    async def count(self, messages: Sequence[Message]) -> int:
        """The tokens of a prompt; at most these, where the endpoint does not say."""
        while self._ways:
            way = address, asked, answered = self._ways[0]
            try:
                answer = await self._post(address, asked(messages))
                if answer is None:
                    break
                return _number(answer, answered)
            except NotOfferedError:
                # Another answer may have found out the same meanwhile.
                if way in self._ways:
                    self._ways.remove(way)
        return at_most(messages)


def _number(answer: object, answered: Callable[[Any], Any]) -> int:
    if not isinstance(answer, Mapping):
        raise NotOfferedError
    try:
        tokens = answered(answer)
    except (LookupError, TypeError):
        raise NotOfferedError from None
    if not isinstance(tokens, int) or tokens < 1:
        raise NotOfferedError
    return tokens
