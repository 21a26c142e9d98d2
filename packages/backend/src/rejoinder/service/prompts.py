"""The prompts of the newest answers, in this server's memory: whoever asked may want to see what a model was asked."""

from collections import OrderedDict, deque
from dataclasses import dataclass
from weakref import WeakValueDictionary

from rejoinder.characters.base import Prompt, Usage

PER_ROOM = 20
PROMPT_BYTES_MAX = 4 * 1024 * 1024
BYTES_MAX = 64 * 1024 * 1024


@dataclass(slots=True)
class Kept:
    """The prompt of one answer: where, who asked for it, and what it cost, once that is known."""

    room_id: str
    asked_by: str
    prompt: Prompt
    size: int
    usage: Usage | None = None


class Asking:
    """What is shared by all prompts of a room that were begun since something of it was forgotten."""

    __slots__ = ("__weakref__", "in_vain")

    def __init__(self) -> None:
        self.in_vain = False


class Prompts:
    """Keeps so many bytes of them, and of each room the newest; the oldest go first."""

    def __init__(self, per_room: int = PER_ROOM, bytes_max: int = BYTES_MAX) -> None:
        self._per_room = per_room
        self._bytes_max = bytes_max
        self._size = 0
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._of_room: dict[str, deque[str]] = {}
        self._asking: WeakValueDictionary[str, Asking] = WeakValueDictionary()

    def begin(self, room_id: str) -> Asking:
        """To be called before that is read which a prompt is made of."""
        asking = self._asking.get(room_id)
        if asking is None:
            asking = self._asking[room_id] = Asking()
        return asking

    def keep(
        self, room_id: str, message_id: str, asked_by: str, prompt: Prompt, asking: Asking
    ) -> None:
        """Keep what was asked for that answer, in place of what was kept for it.

        One that is too large is not kept, nor one that was begun before the room was forgotten: it may hold what is gone.
        """
        self.forget(message_id)
        if asking.in_vain:
            return
        size = sum(len(each["content"].encode()) for each in prompt.messages)
        if size > min(PROMPT_BYTES_MAX, self._bytes_max):
            return
        self._kept[message_id] = Kept(room_id, asked_by, prompt, size)
        self._size += size
        ids = self._of_room.setdefault(room_id, deque())
        ids.append(message_id)
        if len(ids) > self._per_room:
            self.forget(ids[0])
        while self._size > self._bytes_max:
            self.forget(next(iter(self._kept)))

    def cost(self, message_id: str, usage: Usage) -> None:
        """What the answer cost."""
        kept = self._kept.get(message_id)
        if kept is not None:
            kept.usage = usage

    def find(self, message_id: str) -> Kept | None:
        """What was asked for that answer, if it is kept."""
        return self._kept.get(message_id)

    def forget(self, message_id: str) -> None:
        """Keep it no more."""
        kept = self._kept.pop(message_id, None)
        if kept is None:
            return
        self._size -= kept.size
        ids = self._of_room[kept.room_id]
        ids.remove(message_id)
        if not ids:
            del self._of_room[kept.room_id]

    def forget_room(self, room_id: str) -> None:
        """Keep nothing of that room any more, nor what is made of it by now."""
        asking = self._asking.pop(room_id, None)
        if asking is not None:
            asking.in_vain = True
        for message_id in tuple(self._of_room.get(room_id, ())):
            self.forget(message_id)
