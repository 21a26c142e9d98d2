"""All rooms from one store into another. What is there already stays, so that it can be broken off and taken up again."""

from collections.abc import Callable

from rejoinder.stores.base import Store

ROOMS_PAGE = 100
MESSAGES_PAGE = 500
EVERYBODY = 1_000_000


async def copy_store(source: Store, target: Store, progress: Callable[[int], None]) -> int:
    """Copy everything; neither store may be in use. How many messages were copied.

    Args:
        source: read only.
        target: gets each room with its members, read marks and messages, in their places.
        progress: told the number of messages that are in the target, copied or found there, as it grows.

    Raises:
        Conflict: the target has other messages in a place.
        Unavailable: one of them can't be reached; go on later.
    """
    done = copied = 0
    after = ""
    while rooms := await source.rooms_after(after, ROOMS_PAGE):
        for room in rooms:
            await target.create_room(room.id, room.created_by, room.created_at, room.character_id)
            for member in await source.members(room.id, EVERYBODY):
                await target.add_member(room.id, member)
            seq = await target.last_seq(room.id)
            done += seq
            progress(done)
            while messages := (await source.page_after(room.id, seq, MESSAGES_PAGE)).messages:
                await target.put_messages(messages)
                seq = messages[-1].seq
                done += len(messages)
                copied += len(messages)
                progress(done)
            for mark in await source.read_marks(room.id, EVERYBODY):
                await target.mark_read(room.id, mark)
        after = rooms[-1].id
    return copied
