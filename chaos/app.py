"""The server that is broken: `rejoinder serve` itself, with a character whose answers are known, and lies where asked for.

Arguments are those of `rejoinder`. `CHAOS_GENERATIONS` names a file, to which is added whenever the character is asked;
`CHAOS_CLOCK` one with the nanoseconds by which the clock is wrong, which may change at any moment; `CHAOS_LIES` the
promises to break on purpose.
"""

import asyncio
import mmap
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from unittest.mock import patch

import msgspec

from chaos import lies, script
from chaos.record import Generated, now
from rejoinder import cli, run, server
from rejoinder.characters.base import Turn
from rejoinder.errors import CharacterFailed
from rejoinder.gateway import socket_service
from rejoinder.server import ChatServer
from rejoinder.service.turns import Turns
from rejoinder.settings import Settings
from rejoinder_socketio import Options

SEND_BUFFER_BYTES = 8 * 1024
WAITING_BYTES = 64 * 1024
"""What may wait for a client that is slow: little, so that it comes to that."""


class Character:
    """Writes down that it was asked, and then says what the message makes it say."""

    def __init__(self, path: str) -> None:
        # Unbuffered: what is written is there, also after a kill.
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115, PTH123 - open until the process ends

    async def __call__(self, turn: Turn) -> AsyncIterator[str]:
        self._file.write(msgspec.json.encode(Generated(now(), turn.message_id)) + b"\n")
        plan = script.answer(turn.text)
        for piece in plan.pieces:
            await asyncio.sleep(plan.pause)
            yield piece
        if plan.fails:
            raise CharacterFailed("It was told to fail.")


def make(settings: Settings) -> ChatServer:
    """The server of the command line, with the character."""
    told = _lies()
    with patch.object(server, "Gateway", lies.gateway(told)):
        chat = ChatServer(settings, store=lies.store(told, settings))
    character = Character(os.environ["CHAOS_GENERATIONS"])

    @chat.character(script.CHARACTER, name="Script")
    async def answer(turn: Turn) -> AsyncIterator[str]:
        async for piece in character(turn):
            yield piece

    return chat


def narrow(listen: Callable[[str, int], socket.socket]) -> Callable[[str, int], socket.socket]:
    """How to listen so that the system takes little for a client that does not read."""

    def listener(host: str, port: int) -> socket.socket:
        made = listen(host, port)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        return made

    return listener


def _lies() -> lies.Lies:
    return lies.asked_for(os.environ.get("CHAOS_LIES", ""))


def wrong_clock(path: str) -> Callable[[], int]:
    """The time since the epoch in nanoseconds, as far off as the file says now.

    Not libfaketime: with it each `time.sleep` fails, since it takes the times that Python sleeps until for others.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - as the rest of this module
        shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    right = time.time_ns

    def now_ns() -> int:
        (off,) = struct.unpack_from("<q", shared)
        return right() + int(off)

    return now_ns


def main() -> None:
    """The command."""
    now_ns = wrong_clock(os.environ["CHAOS_CLOCK"])
    with (
        patch.object(time, "time_ns", now_ns),
        patch.object(time, "time", lambda: now_ns() / 1e9),
        patch.object(run, "ChatServer", make),
        patch.object(run, "listen", narrow(run.listen)),
        patch.object(socket_service, "Options", partial(Options, max_waiting=WAITING_BYTES)),
        patch.object(Turns, "ask", lies.ask(_lies())),
    ):
        cli.main()


if __name__ == "__main__":
    main()
