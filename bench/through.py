"""Measure the way through: from the moment a provider sends a delta to the moment a viewer has it.

A provider of our own speaks the protocol of OpenAI over HTTP and writes the time into each delta that it sends; viewers are real
Socket.IO clients over loopback, one for each answer. The server has a core to itself, provider and viewers share another.
"""

import argparse
import asyncio
import os
import random
import re
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import uvloop

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "packages" / "backend"))

from tests.support.process import SECRET, ServerProcess  # noqa: E402 - the tests' way to start a server

from figures import percentile  # noqa: E402
from people import each, token_of  # noqa: E402
from report import machine, put_section  # noqa: E402
from servers import cores, on_core  # noqa: E402
from wire import Connection, Listener, Run, Trouble, check_success  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"
EXPIRES = time.time() + 24 * 3600
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 60.0
WARM_UP_SECONDS = 2.0
QUIET_LOAD = 2.0

# Answers at once, deltas a second of each.
LOADS = ((1, 20), (1, 100), (200, 20))

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DELTA = (
    '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,'
    '"delta":{"content":"%d;"},"finish_reason":null}]}'
)
LAST = '{"id":"chatcmpl-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
STAMP = re.compile(r"(\d+);")


def event(data: str) -> bytes:
    """An event of a stream as a chunk of an HTTP body."""
    body = f"data: {data}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(body), body)


class Provider:
    """Writes deltas to whoever asks, evenly, until it is told to stop."""

    def __init__(self, deltas_per_second: int) -> None:
        self._interval = 1 / deltas_per_second
        self.asked = 0
        self.sent = 0
        self.over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one answer."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(HEAD)
            self.asked += 1
            # Models do not keep step with each other.
            due = time.perf_counter() + random.random() * self._interval  # noqa: S311
            while not self.over.is_set():
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                due += self._interval
                self.sent += 1
                writer.write(event(DELTA % time.perf_counter_ns()))
            writer.write(event(LAST) + event("[DONE]") + b"0\r\n\r\n")
            await writer.drain()
        writer.close()


class Viewer(Listener):
    """Takes the times of what it is shown, and sees that nothing is missing."""

    def __init__(self, times: "array[float]") -> None:
        self._times = times
        self._text: list[str] = []
        self._length = 0
        self.ended = False

    def hear(self, event: bytes, _frame: bytes) -> None:
        if event.startswith(b'42["message:stream:chunk"'):
            now = time.perf_counter_ns()
            chunk = msgspec.json.decode(event[2:])[1]
            if chunk["offset"] != self._length:
                raise Trouble("a chunk was lost, repeated or out of order")
            self._text.append(chunk["delta"])
            self._length += len(chunk["delta"])
            for stamp in STAMP.findall(chunk["delta"]):
                self._times.append((now - int(stamp)) / 1e9)
        elif event.startswith(b'42["message:stream:end"'):
            end = msgspec.json.decode(event[2:])[1]
            if (end["state"], end["content"]) != ("complete", "".join(self._text)):
                raise Trouble("what was shown is not what is stored")
            self.ended = True
        elif event.startswith(b'42["message:stream:error"'):
            raise Trouble(f"an answer failed: {event[:300]!r}")


@dataclass(frozen=True)
class Found:
    """Of one load: milliseconds, how many deltas that are, and the server's share of its core."""

    p50: float
    p99: float
    deltas: int
    core: float


async def measure(streams: int, rate: int, seconds: float) -> Found:
    """Answers that run all at once.

    Raises:
        Trouble: something was lost, or an answer failed.
    """
    provider = Provider(rate)
    listening = await asyncio.start_server(provider.serve, "127.0.0.1", 0, backlog=streams)
    address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    with tempfile.TemporaryDirectory() as folder:
        described = Path(folder) / "characters.toml"
        described.write_text(
            f'[endpoints.main]\nbase_url = "{address}"\n\n'
            '[[characters]]\nid = "model"\nname = "Model"\nendpoint = "main"\n',
            encoding="utf-8",
        )
        flags = ("--characters", str(described), "--prompts", "nobody")
        with on_core(cores()[0]):
            server = ServerProcess(Path(folder) / "0", *flags).start()
        try:
            return await _through(server, provider, streams, seconds)
        finally:
            provider.over.set()
            server.stop()
            listening.close()


async def _through(
    server: ServerProcess, provider: Provider, streams: int, seconds: float
) -> Found:
    run, times = Run(), array("d")
    viewers = [Viewer(times) for _ in range(streams)]

    async def ask(number: int, viewer: Viewer) -> Connection:
        token = token_of(f"user {number}", SECRET.encode(), EXPIRES)
        client = Connection(run, b'{"token":"%b"}' % token.encode(), viewer)
        clients.append(client)
        await client.open(server.url)
        room = {"roomId": f"room {number}", "characterId": "model"}
        await client.call("room:join", room)
        client.emit("message:send:stream", {**room, "content": "Go on."}, check_success)
        return client

    clients: list[Connection] = []
    asking = each([ask(number, viewer) for number, viewer in enumerate(viewers)], 20)
    await run.until(asking, PATIENCE_SECONDS, "asking")
    await _until(run, lambda: provider.asked == streams, "the beginning of the answers")
    await run.go_on(WARM_UP_SECONDS)
    del times[:]
    used, began = _cpu(server), time.perf_counter()
    await run.go_on(seconds)
    measured = array("d", times)
    core = (_cpu(server) - used) / (time.perf_counter() - began)
    provider.over.set()
    await _until(run, lambda: all(viewer.ended for viewer in viewers), "the end of the answers")
    for client in clients:
        client.close()
    if not measured:
        raise Trouble("nothing was shown in the measured time")
    p50, p99 = (percentile(measured, percent) * 1000 for percent in (50, 99))
    return Found(p50, p99, len(measured), core)


async def _until(run: Run, done: Callable[[], bool], what: str) -> None:
    begun = time.perf_counter()
    while not done():
        await run.go_on(0.05)
        if time.perf_counter() - begun > PATIENCE_SECONDS:
            raise Trouble(f"{what} took too long")


def _cpu(server: ServerProcess) -> float:
    """Seconds of CPU that it has had."""
    stat = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) / TICKS


async def main(*, seconds: float, repeat: int, write: bool) -> None:
    """Measure, print, and write it down."""
    load = os.getloadavg()[0]
    lines = [
        f"{machine()}; the median of {repeat} rounds of {seconds:g} s. Load of the machine before: {load:.1f}.",
        "",
        "| answers at once | deltas a second of each | p50 | p99 | the server's core |",
        "|---|---|---|---|---|",
    ]
    found: dict[tuple[int, int], list[Found]] = {each: [] for each in LOADS}
    for _ in range(repeat):
        for streams, rate in LOADS:
            found[streams, rate].append(await measure(streams, rate, seconds))
            print(streams, rate, found[streams, rate][-1], flush=True)
    for (streams, rate), rounds in found.items():
        p50, p99, core = (
            sorted(values)[len(rounds) // 2]
            for values in zip(*((each.p50, each.p99, each.core) for each in rounds), strict=True)
        )
        lines.append(f"| {streams} | {rate} | {p50:.1f} ms | {p99:.1f} ms | {core:.0%} |")
    print("\n".join(lines))
    if load > QUIET_LOAD:
        print("The machine was busy: these figures say little.", file=sys.stderr)
    if write:
        put_section(PAGE, "through", lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of measuring, each time")
    parser.add_argument("--repeat", type=int, default=3, help="rounds, of which the median counts")
    parser.add_argument("--write", action="store_true", help="put the table into the document")
    given = parser.parse_args()
    os.sched_setaffinity(0, {cores()[1]})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(seconds=given.seconds, repeat=given.repeat, write=given.write))
