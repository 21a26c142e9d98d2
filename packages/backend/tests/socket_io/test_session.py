"""One Engine.IO session in virtual time."""

from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.profiles import deterministic
from tests.socket_io.in_memory import START, MemoryOutlet, Told, request

from rejoinder_socketio import CloseReason, Options, ProtocolError
from rejoinder_socketio.engine.packets import Outgoing
from rejoinder_socketio.engine.requests import Transport
from rejoinder_socketio.engine.session import (
    CONTROL_BURST,
    GRACE_SECONDS,
    LATE_SECONDS,
    STEPS,
    Phase,
    Session,
)

LIMIT = 1000
INTERVAL, TIMEOUT, CONNECT = 25.0, 20.0, 45.0
OPTIONS = Options(
    ping_interval=INTERVAL,
    ping_timeout=TIMEOUT,
    connect_timeout=CONNECT,
    max_waiting=LIMIT,
    control_rate=2,
)


class Client:
    """A session with both of its ends."""

    def __init__(
        self, transport: Transport = "websocket", *, room: int | None = None, **given: Any
    ) -> None:
        options = Options(**{name: getattr(OPTIONS, name) for name in OPTIONS.__slots__} | given)
        self.told = Told()
        self.outlet = MemoryOutlet(room)
        self.session = Session(
            "id", request(transport), options, self.told, self.outlet, START, self.told.forget
        )

    def claimed(self) -> "Client":
        self.session.claim_by = None
        return self

    def upgrading(self) -> MemoryOutlet:
        probe = MemoryOutlet()
        assert self.session.begin_upgrade(probe)
        return probe

    def tick(self, after: float) -> None:
        self.session.tick(START + after)


def message(size: int) -> Outgoing:
    return Outgoing(b"4" + b"x" * (size - 1))


# --- phases ---------------------------------------------------------------------------------------


def test_a_session_begins_on_the_transport_that_it_was_asked_for_over() -> None:
    assert Client("polling").session.phase is Phase.POLLING
    assert Client("websocket").session.phase is Phase.WEBSOCKET


@pytest.mark.parametrize("phase", Phase)
def test_the_table_of_phases_holds(phase: Phase) -> None:
    for byte in range(256):
        client = Client("websocket" if phase is Phase.WEBSOCKET else "polling")
        if phase is Phase.UPGRADING:
            client.upgrading()
        elif phase is Phase.CLOSED:
            client.session.close(CloseReason.TRANSPORT_ERROR)
        assert client.session.phase is phase
        packet = bytes([byte]) + b"rest"
        if phase is Phase.CLOSED:
            client.session.receive_text(packet, START)
            assert not client.told.texts
        elif byte == ord("4"):
            client.session.receive_text(packet, START)
            assert client.told.texts == [packet]
        elif byte == ord("3"):
            client.session.receive_text(packet, START)
        elif byte == ord("1"):
            client.session.receive_text(packet, START)
            assert client.told.reasons == [CloseReason.TRANSPORT_CLOSE]
            continue
        else:
            with pytest.raises(ProtocolError):
                client.session.receive_text(packet, START)
        assert client.session.phase is phase
    assert set(STEPS) == set(Phase)


def test_an_empty_packet_is_an_error() -> None:
    with pytest.raises(ProtocolError):
        Client().session.receive_text(b"", START)


def test_binary_messages_are_delivered() -> None:
    client = Client()
    client.session.receive_binary(b"1")
    assert client.told.binaries == [b"1"]
    client.session.close(CloseReason.TRANSPORT_ERROR)
    client.session.receive_binary(b"2")
    assert client.told.binaries == [b"1"]


# --- the upgrade ----------------------------------------------------------------------------------


def test_what_was_written_before_an_upgrade_comes_after_it_in_order() -> None:
    client = Client("polling")
    for packet in (b"4a", b"4b", b"4c"):
        client.session.send(Outgoing(packet))
    assert client.outlet.take(1) == [b"4a"]
    probe = client.upgrading()
    client.session.send(Outgoing(b"4d"))
    client.session.receive_probe(b"2probe")
    assert probe.packets == [b"3probe"]
    assert client.outlet.packets == [b"4a", b"4b", b"4c", b"4d"]
    client.session.receive_probe(b"5")
    client.session.send(Outgoing(b"4e"))
    assert client.session.phase is Phase.WEBSOCKET
    assert client.session.outlet is probe
    assert client.session.probe is None
    assert client.outlet.retired
    assert probe.packets == [b"3probe", b"4b", b"4c", b"4d", b"4e"]


@pytest.mark.parametrize(
    "packet", [b"", b"2", b"2prob", b"2probe ", b"3probe", b"4hello", b"1", b"55"]
)
def test_a_websocket_that_says_anything_else_is_dropped(packet: bytes) -> None:
    client = Client("polling")
    probe = client.upgrading()
    client.session.receive_probe(packet)
    assert probe.reason is CloseReason.TRANSPORT_CLOSE
    assert client.session.phase is Phase.POLLING
    assert client.outlet.reason is None
    assert not client.told.texts
    assert client.upgrading().reason is None


def test_a_websocket_that_asks_twice_is_dropped() -> None:
    client = Client("polling")
    for _ in range(2):
        probe = client.upgrading()
        client.session.receive_probe(b"2probe")
        assert probe.reason is None
        client.session.receive_probe(b"2probe")
        assert probe.packets == [b"3probe"]
        assert probe.reason is CloseReason.TRANSPORT_CLOSE


def test_only_a_polled_session_can_be_taken_over_and_only_by_one() -> None:
    polled = Client("polling")
    first = polled.upgrading()
    assert not polled.session.begin_upgrade(MemoryOutlet())
    assert polled.session.probe is first
    polled.session.receive_probe(b"5")
    assert not polled.session.begin_upgrade(MemoryOutlet())
    assert not Client("websocket").session.begin_upgrade(MemoryOutlet())
    closed = Client("polling")
    closed.session.close(CloseReason.TRANSPORT_ERROR)
    assert not closed.session.begin_upgrade(MemoryOutlet())
    assert closed.session.phase is Phase.CLOSED


def test_a_session_that_ends_takes_the_websocket_with_it() -> None:
    client = Client("polling")
    probe = client.upgrading()
    client.session.close(CloseReason.SERVER_LEFT)
    assert probe.reason is client.outlet.reason is CloseReason.SERVER_LEFT
    client.session.receive_probe(b"5")
    client.session.drop_probe()
    assert client.session.phase is Phase.CLOSED


def test_probing_goes_by_without_a_websocket() -> None:
    client = Client("polling")
    client.session.receive_probe(b"5")
    client.session.drop_probe()
    assert client.session.phase is Phase.POLLING


# --- the end --------------------------------------------------------------------------------------


def test_a_session_ends_once() -> None:
    client = Client()
    client.session.close(CloseReason.TOO_SLOW)
    client.session.close(CloseReason.TRANSPORT_ERROR)
    assert client.told.reasons == [CloseReason.TOO_SLOW]
    assert client.told.forgotten == 1
    assert client.outlet.reason is CloseReason.TOO_SLOW
    client.session.send(message(1))
    client.session.send(message(1), volatile=True)
    client.tick(1e6)
    assert client.outlet.packets == []


# --- time -----------------------------------------------------------------------------------------


def test_pings_go_out_in_intervals_that_begin_with_the_answer() -> None:
    client = Client().claimed()
    client.tick(INTERVAL - 0.001)
    assert client.outlet.packets == []
    assert client.session.deadline == START + INTERVAL
    client.tick(INTERVAL)
    assert client.outlet.packets == [b"2"]
    assert client.session.deadline == START + INTERVAL + TIMEOUT
    client.session.receive_text(b"3", START + INTERVAL + 5)
    assert client.session.deadline == START + INTERVAL + 5 + INTERVAL
    client.tick(INTERVAL + 5 + INTERVAL - 0.001)
    assert client.outlet.packets == [b"2"]
    client.tick(INTERVAL + 5 + INTERVAL)
    assert client.outlet.packets == [b"2", b"2"]


def test_who_does_not_answer_a_ping_is_ended() -> None:
    client = Client().claimed()
    client.tick(INTERVAL)
    client.tick(INTERVAL + TIMEOUT - 0.001)
    assert client.told.reasons == []
    client.tick(INTERVAL + TIMEOUT)
    assert client.told.reasons == [CloseReason.PING_TIMEOUT]
    assert client.outlet.packets == [b"2"]


def test_an_answer_in_the_last_moment_counts() -> None:
    client = Client().claimed()
    client.tick(INTERVAL)
    client.session.receive_text(b"3", START + INTERVAL + TIMEOUT - 0.001)
    client.tick(INTERVAL + TIMEOUT)
    assert client.told.reasons == []


def test_other_packets_are_no_answers() -> None:
    client = Client().claimed()
    client.tick(INTERVAL)
    client.session.receive_text(b"4", START + INTERVAL + 1)
    client.session.receive_binary(b"")
    client.tick(INTERVAL + TIMEOUT)
    assert client.told.reasons == [CloseReason.PING_TIMEOUT]


def test_a_process_that_was_stopped_hears_its_clients_before_it_ends_them() -> None:
    client = Client().claimed()
    client.tick(INTERVAL)
    late = INTERVAL + TIMEOUT + 60
    client.tick(late)
    assert client.told.reasons == []
    assert client.outlet.packets == [b"2"]
    assert client.session.deadline == START + late + GRACE_SECONDS
    client.session.receive_text(b"3", START + late + 0.1)
    client.tick(late + 0.1 + INTERVAL)
    assert client.outlet.packets == [b"2", b"2"]


def test_who_says_nothing_after_that_either_is_ended() -> None:
    client = Client().claimed()
    client.tick(INTERVAL)
    late = INTERVAL + TIMEOUT + LATE_SECONDS + 0.01
    client.tick(late)
    assert client.told.reasons == []
    client.tick(late + GRACE_SECONDS)
    assert client.told.reasons == [CloseReason.PING_TIMEOUT]


def test_a_tick_that_is_a_little_late_ends_who_did_not_answer() -> None:
    client = Client().claimed()
    client.tick(INTERVAL)
    client.tick(INTERVAL + TIMEOUT + LATE_SECONDS)
    assert client.told.reasons == [CloseReason.PING_TIMEOUT]


def test_the_grace_is_no_longer_than_the_time_for_an_answer() -> None:
    client = Client(ping_timeout=0.2).claimed()
    client.tick(INTERVAL)
    client.tick(INTERVAL + 60)
    assert client.session.deadline == START + INTERVAL + 60 + 0.2


def test_a_ping_that_comes_late_leaves_all_the_time_for_its_answer() -> None:
    client = Client().claimed()
    client.tick(INTERVAL + 60)
    assert client.outlet.packets == [b"2"]
    assert client.session.deadline == START + INTERVAL + 60 + TIMEOUT


def test_who_does_not_connect_is_ended() -> None:
    client = Client(connect_timeout=10.0)
    assert client.session.deadline == START + 10
    client.tick(9.999)
    assert client.told.reasons == []
    client.tick(10)
    assert client.told.reasons == [CloseReason.NOT_CONNECTED]
    assert client.outlet.packets == []


def test_who_connects_in_time_stays() -> None:
    client = Client(connect_timeout=10.0).claimed()
    assert client.session.deadline == START + INTERVAL
    client.tick(10)
    assert client.told.reasons == []


# --- floods ---------------------------------------------------------------------------------------


def test_a_flood_of_control_packets_ends_a_session() -> None:
    client = Client()
    for _ in range(int(CONTROL_BURST * 2)):
        client.session.receive_text(b"3", START)
    assert client.told.reasons == []
    client.session.receive_text(b"3", START)
    assert client.told.reasons == [CloseReason.FLOOD]


def test_control_packets_may_come_at_their_rate_for_ever() -> None:
    client = Client()
    for number in range(1000):
        client.session.count(START + number / 2)
    assert client.told.reasons == []


def test_what_was_not_used_is_saved_up_to_the_burst() -> None:
    client = Client()
    for _ in range(int(CONTROL_BURST * 2)):
        client.session.count(START)
    for _ in range(int(CONTROL_BURST * 2)):
        client.session.count(START + 1000)
    assert client.told.reasons == []
    client.session.count(START + 1000)
    assert client.told.reasons == [CloseReason.FLOOD]


# --- slow clients ---------------------------------------------------------------------------------


def test_what_is_on_its_way_is_not_counted() -> None:
    client = Client(room=10 * LIMIT)
    for _ in range(9):
        client.session.send(message(LIMIT))
    assert len(client.outlet.packets) == 9
    assert client.told.slow == 0


def test_volatile_messages_are_the_first_to_be_left_out() -> None:
    client = Client()
    client.session.send(message(LIMIT // 4 - 1), volatile=True)
    client.session.send(message(1), volatile=True)
    assert client.outlet.waiting() == LIMIT // 4
    client.session.send(message(1), volatile=True)
    assert client.outlet.waiting() == LIMIT // 4
    client.session.send(message(1))
    assert client.outlet.waiting() == LIMIT // 4 + 1
    client.outlet.take()
    client.session.send(message(1), volatile=True)
    assert client.outlet.waiting() == 1


def test_the_application_hears_once_of_a_slow_client() -> None:
    client = Client()
    client.session.send(message(LIMIT // 4))
    client.session.send(message(LIMIT // 4 - 1))
    assert client.told.slow == 0
    client.session.send(message(1))
    assert client.told.slow == 1
    client.session.send(message(LIMIT // 2))
    assert client.told.slow == 1
    assert client.told.reasons == []


def test_it_hears_again_only_when_the_client_had_caught_up() -> None:
    client = Client()
    for _ in range(3):
        client.session.send(message(LIMIT // 4))
    assert client.told.slow == 1
    client.outlet.take(2)
    for _ in range(2):
        client.session.send(message(LIMIT // 4))
    assert client.told.slow == 1
    client.outlet.take(3)
    for _ in range(2):
        client.session.send(message(LIMIT // 4))
    assert client.told.slow == 2


def test_it_hears_again_of_a_client_that_had_caught_up_without_being_sent_anything() -> None:
    client = Client(room=LIMIT // 4 - 1)
    for size in (LIMIT // 4, LIMIT // 2):
        client.session.send(message(size))
    assert client.told.slow == 1
    client.outlet.take()
    client.session.drained()
    for size in (LIMIT // 2, 1):
        client.session.send(message(size))
    assert client.told.slow == 2


def test_it_hears_when_one_for_whom_something_was_left_out_reads_again() -> None:
    client = Client()
    client.session.send(message(LIMIT // 4))
    client.session.drained()
    assert client.told.drained == 0, "nothing was left out"
    client.session.send(message(1), volatile=True)
    client.session.send(message(1))
    assert client.told.drained == 0, "it does not read yet"
    client.outlet.take()
    client.session.send(message(1))
    assert client.told.drained == 1
    client.session.drained()
    assert client.told.drained == 1


def test_who_does_not_read_is_ended_when_too_much_waits() -> None:
    client = Client()
    for _ in range(4):
        client.session.send(message(LIMIT // 4))
    assert client.told.reasons == []
    client.session.send(message(1))
    assert client.told.reasons == [CloseReason.TOO_SLOW]
    assert client.outlet.waiting() == LIMIT


def test_a_client_that_keeps_up_is_sent_a_message_of_any_size() -> None:
    client = Client()
    client.session.send(message(LIMIT // 4 - 1))
    client.session.send(message(3 * LIMIT))
    assert client.told.reasons == []
    assert client.told.slow == 1
    client.session.send(message(1), volatile=True)
    assert client.told.reasons == []
    client.session.send(message(1))
    assert client.told.reasons == [CloseReason.TOO_SLOW]


def test_a_ping_may_be_too_much() -> None:
    client = Client().claimed()
    for _ in range(4):
        client.session.send(message(LIMIT // 4))
    client.tick(INTERVAL)
    assert client.told.reasons == [CloseReason.TOO_SLOW]


# --- all of it, in any order ----------------------------------------------------------------------

PACKETS = [
    b"4",
    b"4a",
    b"3",
    b"3probe",
    b"1",
    b"2",
    b"2probe",
    b"5",
    b"0",
    b"6",
    b"",
    b"\xff",
    b"40",
]
KNOWN = (b"4", b"3", b"1")


class SessionMachine(RuleBasedStateMachine):
    """A session between a client and an application that do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.client = Client()
        self.heard: list[bytes] = []
        self.binaries = 0
        self.sent: list[bytes] = []
        self.number = 0
        self.slow_since_low = 0
        self.unanswered = 0
        self.pings = 0

    @initialize(
        transport=st.sampled_from(["polling", "websocket"]), room=st.sampled_from([None, 0, 300])
    )
    def begin(self, transport: Transport, room: int | None) -> None:
        self.client = Client(transport, room=None if transport == "polling" else room)

    @property
    def session(self) -> Session:
        return self.client.session

    @property
    def current(self) -> MemoryOutlet:
        outlet = self.session.outlet
        assert isinstance(outlet, MemoryOutlet)
        return outlet

    @property
    def is_open(self) -> bool:
        return self.session.phase is not Phase.CLOSED

    # what the client does

    @rule(packet=st.sampled_from(PACKETS))
    def text(self, packet: bytes) -> None:
        was_open = self.is_open
        known = packet[:1] in KNOWN
        if was_open and packet[:1] == b"4":
            self.heard.append(packet)
        if was_open and not known:
            with pytest.raises(ProtocolError):
                self.session.receive_text(packet, self.now)
            self.session.close(CloseReason.PARSE_ERROR)
        else:
            self.session.receive_text(packet, self.now)
        if was_open:
            assert self.is_open is (packet[:1] in {b"4", b"3"}) or packet[:1] == b"3"
            if packet[:1] == b"3":
                self.unanswered = 0

    @rule()
    def binary(self) -> None:
        self.binaries += self.is_open
        self.session.receive_binary(b"b")

    @rule(room=st.sampled_from([None, 300]))
    def begin_upgrade(self, room: int | None) -> None:
        before = self.session.phase
        probe = MemoryOutlet(room)
        assert self.session.begin_upgrade(probe) is (before is Phase.POLLING)
        assert (self.session.probe is probe) is (before is Phase.POLLING)

    @rule(packet=st.sampled_from([b"2probe", b"2probe", b"5", b"5", b"4a", b""]))
    def probe(self, packet: bytes) -> None:
        before = self.session.phase
        self.session.receive_probe(packet)
        if before is not Phase.UPGRADING:
            assert self.session.phase is before
        elif packet == b"5":
            assert self.session.phase is Phase.WEBSOCKET
        elif packet != b"2probe":
            assert self.session.phase is Phase.POLLING

    @rule()
    def drop_probe(self) -> None:
        before = self.session.phase
        self.session.drop_probe()
        assert self.session.phase is (Phase.POLLING if before is Phase.UPGRADING else before)

    @rule(number=st.integers(1, 8))
    def read(self, number: int) -> None:
        self.current.take(number)

    # what the application does

    @rule(
        size=st.sampled_from([6, 6, 50, LIMIT // 4, LIMIT // 2, LIMIT - 6, 2 * LIMIT]),
        volatile=st.booleans(),
    )
    def send(self, size: int, volatile: bool) -> None:  # noqa: FBT001 - Hypothesis names it
        outlet, was_open = self.current, self.is_open
        waiting, congested = outlet.waiting(), outlet.congested
        self.number += 1
        packet = (b"4%d." % self.number).ljust(size, b"x")
        self.session.send(Outgoing(packet), volatile=volatile)
        if not was_open:
            return
        if not congested or waiting < LIMIT // 4:
            self.sent.append(packet)
        elif volatile:
            pass
        elif waiting + size > LIMIT:
            assert self.client.told.reasons == [CloseReason.TOO_SLOW]
        else:
            self.sent.append(packet)
        if self.is_open and congested:
            assert outlet.waiting() <= max(LIMIT, LIMIT // 4 + size, waiting)

    @rule(reason=st.sampled_from(CloseReason))
    def close(self, reason: CloseReason) -> None:
        was_open = self.is_open
        self.session.close(reason)
        if was_open:
            assert self.client.told.reasons == [reason]

    @rule()
    def claim(self) -> None:
        self.session.claim_by = None

    @rule()
    def unclaim(self) -> None:
        self.session.claim_by = self.now + CONNECT

    # time

    @rule(seconds=st.sampled_from([0.01, 1.0, 19.9, 25.0, 60.0]))
    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self.is_open and self.session.deadline <= end:
            self.now = max(self.now, self.session.deadline)
            self.tick()
        self.now = end

    @precondition(lambda self: self.is_open)
    @rule(seconds=st.sampled_from([0.5, 5.0, 100.0]))
    def stop_the_process(self, seconds: float) -> None:
        due, claim_by = self.session.deadline, self.session.claim_by
        awaiting = self.unanswered
        self.now += seconds
        self.tick()
        if not self.is_open and self.now - due > LATE_SECONDS and awaiting:
            assert claim_by is not None
            assert self.client.told.reasons == [CloseReason.NOT_CONNECTED]

    @rule()
    def tick(self) -> None:
        before = self.is_open
        pings = self.current.packets.count(b"2")
        outlet = self.current
        self.session.tick(self.now)
        self.unanswered += outlet.packets.count(b"2") - pings
        assert self.unanswered <= 1, "a second ping without an answer to the first"
        if before and self.is_open:
            assert self.session.deadline > self.now

    # what always holds

    @invariant()
    def what_was_said_is_heard_in_order(self) -> None:
        assert self.client.told.texts == self.heard
        assert len(self.client.told.binaries) == self.binaries

    @invariant()
    def it_ends_once(self) -> None:
        ended = [] if self.is_open else [self.current.reason]
        assert self.client.told.reasons == ended
        assert self.client.told.forgotten == len(ended)
        assert self.is_open or self.session.probe is None

    @invariant()
    def phases_and_outlets_agree(self) -> None:
        session, first = self.session, self.client.outlet
        if session.phase is Phase.POLLING:
            assert session.outlet is first
            assert session.probe is None
        elif session.phase is Phase.UPGRADING:
            assert session.outlet is first
            assert session.probe is not None
        elif session.phase is Phase.WEBSOCKET:
            assert session.probe is None
            assert first.retired is (session.outlet is not first)

    @invariant()
    def nothing_is_lost_and_nothing_overtakes(self) -> None:
        first, last = self.client.outlet, self.current
        written = first.packets if first is last else first.packets + last.packets
        assert [packet for packet in written if packet[:1] == b"4"] == self.sent

    @invariant()
    def a_slow_client_is_told_of_once(self) -> None:
        if self.current.waiting() < LIMIT // 4:
            self.slow_since_low = self.client.told.slow
        assert self.client.told.slow <= self.slow_since_low + 1


def test_a_session_holds_whatever_happens_to_it() -> None:
    run_state_machine_as_test(
        SessionMachine, settings=settings(deterministic, max_examples=150, stateful_step_count=40)
    )
