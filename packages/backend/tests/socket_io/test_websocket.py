"""WebSockets over ASGI, in virtual time."""

import asyncio
import json
from typing import Any

import pytest
from tests.socket_io.application import World
from tests.socket_io.asgi import POLLING, WEBSOCKET, WebSocketClient, ask
from tests.socket_io.in_memory import settle, virtual
from tests.socket_io.test_polling import Hearing

from rejoinder_socketio import CloseReason, Options
from rejoinder_socketio.engine.packets import Outgoing, binary
from rejoinder_socketio.engine.server import EngineServer
from rejoinder_socketio.engine.session import Phase, Session
from rejoinder_socketio.engine.websocket import AsgiWebSocket


class Served:
    """A server, and the WebSocket of a client."""

    def __init__(self, **options: Any) -> None:
        self.told = Hearing()
        self.server = EngineServer(Options(**{"ping_interval": 1000, **options}), self.told)
        self.client = WebSocketClient()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sid = ""

    async def open(self) -> "Served":
        self.done = self.client.start(self.server)
        await settle()
        accepted, opened = self.client.heard()
        assert accepted == "accept"
        self.sid = json.loads(opened[1:])["sid"]
        return self

    @property
    def session(self) -> Session:
        return self.server.find(self.sid)


@virtual
async def test_messages_go_both_ways() -> None:
    served = await Served().open()
    served.client.say("4안녕", b"\x00\xff")
    await settle()
    assert served.told.texts == ["4안녕".encode()]
    assert served.told.binaries == [b"\x00\xff"]
    served.session.send(Outgoing("4é".encode(), [b"x"]))
    served.session.send(binary(b"\xff"))
    await settle()
    assert served.client.heard() == ["4é", b"x", b"\xff"]
    assert served.session.outlet.waiting() == 0


@virtual
async def test_a_handshake_over_a_websocket_offers_no_upgrade() -> None:
    client = WebSocketClient()
    done = client.start(EngineServer(Options(), Hearing()))
    await settle()
    _, opened = client.heard()
    assert json.loads(opened[1:])["upgrades"] == []
    client.go()
    await done


@virtual
async def test_a_client_that_goes_ends_its_session() -> None:
    served = await Served().open()
    served.client.go()
    await served.done
    assert served.told.reasons == [CloseReason.TRANSPORT_CLOSE]


@pytest.mark.parametrize("message", ["", "2", "x", "4" * 11, b"x" * 11, "4\ud800"])
@virtual
async def test_what_can_not_be_understood_ends_the_session(message: str | bytes) -> None:
    served = await Served(max_payload=10).open()
    served.client.say("4" * 10, b"x" * 10, message, "4late")
    await settle()
    assert served.told.reasons == [CloseReason.PARSE_ERROR]
    assert served.told.texts == [b"4" * 10]
    assert served.client.heard() == ["close"]
    served.client.go()
    await served.done


@virtual
async def test_what_was_sent_before_the_end_comes_before_it() -> None:
    served = await Served().open()
    for packet in (b"4a", b"4b"):
        served.session.send(Outgoing(packet))
    served.session.close(CloseReason.SERVER_LEFT)
    await served.done
    assert served.client.heard() == ["4a", "4b", "close"]


@virtual
async def test_no_more_is_read_while_enough_events_wait() -> None:
    served = await Served().open()
    served.session.outlet.hold_reading()
    served.session.outlet.hold_reading()
    served.client.say("4a", "4b", "4c")
    await settle()
    assert served.client.left >= 1
    assert len(served.told.texts) <= 2
    served.session.outlet.resume_reading()
    await settle()
    assert served.told.texts == [b"4a", b"4b", b"4c"]


# --- clients that do not read ---------------------------------------------------------------------


@pytest.mark.parametrize("reason", CloseReason)
@virtual
async def test_who_does_not_read_is_left_in_time(reason: CloseReason) -> None:
    served = await Served(linger=5, max_waiting=10**6).open()
    served.client.blocked = True
    served.session.send(Outgoing(b"4" * 1000))
    await settle()
    served.session.close(reason)
    async with asyncio.timeout(5.1):
        await served.done
    assert served.told.reasons == [reason]


@virtual
async def test_who_reads_slowly_but_in_time_gets_all() -> None:
    served = await Served(linger=5).open()
    await asyncio.sleep(20)
    served.client.blocked = True
    for packet in (b"4a", b"4b"):
        served.session.send(Outgoing(packet))
    await settle()
    served.session.close(CloseReason.SERVER_LEFT)
    await asyncio.sleep(4)
    served.client.unblock()
    await served.done
    assert served.client.heard() == ["4a", "4b", "close"]


@virtual
async def test_who_reads_again_is_told_of_what_was_left_out() -> None:
    served = await Served(max_waiting=1000).open()
    served.client.blocked = True
    for _ in range(3):
        served.session.send(Outgoing(b"4" + b"a" * 100), volatile=True)
    await settle()
    assert served.told.drained == 0
    served.client.unblock()
    await settle()
    assert len(served.client.heard()) < 3
    assert served.told.drained == 1


@virtual
async def test_who_has_left_something_out_and_is_closed_is_told_nothing_more() -> None:
    served = await Served(max_waiting=1000).open()
    served.client.blocked = True
    for _ in range(3):
        served.session.send(Outgoing(b"4" + b"a" * 100), volatile=True)
    served.session.close(CloseReason.SERVER_LEFT)
    served.client.unblock()
    await served.done
    assert served.told.drained == 0


@virtual
async def test_who_is_too_slow_is_not_waited_for() -> None:
    served = await Served(max_waiting=1000).open()
    session = served.session
    served.client.blocked = True
    while not served.told.reasons:
        session.send(Outgoing(b"4" * 100))
        await asyncio.sleep(0)
    assert served.told.reasons == [CloseReason.TOO_SLOW]
    assert isinstance(session.outlet, AsgiWebSocket)
    assert not session.outlet._queue
    async with asyncio.timeout(5.1):
        await served.done


@virtual
async def test_a_client_that_is_gone_when_it_is_accepted_leaves_nothing() -> None:
    served = Served()
    served.client.failing = True
    with pytest.raises(OSError, match="gone"):
        await served.client.start(served.server)
    assert len(served.server) == 0


# --- refusals -------------------------------------------------------------------------------------

REFUSED: dict[str, Any] = {"websocket.http.response": {}}


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ("", {}, 0),
        (POLLING, {}, 3),
        ("EIO=3&transport=websocket", {}, 5),
        (f"{WEBSOCKET}&sid=none", {}, 1),
        (WEBSOCKET, {"origin": "https://evil.example"}, 4),
    ],
)
@virtual
async def test_who_may_not_come_is_told_why_where_that_can_be_said(
    query: str, headers: dict[str, str], code: int
) -> None:
    server = EngineServer(Options(), Hearing())
    client = WebSocketClient()
    await client.start(server, query, headers, REFUSED)
    start, body = client.sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 400)
    assert json.loads(body["body"])["code"] == code
    other = WebSocketClient()
    await other.start(server, query, headers)
    assert other.heard() == ["close"]
    assert len(server) == 0


# --- upgrades -------------------------------------------------------------------------------------


async def polled(served: Served) -> Served:
    answer = await ask(served.server, "GET", POLLING)
    served.sid = json.loads(answer.body[1:])["sid"]
    served.done = served.client.start(served.server, f"{WEBSOCKET}&sid={served.sid}")
    await settle()
    assert served.client.heard() == ["accept"]
    return served


@virtual
async def test_a_session_moves() -> None:
    served = await polled(Served())
    served.session.send(Outgoing(b"4before", [b"x"]))
    served.client.say("2probe")
    await settle()
    assert served.client.heard() == ["3probe"]
    served.client.say("5", "4hello")
    await settle()
    assert served.client.heard() == ["4before", b"x"]
    assert served.told.texts == [b"4hello"]
    served.client.go()
    await served.done
    assert served.told.reasons == [CloseReason.TRANSPORT_CLOSE]


@pytest.mark.parametrize("message", ["4a", b"x", "", "2"])
@virtual
async def test_a_websocket_that_does_not_take_over_is_dropped(message: str | bytes) -> None:
    served = await polled(Served())
    served.client.say(message)
    await settle()
    assert served.client.heard() == ["close"]
    assert served.session.phase is Phase.POLLING
    assert served.told.texts == []
    await served.done
    assert served.told.reasons == []


@virtual
async def test_a_websocket_that_goes_before_it_takes_over_changes_nothing() -> None:
    served = await polled(Served())
    served.client.go()
    await served.done
    assert served.session.phase is Phase.POLLING


@virtual
async def test_a_websocket_that_is_gone_when_it_is_accepted_leaves_the_session_as_it_was() -> None:
    served = Served()
    answer = await ask(served.server, "GET", POLLING)
    served.sid = json.loads(answer.body[1:])["sid"]
    served.client.failing = True
    with pytest.raises(OSError, match="gone"):
        await served.client.start(served.server, f"{WEBSOCKET}&sid={served.sid}")
    assert served.session.phase is Phase.POLLING


@virtual
async def test_a_websocket_has_its_time_to_take_over() -> None:
    served = await polled(Served(upgrade_timeout=10, connect_timeout=1000))
    await asyncio.sleep(9.9)
    assert served.client.heard() == []
    await asyncio.sleep(0.2)
    assert served.client.heard() == ["close"]
    assert served.session.phase is Phase.POLLING


@virtual
async def test_a_second_websocket_is_refused() -> None:
    served = await polled(Served())
    other = WebSocketClient()
    await other.start(served.server, f"{WEBSOCKET}&sid={served.sid}")
    assert other.heard() == ["close"]
    served.client.say("2probe")
    await settle()
    assert served.client.heard() == ["3probe"]


@virtual
async def test_an_application_s_last_words_arrive() -> None:
    world = World()
    client = WebSocketClient()
    done = client.start(world.server.engine)
    client.say("40")
    await settle()
    client.heard()
    world.connection.emit("a", b"x")
    world.connection.disconnect(close=True)
    await done
    assert client.heard() == ['451-["a",{"_placeholder":true,"num":0}]', b"x", "41", "close"]
