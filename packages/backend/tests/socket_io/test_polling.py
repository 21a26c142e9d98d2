"""Long polling over ASGI, and the sessions of a server, in virtual time."""

import asyncio
import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from tests.socket_io.application import World
from tests.socket_io.asgi import POLLING, Answer, Exchange, ask, run
from tests.socket_io.in_memory import MemoryOutlet, Told, request, settle, virtual

from rejoinder_socketio import CloseReason, Options
from rejoinder_socketio.engine.packets import Outgoing, binary
from rejoinder_socketio.engine.polling import PACKETS_PER_POLL
from rejoinder_socketio.engine.server import EngineServer
from rejoinder_socketio.engine.session import Phase, Session

PAGE = {"origin": "https://page.example"}


class Hearing(Told):
    """Notes what it is told by any number of sessions."""

    def on_close(self, session: Session, reason: CloseReason) -> None:
        self.reasons.append(reason)

    def on_text(self, session: Session, packet: bytes) -> None:
        self.texts.append(packet)


class Polled:
    """A server, and a client that polls it."""

    def __init__(self, **options: Any) -> None:
        self.told = Hearing()
        self.server = EngineServer(Options(**options), self.told)
        self.sid = ""

    async def open(self) -> "Polled":
        answer = await ask(self.server, "GET", POLLING)
        self.sid = json.loads(answer.body[1:])["sid"]
        return self

    @property
    def query(self) -> str:
        return f"{POLLING}&sid={self.sid}"

    @property
    def session(self) -> Session:
        return self.server.find(self.sid)

    async def get(self) -> Answer:
        return await ask(self.server, "GET", self.query)

    async def post(self, body: bytes) -> Answer:
        return await ask(self.server, "POST", self.query, body)

    async def waiting(self) -> "asyncio.Task[Answer]":
        """A GET that waits."""
        task = asyncio.create_task(self.get())
        await settle()
        assert not task.done()
        return task

    async def gone(self) -> bool:
        answer = await self.get()
        return answer.status == 400 and json.loads(answer.body)["code"] == 1


# --- handshakes -----------------------------------------------------------------------------------


@virtual
async def test_a_handshake_tells_what_the_client_must_know() -> None:
    server = EngineServer(Options(ping_interval=7.5, ping_timeout=2, max_payload=99), Hearing())
    answer = await ask(server, "GET", POLLING)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    opened = json.loads(answer.body[1:])
    assert len(server) == 1
    assert server.find(opened.pop("sid")).phase is Phase.POLLING
    assert opened == {
        "upgrades": ["websocket"],
        "pingInterval": 7500,
        "pingTimeout": 2000,
        "maxPayload": 99,
    }


@virtual
async def test_a_cookie_keeps_a_client_at_its_server() -> None:
    polled = await Polled(cookie="io").open()
    answer = await ask(polled.server, "GET", POLLING)
    sid = json.loads(answer.body[1:])["sid"]
    assert answer.headers["set-cookie"] == f"io={sid}; Path=/; HttpOnly; SameSite=Lax"
    assert "set-cookie" not in (await polled.post(b"4")).headers


@virtual
async def test_every_session_has_its_own_id() -> None:
    server = EngineServer(Options(), Hearing())
    sids = {json.loads((await ask(server, "GET", POLLING)).body[1:])["sid"] for _ in range(50)}
    assert len(sids) == 50
    assert min(map(len, sids)) >= 20


# --- origins --------------------------------------------------------------------------------------


@virtual
async def test_a_page_that_may_not_come_can_not_even_read_why() -> None:
    server = EngineServer(Options(), Hearing())
    for method in ("GET", "POST", "OPTIONS"):
        answer = await ask(server, method, POLLING, headers=PAGE)
        assert answer.status == 400
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert len(server) == 0


@virtual
async def test_a_page_that_may_come_can_read_every_answer() -> None:
    server = EngineServer(Options(origins=list(PAGE.values())), Hearing())
    for query in (POLLING, "EIO=3", f"{POLLING}&sid=none"):
        answer = await ask(server, "GET", query, headers=PAGE)
        assert answer.headers["access-control-allow-origin"] == PAGE["origin"]
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["vary"] == "Origin"


@virtual
async def test_a_page_may_ask_before_it_comes() -> None:
    server = EngineServer(Options(origins=["*"]), Hearing())
    answer = await ask(server, "OPTIONS", POLLING, headers=PAGE)
    assert answer.status == 204
    assert answer.headers["access-control-allow-methods"] == "GET, POST"
    assert "content-type" in answer.headers["access-control-allow-headers"]
    assert len(server) == 0


# --- GET ------------------------------------------------------------------------------------------


@virtual
async def test_a_get_waits_for_something_to_say() -> None:
    polled = await Polled().open()
    waiting = await polled.waiting()
    polled.session.send(Outgoing(b"4a"))
    polled.session.send(Outgoing(b"4b", [b"x"]))
    polled.session.send(binary(b"y"))
    assert (await waiting).body == b"4a\x1e4b\x1ebeA==\x1ebeQ=="


@virtual
async def test_a_get_brings_no_more_packets_than_clients_take() -> None:
    polled = await Polled().open()
    for number in range(PACKETS_PER_POLL + 4):
        polled.session.send(Outgoing(b"4%d" % number))
    assert (await polled.get()).packets == [f"4{number}" for number in range(PACKETS_PER_POLL)]
    polled.session.send(Outgoing(b"4a", [b"x"] * (PACKETS_PER_POLL - 4)))
    assert len((await polled.get()).packets) == 4
    assert len((await polled.get()).packets) == PACKETS_PER_POLL - 3
    polled.session.send(Outgoing(b"4a", [b"x"] * PACKETS_PER_POLL))
    assert len((await polled.get()).packets) == PACKETS_PER_POLL + 1
    assert polled.session.outlet.waiting() == 0


@virtual
async def test_attachments_count_as_packets() -> None:
    polled = await Polled().open()
    for _ in range(3):
        polled.session.send(Outgoing(b"4a", [b"x"] * (PACKETS_PER_POLL // 2 - 1)))
    assert len((await polled.get()).packets) == PACKETS_PER_POLL
    assert len((await polled.get()).packets) == PACKETS_PER_POLL // 2


@virtual
async def test_who_does_not_poll_is_ended_when_too_much_waits() -> None:
    polled = await Polled(max_waiting=10_000).open()
    session = polled.session
    for _ in range(100):
        if polled.told.reasons:
            break
        session.send(Outgoing(b"4" * 900))
    assert polled.told.reasons == [CloseReason.TOO_SLOW]
    assert polled.told.slow == 1
    assert session.outlet.waiting() == 0
    assert await polled.gone()


@virtual
async def test_a_second_get_ends_the_session_and_the_first() -> None:
    polled = await Polled().open()
    first = await polled.waiting()
    assert (await polled.get()).status == 400
    assert (await first).body == b"1"
    assert polled.told.reasons == [CloseReason.TRANSPORT_ERROR]
    assert await polled.gone()


@virtual
async def test_a_client_that_goes_away_ends_its_session() -> None:
    polled = await Polled().open()
    exchange = Exchange()
    waiting = asyncio.create_task(run(polled.server, exchange, "GET", polled.query))
    await settle()
    exchange.go()
    assert await waiting is None
    assert polled.told.reasons == [CloseReason.TRANSPORT_CLOSE]
    assert await polled.gone()


@virtual
async def test_sessions_that_are_not_there_are_not_there() -> None:
    polled = Polled()
    polled.sid = "none"
    assert await polled.gone()
    answer = await polled.post(b"4")
    assert json.loads(answer.body) == {"code": 1, "message": "Session ID unknown"}


@virtual
async def test_a_session_has_no_other_methods() -> None:
    polled = await Polled().open()
    answer = await ask(polled.server, "PUT", polled.query)
    assert (answer.status, json.loads(answer.body)["code"]) == (400, 2)
    assert polled.told.reasons == []


@virtual
async def test_pings_are_polled_and_their_answers_posted() -> None:
    polled = await Polled(ping_interval=25, ping_timeout=20, connect_timeout=1000).open()
    for _ in range(3):
        assert (await polled.get()).body == b"2"
        assert (await polled.post(b"3")).body == b"ok"
    waiting = await polled.waiting()
    assert (await waiting).body == b"2"
    last = await polled.waiting()
    assert (await last).body == b"6"
    assert polled.told.reasons == [CloseReason.PING_TIMEOUT]
    assert await polled.gone()


# --- POST -----------------------------------------------------------------------------------------


@virtual
async def test_a_post_brings_packets_in_order() -> None:
    polled = await Polled().open()
    answer = await polled.post("4a\x1ebeA==\x1e4é\x1e3".encode())
    assert (answer.status, answer.body) == (200, b"ok")
    assert polled.told.texts == [b"4a", "4é".encode()]
    assert polled.told.binaries == [b"x"]


@pytest.mark.parametrize(
    "body", [b"", b"x", b"4a\x1e", b"4a\x1e\x1e4b", b"4a\x1e4\xff", b"4a\x1eb*", b"2"]
)
@virtual
async def test_a_post_that_can_not_be_understood_ends_the_session(body: bytes) -> None:
    polled = await Polled().open()
    answer = await polled.post(body)
    assert (answer.status, json.loads(answer.body)["code"]) == (400, 3)
    assert polled.told.reasons == [CloseReason.PARSE_ERROR]
    assert b"4b" not in polled.told.texts


@virtual
async def test_nothing_is_heard_after_a_close() -> None:
    polled = await Polled().open()
    waiting = await polled.waiting()
    assert (await polled.post(b"4a\x1e1\x1e4b\x1e*")).status == 200
    assert polled.told.texts == [b"4a"]
    assert polled.told.reasons == [CloseReason.TRANSPORT_CLOSE]
    assert (await waiting).body == b"6"
    assert await polled.gone()


@virtual
async def test_posts_come_one_at_a_time() -> None:
    polled = await Polled().open()
    polled.session.outlet.hold_reading()
    first = asyncio.create_task(polled.post(b"4a\x1e4b"))
    await settle()
    assert not first.done()
    assert (await polled.post(b"4c")).status == 400
    assert polled.told.reasons == [CloseReason.TRANSPORT_ERROR]
    assert polled.told.texts == [b"4a"]
    await first


@virtual
async def test_a_post_waits_while_enough_events_wait() -> None:
    polled = await Polled().open()
    polled.session.outlet.hold_reading()
    polled.session.outlet.hold_reading()
    posting = asyncio.create_task(polled.post(b"4a\x1e4b"))
    await asyncio.sleep(5)
    assert not posting.done()
    assert polled.told.texts == [b"4a"]
    polled.session.outlet.resume_reading()
    assert (await posting).status == 200
    assert polled.told.texts == [b"4a", b"4b"]


@virtual
async def test_a_post_of_very_many_packets_lets_others_have_their_turn() -> None:
    polled = await Polled().open()
    posting = asyncio.create_task(polled.post(b"\x1e".join([b"4"] * 1000)))
    seen = []
    while not posting.done():
        seen.append(len(polled.told.texts))
        await asyncio.sleep(0)
    assert max(after - before for before, after in pairwise(seen)) <= 64
    assert len(polled.told.texts) == 1000


@pytest.mark.parametrize(
    ("length", "status"),
    [
        ("", 411),
        ("-1", 411),
        ("x", 411),
        ("1e1", 411),
        ("\u0661", 411),
        ("11", 413),
        ("9" * 5000, 413),
    ],
)
@virtual
async def test_a_body_says_how_long_it_is_and_has_a_limit(length: str, status: int) -> None:
    polled = await Polled(max_payload=10).open()
    given = {"content-length": length} if length else {}
    answer = await run(polled.server, Exchange(b"4" * 10), "POST", polled.query, given)
    assert answer is not None
    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert polled.told.reasons == []
    assert (await polled.post(b"4" * 10)).status == 200


@virtual
async def test_a_body_may_come_in_parts_and_may_not_come_at_all() -> None:
    polled = await Polled().open()
    given = {"content-length": "5"}
    answer = await run(
        polled.server, Exchange(b"4a", b"", b"bc", b"d"), "POST", polled.query, given
    )
    assert answer is not None
    assert polled.told.texts == [b"4abcd"]
    broken = Exchange(b"4x", whole=False)
    broken.go()
    assert await run(polled.server, broken, "POST", polled.query, given) is None
    assert polled.told.texts == [b"4abcd"]


# --- the end --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, PACKETS_PER_POLL, 3 * PACKETS_PER_POLL])
@virtual
async def test_what_was_sent_before_a_server_closes_a_session_is_polled_after_it(
    number: int,
) -> None:
    polled = await Polled().open()
    for each in range(number):
        polled.session.send(Outgoing(b"4%d" % each))
    polled.session.close(CloseReason.SERVER_LEFT)
    got: list[str] = []
    while (answer := await polled.get()).status == 200:
        got += answer.packets
    assert got == [*(f"4{each}" for each in range(number)), "1"]
    assert json.loads(answer.body)["code"] == 1


@virtual
async def test_a_closed_session_waits_only_so_long_to_be_polled() -> None:
    polled = await Polled(linger=5).open()
    polled.session.close(CloseReason.SERVER_LEFT)
    await asyncio.sleep(5.1)
    assert await polled.gone()


@virtual
async def test_a_closed_session_hears_nothing() -> None:
    polled = await Polled().open()
    polled.session.close(CloseReason.SERVER_LEFT)
    assert (await polled.post(b"4a")).status == 200
    assert polled.told.texts == []


@virtual
async def test_a_server_that_closes_waits_for_its_clients_to_poll() -> None:
    polled = await Polled().open()
    polled.session.send(Outgoing(b"4a"))
    loop = asyncio.get_running_loop()
    closing = asyncio.create_task(polled.server.close(3))
    began = loop.time()
    await settle()
    assert not closing.done()
    # It is told no end, after which some clients would not come back.
    assert (await polled.get()).body == b"4a"
    await closing
    assert loop.time() == began
    await (await Polled(linger=100).open()).server.close(3)


@virtual
async def test_but_not_for_ever() -> None:
    polled = await Polled(linger=100).open()
    polled.session.send(Outgoing(b"4a"))
    began = asyncio.get_running_loop().time()
    await polled.server.close(3)
    assert asyncio.get_running_loop().time() - began == pytest.approx(3)


@virtual
async def test_a_server_that_closes_waits_for_nobody_who_has_all() -> None:
    idle, polling = await Polled().open(), Polled()
    polling.server = idle.server
    get = await (await polling.open()).waiting()
    began = asyncio.get_running_loop().time()
    await idle.server.close(3)
    assert (await get).body == b"6"
    assert asyncio.get_running_loop().time() == began
    assert await idle.gone()
    assert await polling.gone()


@virtual
async def test_an_application_s_last_words_are_polled() -> None:
    world = World()
    polled = Polled()
    polled.server = world.server.engine
    await polled.open()
    assert (await polled.post(b"40")).status == 200
    await settle()
    assert (await polled.get()).packets[0].startswith("40{")
    world.connection.emit("a")
    world.connection.disconnect(close=True)
    assert (await polled.get()).packets == ['42["a"]', "41", "1"]
    assert await polled.gone()


# --- upgrades -------------------------------------------------------------------------------------


@virtual
async def test_a_get_that_waits_is_let_go_for_an_upgrade() -> None:
    polled = await Polled().open()
    waiting = await polled.waiting()
    probe = MemoryOutlet()
    began = asyncio.get_running_loop().time()
    assert polled.session.begin_upgrade(probe)
    polled.server.upgrading(polled.session, probe)
    assert (await waiting).body == b"6"
    assert asyncio.get_running_loop().time() - began < 1
    polled.session.receive_probe(b"5")
    assert (await polled.get()).status == 400
    assert polled.told.reasons == []


@virtual
async def test_an_upgrade_has_its_time_and_the_session_goes_on_without_it() -> None:
    polled = await Polled(upgrade_timeout=10, ping_interval=1000, connect_timeout=1000).open()
    probe = MemoryOutlet()
    assert polled.session.begin_upgrade(probe)
    polled.server.upgrading(polled.session, probe)
    await asyncio.sleep(9.9)
    assert not probe.reason
    await asyncio.sleep(0.2)
    assert probe.reason is CloseReason.TRANSPORT_CLOSE
    assert polled.session.phase is Phase.POLLING
    assert (await polled.post(b"4a")).status == 200


@virtual
async def test_an_upgrade_that_was_in_time_is_left_alone() -> None:
    polled = await Polled(upgrade_timeout=10, ping_interval=1000, connect_timeout=1000).open()
    session, probe = polled.session, MemoryOutlet()
    assert session.begin_upgrade(probe)
    polled.server.upgrading(session, probe)
    await asyncio.sleep(9)
    session.receive_probe(b"5")
    await asyncio.sleep(9)
    assert probe.reason is None
    assert session.phase is Phase.WEBSOCKET


# --- the sessions of a server ---------------------------------------------------------------------


def opened(server: EngineServer) -> tuple[Session, MemoryOutlet]:
    outlet = MemoryOutlet()
    return server.open(request(), outlet), outlet


@virtual
async def test_the_oldest_session_that_nobody_uses_goes_for_the_next() -> None:
    server = EngineServer(Options(max_unconnected=3), Hearing())
    (one, first), (_, second), (_, third) = opened(server), opened(server), opened(server)
    assert not first.reason
    server.claim(one)
    opened(server)
    assert not first.reason
    assert not second.reason
    _, last = opened(server)
    assert second.reason is CloseReason.CROWDED_OUT
    assert first.reason is third.reason is last.reason is None
    assert len(server) == 4


@virtual
async def test_so_it_does_when_one_is_not_used_any_more() -> None:
    server = EngineServer(Options(max_unconnected=2), Hearing())
    pairs = [opened(server) for _ in range(2)]
    for session, _ in pairs:
        server.claim(session)
    (_, third), (_, fourth) = opened(server), opened(server)
    server.unclaim(pairs[0][0])
    assert third.reason is CloseReason.CROWDED_OUT
    assert not fourth.reason
    server.unclaim(pairs[1][0])
    assert fourth.reason is CloseReason.CROWDED_OUT
    assert len(server) == 2


@virtual
async def test_a_session_that_nobody_uses_any_more_goes_in_time() -> None:
    server = EngineServer(Options(connect_timeout=10, ping_interval=1000), Hearing())
    session, outlet = opened(server)
    server.claim(session)
    await asyncio.sleep(50)
    server.unclaim(session)
    await asyncio.sleep(9.9)
    assert not outlet.reason
    await asyncio.sleep(0.2)
    assert outlet.reason is CloseReason.NOT_CONNECTED


@virtual
async def test_pings_come_at_their_interval_even_if_the_answer_may_take_longer() -> None:
    server = EngineServer(
        Options(ping_interval=5, ping_timeout=60, connect_timeout=1000), Hearing()
    )
    session, outlet = opened(server)
    outlet.take()
    for _ in range(3):
        await asyncio.sleep(5.1)
        assert outlet.take() == [b"2"]
        session.receive_text(b"3", server.now())
        await asyncio.sleep(0)
    await asyncio.sleep(5.1)
    await asyncio.sleep(59.8)
    assert outlet.take() == [b"2"]
    assert not outlet.reason
    await asyncio.sleep(0.3)
    assert outlet.reason is CloseReason.PING_TIMEOUT


@virtual
async def test_nothing_is_kept_of_sessions_that_have_ended() -> None:
    server = EngineServer(Options(), Hearing())
    pairs = [opened(server) for _ in range(5)]
    for session, _ in pairs:
        session.close(CloseReason.TRANSPORT_ERROR)
        assert session.timer is None
        server.unclaim(session)
        with suppress(Exception):
            server.find(session.id)
            pytest.fail("it is still there")
    assert len(server) == 0
