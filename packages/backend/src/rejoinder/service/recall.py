"""What of a room's conversation a character is handed over before it answers."""

from rejoinder.characters.base import Character, PastMessage, Reaching
from rejoinder.core.branches import parent_of, path
from rejoinder.core.conversation import branch
from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.base import Store

MESSAGES = 50
MESSAGES_MAX = 500
PAGE = 100
READS_MAX = 20


async def recalled(
    store: Store, character: Character, question: ChatMessage
) -> tuple[PastMessage, ...]:
    """What was said before that message on its branch, the oldest first.

    That is the newest 50 messages, and more, up to 500, for a character whose prompt has room for them.
    """
    reach = character.history_bytes if isinstance(character, Reaching) else 0
    rows = await history_of(store, question, MESSAGES_MAX if reach else MESSAGES, reach)
    return tuple(
        PastMessage(message.role, message.sender_id, message.content) for message in branch(rows)
    )


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
