"""A store that can't take anything for a while (contract, section 5, `unavailable`): try again, and it is there once."""

import asyncio
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
    # Who asks again right away is told when to.
    ack = await alice.call("message:send", message)
    while ack.get("code") == "unavailable":
        await asyncio.sleep(ack["retryAfterMs"] / 1000)
        ack = await alice.call("message:send", message)
    assert ack["success"] is True, ack
    await bob.sees("message:new", id=message["messageId"])
    assert [row["id"] for row in await bob.history(room)] == [message["messageId"]]
    assert (await request(server, "GET", "/readyz")).status == 200
    await bob.caught_up()
    assert len(bob.all("message:new")) == 1


async def test_a_store_that_hangs_makes_nobody_wait_for_those_before_them(
    start: Start, connect: Connect, room: str
) -> None:
    server = start()
    alice = await connect(server)
    await alice.join(room)
    loop = asyncio.get_running_loop()
    with locked(server):
        began = loop.time()
        sends = [
            alice.call("message:send", {"roomId": room, "content": f"{number}"}, within=30)
            for number in range(5)
        ]
        acks = await asyncio.gather(*sends, alice.call("heartbeat", {}, within=30))
        took = loop.time() - began
    assert [ack.get("code") for ack in acks] == ["unavailable"] * 5 + [None]
    # One wait of five seconds; one behind the other they would take twenty-five.
    assert took < 12
