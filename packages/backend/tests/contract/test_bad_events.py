"""Bad input: a code for each kind, the connection lives on, nothing is stored (contract, section 5)."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.chat import Chat, Connect
from tests.support.process import ServerProcess
from tests.support.tokens import unique

REFERENCES = {
    "room:join": {"characterId": "echo", "lastMessageId": "m"},
    "room:rejoin": {"characterId": "echo", "lastMessageId": "m"},
    "room:leave": {},
    "message:send": {"content": "hello"},
    "message:send:stream": {"content": "hello", "characterId": "echo"},
    "message:stream:stop": {"messageId": "m"},
    "message:regenerate": {"messageId": "m"},
    "messages:history": {"before": "m"},
    "messages:read": {"messageId": "m"},
    "typing:start": {},
    "typing:stop": {},
}
BAD_IDS = {
    "empty": "",
    "line break": "a\nb",
    "line break at the end": "a\n",
    "carriage return": "a\rb",
    "NUL": "a\0b",
    "escape": "a\x1b[31mb",
    "delete": "a\x7fb",
    "C1": "a\x9bb",
    "line separator": "a\u2028b",
    "too long": "a" * 129,
    "number": 7,
    "null": None,
    "boolean": True,
    "list": ["a"],
    "object": {"id": "a"},
}


@pytest.fixture
async def alice(server: ServerProcess, connect: Connect, room: str) -> Chat:
    """Somebody in the room; at the end of each test she still is, and nothing else was stored."""
    alice = await connect(server)
    await alice.join(room)
    return alice


async def unharmed(alice: Chat, room: str) -> None:
    assert await alice.history(room) == []
    await alice.alive(room)
    assert len(await alice.history(room)) == 1


@pytest.mark.parametrize("event", [*REFERENCES, "presence:set"])
async def test_a_payload_of_a_wrong_type_is_invalid(alice: Chat, room: str, event: str) -> None:
    payloads: list[object] = [None, "text", 7, True, [], [{"roomId": room}], {}]
    for payload in payloads:
        await alice.refused(event, (payload,), "invalid_payload")
    await unharmed(alice, room)


@pytest.mark.parametrize("event", [*REFERENCES, "presence:set", "heartbeat"])
async def test_unknown_missing_and_doubled_payloads_are_invalid(
    alice: Chat, room: str, event: str
) -> None:
    good: Mapping[str, Any] = {"roomId": room, **REFERENCES.get(event, {})}
    if event == "presence:set":
        good = {"status": "online"}
    if event == "heartbeat":
        good = {"timestamp": 1}
    else:
        await alice.refused(event, None, "invalid_payload")
    await alice.refused(event, (good, good), "invalid_payload")
    await alice.refused(event, (good, None), "invalid_payload")
    await alice.refused(event, {**good, "unknown": 1}, "invalid_payload")
    await alice.refused(event, {**good, "__proto__": {}}, "invalid_payload")
    if event != "heartbeat":
        for missing in good:
            left = {key: value for key, value in good.items() if key != missing}
            if missing in {"characterId", "lastMessageId", "before"}:
                continue
            await alice.refused(event, left, "invalid_payload")
    await unharmed(alice, room)


@pytest.mark.parametrize("event", list(REFERENCES))
async def test_bad_ids_are_invalid(alice: Chat, room: str, event: str) -> None:
    good = {"roomId": room, **REFERENCES[event]}
    ids = [key for key in good if key.endswith("Id") or key == "before"]
    for key in ids:
        for bad in BAD_IDS.values():
            await alice.refused(event, {**good, key: bad}, "invalid_payload")
    await unharmed(alice, room)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("content", ["", None, 7, ["a"], {"a": 1}, True]),
        ("messageId", list(BAD_IDS.values())),
        ("replyTo", list(BAD_IDS.values())),
        ("metadata", [None, 7, "a", [], [{}], True]),
    ],
)
async def test_bad_fields_of_a_message_are_invalid(
    alice: Chat, room: str, field: str, values: list[object]
) -> None:
    for event in ("message:send", "message:send:stream"):
        for value in values:
            payload = {"roomId": room, "content": "x", "characterId": "echo", field: value}
            await alice.refused(event, payload, "invalid_payload")
    await unharmed(alice, room)


async def test_bad_heartbeats_are_invalid(alice: Chat, room: str) -> None:
    payloads: list[object] = [
        {"timestamp": None},
        {"timestamp": []},
        {"timestamp": True},
        {"rtt": -1},
        {"rtt": "12"},
        {"rtt": None},
    ]
    for payload in payloads:
        await alice.refused("heartbeat", payload, "invalid_payload")
    await unharmed(alice, room)


async def test_binary_is_invalid(alice: Chat, room: str) -> None:
    await alice.refused("message:send", {"roomId": room, "content": b"bytes"}, "invalid_payload")
    await alice.refused("message:send", b"bytes", "invalid_payload")
    many = [b"a"] * 4
    payload = {"roomId": room, "content": "x", "metadata": {"a": many}}
    await alice.refused("message:send", payload, "invalid_payload")
    await unharmed(alice, room)


@pytest.mark.parametrize(
    "event",
    ["no:such:event", "message:new", "connection:replaced", "*", "\n", "a" * 10_000, "__proto__"],
    ids=lambda name: name[:20],
)
async def test_an_unknown_event_is_not_found(alice: Chat, room: str, event: str) -> None:
    await alice.refused(event, {"roomId": room}, "not_found")
    await alice.refused(event, None, "not_found")
    await unharmed(alice, room)


async def test_no_callback_and_bad_input_do_no_harm(alice: Chat, room: str) -> None:
    for event in (*REFERENCES, "no:such:event", "presence:set", "heartbeat"):
        await alice.say(event, {"unknown": None})
        await alice.say(event, (None, None))
        await alice.say(event, None)
    await unharmed(alice, room)


async def test_ids_may_be_of_any_script(server: ServerProcess, connect: Connect) -> None:
    alice = await connect(server, f"사용자 {unique('👤')}")
    for room_id in (f"방/{unique('🚪')}?#%", f"'; DROP TABLE rooms; -- {unique('x')}", "a" * 128):
        await alice.join(room_id)
        ack = await alice.send(room_id, "x", messageId=f"<b>{unique('글')}</b>")
        assert (await alice.sees("message:new", id=ack["messageId"]))["roomId"] == room_id
