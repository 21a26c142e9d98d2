"""What waits for a client that does not read has a bound, on every carrier: volatile events are left out, the application
is told once, and then the client is closed with a reason.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.socket_io.hostile.conftest import Start
from tests.socket_io.hostile.target import Target
from tests.socket_io.hostile.wire import CLOSE, Polling, WebSocket, frame, request, text

WAITING = 1024 * 1024
SIZE = 1000
TIMES = 8000
"""Several times what may wait, and what the kernel takes beside it."""
NAME = '40{"name":"blind"}'
TINY = 4096
SECONDS = 20.0
QUICK_PINGS = ("--ping", "1", "1")


async def report(target: Target) -> dict[str, Any]:
    async with await WebSocket.join(target.port) as asking:
        [seen] = await asking.call(1, "report")
        assert isinstance(seen, dict)
        return seen


async def until(target: Target, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(SECONDS):
        while not holds(seen := await report(target)):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.05)
        return seen


def closed(seen: dict[str, Any]) -> bool:
    return any(key.startswith("blind: ") for key in seen["seen"])


def pour(kind: str) -> str:
    return f'42["pour","{kind}",{SIZE},{TIMES}]'


@contextmanager
def not_reading(client: WebSocket) -> Iterator[None]:
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    yield
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]


carriers = pytest.mark.parametrize("carrier", [(), ("--asgi",)], ids=["straight", "asgi"])


@carriers
@pytest.mark.parametrize("window", [None, TINY], ids=["blind", "zero window"])
async def test_a_websocket_that_is_not_read_is_closed(
    start: Start, carrier: tuple[str, ...], window: int | None
) -> None:
    target = start(*carrier, *QUICK_PINGS)
    async with await WebSocket.join(target.port, NAME, window=window) as client:
        with not_reading(client):
            await client.send(text(pour("lasting")))
            answering = asyncio.create_task(_answer(client))
            seen = await until(target, closed)
            answering.cancel()
        assert seen["seen"] == {"slow": 1, "blind: too slow": 1}
        assert WAITING * 0.9 < seen["peak"] <= WAITING
        await client.ended()


async def _answer(client: WebSocket) -> None:
    """Answer pings without having read them: it is not for silence that it is closed."""
    while await client.send(text("3")):  # noqa: ASYNC110 - it is what the client does
        await asyncio.sleep(0.2)


@carriers
async def test_volatile_events_are_left_out_for_a_websocket_that_is_not_read(
    start: Start, carrier: tuple[str, ...]
) -> None:
    target = start(*carrier)
    async with await WebSocket.join(target.port, NAME, window=TINY) as client:
        with not_reading(client):
            await client.send(text(pour("volatile")))
            seen = await until(target, lambda seen: seen["poured"].get("volatile") == TIMES)
            assert seen["seen"] == {}
            assert seen["peak"] <= WAITING // 4 + 2 * SIZE
        assert await client.call(7, "echo", "reads again") == ["reads again"]


async def test_a_session_that_is_not_polled_is_closed(start: Start) -> None:
    target = start(*QUICK_PINGS)
    async with await Polling.join(target.port, NAME) as client:
        assert await client.post(pour("lasting").encode()) == 200
        async with asyncio.timeout(SECONDS):
            while await client.post(b"3") == 200:  # noqa: ASYNC110 - it is what the client does
                await asyncio.sleep(0.05)
        seen = await report(target)
    assert seen["seen"] == {"slow": 1, "blind: too slow": 1}
    assert WAITING * 0.9 < seen["peak"] <= WAITING


async def test_volatile_events_are_left_out_for_a_session_that_is_not_polled(start: Start) -> None:
    target = start()
    async with await Polling.join(target.port, NAME) as client:
        assert await client.post(pour("volatile").encode()) == 200
        seen = await until(target, lambda seen: seen["poured"].get("volatile") == TIMES)
        assert seen["seen"] == {}
        assert seen["peak"] <= WAITING // 4 + 2 * SIZE
        assert await client.post(b"3") == 200


ENDINGS = {
    "a broken frame": frame(3, b""),
    "nonsense": text("nonsense"),
    "a goodbye": frame(CLOSE, b""),
    "a packet that closes": text("1"),
    "an end of its side": b"",
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_nothing_waits_for_a_client_that_has_ended_it_and_does_not_read(
    start: Start, ending: str
) -> None:
    target = start()
    async with await WebSocket.join(target.port, NAME, window=TINY) as client:
        with not_reading(client):
            # So much that it can't go out, and that it may wait.
            await client.send(text(f'42["pour","lasting",{SIZE},3500]'))
            await until(target, lambda seen: seen["poured"].get("lasting") == 3500)
            if ENDINGS[ending]:
                await client.send(ENDINGS[ending])
            else:
                client.writer.write_eof()
            async with asyncio.timeout(SECONDS):
                while target.connections:  # noqa: ASYNC110 - another process has them
                    await asyncio.sleep(0.1)


async def test_nothing_waits_for_a_client_that_polls_and_does_not_read(start: Start) -> None:
    target = start("--head-timeout", "1")
    async with (
        await Polling.join(target.port, NAME) as client,
        await Polling.open(target.port, window=TINY) as blind,
    ):
        assert await client.post(f'42["pour","lasting",{300_000},3]'.encode()) == 200
        blind.session_id = client.session_id
        blind.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await blind.send(request("GET", f"&sid={client.session_id}") * 2)
        async with asyncio.timeout(SECONDS):
            while target.connections > 1:  # noqa: ASYNC110 - another process has them
                await asyncio.sleep(0.1)
