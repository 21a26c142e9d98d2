"""What an operator does to a store between two runs of the server: upgrade it, or move it."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rejoinder.errors import ChatError, ConfigurationError
from rejoinder.stores.addresses import is_mongo, path_of, store_at, store_for
from rejoinder.stores.base import Store
from rejoinder.stores.copy import Copied, copy_store
from rejoinder.stores.indexing import index_store

SAME = "Both addresses mean the same store: give another TO."


async def upgrade(database: str, data_dir: Path, console: Console) -> str:
    """Bring a server's store to the version that this program works with, and the index of the search up to date.

    Returns:
        A sentence on what was done.

    Raises:
        ConfigurationError: it can't be used, or a newer version made it.
    """
    done = await store_for(database, data_dir).upgrade()
    indexed = await _index(store_for(database, data_dir), console)
    search = f" {indexed} messages were put into the index of the search." if indexed else ""
    if done.before == done.after:
        return f"Nothing to do: the database has schema {done.after}, the newest that this version knows.{search}"
    return f"Upgraded from schema {done.before} to {done.after}: {', '.join(done.steps)}.{search}"


async def _index(store: Store, console: Console) -> int:
    """Put everything into the index of the search that is not in it; how much that was."""
    await store.open()
    try:
        with _bar(console) as bar:
            task = bar.add_task("Indexing", total=max((await store.totals()).messages, 1))

            def show(indexed: int) -> None:
                bar.update(task, completed=indexed)

            return await index_store(store, show)
    except ChatError as error:
        raise ConfigurationError(
            f"The index of the search is not whole yet: {error} The same command goes on from there; so does a server."
        ) from error
    finally:
        await store.close()


async def copy(source_address: str, target_address: str, console: Console) -> str:
    """Copy all rooms of a store into another; a sentence on what was done.

    Raises:
        ConfigurationError: one of them can't be used or a server writes to it, both are the same, or the target has other
            messages.
    """
    source, target = store_at(source_address), store_at(target_address)
    if not is_mongo(source_address):
        path = path_of(source_address)
        if not path.is_file():
            raise ConfigurationError(f"There is no database to copy from: {path} is missing.")
        if not is_mongo(target_address) and path.resolve() == path_of(target_address).resolve():
            raise ConfigurationError(SAME)
    try:
        await source.open()
        await target.open()
        await source.check_unused()
        await target.check_unused()
        if await source.identity() == await target.identity():
            raise ConfigurationError(SAME)
        with _bar(console) as bar:
            total = await source.totals()
            task = bar.add_task("Copying", total=max(total.messages, 1))

            def show(copied: Copied) -> None:
                bar.update(task, completed=copied.messages)

            copied = await copy_store(source, target, show)
            # The total may have been an estimate.
            bar.update(task, total=copied.messages, completed=copied.messages)
    except ChatError as error:
        raise ConfigurationError(
            f"The copying ended early: {error} What was copied stays; the same command goes on from there."
        ) from error
    finally:
        await target.close()
        await source.close()
    there = copied.messages - copied.fresh
    was_there = f" ({there} were there already)" if there else ""
    return f"Copied {copied.rooms} rooms with {copied.messages} messages{was_there}."


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("messages"),
        TimeRemainingColumn(),
        console=console,
    )
