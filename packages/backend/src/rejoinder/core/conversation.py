"""What a character is shown of a room before it answers."""

from collections.abc import Iterable

from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import given


def branch(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """The conversation as one thread: of several answers of a character to a message only the newest with a text.

    `messages` come in the order of `seq`, and so does the result.
    """
    kept: list[ChatMessage] = []
    answer_at: dict[tuple[str, str], int] = {}
    for message in messages:
        if not message.content:
            continue
        target = given(message.reply_to)
        if message.role == "character" and target is not None:
            answers = (target, message.sender_id)
            if answers in answer_at:
                kept[answer_at[answers]] = message
                continue
            answer_at[answers] = len(kept)
        kept.append(message)
    return kept
