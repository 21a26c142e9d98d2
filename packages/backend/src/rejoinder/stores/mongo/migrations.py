"""The versions of the database, and the way from each to the next.

A change of the model is a new step at the end. A step may be broken off and done again, and servers are stopped while
`rejoinder db upgrade` does it. A database with nothing in it is made ready by the first server.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pymongo import IndexModel
from pymongo.errors import OperationFailure, PyMongoError

from rejoinder.errors import ConfigurationError
from rejoinder.stores.mongo import model
from rejoinder.stores.mongo.connect import shown, starting
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.records import Upgraded

NAMESPACE_NOT_FOUND = 26


@dataclass(frozen=True, slots=True)
class Step:
    """What leads to the next version."""

    says: str
    work: Callable[[Link], Awaitable[None]]


async def make_indexes(link: Link) -> None:
    """Make the indexes that are missing, without blocking who reads and writes, however long it takes."""
    for name, indexes in model.indexes().items():
        with starting(link.url):
            there = await _index_names(link, name)
        missing = [index for index in indexes if index.document["name"] not in there]
        if missing:
            await _make(link, name, missing)


async def _make(link: Link, name: str, indexes: Sequence[IndexModel]) -> None:
    try:
        # A majority is enough, else a member that is down would hold it up.
        await link.collection(name).create_indexes(list(indexes), commitQuorum="majority")
    except PyMongoError as error:
        details = error.details if isinstance(error, OperationFailure) else None
        reason = str((details or {}).get("errmsg", error)).partition(" (configured timeouts")[0]
        raise ConfigurationError(
            f"At {shown(link.url)} the indexes of {name} can't be made: mend this and start again ({reason.rstrip('.')})."
        ) from None


async def _index_names(link: Link, name: str) -> set[str]:
    try:
        return set(await link.collection(name).index_information())
    except OperationFailure as error:
        if error.code != NAMESPACE_NOT_FOUND:
            raise
        return set()


async def index_leases(link: Link) -> None:
    """Let the index of running answers have their leases."""
    await make_indexes(link)
    with starting(link.url):
        there = await _index_names(link, model.MESSAGES)
        if "unfinished" in there:
            await link.messages.drop_index("unfinished")


async def index_search(link: Link) -> None:
    """Have all rooms put into the index of the search, which goes on in the background."""
    await make_indexes(link)
    which = {"deletedAt": {"$exists": False}, "indexedSeq": {"$exists": False}}
    try:
        await link.rooms.update_many(which, {"$set": {"toIndex": True}})
    except PyMongoError as error:
        raise ConfigurationError(
            f"At {shown(link.url)} the rooms can't be marked for the search: mend this and start again ({error})."
        ) from None


STEPS: tuple[Step, ...] = (
    Step("made the collections' indexes", make_indexes),
    Step("gave running answers leases", index_leases),
    Step("made place for titles, deletion and search", index_search),
    Step("let conversations branch", make_indexes),
    # They need no index of their own; but a server that does not know of them would show what they hide.
    Step("made room for when people were last seen", make_indexes),
    Step("made a place for answers that are owed", make_indexes),
    Step("let rooms have several characters and a rule of their own", make_indexes),
    # A server that does not know of it would take for members who were removed.
    Step("kept who was removed from a room a moment ago", make_indexes),
    Step("gave answers that are owed an order", make_indexes),
)


async def version(link: Link) -> int:
    """The version of the database; 0 if nobody has made it ready."""
    with starting(link.url):
        document = await link.read(lambda: link.meta.find_one({"_id": "schema"}))
    return 0 if document is None else int(document["version"])


async def prepare(link: Link) -> None:
    """Make a new database ready, and an old one only sure.

    Raises:
        ConfigurationError: it is older and needs an upgrade, or newer than this program.
    """
    found = await version(link)
    if found == 0:
        await upgrade(link)
        return
    _refuse_newer(link, found)
    if found < len(STEPS):
        raise ConfigurationError(
            f"The database at {shown(link.url)} has schema {found}, and this version of Rejoinder needs {len(STEPS)}: "
            "stop all servers on it and run `rejoinder db upgrade`."
        )
    await make_indexes(link)


async def upgrade(link: Link) -> Upgraded:
    """Take every step that is missing.

    Raises:
        ConfigurationError: it is newer than this program.
    """
    found = await version(link)
    _refuse_newer(link, found)
    for number, step in enumerate(STEPS[found:], start=found + 1):
        await step.work(link)
        with starting(link.url):
            await link.meta.update_one(
                {"_id": "schema"}, {"$max": {"version": number}}, upsert=True
            )
    return Upgraded(found, len(STEPS), tuple(step.says for step in STEPS[found:]))


def _refuse_newer(link: Link, found: int) -> None:
    if found > len(STEPS):
        raise ConfigurationError(
            f"The database at {shown(link.url)} was made by a newer version of Rejoinder (schema {found}, this one knows "
            f"{len(STEPS)}): upgrade Rejoinder or use another database."
        )
