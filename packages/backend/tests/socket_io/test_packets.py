"""Socket.IO packets in and out."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from tests.profiles import deterministic

from rejoinder_socketio import Malformed, ProtocolError
from rejoinder_socketio.engine.packets import Outgoing
from rejoinder_socketio.packets import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    CONNECT_ERROR,
    DISCONNECT,
    EVENT,
    RESERVED,
    decode,
    decode_event,
    decode_json,
    decode_list,
    encode_ack,
    encode_connect,
    encode_connect_error,
    encode_disconnect,
    encode_event,
    restored,
)

many = settings(deterministic, max_examples=250)
Parts = tuple[int, int, str, int | None, bytes]


def parts(packet: str | bytes) -> Parts:
    decoded = decode(packet.encode() if isinstance(packet, str) else packet)
    return (
        decoded.type,
        decoded.attachments,
        decoded.namespace,
        decoded.ack_id,
        decoded.content,
    )


def problem(read: Callable[[], object]) -> str:
    with pytest.raises(Malformed) as caught:
        read()
    return caught.value.problem


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


# --- heads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "due"),
    [
        ("40", (CONNECT, 0, "/", None, b"")),
        ('40{"token":"1"}', (CONNECT, 0, "/", None, b'{"token":"1"}')),
        ("40/", (CONNECT, 0, "/", None, b"")),
        ("40/,{}", (CONNECT, 0, "/", None, b"{}")),
        ("40/chat", (CONNECT, 0, "/chat", None, b"")),
        ("40/chat,", (CONNECT, 0, "/chat", None, b"")),
        ('40/chat,{"a":1}', (CONNECT, 0, "/chat", None, b'{"a":1}')),
        ("40/방,1", (CONNECT, 0, "/방", 1, b"")),
        ("41", (DISCONNECT, 0, "/", None, b"")),
        ("41/chat,", (DISCONNECT, 0, "/chat", None, b"")),
        ('42["a"]', (EVENT, 0, "/", None, b'["a"]')),
        ('4212["a"]', (EVENT, 0, "/", 12, b'["a"]')),
        ('42/chat,12["a"]', (EVENT, 0, "/chat", 12, b'["a"]')),
        ("4312[]", (ACK, 0, "/", 12, b"[]")),
        ("43/chat,0[1]", (ACK, 0, "/chat", 0, b"[1]")),
        ('44{"message":"no"}', (CONNECT_ERROR, 0, "/", None, b'{"message":"no"}')),
        ('451-["a"]', (BINARY_EVENT, 1, "/", None, b'["a"]')),
        ('4523-/chat,456["a"]', (BINARY_EVENT, 23, "/chat", 456, b'["a"]')),
        ("461-7[]", (BINARY_ACK, 1, "/", 7, b"[]")),
        ("42/a-b/c?d=1,[]", (EVENT, 0, "/a-b/c?d=1", None, b"[]")),
        ("42-[]", (EVENT, 0, "/", None, b"-[]")),
        ("429999999999999999[]", (EVENT, 0, "/", 9999999999999999, b"[]")),
        ("4210000000000000000[]", (EVENT, 0, "/", 1000000000000000, b"0[]")),
        ("459999999999-[]", (BINARY_EVENT, 9999999999, "/", None, b"[]")),
        ("45-1-[]", (BINARY_EVENT, 0, "/", None, b"-1-[]")),
    ],
)
def test_a_packet_is_taken_apart(packet: str, due: Parts) -> None:
    assert parts(packet) == due


@pytest.mark.parametrize(
    "packet", [b"", b"4", b"47", b"49", b"4a", b"4-1", b"4 0", b"30", b" 40", b"4\xb2", b"40/\xff,"]
)
def test_what_is_no_packet_is_an_error(packet: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(packet)


@many
@given(
    st.builds(
        bytes.__add__,
        st.sampled_from([b"", b"4", b"40", b"42", b"45", b"451-", b"42/", b"43/a,1", b"42["]),
        st.binary(max_size=30),
    )
    | st.text(alphabet='450123,-/[]{}"a\\', max_size=30).map(str.encode)
)
def test_any_bytes_are_a_packet_or_an_error(packet: bytes) -> None:
    try:
        decoded = decode(packet)
    except ProtocolError:
        return
    assert packet.startswith(b"4%d" % decoded.type)
    assert packet.endswith(decoded.content)
    assert decoded.namespace.startswith("/")
    for read in (decode_event, decode_list, decode_json):
        with suppress(Malformed):
            read(decoded.content)


# --- contents -------------------------------------------------------------------------------------


def test_an_event_has_a_name_and_arguments() -> None:
    name, raw = decode_event(b'["a", 1 ,{"b":[null]},"\\u00e9"]')
    assert name == "a"
    assert [json.loads(bytes(each)) for each in raw] == [1, {"b": [None]}, "é"]
    assert decode_event('["이름"]'.encode()) == ("이름", [])


@pytest.mark.parametrize(
    "content", [b"{}", b"1", b'"a"', b"null", b"[]", b"[1]", b"[null]", b'[["a"]]']
)
def test_what_is_no_event_is_malformed(content: bytes) -> None:
    assert problem(lambda: decode_event(content)) == "no event"


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b'["a"', b'["a",]', b'["a"]]', b"[a]", b'["a" 1]', b"['a']", b'["a",NaN]', b"\xff"],
)
def test_what_is_no_json_is_malformed(content: bytes) -> None:
    assert problem(lambda: decode_event(content)) == "not JSON"


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_names_that_libraries_use_are_reserved(name: str) -> None:
    assert problem(lambda: decode_event(json.dumps([name, 1]).encode())) == "reserved name"
    escaped = f'["\\u{ord(name[0]):04x}{name[1:]}"]'
    assert problem(lambda: decode_event(escaped.encode())) == "reserved name"
    assert decode_event(json.dumps([f"{name}ed"]).encode())[0] == f"{name}ed"


def test_the_reserved_names_are_those_of_the_libraries() -> None:
    of_clients = {"connect", "connect_error", "disconnect"}
    of_servers = {"connect", "disconnect", "disconnecting", "newListener", "removeListener"}
    assert of_clients | of_servers == RESERVED


@pytest.mark.parametrize("levels", [500, 5_000, 400_000])
def test_content_may_not_be_too_deep(levels: int) -> None:
    content = b'["a",%b]' % deep(levels)
    for read in (decode_json, decode_event, decode_list):
        if levels < 1000:
            assert read(content)
        else:
            assert problem(partial(read, content)) == "not JSON"


def test_what_json_can_say_and_python_can_not_is_malformed() -> None:
    for content in (b"1e999", b"[1e999]", b'"\\ud800"'):
        assert problem(partial(decode_json, content)) == "not JSON"
    assert decode_json(b"1" * 100) == int("1" * 100)


# --- attachments ----------------------------------------------------------------------------------


def place(number: Any) -> dict[str, Any]:
    return {"_placeholder": True, "num": number}


def test_attachments_are_put_in_their_places() -> None:
    value = ["a", place(1), {"b": [place(0), {"c": place(1)}]}, None, 1.5, {"num": 0}]
    assert restored(value, [b"x", b"y"]) == [
        "a",
        b"y",
        {"b": [b"x", {"c": b"y"}]},
        None,
        1.5,
        {"num": 0},
    ]


@pytest.mark.parametrize("number", [-1, 2, 10**30, 0.0, 1.5, True, False, None, "0", [0]])
def test_a_place_for_no_attachment_is_malformed(number: Any) -> None:
    assert problem(lambda: restored(["a", place(number)], [b"x", b"y"])) == "attachments"
    assert problem(lambda: restored({"_placeholder": True}, [b"x"])) == "attachments"


@pytest.mark.parametrize("mark", [False, None, 1, "true", []])
def test_what_is_not_marked_is_no_place(mark: Any) -> None:
    value = {"_placeholder": mark, "num": 7}
    assert restored(value, [b"x"]) == value


@pytest.mark.parametrize("levels", [300, 600, 900])
def test_attachments_may_not_lie_too_deep(levels: int) -> None:
    value: Any = place(0)
    for _ in range(levels):
        value = [value]
    if levels > 300:
        assert problem(lambda: restored(value, [b"x"])) == "not JSON"
        return
    whole = restored(value, [b"x"])
    while isinstance(whole, list):
        whole = whole[0]
    assert whole == b"x"


# --- encoding -------------------------------------------------------------------------------------


def test_packets_are_written_as_the_protocol_wants() -> None:
    assert encode_event("/", "a", []).packet == b'42["a"]'
    assert encode_event("/", "a", [1, "é", None], 7).packet == '427["a",1,"é",null]'.encode()
    assert encode_event("/chat", "a", [], 0).packet == b'42/chat,0["a"]'
    assert encode_ack("/", 7, []).packet == b"437[]"
    assert encode_ack("/chat", 7, ({"a": 1},)).packet == b'43/chat,7[{"a":1}]'
    assert encode_connect("/", "id").packet == b'40{"sid":"id"}'
    assert encode_connect("/chat", "id").packet == b'40/chat,{"sid":"id"}'
    assert encode_connect_error("/", "no").packet == b'44{"message":"no"}'
    assert encode_connect_error("/chat", "no", {"code": 1}).packet == (
        b'44/chat,{"message":"no","data":{"code":1}}'
    )
    assert encode_disconnect("/").packet == b"41"
    assert encode_disconnect("/chat").packet == b"41/chat,"


def test_binary_arguments_become_attachments() -> None:
    event = encode_event("/chat", "a", [b"x", {"b": (bytearray(b"y"), 1)}, memoryview(b"")], 7)
    assert event.attachments == [b"x", b"y", b""]
    assert event.packet == (
        b'453-/chat,7["a",{"_placeholder":true,"num":0},'
        b'{"b":[{"_placeholder":true,"num":1},1]},{"_placeholder":true,"num":2}]'
    )
    ack = encode_ack("/", 7, [b"x"])
    assert ack.packet == b'461-7[{"_placeholder":true,"num":0}]'
    assert ack.attachments == [b"x"]


names = st.text(st.characters(codec="utf-8"), max_size=10)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
values = st.recursive(
    plain | st.binary(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
namespaces = st.just("/") | st.text(
    st.characters(codec="utf-8", exclude_characters=","), max_size=6
).map("/{}".format)
ack_ids = st.integers(0, 10**16 - 1)


def binaries(value: Any) -> list[bytes]:
    if isinstance(value, bytes):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [data for item in inner for data in binaries(item)]


def back(sent: Outgoing) -> Any:
    decoded = decode(sent.packet)
    value = decode_json(decoded.content)
    return restored(value, sent.attachments) if decoded.attachments else value


@many
@given(namespaces, names, st.lists(values, max_size=4), st.none() | ack_ids)
def test_an_event_survives_the_way(
    namespace: str, name: str, arguments: list[Any], ack_id: int | None
) -> None:
    sent = encode_event(namespace, name, arguments, ack_id)
    attachments = binaries(arguments)
    kind = BINARY_EVENT if attachments else EVENT
    assert parts(sent.packet)[:4] == (kind, len(attachments), namespace, ack_id)
    assert sent.attachments == attachments
    assert back(sent) == [name, *arguments]
    if name not in RESERVED:
        assert decode_event(decode(sent.packet).content)[0] == name


@many
@given(namespaces, st.lists(values, max_size=4), ack_ids)
def test_an_acknowledgement_survives_the_way(
    namespace: str, arguments: list[Any], ack_id: int
) -> None:
    sent = encode_ack(namespace, ack_id, arguments)
    attachments = binaries(arguments)
    kind = BINARY_ACK if attachments else ACK
    assert parts(sent.packet)[:4] == (kind, len(attachments), namespace, ack_id)
    assert back(sent) == arguments
