"""A store that can't take anything for a while (contract, section 5, `unavailable`): try again, and it is there once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.support.chat import Connect
from tests.support.process import ServerProcess, Start
from tests.support.rest import request
from tests.support.tokens import unique


@contextmanager
def locked(server: ServerProcess) -> Iterator[None]:
    """Another program holds the database's lock."""
    path = server.data_dir / "rejoinder.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_unavailable_while_the_store_is_locked_and_stored_once_after_it(
    start: Start, connect: Connect, room: str
) -> None:
    server = start()
    alice, bob = await connect(server), await connect(server)
    await alice.join(room)
    await bob.join(room)
    message = {"roomId": room, "content": "patience", "messageId": unique("m")}
    with locked(server):
        ready = await request(server, "GET", "/readyz")
        assert (ready.status, ready.code) == (503, "unavailable")
        assert (await request(server, "GET", "/healthz")).status == 200
        ack = await alice.call("message:send", message, within=10)
        assert (ack["success"], ack["code"]) == (False, "unavailable")
        # Nothing else has to wait for the store.
        await bob.caught_up()
        assert bob.all("message:new") == []
    await alice.done("message:send", message)
    await bob.sees("message:new", id=message["messageId"])
    assert [row["id"] for row in await bob.history(room)] == [message["messageId"]]
    assert (await request(server, "GET", "/readyz")).status == 200
    await bob.caught_up()
    assert len(bob.all("message:new")) == 1
