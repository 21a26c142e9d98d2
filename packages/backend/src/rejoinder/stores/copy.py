"""All rooms from one store into another. What is there already stays, so that it can be broken off and taken up again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from rejoinder.errors import Conflict, NotFound
from rejoinder.stores.base import Store
from rejoinder.stores.indexing import index_rooms
from rejoinder.stores.records import Room

ROOMS_PAGE = 100
MESSAGES_PAGE = 500
EVERYBODY = 1_000_000


@dataclass(slots=True)
class Copied:
    """How much is in the target now, and how much of it was brought by this copying."""

    rooms: int = 0
    messages: int = 0
    fresh: int = 0


async def copy_store(source: Store, target: Store, progress: Callable[[Copied], None]) -> Copied:
    """Copy everything; neither store may be in use.

    Args:
        source: read only.
        target: gets each room with its members, read marks and messages, in their places, and what answers are owed.
        progress: told how far it is, as it goes on.

    Raises:
        Conflict: the target has other messages in a room.
        Unavailable: one of them can't be reached; go on later.
    """
    copied = Copied()
    after = ""
    while rooms := await source.rooms_after(after, ROOMS_PAGE):
        for room in rooms:
            await _copy_room(source, target, room, copied, progress)
            copied.rooms += room.deleted_at is None
            progress(copied)
        after = rooms[-1].id
    await _copy_people(source, target)
    for debt in await source.owed(EVERYBODY):
        await target.owe(debt)
    return copied


async def _copy_people(source: Store, target: Store) -> None:
    after = ""
    while people := await source.people_after(after, ROOMS_PAGE):
        for person in people:
            if person.hides_last_seen:
                await target.hide_last_seen(person.user_id, hides=True)
        seen = {each.user_id: each.last_seen for each in people if each.last_seen is not None}
        await target.put_last_seen(seen)
        after = people[-1].user_id


async def _copy_room(
    source: Store, target: Store, room: Room, copied: Copied, progress: Callable[[Copied], None]
) -> None:
    if room.deleted_at is not None:
        await _copy_deletion(target, room, room.deleted_at)
        return
    await target.create_room(room.id, room.created_by, room.created_at, room.character_id)
    if room.title is not None and room.titled_by is not None:
        await target.set_title(room.id, room.title, room.titled_by)
    for character_id in room.characters:
        await target.put_character(room.id, character_id, len(room.characters))
    if room.double_texting is not None:
        await target.set_double_texting(room.id, room.double_texting)
    for member in await source.members(room.id, EVERYBODY):
        await target.add_member(room.id, member)
    seq = await _common(source, target, room.id)
    copied.messages += seq
    progress(copied)
    while messages := (await source.page_after(room.id, seq, MESSAGES_PAGE)).messages:
        await target.put_messages(messages)
        seq = messages[-1].seq
        copied.messages += len(messages)
        copied.fresh += len(messages)
        progress(copied)
    branching = await source.branching(room.id)
    if branching.revision:
        await target.put_branching(room.id, branching)
    for mark in await source.read_marks(room.id, EVERYBODY):
        await target.mark_read(room.id, mark)
    async for _ in index_rooms(target, [room.id]):
        continue


async def _copy_deletion(target: Store, room: Room, deleted_at: int) -> None:
    """Keep the id of a room that was deleted from being used again."""
    with suppress(NotFound):  # It was deleted there, too.
        await target.create_room(room.id, "", room.created_at, None)
        await target.bury(room.id, deleted_at)
    while await target.purge(room.id, MESSAGES_PAGE):
        continue


async def _common(source: Store, target: Store, room_id: str) -> int:
    """The last number that the room has in the target, where it must be the same message as in the source."""
    newest = (await target.page_before(room_id, None, 1)).messages
    if not newest:
        return 0
    seq = newest[0].seq
    same = (await source.page_after(room_id, seq - 1, 1)).messages
    if [message.id for message in same] != [newest[0].id]:
        raise Conflict(
            f"The room {room_id!r} has messages in the target that it has not in the source: copy into a store that "
            "nobody has used since."
        )
    return seq
