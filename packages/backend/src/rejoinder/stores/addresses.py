"""Which store an address means."""

from pathlib import Path
from typing import TYPE_CHECKING

from rejoinder.errors import ConfigurationError
from rejoinder.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from rejoinder.stores.mongo import MongoStore

MONGO = ("mongodb://", "mongodb+srv://")
FILE = "rejoinder.db"


def is_mongo(address: str) -> bool:
    """True for the address of a MongoDB."""
    return address.startswith(MONGO)


def store_for(database: str, data_dir: Path) -> "SqliteStore | MongoStore":
    """The store of a server: the MongoDB of that address or, without one, the file in the data directory.

    Raises:
        ConfigurationError: it is no address.
    """
    if not database:
        return SqliteStore(data_dir / FILE)
    if not is_mongo(database):
        # The address is not repeated, since there may be a password in it.
        raise ConfigurationError(
            "--database takes a MongoDB address that begins with mongodb:// or mongodb+srv://; without it the messages "
            "are in a file in --data-dir."
        )
    return _mongo(database)


def store_at(address: str) -> "SqliteStore | MongoStore":
    """The store at a MongoDB address, in a data directory, or in a file that ends in `.db`.

    Raises:
        ConfigurationError: it is no address.
    """
    if is_mongo(address):
        return _mongo(address)
    if "://" in address:
        raise ConfigurationError(
            "A store is a MongoDB address (mongodb://…), a data directory, or a file that ends in .db."
        )
    return SqliteStore(path_of(address))


def path_of(address: str) -> Path:
    """The file that an address means which is no MongoDB's."""
    path = Path(address)
    return path if path.suffix == ".db" and not path.is_dir() else path / FILE


def _mongo(address: str) -> "MongoStore":
    # The driver takes a fifth of a second to import, which a server without MongoDB need not wait for.
    from rejoinder.stores.mongo import MongoStore  # noqa: PLC0415

    return MongoStore(address)
