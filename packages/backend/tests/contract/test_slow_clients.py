"""Somebody who does not read: pieces of answers are left out, then they are told to resync, or they are closed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.contract.test_hostile import memory
from tests.support.chat import Chat, Connect
from tests.support.process import ServerProcess, Start
from tests.support.raw import EVENT, Raw
from tests.support.rest import connections
from tests.support.tokens import token, unique

LIMITLESS = [f"--{name}-{kind}=1000000" for name in ("send", "event") for kind in ("rate", "burst")]
CONTENT = "x" * 30_000
SENDS_MAX = 2_000
MORE_MIB = 20
NOTICED = "a client does not keep up"


@pytest.fixture
def server(start: Start) -> ServerProcess:
    return start(*LIMITLESS)


@asynccontextmanager
async def reader(server: ServerProcess, room: str, user_id: str) -> AsyncIterator[Raw]:
    """Somebody in the room who reads only when they are made to."""
    async with Raw(server, json.dumps({"token": token(user_id)})) as raw:
        ack = await raw.event(json.dumps(["room:join", {"roomId": room}]))
        assert ack["success"] is True
        yield raw


async def fill(writer: Chat, room: str, server: ServerProcess) -> None:
    """Send until the server has noticed that somebody does not keep up."""
    for _ in range(SENDS_MAX):
        await writer.send(room, CONTENT)
        if NOTICED in server.log:
            return
    raise AssertionError("nobody noticed")


async def hears(slow: Raw, name: str, within: float) -> Any:
    """The payload of the next event of that name; everything heard until then is in `slow.events`."""
    async with asyncio.timeout(within):
        while True:
            text = await slow.receive(within)
            assert text != "closed"
            found = EVENT.match(text)
            if found is not None:
                slow.events.append(tuple(json.loads(found[1])))
                if slow.events[-1][0] == name:
                    return slow.events[-1][1]


async def test_who_reads_again_catches_up(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    slow_id, writer = unique("slow"), await connect(server)
    await writer.join(room, characterId="echo")
    async with reader(server, room, slow_id) as slow:
        await writer.ask(room, "/count 5000 5")
        await writer.sees("message:stream:chunk")
        await fill(writer, room, server)
        shown = len(writer.all("message:stream:chunk"))
        await writer.sees("message:stream:chunk", index=shown + 30)
        resync = await hears(slow, "room:resync", 20)
        assert resync == {"roomId": room, "reason": "slow"}
        chunks = [chunk["index"] for name, chunk in slow.events if name == "message:stream:chunk"]
        assert len(chunks) < shown + 30, "some were left out"
        rows = [row for name, row in slow.events if name == "message:new"]
        in_log = {"message:new", "message:stream:start"}
        seqs = [payload["seq"] for name, payload in slow.events if name in in_log]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), "no message was"
        entry = {"roomId": room, "lastMessageId": rows[-1]["id"]}
        snapshot = await slow.event(json.dumps(["room:rejoin", entry]))
        [stream] = snapshot["streams"]
        chunk = await hears(slow, "message:stream:chunk", 10)
        assert chunk["index"] == stream["index"], "it goes on where the snapshot ends"
        assert chunk["offset"] == len(stream["content"])


async def test_who_never_reads_is_closed_and_the_others_go_on(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    slow_id, writer, other = unique("slow"), await connect(server), await connect(server)
    await writer.join(room)
    await other.join(room)
    async with reader(server, room, slow_id) as slow:
        await fill(writer, room, server)
        before = memory(server, "VmRSS")
        while await connections(server, slow_id):
            await writer.send(room, CONTENT)
        assert memory(server, "VmRSS") - before < MORE_MIB
        async with asyncio.timeout(20):
            while await slow.receive(within=20) != "closed":
                pass
    await writer.alive(room)
    await other.sees("message:new", content="still here")
    rows = [row["seq"] for row in other.all("message:new")]
    assert rows == list(range(rows[0], rows[0] + len(rows)))
