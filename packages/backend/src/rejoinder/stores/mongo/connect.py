"""The client, and what goes wrong on the way to the database, as sentences. None of them shows a secret of the address."""

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import (
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from rejoinder.errors import ConfigurationError, Unavailable
from rejoinder.stores.mongo.model import Document

BUSY: Final = "The message store can't take this now. Try again in a moment."
TIMEOUT_SECONDS: Final = 4.0
"""Below the 5 s after which a client sends again."""
DEFAULT_DATABASE: Final = "rejoinder"
ERRNO: Final = re.compile(r"\[Errno (\d+)\] [^(,]*(?:\([^)]*\))?")
REFUSED: Final = frozenset({13, 18})  # Unauthorized, AuthenticationFailed


def client(url: str) -> AsyncMongoClient[Document]:
    """A client that writes to a majority's disks and reads what can't be taken back, whatever the address says.

    Raises:
        ConfigurationError: the address is not one.
    """
    try:
        with warnings.catch_warnings():
            # The driver only warns of options that it does not know or take, and then does without them.
            warnings.simplefilter("error", UserWarning)
            made: AsyncMongoClient[Document] = AsyncMongoClient(
                url,
                w="majority",
                journal=True,
                retryWrites=True,
                retryReads=True,
                readConcernLevel="majority",
                readPreference="primary",
                appname="rejoinder",
            )
        if "@" in made.get_default_database(DEFAULT_DATABASE).name:
            raise ValueError  # noqa: TRY301 - a password with a slash in it, which the driver took for a database
        if "." in _path(url):
            # The driver would take what is before the dot for the database, and the rest for a collection.
            raise ValueError("the name of a database has no dot")  # noqa: TRY301
    except (PyMongoError, UserWarning, ValueError, TypeError) as error:
        # What is wrong may be a part of a password that the driver took for a port.
        reason = "" if "@" in url or "assword" in url else f" ({error})"
        raise ConfigurationError(
            f"The database's address can't be read{reason}: give one like "
            "mongodb://user:password@host:27017/rejoinder?replicaSet=rs0, with %40 for @, %3A for :, %2F for / in user "
            "and password."
        ) from None
    return made


def shown(url: str) -> str:
    """The address without user, password and options."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def _path(url: str) -> str:
    """What names the database in an address."""
    _, _, rest = url.partition("://")
    return unquote(rest.partition("?")[0].rpartition("@")[2].partition("/")[2])


@contextmanager
def answering() -> Iterator[None]:
    """Bound the time of everything in the block; what goes wrong is `Unavailable`."""
    try:
        with pymongo.timeout(TIMEOUT_SECONDS):
            yield
    except PyMongoError as error:
        raise Unavailable(BUSY) from error


@contextmanager
def starting(url: str) -> Iterator[None]:
    """Bound the time; what goes wrong is a sentence that says what to do."""
    try:
        with pymongo.timeout(TIMEOUT_SECONDS):
            yield
    except (PyMongoError, Unavailable) as error:
        raise ConfigurationError(_sentence(shown(url), error)) from None


def _sentence(where: str, error: Exception) -> str:
    if isinstance(error, Unavailable) and error.__cause__ is not None:
        return _sentence(where, error.__cause__)  # type: ignore[arg-type] # what a PyMongoError was made of
    if isinstance(error, ServerSelectionTimeoutError):
        reason = str(error).partition(" (configured timeouts")[0].partition(", Timeout:")[0]
        reason = ERRNO.sub(lambda found: os.strerror(int(found[1])), reason)
        return (
            f"No MongoDB that can be written to answers at {where} ({reason}): start it, run rs.initiate() if its "
            "replica set is new, or mend the address."
        )
    if isinstance(error, OperationFailure):
        if error.code in REFUSED:
            return (
                f"MongoDB at {where} refuses the user or the password, or the user may not write here: mend them in the "
                "address."
            )
        message = str((error.details or {}).get("errmsg", "it refuses a command"))
        return f"MongoDB at {where} can't be used: {message.rstrip('.')}."
    if isinstance(error, PyMongoError) and error.timeout:
        return f"MongoDB at {where} does not answer in time: see whether it is well."
    return f"MongoDB at {where} can't be used: {str(error).partition(' (configured timeouts')[0].rstrip('.')}."


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
