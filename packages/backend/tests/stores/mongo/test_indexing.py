"""What the index of the search does while something else happens to a room."""

from collections.abc import Callable

from rejoinder.stores.mongo import MongoStore, model
from rejoinder.stores.mongo.model import Document
from rejoinder.testing.store.tools import NOW, draft


async def test_nothing_is_left_of_a_room_that_is_deleted_while_it_is_put_in(
    make: Callable[[], MongoStore],
) -> None:
    store = make()
    await store.open()
    rooms = ("gone", "there")
    for room in rooms:
        await store.create_room(room, "ann", NOW, None)
        await store.append(draft(room))
    write = store._search._write

    async def late(entries: list[Document]) -> None:
        await store.bury("gone", NOW)
        while await store.purge("gone", 100):
            continue
        await write(entries)

    store._search._write = late  # type: ignore[method-assign]
    await store.index(rooms, 100, NOW + 1_000_000)
    entries = await store._link.collection(model.SEARCH).find({}, {"roomId": True}).to_list()
    assert [each["roomId"] for each in entries] == ["there"]
    await store.close()
