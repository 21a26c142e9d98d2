"""One server process: its socket, its signals, its end."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from typing import TypedDict

import structlog
import uvicorn
from rich.console import Console

from rejoinder.characters.cards import Library
from rejoinder.characters.cast import card_maker, cast
from rejoinder.characters.file import CharactersFile, read_characters
from rejoinder.characters.local import LocalCharacter, LocalModelSettings, find_model, smol
from rejoinder.characters.openai.failures import Locale
from rejoinder.errors import ConfigurationError
from rejoinder.server import ChatServer
from rejoinder.settings import Settings, variable

BACKLOG = 2048
GRACE_SECONDS = 1
RECEIVE_BYTES = 64 * 1024
GC_THRESHOLDS = (50_000, 20, 100)


class _Speech(TypedDict):
    """How characters of models speak."""

    local_tokens: int
    locale: Locale


async def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: the server can't start with these settings.
    """
    chat = ChatServer(settings)
    file = characters_file(settings)
    listener = listen(settings.host, settings.port)
    local = local_character(settings) if settings.model else None
    if local:
        chat.add(local)
    model, library = local.model if local else None, Library(settings.data_dir)
    speech: _Speech = {"local_tokens": settings.model_tokens, "locale": settings.locale}
    for character in cast(file, library, model, **speech):
        chat.add(character)
    described = {each.id for each in file.characters}
    chat.offer_cards(library, card_maker(file, model, **speech), described)
    if local:
        # The library blocks the event loop while it loads, so this is done before anybody is served.
        await local.start()
    await chat.start()
    tune_collector()
    try:
        await _Server(chat, lambda: announce(listener)).serve(sockets=[listener])
    finally:
        await chat.stop()


def tune_collector() -> None:
    """Let the garbage collector look at what is new seldom, and at what there is from the start never.

    It finds only cycles, of which hardly any are made here; at its defaults it takes a tenth of the time under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def local_character(settings: Settings) -> LocalCharacter:
    """The local model's character.

    Raises:
        ConfigurationError: the model can't be used.
    """
    try:
        model = LocalModelSettings(
            path=settings.model_path or find_model(), context_tokens=settings.model_context
        )
        return smol(model, max_tokens=settings.model_tokens)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error} Or start without a local model: --no-model.") from error


def characters_file(settings: Settings) -> CharactersFile:
    """What the operator's file says, if there is one.

    Raises:
        ConfigurationError: something in it is not as it must be.
    """
    if settings.characters is None:
        return CharactersFile()
    return read_characters(settings.characters, variable)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        ConfigurationError: the address can't be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"{host} is no address of this machine: change --host.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Of each connection so much is taken at once, however fast it comes: others have their turn, and little is held.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {port} is taken: end the program that has it, or give another --port."
        elif error.errno == errno.EACCES:
            reason = f"Port {port} needs more rights: give a --port above 1023."
        else:
            reason = f"{host} is no address of this machine: change --host."
        raise ConfigurationError(reason) from error
    listener.settimeout(0)
    return listener


def announce(listener: socket.socket) -> None:
    """Say where the chat is."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    Console(highlight=False, soft_wrap=True).print(
        f"Rejoinder is ready: http://{shown}:{port}  (Ctrl-C stops it)", markup=False
    )


class _Server(uvicorn.Server):
    """uvicorn, which tells when it is up, and ends on a signal without passing it on."""

    def __init__(self, chat: ChatServer, up: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                chat,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                http=chat.http_protocol,
                ws=chat.websocket_protocol,
                # A compressed frame can open to a thousand times its size before any limit is asked.
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._chat = chat
        self._up = up
        self._log = structlog.get_logger("rejoinder.run")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._up()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        seconds = self._chat.settings.drain_seconds
        if seconds:
            self._log.info("ending; clients go to other servers", seconds=seconds)
            await self._chat.hand_over(seconds, lambda: self.force_exit)
        await self._chat.drain()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handled = (signal.SIGINT, signal.SIGTERM)
        for number in handled:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in handled:
                loop.remove_signal_handler(number)
