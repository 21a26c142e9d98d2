"""The only module that knows xllamacpp: llama.cpp's server, run inside this process.

Facts it rests on (xllamacpp 2026.10): a streamed completion blocks its thread without holding the interpreter and
calls back for each piece; a callback that returns True ends the generation, and its slot is free after the batch
being computed. With `return_progress` it also calls back between the batches of the prompt. An exception in a
callback is lost. Making a server holds the interpreter for as long as the model loads.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, cast

from rejoinder.characters.base import Usage
from rejoinder.characters.local.endpoint import Endpoint
from rejoinder.characters.local.engine import EngineError, Request
from rejoinder.characters.local.files import check_model, read_ahead
from rejoinder.characters.local.settings import LocalModelSettings
from rejoinder.characters.prompt import Message
from rejoinder.errors import ConfigurationError

_LIBRARY = "xllamacpp"

# Tokens of a prompt computed in one go. A generation can be stopped between two batches: 64 take about 0.3 s on one
# core. Smaller batches read a prompt slower, from about 32 down by a third.
_BATCH = 64
# llama.cpp says nothing below errors at 0, and its errors come back as answers.
_SILENT = 0

Event = Mapping[str, Any]
"""One event of the stream, as parsed from llama.cpp's JSON."""


class _Server(Protocol):
    """What is used of `xllamacpp.Server`."""

    @property
    def listening_address(self) -> str: ...

    def handle_metrics(self) -> str: ...

    def handle_chat_completions(
        self, prompt: dict[str, object], callback: Callable[[Event], bool]
    ) -> object: ...


def check_library() -> None:
    """See that xllamacpp is installed, without loading it.

    Raises:
        ConfigurationError: It is not.
    """
    if find_spec(_LIBRARY) is None:
        raise ConfigurationError(
            f"The local model needs the package {_LIBRARY}: install it with `pip install {_LIBRARY}`."
        )


def load_llama(settings: LocalModelSettings) -> "LlamaEngine":
    """Load a model; blocks for the time it takes.

    Raises:
        ConfigurationError: xllamacpp or the file is missing, or llama.cpp cannot load it.
    """
    check_library()
    check_model(settings.path)
    read_ahead(settings.path)
    return LlamaEngine(settings)


class LlamaEngine:
    """A loaded model."""

    def __init__(self, settings: LocalModelSettings) -> None:
        self._endpoint = Endpoint()
        try:
            server = _start(settings, self._endpoint)
            self._endpoint.opened(server.listening_address)
        except Exception as error:
            self._endpoint.close()
            raise ConfigurationError(
                f"The model file {settings.path} cannot be loaded: it may be damaged, of a kind that is not known, "
                "or too large for this machine's memory."
            ) from error
        self._server: _Server | None = server

    def count(self, messages: Sequence[Message]) -> int:
        answer = self._endpoint.post(
            "/v1/chat/completions/input_tokens", {"messages": list(messages)}
        )
        tokens = answer.get("input_tokens")
        if not isinstance(tokens, int):
            raise EngineError(f"tokens could not be counted: {_problem(answer)}")
        return tokens

    def generate(
        self, request: Request, write: Callable[[str], None], stopped: Callable[[], bool]
    ) -> Usage | None:
        server = self._server
        if server is None:
            raise EngineError("the model is closed")
        receiver = _Receiver(write, stopped)
        prompt: dict[str, object] = {
            **request.sampling,
            "messages": list(request.messages),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_progress": True,
        }
        try:
            server.handle_chat_completions(prompt, receiver.receive)
        except Exception as error:
            raise EngineError(f"the request was refused: {error}") from error
        return receiver.result()

    def close(self) -> None:
        # The last reference frees it: that ends what is still being generated and waits for llama.cpp's threads.
        self._server = None
        self._endpoint.close()


class _Receiver:
    """Takes the events of one generation."""

    def __init__(self, write: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        self._write = write
        self._stopped = stopped
        self._usage: Usage | None = None
        self._failure: BaseException | None = None

    def receive(self, event: Event) -> bool:
        """Take one event; True ends the generation."""
        if self._stopped():
            return True
        try:
            self._take(event)
        except BaseException as error:  # noqa: BLE001 - the library would drop it
            self._failure = error
        return self._failure is not None or self._stopped()

    def _take(self, event: Event) -> None:
        if "error" in event:
            raise EngineError(_problem(event))
        for choice in event.get("choices", ()):
            # Text only comes in whole characters: llama.cpp keeps back the bytes of one that is not complete.
            if text := choice.get("delta", {}).get("content"):
                self._write(text)
        if usage := event.get("usage"):
            self._usage = Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))

    def result(self) -> Usage | None:
        if self._stopped():
            return None
        if self._failure is not None:
            raise self._failure
        if self._usage is None:
            raise EngineError("the generation ended without a word about its usage")
        return self._usage


def _start(settings: LocalModelSettings, endpoint: Endpoint) -> _Server:
    library: Any = import_module(_LIBRARY)
    params = library.CommonParams()
    params.model.path = str(settings.path)
    params.n_ctx = settings.context_tokens * settings.parallel
    params.n_parallel = settings.parallel
    params.n_batch = params.n_ubatch = _BATCH
    params.cache_ram_mib = settings.cache_mib
    for threads in (params.cpuparams, params.cpuparams_batch):
        threads.n_threads = settings.threads
    # A first empty run, and fitting the window to the memory, would only make loading longer.
    params.warmup = False
    params.fit_params = False
    params.verbosity = _SILENT
    params.hostnames = [endpoint.host]
    params.port = 0
    params.api_keys = [endpoint.key]
    params.cors_origins = "null"
    params.n_threads_http = 1
    params.ui = False
    params.endpoint_metrics = True
    server = cast("_Server", library.Server(params))
    # Freeing a server whose loop has not begun yet would wait for ever. Only the loop can answer this.
    server.handle_metrics()
    return server


def _problem(answer: Event) -> str:
    """What llama.cpp says is wrong."""
    error = answer.get("error", answer)
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)
