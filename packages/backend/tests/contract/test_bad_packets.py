"""Packets that no client library would send: answered with a code, or ignored, and nothing forges a log line."""

import asyncio
import json

import aiohttp
import pytest
from tests.support.chat import Connect
from tests.support.process import ServerProcess
from tests.support.raw import Raw
from tests.support.rest import connections
from tests.support.tokens import token, unique

FORGED = "FORGED-LINE"
LINE = f'x\n{{"event": "{FORGED}", "level": "error", "timestamp": "now"}}\r\n{FORGED} \x1b[2K'


def auth(user_id: str) -> str:
    return json.dumps({"token": token(user_id)})


async def entered(raw: Raw, room: str) -> None:
    ack = await raw.event(json.dumps(["room:join", {"roomId": room}]))
    assert ack["success"] is True, ack


def message(room: str, content: str) -> str:
    """A send whose content is JSON text of its own."""
    return f'["message:send",{{"roomId":"{room}","content":{content}}}]'


@pytest.mark.parametrize(
    "content",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"raw \x01 control"',
        "[" * 100_000 + "]" * 100_000,
        "undefined",
        "'x'",
        "{",
        '"unfinished',
        '"a","content":7',
    ],
    ids=lambda text: text[:16],
)
async def test_what_is_no_json_is_invalid(server: ServerProcess, room: str, content: str) -> None:
    async with Raw(server, auth(unique("user"))) as raw:
        await entered(raw, room)
        code = "too_large" if len(content) > 65_536 * 4 else "invalid_payload"
        await raw.refused(message(room, content), code)
        ack = await raw.event(f'["messages:history",{{"roomId":"{room}"}}]')
        assert ack["messages"] == []
        await raw.alive(room)


@pytest.mark.parametrize(
    "number",
    ["NaN", "1e999", "-1e999", "1" * 5000, "-" + "1" * 200, f"{2**63}", "0x10", "1_000", "01"],
    ids=lambda n: n[:8],
)
async def test_numbers_that_are_none_do_no_harm(
    server: ServerProcess, room: str, number: str
) -> None:
    async with Raw(server, auth(unique("user"))) as raw:
        await entered(raw, room)
        await raw.refused(f'["heartbeat",{{"timestamp":{number}}}]', "invalid_payload")
        await raw.refused(f'["heartbeat",{{"rtt":{number}}}]', "invalid_payload")
        for metadata in (f'{{"n":{number}}}', f'{{"n":[{{"m":[0,{number}]}}]}}'):
            await raw.refused(
                f'["message:send",{{"roomId":"{room}","content":"x","metadata":{metadata}}}]',
                "invalid_payload",
            )
        await raw.alive(room)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('{"event":"message:send"}', "invalid_payload"),
        ("[]", "invalid_payload"),
        ("[7,{}]", "invalid_payload"),
        ("[null]", "invalid_payload"),
        ("[[[]]]", "invalid_payload"),
        ('["incoming",{}]', "not_found"),
        ('["connect",{"fake":"environ"},{"token":"x"}]', "not_found"),
        ('["connect",{}]', "not_found"),
        ('["disconnect"]', "not_found"),
        ('["disconnect","transport close"]', "not_found"),
        ('["connect_error",{}]', "not_found"),
        ('["error",{}]', "not_found"),
        ('["trigger_event",{}]', "not_found"),
    ],
)
async def test_reserved_names_and_other_shapes(
    server: ServerProcess, room: str, arguments: str, code: str
) -> None:
    user_id = unique("user")
    async with Raw(server, auth(user_id)) as raw:
        await entered(raw, room)
        await raw.refused(arguments, code)
        await raw.send(f"42{arguments}")
        await raw.alive(room)
        assert len(await connections(server, user_id)) == 1


async def test_binary_events_are_invalid(server: ServerProcess, room: str) -> None:
    async with Raw(server, auth(unique("user"))) as raw:
        await entered(raw, room)
        placeholder = '{"_placeholder":true,"num":0}'
        await raw.send(f"451-77{message(room, placeholder)}")
        await raw.send_bytes(b"\0\xff")
        ack = await raw.ack(77)
        assert ack["code"] == "invalid_payload"
        await raw.alive(room)


@pytest.mark.parametrize("packet", ["451000000000-1[]", "45999999-[]", '461000000-1["x"]'])
async def test_huge_attachment_counts_do_no_harm(
    server: ServerProcess, room: str, packet: str
) -> None:
    user_id = unique("user")
    async with Raw(server, auth(user_id)) as raw:
        await entered(raw, room)
        await raw.send(packet)
        await raw.alive(room)


async def test_1_mb_of_text_is_too_large(server: ServerProcess, room: str) -> None:
    async with Raw(server, auth(unique("user"))) as raw:
        await entered(raw, room)
        await raw.refused(message(room, json.dumps("a" * 1_000_000)), "too_large")
        await raw.refused(message(room, json.dumps("한" * 350_000)), "too_large")
        await raw.refused(json.dumps(["no:such:event", "a" * 1_000_000]), "too_large")
        await raw.alive(room)


@pytest.mark.parametrize(
    "packet", ["4", "42", "49", "4x", "42[", "4299999999999999999999[]", "43", "431[]", "6", "x"]
)
async def test_packets_that_mean_nothing_hurt_nobody_else(
    server: ServerProcess, connect: Connect, room: str, packet: str
) -> None:
    bob = await connect(server)
    await bob.join(room)
    async with Raw(server, auth(unique("user"))) as raw:
        await entered(raw, room)
        await raw.send(packet)
        await raw.send('42["heartbeat",{}]')
        async with asyncio.timeout(5):
            while "heartbeat:ack" not in (text := await raw.receive()) and text != "closed":
                pass
    await bob.alive(room)


async def test_nothing_that_a_client_sends_forges_a_log_line(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    bob = await connect(server)
    await bob.join(room)
    async with Raw(server, auth(unique("user"))) as raw:
        await entered(raw, room)
        for arguments in (
            [LINE, {}],
            ["message:send", {"roomId": LINE, "content": LINE}],
            ["message:send", {"roomId": room, "content": LINE, "characterId": LINE}],
            ["message:send:stream", {"roomId": room, "content": "x", "characterId": LINE}],
            ["room:join", {"roomId": room, LINE: LINE}],
            ["heartbeat", LINE],
        ):
            ack = await raw.event(json.dumps(arguments))
            assert ack["success"] is False
    for packet in (f"4{LINE}", f"42{LINE}", f"40{LINE}", LINE):
        # Some of these end the connection.
        async with Raw(server, auth(unique("user"))) as raw:
            await raw.send(packet)
    async with Raw(server, None) as raw:
        await raw.send(f"40{json.dumps({'token': LINE, 'locale': LINE, LINE: LINE})}")
        assert (await raw.receive()).startswith("44")
    await bob.alive(room)
    for line in server.log.splitlines():
        assert not line.startswith(FORGED)
        assert FORGED not in line or json.loads(line)["event"] != FORGED
    server.check_log()


@pytest.mark.parametrize("announced", [True, False], ids=["with its length", "in pieces"])
async def test_a_body_that_is_too_long_is_refused(server: ServerProcess, announced: bool) -> None:  # noqa: FBT001
    async with aiohttp.ClientSession() as http:
        polling = "/socket.io/?EIO=4&transport=polling"
        async with http.get(server.url + polling) as opened:
            sid = json.loads((await opened.text())[1:])["sid"]
        status = await post_too_much(server.url, f"{polling}&sid={sid}", announced=announced)
        assert status.split()[1] == (b"413" if announced else b"411")
        async with http.get(f"{server.url}/healthz") as alive:
            assert alive.status == 200


async def post_too_much(url: str, path: str, *, announced: bool) -> bytes:
    """Begin to send five million bytes; the first line of the answer, which does not wait for them."""
    _, host, port = url.replace("//", "").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    length = "Content-Length: 5000000" if announced else "Transfer-Encoding: chunked"
    writer.write(f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{length}\r\n\r\n".encode())
    try:
        return await asyncio.wait_for(reader.readline(), 10)
    finally:
        writer.close()
        await writer.wait_closed()
