"""Ids, times, and what absent means."""

import json
import re
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, strategies as st
from tests.profiles import deterministic

from rejoinder.protocol import fields
from rejoinder.protocol.events import ChatMessage, MessageSend, RoomLeave
from rejoinder.protocol.fields import ID_PATTERN, Id, iso, or_unset

CONTROL = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029"]
plain = st.characters(codec="utf-8", exclude_characters=CONTROL)


def is_id(text: str) -> bool:
    try:
        msgspec.convert(text, Id)
    except msgspec.ValidationError:
        return False
    return True


@deterministic
@given(st.text(plain, min_size=1, max_size=128))
def test_an_id_is_any_plain_text(text: str) -> None:
    assert is_id(text)
    assert re.search(ID_PATTERN, text)


@deterministic
@given(st.text(plain, max_size=20), st.sampled_from(CONTROL), st.text(plain, max_size=20))
def test_an_id_holds_no_control_character(before: str, control: str, after: str) -> None:
    assert not is_id(before + control + after)
    assert not is_id(before + control)


@pytest.mark.parametrize("text", ["", "x" * 129, "가" * 129, "\n", "a\n", "a\r\nb", "\x1b[2J"])
def test_an_id_is_not(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("value", [None, 5, True, [], {}, b"x"])
def test_an_id_is_text(value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, Id)


@pytest.mark.parametrize(
    ("epoch_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (1_769_850_300_042, "2026-01-31T09:05:00.042Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_has_milliseconds_and_a_z(epoch_ms: int, text: str) -> None:
    assert iso(epoch_ms) == text


@deterministic
@given(st.integers(0, 253_402_300_799_999))
def test_a_time_can_be_read_back(epoch_ms: int) -> None:
    text = iso(epoch_ms)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    read = datetime.fromisoformat(text)
    assert read.tzinfo == UTC
    assert round(read.timestamp() * 1000) == epoch_ms


def test_absent_means_absent() -> None:
    message = ChatMessage(
        id="m",
        room_id="r",
        seq=1,
        role="user",
        sender_id="ann",
        content="x",
        state="complete",
        timestamp=iso(0),
    )
    assert json.loads(msgspec.json.encode(message)) == {
        "id": "m",
        "roomId": "r",
        "seq": 1,
        "role": "user",
        "senderId": "ann",
        "content": "x",
        "state": "complete",
        "timestamp": "1970-01-01T00:00:00.000Z",
    }


@pytest.mark.parametrize("name", ["messageId", "characterId", "replyTo", "metadata"])
def test_null_is_not_absent(name: str) -> None:
    payload = {"roomId": "r", "content": "x"}
    msgspec.convert(payload, MessageSend)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**payload, name: None}, MessageSend)


@pytest.mark.parametrize("name", ["room_id", "roomid", "extra", ""])
def test_unknown_fields_are_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"roomId": "r", name: "x"}, RoomLeave)


def test_given_and_or_unset_are_each_others_reverse() -> None:
    assert fields.given(or_unset(None)) is None
    assert fields.given(or_unset("")) == ""
    assert or_unset(None) is msgspec.UNSET
