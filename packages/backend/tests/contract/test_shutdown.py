"""Ctrl-C and SIGTERM end the server cleanly, whoever is connected and whatever runs."""

import signal
import time

import pytest
from tests.support.chat import Connect
from tests.support.process import ServerProcess, Start
from tests.support.rest import request

SECONDS = 5.0
SIGNALS = [signal.SIGINT, signal.SIGTERM]


def ends_in_time(server: ServerProcess, number: signal.Signals) -> None:
    begun = time.monotonic()
    assert server.stop(number) == 0
    assert time.monotonic() - begun < SECONDS
    assert "Traceback" not in server.log


@pytest.mark.parametrize("number", SIGNALS)
def test_with_nobody_connected(start: Start, number: signal.Signals) -> None:
    ends_in_time(start(), number)


@pytest.mark.parametrize("number", SIGNALS)
async def test_with_people_connected_over_polling_and_websocket(
    start: Start, connect: Connect, room: str, number: signal.Signals
) -> None:
    server = start()
    people = [
        await connect(server, transports=transports)
        for transports in (["polling"], ["websocket"], ["polling", "websocket"])
    ]
    for person in people:
        await person.join(room)
    # One who came over polling and is gone again leaves nothing behind that would have to be waited for.
    gone = await connect(server, transports=["polling"])
    await gone.leave()
    ends_in_time(server, number)
    for person in people:
        await person.closed()


async def test_with_an_answer_under_way(start: Start, connect: Connect, room: str) -> None:
    server = start()
    alice = await connect(server)
    await alice.join(room)
    await alice.ask(room, "/count 1000 30")
    await alice.until(lambda: len(alice.all("message:stream:chunk")) > 5)
    ends_in_time(server, signal.SIGTERM)
    end = await alice.sees("message:stream:end")
    assert end["state"] == "interrupted"
    server.start()
    bob = await connect(server)
    snapshot = await bob.join(room)
    row = snapshot["messages"][1]
    assert (row["state"], row["content"]) == ("interrupted", end["content"])
    shown = "".join(chunk["delta"] for chunk in alice.all("message:stream:chunk"))
    assert shown == end["content"]


async def test_the_same_data_and_tokens_work_after_it(
    start: Start, connect: Connect, room: str
) -> None:
    # Without a secret in the settings: the one that was made is kept in the data directory.
    server = start(env={"REJOINDER_JWT_SECRET": ""})
    guest = (await request(server, "POST", "/api/guest", body={"name": "Kim"})).body
    alice = await connect(server, guest["userId"], auth={"token": guest["token"]})
    await alice.join(room)
    sent = await alice.send(room, "before")
    ends_in_time(server, signal.SIGINT)
    assert (server.data_dir / "secret").stat().st_mode & 0o077 == 0
    server.start()
    alice = await connect(server, guest["userId"], auth={"token": guest["token"]})
    snapshot = await alice.join(room)
    assert [row["id"] for row in snapshot["messages"]] == [sent["messageId"]]
