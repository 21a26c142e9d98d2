"""Chunks joined for connections with a poor line."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given, strategies as st

from rejoinder.core.joining import Joining, Piece
from rejoinder.core.streams import Chunk, StreamText


@dataclass
class Viewer:
    """Puts answers together by `index` and by `offset`, and takes nothing else."""

    texts: dict[str, str] = field(default_factory=dict)
    indexes: dict[str, int] = field(default_factory=dict)
    received: int = 0

    def begin(self, message_id: str, text: str = "", index: int = 0) -> None:
        self.texts[message_id], self.indexes[message_id] = text, index

    def take(self, message_id: str, index: int, offset: int, delta: str) -> None:
        assert (index, offset) == (self.indexes[message_id], len(self.texts[message_id]))
        self.texts[message_id] += delta
        self.indexes[message_id] += 1
        self.received += 1


class Room:
    """Three connections and two answers."""

    def __init__(self) -> None:
        self.joining = Joining()
        self.viewers = {name: Viewer() for name in "abc"}
        self.texts = {"one": StreamText(), "two": StreamText()}
        for viewer in self.viewers.values():
            for message_id in self.texts:
                viewer.begin(message_id)

    def show(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            chunk = piece.chunk
            self.viewers[piece.connection_id].take(
                piece.message_id, chunk.index, chunk.offset, chunk.delta
            )

    def write(self, message_id: str, delta: str) -> None:
        text = self.texts[message_id]
        text.write(delta)
        chunk = text.take_chunk()
        assert chunk is not None
        plain, pieces = self.joining.take(self.viewers, "room", message_id, chunk)
        for name in plain:
            self.viewers[name].take(message_id, chunk.index, chunk.offset, chunk.delta)
        self.show(pieces)

    def tell(self, name: str) -> None:
        self.show(self.joining.told(name, "room"))
        for message_id, text in self.texts.items():
            assert self.viewers[name].texts[message_id] == text.shown

    def enter(self, name: str) -> None:
        self.show(self.joining.entered(name, "room"))
        for message_id, text in self.texts.items():
            assert self.viewers[name].texts[message_id] == text.shown
            self.viewers[name].begin(message_id, text.shown, text.index)


names = st.sampled_from("abc")
steps = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(["one", "two"]), st.text(min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["slow", "fast", "enter", "told"]), names),
    st.tuples(st.just("due")),
)


@given(st.lists(steps, max_size=80))
def test_everybody_gets_the_same_text_whole(todo: list[tuple[str, ...]]) -> None:
    room = Room()
    does: dict[str, Callable[..., None]] = {
        "write": room.write,
        "slow": room.joining.slow,
        "fast": lambda name: room.show(room.joining.fast(name)),
        "enter": room.enter,
        "told": room.tell,
        "due": lambda: room.show(room.joining.due()),
    }
    for name, *arguments in todo:
        does[name](*arguments)
    for message_id, text in room.texts.items():
        room.show(room.joining.ended(message_id))
        for viewer in room.viewers.values():
            assert viewer.texts[message_id] == text.shown
    for name in room.viewers:
        room.joining.fast(name)
    assert room.joining.lines == {}


def test_a_poor_line_gets_fewer_chunks() -> None:
    room = Room()
    room.joining.slow("a")
    for round_ in range(4):
        for _ in range(8):
            room.write("one", f"{round_}")
        room.show(room.joining.due())
    assert (room.viewers["a"].received, room.viewers["b"].received) == (4, 32)


def test_thoughts_are_joined_apart_and_keep_their_count_when_a_room_is_entered_again() -> None:
    joining = Joining()
    joining.slow("a")

    def think(index: int, text: str) -> None:
        joining.take("a", "room", "one", Chunk(index, 0, text), thought=True)

    think(0, "x")
    think(1, "y")
    joining.take("a", "room", "one", Chunk(0, 0, "z"))
    told = [(each.thought, each.chunk.index, each.chunk.delta) for each in joining.due()]
    assert told == [(True, 0, "xy"), (False, 0, "z")]
    assert joining.entered("a", "room") == []
    think(2, "w")
    assert [(each.thought, each.chunk.index) for each in joining.ended("one")] == [(True, 1)]
    joining.fast("a")
    assert joining.lines == {}


def test_who_is_gone_is_forgotten() -> None:
    room = Room()
    room.joining.slow("a")
    room.write("one", "x")
    room.joining.forget("a")
    assert room.joining.due() == []
    assert room.joining.lines == {}
