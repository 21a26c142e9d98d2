"""Commands as bytes, and replies from bytes that come in pieces of any length."""

import itertools

import pytest
from hypothesis import given, strategies as st

from rejoinder.cluster.redis.resp import (
    Command,
    ErrorReply,
    Parser,
    ProtocolError,
    Reply,
    encode,
)

LINE = st.text(st.characters(codec="ascii", exclude_characters="\r\n"), max_size=20)
SIMPLE = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=60),
    st.just(b"\r\n$3\r\n"),
    LINE.map(ErrorReply),
)
REPLIES = st.lists(
    st.recursive(SIMPLE, lambda inner: st.lists(inner, max_size=4), max_leaves=8), max_size=6
)
COMMANDS: st.SearchStrategy[list[Command]] = st.lists(
    st.lists(
        st.one_of(st.text(max_size=20), st.binary(max_size=20), st.integers()),
        min_size=1,
        max_size=6,
    ).map(tuple),
    max_size=6,
)


def written(reply: Reply) -> bytes:
    """As Redis sends it."""
    match reply:
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % reply
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case ErrorReply():
            return b"-%b\r\n" % str(reply).encode()
        case _:
            return b"*%d\r\n%b" % (len(reply), b"".join(map(written, reply)))


def plain(reply: Reply) -> object:
    """With refusals that can be compared."""
    if isinstance(reply, list):
        return [plain(each) for each in reply]
    return ("refused", str(reply)) if isinstance(reply, ErrorReply) else reply


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The same in pieces."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(REPLIES, st.lists(st.integers(0, 10_000), max_size=40))
def test_replies_are_the_same_in_whatever_pieces_they_come(
    replies: list[Reply], cuts: list[int]
) -> None:
    parser, data = Parser(), b"".join(map(written, replies))
    parsed = [reply for piece in pieces(data, cuts) for reply in parser.feed(piece)]
    assert [plain(reply) for reply in parsed] == [plain(reply) for reply in replies]


@given(REPLIES)
def test_each_reply_is_there_with_its_last_byte(replies: list[Reply]) -> None:
    parser = Parser()
    for reply in replies:
        data = written(reply)
        assert [parser.feed(data[at : at + 1]) for at in range(len(data) - 1)] == [[]] * (
            len(data) - 1
        )
        assert [plain(each) for each in parser.feed(data[-1:])] == [plain(reply)]


@given(COMMANDS, st.lists(st.integers(0, 10_000), max_size=10))
def test_a_command_is_an_array_of_bytes(commands: list[Command], cuts: list[int]) -> None:
    """Which a Redis reads as we read replies."""
    parser = Parser()
    parsed = [reply for piece in pieces(encode(commands), cuts) for reply in parser.feed(piece)]
    assert parsed == [
        [part if isinstance(part, bytes) else str(part).encode() for part in command]
        for command in commands
    ]


def test_text_that_is_none_holds_up_nobody() -> None:
    assert encode([("GET", "\ud800")]).endswith(b"$3\r\n\xed\xa0\x80\r\n")


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_whatever_comes_is_a_reply_or_a_protocol_error(data: list[bytes]) -> None:
    parser = Parser()
    try:
        for piece in data:
            parser.feed(piece)
    except ProtocolError:
        pass


def test_a_status_is_bytes() -> None:
    assert Parser().feed(b"+OK\r\n+PONG\r\n") == [b"OK", b"PONG"]


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"$x\r\n",
        b":\r\n",
        b"*1\r\n" * 20 + b":1\r\n",
        b"_\r\n",
    ],
)
def test_what_is_no_reply(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        Parser().feed(data)


@pytest.mark.parametrize(
    "data", [b"$101\r\n", b"+" + b"x" * 101, b"*9\r\n" + b":1000000000\r\n" * 8]
)
def test_a_reply_that_is_too_long_is_not_waited_for(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="too long"):
        Parser(100).feed(data)


def test_many_replies_together_may_be_longer_than_one() -> None:
    assert Parser(100).feed(b":1000\r\n" * 100) == [1000] * 100
