"""Read marks that moved while a room was loaded: what a snapshot was read too early to have."""

from collections.abc import Iterable
from operator import attrgetter

from rejoinder.protocol.events import ChatMessage, ReadMarker, ReadMoved
from rejoinder.protocol.fields import epoch_ms, given, iso
from rejoinder.stores.records import StoredMark

KEPT = 500


class Marks:
    """The marks of a room that moved lately; of each user only the furthest counts."""

    def __init__(self) -> None:
        self._moved: dict[str, StoredMark] = {}

    def moved(self, mark: StoredMark) -> bool:
        """A mark has moved; False if it is known to be further already."""
        known = self._moved.pop(mark.user_id, None)
        forward = known is None or mark.seq > known.seq
        self._moved[mark.user_id] = mark if known is None or forward else known
        if len(self._moved) > KEPT:
            del self._moved[next(iter(self._moved))]
        return forward

    def with_stored(self, stored: Iterable[StoredMark]) -> list[StoredMark]:
        """The marks that were read from the store, and those that have moved since, the furthest first."""
        marks = {mark.user_id: mark for mark in stored}
        for mark in self._moved.values():
            known = marks.get(mark.user_id)
            if known is None or mark.seq > known.seq:
                marks[mark.user_id] = mark
        return sorted(marks.values(), key=attrgetter("seq"), reverse=True)[:KEPT]


def mark_of(moved: ReadMoved) -> StoredMark:
    """What was told of a mark, as it is stored."""
    return StoredMark(moved.user_id, moved.message_id, moved.seq, epoch_ms(moved.timestamp))


def moved_of(room_id: str, mark: StoredMark) -> ReadMoved:
    """A mark as it is told."""
    return ReadMoved(
        room_id=room_id,
        user_id=mark.user_id,
        message_id=mark.message_id,
        seq=mark.seq,
        timestamp=iso(mark.timestamp),
    )


def marker_of(mark: StoredMark) -> ReadMarker:
    """A mark as a snapshot has it."""
    return ReadMarker(
        user_id=mark.user_id,
        message_id=mark.message_id,
        seq=mark.seq,
        timestamp=iso(mark.timestamp),
    )


def taken_up(row: ChatMessage, question: ChatMessage) -> ReadMoved:
    """A character has read what it answers with that row, which is all that is kept of it.

    A client that does not know of it sees whose message it is, who has read it as well: no character is taken for a user.
    """
    return ReadMoved(
        room_id=row.room_id,
        user_id=question.sender_id,
        message_id=question.id,
        seq=question.seq,
        timestamp=row.timestamp,
        character_id=row.sender_id,
    )


def markers_of_characters(rows: Iterable[ChatMessage]) -> list[ReadMarker]:
    """How far the characters have read, as far as these rows of one room show it."""
    found: dict[str, ReadMarker] = {}
    questions: dict[str, ChatMessage] = {}
    for row in rows:
        questions[row.id] = row
        question = questions.get(given(row.reply_to) or "")
        if row.role != "character" or question is None or was_skipped(row):
            continue
        known = found.get(row.sender_id)
        if known is None or question.seq > known.seq:
            moved = taken_up(row, question)
            found[row.sender_id] = ReadMarker(
                user_id=moved.user_id,
                message_id=moved.message_id,
                seq=moved.seq,
                timestamp=moved.timestamp,
                character_id=moved.character_id,
            )
    return list(found.values())


def was_skipped(row: ChatMessage) -> bool:
    """True of an answer that was stopped while it waited for its turn: nobody took up its question."""
    return row.content == "" and row.state in {"stopped", "interrupted"}
