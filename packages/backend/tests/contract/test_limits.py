"""Limits of size and rate, each of them a setting."""

import asyncio
import time

import pytest
from tests.support.chat import Connect
from tests.support.process import ServerProcess, Start
from tests.support.tokens import unique

KIB = 1024


@pytest.mark.parametrize("letter", ["a", "한", "👋"])
async def test_content_is_limited_to_32_kib_in_bytes(
    server: ServerProcess, connect: Connect, room: str, letter: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    size = len(letter.encode())
    most = letter * (32 * KIB // size)
    for event in ("message:send", "message:send:stream"):
        payload = {"roomId": room, "content": most + letter, "characterId": "echo"}
        ack = await alice.refused(event, payload, "too_large")
        assert "32768" in ack["error"]
    sent = await alice.send(room, most)
    assert (await bob.sees("message:new"))["content"] == most
    assert [row["id"] for row in await bob.history(room)] == [sent["messageId"]]


async def test_a_payload_is_limited_to_64_kib_in_bytes(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    for letter in ("a", "한"):
        count = 64 * KIB // len(letter.encode())
        payload = {"roomId": room, "content": "x", "metadata": {"a": letter * count}}
        await alice.refused("message:send", payload, "too_large")
        await alice.refused("typing:start", {"roomId": room, "a": letter * count}, "too_large")
        fits = {"a": letter * (count - 100)}
        assert (await alice.send(room, "x", metadata=fits))["success"] is True
    await alice.refused("message:send", {"roomId": room, "content": "a" * 1_000_000}, "too_large")
    assert len(await alice.history(room)) == 2
    await alice.alive(room)


async def test_sends_are_limited_to_bursts_of_20_and_retry_after_ms_holds(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    payloads = [{"roomId": room, "content": f"{n}"} for n in range(40)]
    begun = time.monotonic()
    acks = await asyncio.gather(*(alice.call("message:send", payload) for payload in payloads))
    taken = [ack["success"] for ack in acks]
    assert taken[:20] == [True] * 20
    assert taken.count(True) <= 21 + 10 * (time.monotonic() - begun)
    limited = [ack for ack in acks if not ack["success"]]
    assert {ack["code"] for ack in limited} == {"rate_limited"}
    for _ in range(3):
        while (ack := await alice.call("message:send", payloads[0]))["success"]:
            pass
        assert 0 < ack["retryAfterMs"] <= 100
        await asyncio.sleep(ack["retryAfterMs"] / 1000)
        assert (await alice.call("message:send", payloads[0]))["success"] is True
    # It is each user's own limit.
    await bob.send(room, "not limited")
    stored = await bob.history(room)
    assert len({row["id"] for row in stored}) == len(stored)


async def test_sends_are_limited_to_10_per_second_in_the_long_run(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(server)
    await alice.join(room)
    loop = asyncio.get_running_loop()
    begun, taken = loop.time(), 0
    while loop.time() - begun < 2:
        ack = await alice.call("message:send", {"roomId": room, "content": "x"})
        taken += ack["success"]
        if not ack["success"]:
            await asyncio.sleep(ack["retryAfterMs"] / 1000)
    spent = loop.time() - begun
    assert 20 + 10 * spent - 5 <= taken <= 20 + 10 * spent + 1


async def test_a_user_s_connections_share_one_limit(
    multi_server: ServerProcess, connect: Connect, room: str
) -> None:
    one = await connect(multi_server)
    two = await connect(multi_server, one.user_id)
    await one.join(room)
    await two.join(room)
    begun = time.monotonic()
    acks = await asyncio.gather(
        *(each.call("message:send", {"roomId": room, "content": "x"}) for each in (one, two) * 20)
    )
    assert sum(ack["success"] for ack in acks) <= 21 + 10 * (time.monotonic() - begun)


async def test_a_limited_send_is_taken_later_under_the_same_id(
    start: Start, connect: Connect, room: str
) -> None:
    server = start("--send-rate=5", "--send-burst=1")
    alice = await connect(server)
    await alice.join(room)
    await alice.send(room, "first")
    message = {"roomId": room, "content": "second", "messageId": unique("m")}
    ack = await alice.refused("message:send", message, "rate_limited")
    await asyncio.sleep(ack["retryAfterMs"] / 1000)
    assert "duplicate" not in await alice.done("message:send", message)
    assert [row["content"] for row in await alice.history(room)] == ["first", "second"]


async def test_the_sizes_are_settings(start: Start, connect: Connect, room: str) -> None:
    server = start("--content-limit=10", "--payload-limit=1024")
    alice = await connect(server)
    await alice.join(room)
    await alice.send(room, "한한한a")
    await alice.refused("message:send", {"roomId": room, "content": "한한한aa"}, "too_large")
    big = {"roomId": room, "content": "x", "metadata": {"a": "a" * 1024}}
    await alice.refused("message:send", big, "too_large")
    assert len(await alice.history(room)) == 1
