"""The clients that people use, against the same server: python-socketio's, and socket.io-client in Node."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio
from engineio.payload import Payload
from tests.socket_io.patience import patient

WAYS = {
    "polling": ["polling"],
    "websocket": ["websocket"],
    "upgrade": ["polling", "websocket"],
}
NUMBERS = [1, 16, 17, 50, 500]
AUTH = {"token": "토큰 👋", "nested": {"list": [1, 2.5, None]}}
BINARY = bytes(range(256)) * 5
WITHIN_SECONDS = 15.0
SCRIPT = Path(__file__).parent / "client.mjs"


@dataclass
class Report:
    """What a client saw."""

    transport: str
    auth: Any = None
    """What the server says that it was told at connect."""
    acked: list[int] = field(default_factory=list)
    """The numbers of the acknowledged sends, in the order in which the acknowledgements came."""
    back: list[Any] = field(default_factory=list)
    """The arguments of the event that came back."""
    confirmed: list[Any] = field(default_factory=list)
    """The arguments of the acknowledgement of binary data."""


Client = Callable[[str, list[str], int], Awaitable[Report]]


async def python_client(url: str, transports: list[str], number: int) -> Report:
    """What python-socketio's client sees. It keeps no sends for later; so its handler of `connect` makes them."""
    report = Report("")
    missing = {"auth", "acked", "back", "confirmed"}
    done = asyncio.Event()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        client = socketio.AsyncClient(http_session=http, reconnection=False)

        def complete(name: str) -> None:
            missing.discard(name)
            if not missing:
                done.set()

        def acknowledged(n: int) -> None:
            report.acked.append(n)
            if len(report.acked) == number:
                complete("acked")

        def confirmed(*values: Any) -> None:
            report.confirmed = list(values)
            complete("confirmed")

        async def connected() -> None:
            for n in range(number):
                await client.emit("message-with-ack", n, callback=acknowledged)
            await client.emit("message", (BINARY, {"in": [BINARY]}, "text"))
            await client.emit("message-with-ack", (b"", {"in": BINARY}), callback=confirmed)

        def told(auth: Any) -> None:
            report.auth = auth
            complete("auth")

        def came_back(*values: Any) -> None:
            report.back = list(values)
            complete("back")

        client.on("connect", connected)
        client.on("auth", told)
        client.on("message-back", came_back)
        stack.push_async_callback(client.disconnect)
        await client.connect(url, auth=AUTH, transports=transports, wait_timeout=WITHIN_SECONDS)
        async with asyncio.timeout(WITHIN_SECONDS):
            await done.wait()
        report.transport = client.transport()
    return report


def _with_bytes(value: Any) -> Any:
    """Bytes where the script wrote them as `{"hex": …}`."""
    if isinstance(value, list):
        return [_with_bytes(each) for each in value]
    if isinstance(value, dict):
        if list(value) == ["hex"]:
            return bytes.fromhex(value["hex"])
        return {key: _with_bytes(each) for key, each in value.items()}
    return value


async def node_client(url: str, transports: list[str], number: int) -> Report:
    """What socket.io-client sees, which keeps what is sent before it is connected."""
    plan = {
        "url": url,
        "transports": transports,
        "number": number,
        "auth": AUTH,
        "binary": BINARY.hex(),
    }
    process = await asyncio.create_subprocess_exec(
        "node",
        str(SCRIPT),
        json.dumps(plan),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, err.decode()
    return Report(**_with_bytes(json.loads(out)))


CLIENTS: dict[str, Client] = {"python": python_client, "node": node_client}


@pytest.fixture(autouse=True)
def _long_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-socketio's client gives up a session when a poll brings it more than 16 packets. That is a limit of this
    client, and none of the protocol.
    """
    monkeypatch.setattr(Payload, "max_decode_packets", 10_000)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("client", list(CLIENTS))
@patient
async def test_sends_flushed_at_connect_are_acknowledged_in_order(
    conformance_url: str, client: str, way: str, number: int
) -> None:
    report = await CLIENTS[client](conformance_url, WAYS[way], number)
    assert report.transport == WAYS[way][-1]
    assert report.acked == list(range(number))


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("client", list(CLIENTS))
@patient
async def test_binary_goes_both_ways(conformance_url: str, client: str, way: str) -> None:
    report = await CLIENTS[client](conformance_url, WAYS[way], 1)
    assert report.back == [BINARY, {"in": [BINARY]}, "text"]
    assert report.confirmed == [b"", {"in": BINARY}]


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("client", list(CLIENTS))
@patient
async def test_the_handshake_s_payload_arrives(conformance_url: str, client: str, way: str) -> None:
    report = await CLIENTS[client](conformance_url, WAYS[way], 1)
    assert report.auth == AUTH
