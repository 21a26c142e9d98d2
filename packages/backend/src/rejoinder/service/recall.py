"""What of a room's conversation a character is handed over before it answers."""

from collections.abc import Iterable

from rejoinder.characters.base import Character, PastMessage, Reaching
from rejoinder.characters.registry import Characters
from rejoinder.core.branches import parent_of, path
from rejoinder.core.conversation import branch
from rejoinder.protocol.events import ChatMessage
from rejoinder.service.room_state import RoomState
from rejoinder.stores.base import Store

MESSAGES = 50
MESSAGES_MAX = 500
PAGE = 100
READS_MAX = 20
MEMBERS_READ = 500


async def recalled(
    store: Store, character: Character, question: ChatMessage, names: "Names"
) -> tuple[PastMessage, ...]:
    """What was said before that message on its branch, the oldest first.

    That is the newest 50 messages, and more, up to 500, for a character whose prompt has room for them.
    """
    reach = character.history_bytes if isinstance(character, Reaching) else 0
    rows = branch(await history_of(store, question, MESSAGES_MAX if reach else MESSAGES, reach))
    people = {row.sender_id for row in (*rows, question) if row.role == "user"}
    if len(people) > 1:
        await names.learn(people)
    return tuple(PastMessage(row.role, row.sender_id, row.content, names.of(row)) for row in rows)


class Names:
    """The names of those who speak in a room; of people who are not there from the list of its members."""

    def __init__(self, store: Store, state: RoomState, characters: Characters) -> None:
        self._store = store
        self._state = state
        self._characters = characters
        self._members: dict[str, str] = {}

    def of(self, row: ChatMessage) -> str:
        """Who wrote that, "" if it is not known."""
        if row.role == "character":
            character = self._characters.get(row.sender_id)
            return "" if character is None else character.info.name
        return self.person(row.sender_id)

    def person(self, user_id: str) -> str:
        """Somebody's name, "" if it is not known."""
        here = self._state.people.name(user_id)
        if here or user_id in self._members:
            return here or self._members[user_id]
        elsewhere = self._state.others.get(user_id)
        return "" if elsewhere is None else elsewhere.name

    async def learn(self, user_ids: Iterable[str]) -> None:
        """Look up those who are not known yet."""
        if all(self.person(user_id) for user_id in user_ids):
            return
        members = await self._store.members(self._state.id, MEMBERS_READ)
        self._members = {member.user_id: member.name for member in members}


async def history_of(
    store: Store, message: ChatMessage, limit: int, bytes_max: int = 0
) -> list[ChatMessage]:
    """What a message follows, over however many branches that were not chosen; at most so many rows, the oldest first.

    After the first 50, more are read only as long as their texts have less than `bytes_max` together.
    """
    taken: list[ChatMessage] = []
    wanted, size = parent_of(message), 0
    for _ in range(READS_MAX):
        if not wanted or len(taken) >= limit or (len(taken) >= MESSAGES and size >= bytes_max):
            break
        page = min(limit - len(taken), PAGE if taken else MESSAGES)
        rows = (await store.page_before(message.room_id, wanted + 1, page)).messages
        on_path = path(rows, wanted)
        if not on_path:
            break
        taken[:0] = on_path
        size += sum(len(row.content.encode()) for row in on_path)
        wanted = parent_of(on_path[0])
    return taken
