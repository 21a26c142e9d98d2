"""The client, and what goes wrong on the way to the database, as sentences."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from pymongo import AsyncMongoClient
from pymongo.errors import (
    ConfigurationError as MongoConfigurationError,
    InvalidName,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from rejoinder.errors import ConfigurationError, Unavailable
from rejoinder.stores.mongo.lanes import BUSY
from rejoinder.stores.mongo.model import Document

TIMEOUT_MS: Final = 4500
DEFAULT_DATABASE: Final = "rejoinder"
AUTHENTICATION_FAILED: Final = 18
UNAUTHORIZED: Final = 13


def client(url: str) -> AsyncMongoClient[Document]:
    """A client that waits for a majority, and for nothing longer than 4.5 s.

    Raises:
        ConfigurationError: the address is not one.
    """
    try:
        return AsyncMongoClient(
            url, w="majority", retryWrites=True, timeoutMS=TIMEOUT_MS, appname="rejoinder"
        )
    except (InvalidURI, MongoConfigurationError, ValueError) as error:
        raise ConfigurationError(
            f"--database is no MongoDB address ({error}): give one like "
            "mongodb://user:password@host:27017/rejoinder?replicaSet=rs0."
        ) from error


def shown(url: str) -> str:
    """The address without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


@contextmanager
def starting(url: str) -> Iterator[None]:
    """Turn what goes wrong at the start into a sentence that says what to do."""
    try:
        yield
    except ServerSelectionTimeoutError as error:
        raise ConfigurationError(
            f"No MongoDB that can be written to answers at {shown(url)}: start it, or change --database."
        ) from error
    except OperationFailure as error:
        if error.code in (AUTHENTICATION_FAILED, UNAUTHORIZED):
            raise ConfigurationError(
                f"MongoDB at {shown(url)} refuses the user or the password: mend them in --database."
            ) from error
        raise ConfigurationError(f"MongoDB at {shown(url)} can't be used: {error}.") from error
    except (PyMongoError, InvalidName) as error:
        raise ConfigurationError(f"MongoDB at {shown(url)} can't be used: {error}.") from error


@contextmanager
def answering() -> Iterator[None]:
    """Turn what goes wrong later into `Unavailable`."""
    try:
        yield
    except PyMongoError as error:
        raise Unavailable(BUSY) from error


def check_replica_set(hello: dict[str, Any], url: str) -> None:
    """A majority can only be waited for in a replica set.

    Raises:
        ConfigurationError: it is a lone server.
    """
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise ConfigurationError(
            f"MongoDB at {shown(url)} is no replica set: start mongod with --replSet and run rs.initiate() once; one "
            "member is enough."
        )
