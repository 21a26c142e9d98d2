"""Long polling, WebSocket, and the upgrade from one to the other: the same chat over each."""

import asyncio
import io
import json

import aiohttp
import pytest
from tests.support.chat import Connect
from tests.support.process import ServerProcess
from tests.support.raw import Raw
from tests.support.tokens import token, unique

TRANSPORTS = {
    "polling": ["polling"],
    "websocket": ["websocket"],
    "upgrade": ["polling", "websocket"],
}


@pytest.mark.parametrize("way", list(TRANSPORTS))
async def test_the_basic_flow(server: ServerProcess, connect: Connect, room: str, way: str) -> None:
    transports = TRANSPORTS[way]
    alice = await connect(server, transports=transports)
    bob = await connect(server, transports=transports)
    assert alice.transport == transports[-1]
    await alice.join(room, characterId="echo")
    await bob.join(room)
    await alice.sees("user:joined", userId=bob.user_id)
    ack = await alice.ask(room, "안녕 하세요 👋")
    for viewer in (alice, bob):
        await viewer.sees("message:new", id=ack["messageId"])
        end = await viewer.sees("message:stream:end")
        assert end["content"] == "안녕 하세요 👋"
        deltas = [chunk["delta"] for chunk in viewer.all("message:stream:chunk")]
        assert "".join(deltas) == end["content"]
    await bob.refused("message:send", {"roomId": room}, "invalid_payload")
    await bob.alive(room)
    assert [row["seq"] for row in await bob.history(room)] == [1, 2, 3]


@pytest.mark.parametrize("way", list(TRANSPORTS))
@pytest.mark.receives("connection:replaced")
async def test_a_takeover_closes_the_older(
    server: ServerProcess, connect: Connect, way: str
) -> None:
    older = await connect(server, transports=TRANSPORTS[way])
    newer = await connect(server, older.user_id, transports=TRANSPORTS[way])
    await older.sees("connection:replaced")
    await older.closed()
    await newer.caught_up()


@pytest.mark.parametrize("way", list(TRANSPORTS))
@pytest.mark.parametrize("number", [1, 16])
async def test_sends_flushed_at_connect(
    server: ServerProcess, connect: Connect, room: str, way: str, number: int
) -> None:
    alice = await connect(server, transports=TRANSPORTS[way])
    await alice.join(room)
    acks = await asyncio.gather(*(alice.send(room, f"{n}") for n in range(number)))
    assert [ack["seq"] for ack in acks] == list(range(1, number + 1))
    assert [row["content"] for row in await alice.history(room)] == [f"{n}" for n in range(number)]


async def test_the_server_closes_the_socket_of_a_client_that_does_not(
    server: ServerProcess, connect: Connect
) -> None:
    user_id = unique("user")
    async with Raw(server, json.dumps({"token": token(user_id)})) as raw:
        newer = await connect(server, user_id)
        assert (await raw.receive()).startswith('42["connection:replaced",')
        assert await raw.receive() == "41"
        # What it says now is not heard, and a little later the transport under it is ended, too.
        await raw.send('429["heartbeat",{}]')
        assert await raw.receive(within=10) in {"1", "closed"}
        await newer.caught_up()


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"4", b"42", b"b!!!", b"\xff\xfe", b"4" + b"[" * 100_000, b"9" * 2_000_000],
    ids=lambda body: repr(body[:4]),
)
async def test_posts_that_are_no_packets_do_no_harm(
    server: ServerProcess, connect: Connect, room: str, body: bytes
) -> None:
    bob = await connect(server)
    async with aiohttp.ClientSession() as http:
        url = f"{server.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as opened:
            session = json.loads((await opened.text())[1:])["sid"]
        async with http.post(f"{url}&sid={session}", data=io.BytesIO(body)) as answer:
            assert answer.status in {200, 400}
            assert "Traceback" not in await answer.text()
    await bob.join(room)
    await bob.alive(room)


@pytest.mark.parametrize(
    "query",
    ["", "EIO=3", "EIO=4", "EIO=4&transport=carrier-pigeon", "EIO=4&transport=polling&sid=x"],
)
async def test_requests_that_are_none_are_refused(server: ServerProcess, query: str) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.url}/socket.io/?{query}") as answer,
    ):
        assert answer.status in ({200} if query == "EIO=4" else {400})


async def test_a_page_of_another_origin_is_refused(server: ServerProcess) -> None:
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    async with aiohttp.ClientSession() as http:
        async with http.get(url, headers={"origin": "https://evil.example"}) as answer:
            assert answer.status == 400
        async with http.get(url, headers={"origin": server.url}) as answer:
            assert answer.status == 200
