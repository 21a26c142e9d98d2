"""A character is shown one thread of the conversation."""

from rejoinder.core.conversation import branch
from rejoinder.protocol.events import ChatMessage, Role
from rejoinder.protocol.fields import or_unset


def message(
    seq: int, content: str, *, role: Role = "user", reply_to: str | None = None
) -> ChatMessage:
    return ChatMessage(
        id=f"m{seq}",
        room_id="room",
        seq=seq,
        role=role,
        sender_id="ann" if role == "user" else "echo",
        content=content,
        state="complete",
        timestamp="2026-01-01T00:00:00.000Z",
        reply_to=or_unset(reply_to),
    )


def texts(*messages: ChatMessage) -> list[str]:
    return [each.content for each in branch(messages)]


def test_is_the_log_where_nothing_was_answered_twice() -> None:
    assert texts(
        message(1, "hi"),
        message(2, "hello", role="character", reply_to="m1"),
        message(3, "how are you?"),
    ) == ["hi", "hello", "how are you?"]


def test_of_several_answers_the_newest_stands_where_the_first_stood() -> None:
    assert texts(
        message(1, "hi"),
        message(2, "first", role="character", reply_to="m1"),
        message(3, "and?"),
        message(4, "answer", role="character", reply_to="m3"),
        message(5, "second", role="character", reply_to="m1"),
        message(6, "third", role="character", reply_to="m1"),
    ) == ["hi", "third", "and?", "answer"]


def test_an_answer_without_a_text_counts_as_none() -> None:
    assert texts(
        message(1, "hi"),
        message(2, "first", role="character", reply_to="m1"),
        message(3, "", role="character", reply_to="m1"),
    ) == ["hi", "first"]
    assert texts(message(1, "hi"), message(2, "", role="character", reply_to="m1")) == ["hi"]


def test_replies_of_people_all_stay() -> None:
    assert texts(
        message(1, "hi"), message(2, "yes", reply_to="m1"), message(3, "no", reply_to="m1")
    ) == ["hi", "yes", "no"]


def test_what_a_character_says_unasked_stays() -> None:
    assert texts(message(1, "welcome", role="character"), message(2, "hi")) == ["welcome", "hi"]


def test_a_page_may_begin_after_the_question() -> None:
    assert texts(
        message(7, "first", role="character", reply_to="m1"),
        message(8, "second", role="character", reply_to="m1"),
    ) == ["second"]
    assert branch([]) == []
