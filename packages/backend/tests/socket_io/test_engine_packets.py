"""Engine.IO packets in payloads, frames and messages."""

from base64 import b64encode
from itertools import islice

import pytest
from hypothesis import given, settings, strategies as st
from tests.profiles import deterministic

from rejoinder_socketio.engine.packets import Outgoing, binary, split
from rejoinder_socketio.errors import ProtocolError

many = settings(deterministic, max_examples=200)


def parts_of(body: bytes) -> list[bytes | bytearray]:
    return list(split(body))


def test_a_packet_is_a_text_frame_a_part_of_a_payload_and_a_text() -> None:
    packet = Outgoing("4안녕".encode())
    assert packet.frames == b"\x81\x07" + "4안녕".encode()
    assert packet.body == "4안녕".encode()
    assert packet.messages == ["4안녕"]
    assert packet.size == 7


def test_attachments_follow_their_packet() -> None:
    packet = Outgoing(b"452-[]", [b"\x00\xff", b""])
    assert packet.frames == b"\x81\x06452-[]\x82\x02\x00\xff\x82\x00"
    assert packet.body == b"452-[]\x1ebAP8=\x1eb"
    assert packet.messages == ["452-[]", b"\x00\xff", b""]
    assert packet.size == 8


def test_a_binary_message_may_stand_alone() -> None:
    message = binary(b"\x00\xff")
    assert message.frames == b"\x82\x02\x00\xff"
    assert message.body == b"bAP8="
    assert message.messages == [b"\x00\xff"]
    assert message.size == 2


def test_each_form_is_made_once() -> None:
    packet = Outgoing(b"4" * 100, [b"x"])
    assert packet.frames is packet.frames
    assert packet.body is packet.body


def test_a_payload_is_split_into_its_packets() -> None:
    body = "4안녕\x1e3\x1ebAQID\x1e4\x1eb".encode()
    parts = parts_of(body)
    assert parts == ["4안녕".encode(), b"3", b"\x01\x02\x03", b"4", b""]
    assert [isinstance(part, bytearray) for part in parts] == [False, False, True, False, True]


def test_empty_parts_are_parts() -> None:
    assert parts_of(b"") == [b""]
    assert parts_of(b"\x1e") == [b"", b""]
    assert parts_of(b"4\x1e") == [b"4", b""]


@pytest.mark.parametrize(
    "body",
    [
        b"bA",
        b"b=",
        b"bAQ",
        b"bAQI=AQI=",
        b"bAQ ID",
        b"bAQ-_",
        b"bAQID\n",
        "bAQ\u00e9D".encode(),
        b"4\xff",
        b"4a\x1e4\xed\xa0\x80",
    ],
)
def test_what_is_no_payload_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        parts_of(body)


def test_a_payload_of_many_packets_is_taken_apart_one_by_one() -> None:
    body = b"\x1e".join([b"4"] * 500_000)
    parts = split(body)
    assert list(islice(parts, 3)) == [b"4"] * 3
    assert next(parts) == b"4"


@many
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x1e")) | st.binary()))
def test_what_is_joined_is_split_again(parts: list[str | bytes]) -> None:
    packets = [("4" + part).encode() if isinstance(part, str) else part for part in parts]
    encoded = [
        b"b" + b64encode(part) if isinstance(part, bytes) else b"4" + part.encode()
        for part in parts
    ]
    if parts:
        assert parts_of(b"\x1e".join(encoded)) == packets


@many
@given(st.lists(st.binary(max_size=20) | st.sampled_from([b"\x1e", b"b", b"AQID", b"=", b"4"])))
def test_any_bytes_are_a_payload_or_refused(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    try:
        parts = parts_of(body)
    except ProtocolError:
        return
    assert len(parts) == body.count(b"\x1e") + 1
    b"".join(part for part in parts if isinstance(part, bytes)).decode()
