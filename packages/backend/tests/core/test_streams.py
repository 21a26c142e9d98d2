"""Deltas become chunks that join to the text, whatever is written and whenever it is shown."""

from hypothesis import given, strategies as st
from tests.profiles import deterministic

from rejoinder.core.streams import Chunk, StreamText

SHOW = None
pieces = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["👩‍👩‍👧", "🇰", "🇷", "안녕", "e", "\u0301", "\x00", "\r\n", "😀"]
)


def test_deltas_are_joined_into_one_chunk() -> None:
    text = StreamText()
    for delta in ("Hel", "lo", "", " 😀"):
        text.write(delta)
    assert text.shown == ""
    assert text.length == 7
    assert text.take_chunk() == Chunk(0, 0, "Hello 😀")
    assert text.shown == "Hello 😀"
    assert text.take_chunk() is None


def test_offsets_count_code_points() -> None:
    text = StreamText()
    text.write("a😀")
    text.take_chunk()
    text.write("가\u0301")
    assert text.index == 1
    assert text.take_chunk() == Chunk(1, 2, "가\u0301")
    text.write("b")
    assert text.take_chunk() == Chunk(2, 4, "b")


def test_nothing_written_is_no_chunk() -> None:
    text = StreamText()
    text.write("")
    assert text.take_chunk() is None
    assert (text.index, text.shown, text.length) == (0, "", 0)


@deterministic
@given(st.lists(pieces | st.just(SHOW)))
def test_chunks_join_to_the_text(steps: list[str | None]) -> None:
    text = StreamText()
    written = shown = ""
    index = 0
    for step in steps:
        if step is not None:
            text.write(step)
            written += step
        else:
            chunk = text.take_chunk()
            assert (chunk is None) == (written == shown)
            if chunk is not None:
                assert (chunk.index, chunk.offset) == (index, len(shown))
                shown += chunk.delta
                index += 1
        assert (text.shown, text.index, text.length) == (shown, index, len(written))
    assert written.startswith(shown)
