"""Long polling, WebSocket, and the upgrade from one to the other: the same chat over each."""

import asyncio
import io
import json

import aiohttp
import pytest
from tests.support.chat import Connect
from tests.support.process import ServerProcess, Start
from tests.support.raw import ACK, Raw
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


async def test_a_long_outbox_flushed_over_websocket(
    start: Start, connect: Connect, room: str
) -> None:
    server = start("--send-burst=1000", "--event-burst=1000")
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    sent = 0
    for number in (17, 50, 500):
        acks = await asyncio.gather(*(alice.send(room, f"{n}") for n in range(number)))
        assert [ack["seq"] for ack in acks] == list(range(sent + 1, sent + number + 1))
        sent += number
    await bob.sees("message:new", seq=sent)
    assert [row["seq"] for row in bob.all("message:new")] == list(range(1, sent + 1))


@pytest.mark.parametrize("number", [17, 200])
async def test_a_long_outbox_flushed_in_one_post(
    start: Start, connect: Connect, room: str, number: int
) -> None:
    server = start("--send-burst=1000", "--event-burst=1000")
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    events = [f'42{n}["message:send",{{"roomId":"{room}","content":"{n}"}}]' for n in range(number)]
    packets = [
        f"40{json.dumps({'token': token(unique('user'))})}",
        f'429999["room:join",{{"roomId":"{room}"}}]',
        *events,
    ]
    async with aiohttp.ClientSession() as http:
        async with http.get(url) as opened:
            url += f"&sid={json.loads((await opened.text())[1:])['sid']}"
        async with http.post(url, data="\x1e".join(packets)) as answer:
            assert answer.status == 200
        acked: list[int] = []
        async with asyncio.timeout(5):
            while len(acked) < number + 1:
                async with http.get(url) as polled:
                    for text in (await polled.text()).split("\x1e"):
                        if found := ACK.match(text):
                            assert '"success":true' in text
                            acked.append(int(found[1]))
    assert acked == [9999, *range(number)]
    bob = await connect(server)
    await bob.join(room)
    assert [row["content"] for row in await bob.history(room)] == [f"{n}" for n in range(number)]


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
        assert answer.status == 400


OTHER = "https://chat.example"


@pytest.mark.parametrize(
    ("origin", "flag", "headers", "status"),
    [
        ("", "", {}, 200),
        ("own", "", {}, 200),
        ("https://evil.example", "", {}, 400),
        ("null", "", {}, 400),
        ("own", OTHER, {}, 200),
        (OTHER, OTHER, {}, 200),
        ("http://chat.example", OTHER, {}, 400),
        ("https://evil.example", OTHER, {}, 400),
        ("https://evil.example", "*", {}, 200),
        # Behind a proxy that ends TLS and passes `Host` on.
        (OTHER, "", {"host": "chat.example"}, 200),
        (OTHER, "", {"host": "chat.example:8443"}, 400),
    ],
)
async def test_pages_of_the_server_s_own_origin_and_the_allowed_ones_may_connect(
    start: Start, origin: str, flag: str, headers: dict[str, str], status: int
) -> None:
    server = start(*([f"--allowed-origins={flag}"] if flag else []))
    url = f"{server.url}/socket.io/?EIO=4&transport="
    origin = server.url if origin == "own" else origin
    if origin:
        headers = {**headers, "origin": origin}
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}polling", headers=headers) as answer:
            assert answer.status == status
            named = answer.headers.get("access-control-allow-origin")
            assert named == (origin if origin and status == 200 else None)
        try:
            async with http.ws_connect(f"{url}websocket", headers=headers):
                assert status == 200
        except aiohttp.WSServerHandshakeError:
            assert status == 400
