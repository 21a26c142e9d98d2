"""Summaries of what does not fit into prompts any more: what they cover, when they still hold, and how one is asked for. Pure."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from rejoinder.characters.base import PastMessage
from rejoinder.characters.prompt import Message, harmless, shorten

_ROOMS = 256
_COVERED = 1000

_TASK = (
    "Summarise the conversation below for one of its speakers, {name}, who will not see it again. Keep names, facts, "
    "promises, wishes and how things stand; leave out greetings and repetitions. Write in the language of the conversation, "
    "at most {words} words, and nothing but the summary."
)


@dataclass(frozen=True, slots=True)
class Summary:
    """A text, and the messages that it stands for, as marks, the oldest first; of many only the newest."""

    text: str
    covered: tuple[int, ...]


class Summaries:
    """The summaries of the rooms that were talked in last."""

    def __init__(self, rooms: int = _ROOMS) -> None:
        self._rooms = rooms
        self._kept: OrderedDict[str, Summary] = OrderedDict()

    def keep(self, room_id: str, summary: Summary) -> None:
        """Keep it in place of the room's last one."""
        self._kept.pop(room_id, None)
        self._kept[room_id] = summary
        if len(self._kept) > self._rooms:
            self._kept.popitem(last=False)

    def forget(self, room_id: str) -> None:
        """Keep none of that room."""
        self._kept.pop(room_id, None)

    def of(self, room_id: str, history: Sequence[PastMessage]) -> tuple[str, int]:
        """The room's summary, and how many messages at the beginning of this history it covers; "" and 0 where there is none.

        One that covers anything else than what the history holds there (another branch was chosen, a message was edited) is
        none.
        """
        summary = self._kept.get(room_id)
        if summary is None:
            return "", 0
        seen = marks(history)
        try:
            count = len(seen) - seen[::-1].index(summary.covered[-1])
        except ValueError:
            return "", 0
        overlap = min(count, len(summary.covered))
        if summary.covered[-overlap:] != seen[count - overlap : count]:
            return "", 0
        return summary.text, count


def marks(messages: Sequence[PastMessage]) -> tuple[int, ...]:
    """By what messages are known again."""
    return tuple(hash((each.role, each.sender_id, each.content)) for each in messages)


def covering(text: str, messages: Sequence[PastMessage]) -> Summary:
    """A summary of these messages, which are not none."""
    return Summary(text, marks(messages)[-_COVERED:])


def request(
    name: str, before: str, messages: Sequence[PastMessage], *, words: int, bytes_max: int
) -> list[Message]:
    """What the model is asked, within so many bytes.

    Args:
        name: The character's name.
        before: What was summarised earlier, "" for nothing.
        messages: What is to be added to it.
        words: How long the summary may be.
        bytes_max: For all messages of the request.
    """
    task = _TASK.format(name=name, words=words)
    lines = [f"(Before that: {before})"] if before else []
    lines += [
        f"{each.name or (name if each.role == 'character' else 'User')}: {each.content}"
        for each in messages
    ]
    text = harmless("\n\n".join(lines))
    room = max(0, bytes_max - len(task.encode()))
    size = len(text)
    while len(shorten(text, size).encode()) > room and size:
        size = size * 9 // 10
    return [
        {"role": "system", "content": task},
        {"role": "user", "content": shorten(text, size)},
    ]
