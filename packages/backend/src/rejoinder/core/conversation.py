"""What a character is shown of a room before it answers."""

from collections.abc import Iterable

from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import given


def branch(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """The conversation as one thread: of several answers to the same message only the newest with a text.

    `messages` come in the order of `seq`, and so does the result.
    """
    kept: list[ChatMessage] = []
    answer_at: dict[str, int] = {}
    for message in messages:
        if not message.content:
            continue
        target = given(message.reply_to)
        if message.role == "character" and target is not None:
            if target in answer_at:
                kept[answer_at[target]] = message
                continue
            answer_at[target] = len(kept)
        kept.append(message)
    return kept
