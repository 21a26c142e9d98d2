"""The stream of a chat completion, read without trust: server-sent events, their JSON, and what it means. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from rejoinder.characters.base import Usage
from rejoinder.characters.openai.failures import EndpointError, of_status

MAX_EVENT_BYTES = 1 << 20
_MOST_TOKENS = 1 << 50


class Events:
    """Takes the bytes of a stream as they come and gives the data of each event that is whole."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The events that end in this piece.

        Raises:
            EndpointError: An event is too long to be one.
        """
        self._rest += piece
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        for line in lines:
            line = line.removesuffix(b"\r")  # noqa: PLW2901
            if not line:
                if self._data:
                    yield b"\n".join(self._data)
                    self._data, self._size = [], 0
            elif line.startswith(b"data:"):
                self._data.append(bytes(line[5:].removeprefix(b" ")))
                self._size += len(line)
            if self._size > MAX_EVENT_BYTES:
                break
        if self._size + len(self._rest) > MAX_EVENT_BYTES:
            raise EndpointError("unreadable", "an event is too long")

    def end(self) -> Iterator[bytes]:
        """What stands at the end of a stream that has no empty line there, as some servers leave it."""
        yield from self.feed(b"\n\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event says."""

    text: str = ""
    thought: bool = False
    """Whether it holds a thought, or anything else that shows the model at work."""
    thoughts: str = ""
    """What of that can be read."""
    finish: str = ""
    usage: Usage | None = None
    done: bool = False


def read(data: bytes) -> Piece:
    """What an event says.

    Raises:
        EndpointError: It is an error, or nothing that can be read.
    """
    if data.strip() == b"[DONE]":
        return Piece(done=True)
    try:
        chunk = _decoded(data)
        if isinstance(chunk, dict):
            if chunk.get("error"):
                raise of_error(chunk["error"])
            return _piece(chunk)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        pass
    raise EndpointError("unreadable", "an event is no chunk of an answer")


class Halves:
    """Puts characters together again that came in two pieces: some servers cut texts between UTF-16's units."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """The text, as far as its characters are whole."""
        if not self._held and piece.isascii():
            return piece
        text = self._held + piece
        self._held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        text = text.removesuffix(self._held) if self._held else text
        # What finds no other half becomes a mark that something is missing.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def of_error(error: Any) -> EndpointError:
    """The failure that an error object in a stream or a body means."""
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500  # noqa: PLR2004 - HTTP's errors
    return of_status(status, code if isinstance(code, str) else "", "")


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        # It takes halves of characters, which the quick decoder refuses.
        return json.loads(data)


def _piece(chunk: dict[str, Any]) -> Piece:
    usage = _usage(chunk.get("usage"))
    choices = chunk.get("choices") or []
    if not choices:
        return Piece(usage=usage)
    choice = choices[0]
    delta = choice.get("delta") or choice.get("message") or {}
    text, thoughts, thought = _content(delta.get("content"))
    # Some endpoints send the same in both fields.
    reasoning = delta.get("reasoning_content") or delta.get("reasoning")
    if isinstance(reasoning, str):
        thoughts += reasoning
    finish = choice.get("finish_reason") or ""
    if not isinstance(finish, str):
        raise TypeError
    if finish == "error":
        raise EndpointError("broken", "the endpoint ended with an error")
    return Piece(text, thought or bool(reasoning), thoughts, finish, usage)


def _content(content: Any) -> tuple[str, str, bool]:
    """The text in it, the thoughts in it that can be read, and whether there are thoughts in it at all."""
    if content is None or isinstance(content, str):
        return content or "", "", False
    # Some endpoints send a list of parts, of which those of another type are thoughts.
    text = "".join(part["text"] for part in content if part.get("type") == "text")
    others = [part for part in content if part.get("type") != "text"]
    return text, "".join(map(_readable, others)), bool(others)


def _readable(part: dict[str, Any]) -> str:
    inner = part.get(part.get("type", ""))
    if isinstance(inner, list):
        return "".join(each["text"] for each in inner if each.get("type") == "text")
    return inner if isinstance(inner, str) else ""


def _usage(usage: Any) -> Usage | None:
    if not usage:
        return None
    prompt, completion = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    whole = isinstance(prompt, int) and isinstance(completion, int)
    if not (whole and 0 <= prompt < _MOST_TOKENS and 0 <= completion < _MOST_TOKENS):
        return None
    return Usage(prompt, completion)
