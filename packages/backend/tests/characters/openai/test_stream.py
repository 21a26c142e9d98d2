import itertools

import msgspec
import pytest
from hypothesis import given, strategies as st

from rejoinder.characters import Usage
from rejoinder.characters.openai.failures import EndpointError
from rejoinder.characters.openai.stream import Events, Halves, Piece, read


def events(*pieces: bytes) -> list[bytes]:
    reader = Events()
    return [data for piece in pieces for data in reader.feed(piece)] + list(reader.end())


STREAM = b': comment\r\ndata: {"a"\ndata:: 1}\n\nevent: x\nid: 5\n\ndata:two\r\n\r\n\n\ndata: end'


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_events_come_out_whole_however_they_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(places)]
    assert events(*pieces) == [b'{"a"\n: 1}', b"two", b"end"]


@given(st.binary(max_size=300))
def test_any_event_can_be_read_or_is_refused(data: bytes) -> None:
    try:
        assert isinstance(read(data), Piece)
    except EndpointError as error:
        assert error.kind == "unreadable"  # noqa: PT017


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "message",
                    "content",
                    "usage",
                    "error",
                    "code",
                    "finish_reason",
                    "type",
                    "text",
                    "prompt_tokens",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=30,
)


@given(json)
def test_any_json_can_be_read_or_is_refused(value: object) -> None:

    try:
        piece = read(msgspec.json.encode(value))
    except EndpointError:
        return
    assert isinstance(piece.text, str)
    assert isinstance(piece.finish, str)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ('{"prompt_tokens": 3, "completion_tokens": 2}', Usage(3, 2)),
        ('{"prompt_tokens": 3}', Usage(3, 0)),
        ('{"prompt_tokens": -3, "completion_tokens": 2}', None),
        ('{"prompt_tokens": "3", "completion_tokens": 2}', None),
        ("null", None),
    ],
)
def test_usage(usage: str, expected: Usage | None) -> None:
    assert read(f'{{"choices": [], "usage": {usage}}}'.encode()).usage == expected


def test_the_end() -> None:
    assert read(b"[DONE] ").done


@given(st.lists(st.sampled_from(["a", "안", "\ud83d", "\ude00", "👋", ""])))
def test_characters_in_two_pieces_come_out_whole(pieces: list[str]) -> None:
    halves = Halves()
    given_ = "".join(map(halves.feed, pieces))
    whole = "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert given_.encode().decode() == given_
    # A half at the very end is left out.
    assert whole in {given_, f"{given_}\ufffd"}


def test_a_smile_in_two_events() -> None:
    halves = Halves()
    events = [
        b'{"choices":[{"delta":{"content":"\\ud83d"}}]}',
        b'{"choices":[{"delta":{"content":"\\ude00!"}}]}',
    ]
    assert [halves.feed(read(event).text) for event in events] == ["", "😀!"]
