"""WebSocket frames of the server's side, by RFC 6455."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st
from tests.profiles import deterministic
from tests.socket_io.by_hand import FIN, MASK, client_frame, length

from rejoinder_socketio.engine.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    FrameError,
    FrameReader,
    close_frame,
    frame,
)

LIMIT, FRAGMENTS = 1000, 4
LARGE = 100_000
PROTOCOL, INVALID, POLICY, TOO_BIG = 1002, 1007, 1008, 1009
KOREAN = "안녕 👋".encode()
Messages = list[tuple[int, bytes]]

few = settings(deterministic, max_examples=150)


def read(
    pieces: Sequence[bytes], *, limit: int = LIMIT, fragments: int = FRAGMENTS
) -> tuple[Messages, int | None]:
    """What a reader makes of these bytes: the messages, and the code of the error that ended it."""
    reader = FrameReader(limit, fragments)
    messages: Messages = []
    try:
        for piece in pieces:
            for message in reader.receive(piece):
                messages.append(message)
    except FrameError as error:
        return messages, error.code
    return messages, None


def held(reader: FrameReader) -> int:
    """How many bytes it keeps; it says the same of itself."""
    kept = sum(
        0 if pieces is None else pieces.size for pieces in (reader._partial, reader._message)
    )
    assert reader.held == kept
    return kept


# --- what the server sends ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x00"),
        (125, b"\x7d"),
        (126, b"\x7e\x00\x7e"),
        (65535, b"\x7e\xff\xff"),
        (65536, b"\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG])
def test_a_frame_has_the_shortest_length_and_no_mask(opcode: int, size: int, head: bytes) -> None:
    payload = b"x" * size
    assert frame(opcode, payload) == bytes([FIN | opcode]) + head + payload


def test_a_close_frame_holds_its_code() -> None:
    assert close_frame(1000) == b"\x88\x02\x03\xe8"


# --- whole messages -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 65537])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_every_length_is_read(opcode: int, size: int) -> None:
    payload = bytes(n % 128 for n in range(size))
    sent = client_frame(opcode, payload)
    assert read([sent], limit=LARGE) == ([(opcode, payload)], None)
    assert read([sent, sent], limit=LARGE) == ([(opcode, payload)] * 2, None)
    assert read([sent + sent], limit=LARGE) == ([(opcode, payload)] * 2, None)


@pytest.mark.parametrize("mask", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x80\x00\x01\xfe"])
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 125, 126])
def test_every_mask_is_taken_off(mask: bytes, size: int) -> None:
    payload = bytes(range(size))
    assert read([client_frame(BINARY, payload, mask=mask)]) == ([(BINARY, payload)], None)


@pytest.mark.parametrize(("size", "form"), [(0, 2), (125, 2), (0, 8), (126, 8), (65535, 8)])
def test_a_length_that_is_longer_than_it_need_be_is_an_error(size: int, form: int) -> None:
    sent = client_frame(BINARY, b"x" * size, form=form)
    assert read([sent], limit=LARGE) == ([], PROTOCOL)


# --- fragments ------------------------------------------------------------------------------------


def fragments(opcode: int, *parts: bytes) -> bytes:
    *first, end = parts
    opcodes = [opcode] + [CONTINUATION] * len(first)
    sent = [client_frame(opcodes[n], part, last=False) for n, part in enumerate(first)]
    return b"".join([*sent, client_frame(opcodes[-1], end)])


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_fragments_are_joined(opcode: int) -> None:
    sent = fragments(opcode, b"a", b"", b"bc", b"") + client_frame(opcode, b"next")
    assert read([sent]) == ([(opcode, b"abc"), (opcode, b"next")], None)


def test_control_frames_come_between_fragments() -> None:
    sent = [
        client_frame(TEXT, b"a", last=False),
        client_frame(PING, b"1"),
        client_frame(CONTINUATION, b"b", last=False),
        client_frame(PONG, b""),
        client_frame(PING, b"2" * 125),
        client_frame(CONTINUATION, b"c"),
    ]
    due = [(PING, b"1"), (PONG, b""), (PING, b"2" * 125), (TEXT, b"abc")]
    assert read(sent) == (due, None)
    assert read([b"".join(sent)]) == (due, None)


def test_utf_8_may_be_cut_by_fragments() -> None:
    for cut in range(len(KOREAN) + 1):
        sent = fragments(TEXT, KOREAN[:cut], KOREAN[cut:])
        assert read([sent]) == ([(TEXT, KOREAN)], None)


@pytest.mark.parametrize(
    "text",
    [b"\xff", KOREAN[:-1], b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"],
    ids=["no start", "cut short", "overlong", "surrogate", "beyond Unicode"],
)
def test_a_text_must_be_utf_8_and_a_binary_message_need_not(text: bytes) -> None:
    assert read([client_frame(TEXT, text)]) == ([], INVALID)
    assert read([fragments(TEXT, text[:1], text[1:])]) == ([], INVALID)
    assert read([client_frame(BINARY, text)]) == ([(BINARY, text)], None)
    assert read([fragments(BINARY, text[:1], text[1:])]) == ([(BINARY, text)], None)


# --- what is refused ------------------------------------------------------------------------------

OPEN_MESSAGE = client_frame(TEXT, b"a", last=False)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x81\x01a",
        b"\x81\x00",
        client_frame(CONTINUATION, b"a"),
        client_frame(CONTINUATION, b"a", last=False),
        OPEN_MESSAGE + client_frame(TEXT, b"b"),
        OPEN_MESSAGE + client_frame(BINARY, b"b"),
        OPEN_MESSAGE + client_frame(TEXT, b"b", last=False),
        *(client_frame(opcode) for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF)),
        *(client_frame(bit | TEXT) for bit in (0x40, 0x20, 0x10)),
        *(client_frame(bit | PING) for bit in (0x40, 0x20, 0x10)),
        OPEN_MESSAGE + client_frame(0x40 | CONTINUATION),
        *(client_frame(opcode, last=False) for opcode in (CLOSE, PING, PONG)),
        *(client_frame(opcode, b"x" * 126) for opcode in (PING, PONG)),
        client_frame(CLOSE, b"\x03\xe8" + b"x" * 124),
        client_frame(CLOSE, b"\x03"),
        *(
            client_frame(CLOSE, code.to_bytes(2, "big"))
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
        ),
    ],
)
def test_what_breaks_the_protocol_is_an_error(sent: bytes) -> None:
    good = client_frame(TEXT, b"good")
    assert read([good + sent + good]) == ([(TEXT, b"good")], PROTOCOL)
    assert read([good, sent, good]) == ([(TEXT, b"good")], PROTOCOL)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999])
def test_a_close_frame_may_say_why(code: int) -> None:
    said = code.to_bytes(2, "big")
    sent = [client_frame(CLOSE, said + reason) for reason in (b"", KOREAN, b"x" * 123)]
    assert read(sent) == ([(CLOSE, said), (CLOSE, said + KOREAN), (CLOSE, said + b"x" * 123)], None)
    assert read([client_frame(CLOSE, said + b"\xff")]) == ([], INVALID)


def test_a_close_frame_may_say_nothing() -> None:
    assert read([client_frame(CLOSE)]) == ([(CLOSE, b"")], None)


@pytest.mark.parametrize("limit", [10, 125, 126, 65535, 65536, 70_000])
def test_a_message_has_a_limit(limit: int) -> None:
    fits, big = b"x" * limit, b"x" * (limit + 1)
    half = limit // 2
    assert read([client_frame(TEXT, fits)], limit=limit) == ([(TEXT, fits)], None)
    assert read([fragments(TEXT, fits[:half], fits[half:])], limit=limit) == ([(TEXT, fits)], None)
    assert read([client_frame(TEXT, big)], limit=limit) == ([], TOO_BIG)
    assert read([fragments(TEXT, big[:half], big[half:])], limit=limit) == ([], TOO_BIG)


@pytest.mark.parametrize("size", [LIMIT + 1, 0xFFFF, 0x10000, 2**63, 2**64 - 1])
def test_a_frame_that_is_too_big_is_refused_before_it_comes(size: int) -> None:
    head = bytes([FIN | BINARY]) + length(size, 2 if size <= 0xFFFF else 8) + MASK
    assert read([head]) == ([], TOO_BIG)


def test_a_message_has_a_limit_of_fragments() -> None:
    fits = fragments(BINARY, *[b"x"] * FRAGMENTS)
    assert read([fits + fits]) == ([(BINARY, b"x" * FRAGMENTS)] * 2, None)
    assert read([fragments(BINARY, *[b""] * (FRAGMENTS + 1))]) == ([], POLICY)


def test_an_endless_message_is_refused_before_it_ends() -> None:
    begun = [OPEN_MESSAGE] + [client_frame(CONTINUATION, last=False)] * (FRAGMENTS - 1)
    assert read(begun) == ([], None)
    assert read([*begun, begun[-1]]) == ([], POLICY)


# --- any bytes, however they come -----------------------------------------------------------------


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    borders = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(borders)]


places = st.lists(st.integers(0, 2**20), max_size=12)
payloads = st.binary(max_size=140) | st.sampled_from([b"", b"x" * 125, b"y" * 126, KOREAN])
controls = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, Messages]:
    """Bytes of a client that keeps to the protocol, and what it says with them."""
    sent, said = b"", Messages()
    for _ in range(draw(st.integers(1, 5))):
        opcode = draw(st.sampled_from([TEXT, BINARY]))
        parts = draw(st.lists(payloads, min_size=1, max_size=FRAGMENTS))
        if opcode == TEXT:
            whole = b"".join(parts).decode(errors="replace").encode()
            parts = cut(whole, [len(part) for part in parts[1:]]) or [b""]
        for n, part in enumerate(parts):
            for control, payload in draw(st.lists(controls, max_size=2)):
                sent += client_frame(control, payload)
                said.append((control, payload))
            mask = draw(st.binary(min_size=4, max_size=4))
            kind = CONTINUATION if n else opcode
            sent += client_frame(kind, part, last=n == len(parts) - 1, mask=mask)
        said.append((opcode, b"".join(parts)))
    return sent, said


@few
@given(conversations(), places)
def test_messages_do_not_depend_on_how_their_bytes_come(
    conversation: tuple[bytes, Messages], where: list[int]
) -> None:
    sent, said = conversation
    assert read(cut(sent, where), limit=LARGE) == (said, None)


def test_messages_may_come_byte_by_byte() -> None:
    sent = fragments(TEXT, b"a" * 200, KOREAN) + client_frame(PING, b"1") + client_frame(BINARY)
    due = [(TEXT, b"a" * 200 + KOREAN), (PING, b"1"), (BINARY, b"")]
    assert read([bytes([byte]) for byte in sent]) == (due, None)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Bytes that begin well, mostly."""
    sent = draw(conversations())[0]
    return sent[: draw(st.integers(0, len(sent)))] + draw(st.binary(max_size=40))


@few
@given(broken() | st.binary(max_size=300), places)
def test_any_bytes_give_messages_or_an_error_however_they_come(
    data: bytes, where: list[int]
) -> None:
    assert read(cut(data, where)) == read([data])


@few
@given(conversations(), places)
def test_nothing_is_held_but_what_is_incomplete(
    conversation: tuple[bytes, Messages], where: list[int]
) -> None:
    sent, said = conversation
    reader = FrameReader(LARGE, FRAGMENTS)
    received, given_back = 0, 0
    for piece in cut(sent, where):
        received += len(piece)
        given_back += sum(len(payload) for _, payload in reader.receive(piece))
        assert held(reader) <= received - given_back
    assert held(reader) == 0
    assert given_back == sum(len(payload) for _, payload in said)
