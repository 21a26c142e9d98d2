"""MongoDB servers for the tests of its store; each test has a database of its own."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from tests.support.mongod import ReplicaSet

from rejoinder.stores.mongo import MongoStore


@pytest.fixture(scope="session")
def _one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    started = ReplicaSet(tmp_path_factory.mktemp("mongod")).start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def _three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    started = ReplicaSet(tmp_path_factory.mktemp("mongods"), 3).start()
    yield started
    started.stop()


@pytest.fixture
def one(_one: ReplicaSet) -> Iterator[ReplicaSet]:
    """A set of one; whatever a test did to it is mended after it."""
    yield _one
    _one.mend()


@pytest.fixture
def three(_three: ReplicaSet) -> Iterator[ReplicaSet]:
    """A set of three; whatever a test did to it is mended after it."""
    yield _three
    _three.mend()


@pytest.fixture
def database() -> str:
    """The name of a database that is the test's own."""
    return f"test_{uuid4().hex}"


@pytest.fixture
def url(_one: ReplicaSet, database: str) -> str:
    """The address of a database on a set of one."""
    return _one.url(database)


@pytest.fixture
def make(url: str) -> Callable[[], MongoStore]:
    """Makes stores over one database."""
    return lambda: MongoStore(url)
