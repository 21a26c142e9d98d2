"""Malformed packets of people who are let in: nobody else notices, and the log stays short."""

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

from tests.socket_io.hostile.malformed import storm
from tests.support.process import ServerProcess, Start
from tests.support.raw import Raw
from tests.support.tokens import token, unique

PACKETS = 10_000
LOG_BYTES = 1024
MORE_MIB = 50
GOOD = 5


def memory(server: ServerProcess, what: str) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith(f"{what}:")]
    return int(line.split()[1]) / 1024


async def test_malformed_packets_disturb_nobody(start: Start) -> None:
    server = start()
    # uvicorn's word for a WebSocket of another path whose client is gone before it is refused.
    server.known.append("ASGI callable returned without completing handshake.")
    room = unique("room")
    bad = tuple(f'40{{"token":"{token(unique("bad"))}"}}'.encode() for _ in range(20))
    valid = (
        json.dumps(["room:join", {"roomId": room}]),
        json.dumps(["message:send", {"roomId": room, "content": "not so bad"}]),
        json.dumps(["message:history", {"roomId": room, "limit": 5}]),
        json.dumps(["heartbeat", {"timestamp": 1}]),
        json.dumps(["typing:start", {"roomId": room}]),
    )
    made = tuple(b"42%d%b" % (number, event.encode()) for number, event in enumerate(valid))
    storming = asyncio.Event()

    async def good(number: int) -> None:
        mine = unique("room")
        async with Raw(server, json.dumps({"token": token(unique("good"))})) as raw:
            assert (await raw.event(json.dumps(["room:join", {"roomId": mine}])))["success"] is True
            while not storming.is_set():
                assert (await raw.event('["heartbeat",{}]'))["success"] is True
                await asyncio.sleep(0.05)
            await raw.alive(mine)

    async with asyncio.TaskGroup() as group:
        for number in range(GOOD):
            group.create_task(good(number))
        before = memory(server, "VmRSS")
        logged = len(server.log)
        port = urlsplit(server.url).port
        assert port is not None
        connections = await storm(port, 1, PACKETS, made, bad)
        storming.set()
    assert memory(server, "VmHWM") - before < MORE_MIB
    assert len(server.log) - logged <= LOG_BYTES * connections
    assert [line for line in server.log.splitlines() if len(line) > LOG_BYTES] == []
