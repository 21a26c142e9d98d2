"""What is wrong in a log made by hand is found, each in its column, and nothing is found where all is well."""

from collections.abc import Sequence

import pytest
from chaos.check import Findings, check
from chaos.record import (
    Acked,
    Asked,
    Closed,
    Confirmed,
    Entered,
    Fault,
    Generated,
    Heard,
    Left,
    Message,
    Online,
    Opened,
    Paged,
    Payload,
    Record,
    Replied,
    Sent,
    Shown,
    Snapshot,
    Stored,
    Stream,
    Unfinished,
)
from chaos.violations import COLUMNS, Column

from chaos import script

ROOM = "room"
QUESTION = script.order("q", 3, 0)
ANSWER = script.answer(QUESTION).text


class Log:
    """A log by hand: each record a tenth of a second after the one before."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    @property
    def t(self) -> float:
        return (len(self.records) + 1) / 10

    def add(self, *records: Record) -> "Log":
        self.records += records
        return self

    def sends(self, message_id: str, content: str = "", *, asks: bool = False) -> "Log":
        return self.add(Sent(self.t, "ann", 1, ROOM, message_id, content or message_id, asks))

    def acked(self, message_id: str, seq: int, *, duplicate: bool = False) -> "Log":
        return self.add(
            Acked(self.t, "ann", 1, ROOM, message_id, ok=True, seq=seq, duplicate=duplicate)
        )

    def refused(self, message_id: str, code: str) -> "Log":
        return self.add(Acked(self.t, "ann", 1, ROOM, message_id, ok=False, code=code))

    def enters(
        self,
        *messages: Message,
        last: int,
        position: str = "",
        has_more: bool = False,
        streams: Sequence[Stream] = (),
    ) -> "Log":
        snapshot = Snapshot(list(messages), bool(position), has_more, last, list(streams))
        return self.add(Entered(self.t, "bob", 1, ROOM, snapshot, position))

    def new(self, message_id: str, seq: int, content: str = "") -> "Log":
        payload = Payload(
            room_id=ROOM, id=message_id, seq=seq, content=content or message_id, state="complete"
        )
        return self.add(Heard(self.t, "bob", 1, "message:new", payload))

    def starts(self, message_id: str, seq: int) -> "Log":
        payload = Payload(room_id=ROOM, message_id=message_id, seq=seq, reply_to="q")
        return self.add(Heard(self.t, "bob", 1, "message:stream:start", payload))

    def chunk(self, message_id: str, index: int, offset: int, delta: str) -> "Log":
        payload = Payload(
            room_id=ROOM, message_id=message_id, index=index, offset=offset, delta=delta
        )
        return self.add(Heard(self.t, "bob", 1, "message:stream:chunk", payload))

    def ends(self, message_id: str, content: str, state: str = "complete") -> "Log":
        payload = Payload(room_id=ROOM, message_id=message_id, content=content, state=state)
        return self.add(Heard(self.t, "bob", 1, "message:stream:end", payload))

    def shows(self, *rows: Message, final: bool = True) -> "Log":
        return self.add(Shown(self.t, "bob", ROOM, list(rows), final))


def said(message_id: str, seq: int, content: str = "") -> Stored:
    return Stored(ROOM, seq, message_id, "user", "ann", content or message_id, "complete")


def told(message_id: str, seq: int, content: str = ANSWER, state: str = "complete") -> Stored:
    return Stored(ROOM, seq, message_id, "character", script.CHARACTER, content, state, "q")


def row(message_id: str, seq: int, content: str = "", state: str = "complete") -> Message:
    return Message(message_id, seq, content=content or message_id, state=state)


def wrong(findings: Findings) -> dict[Column, int]:
    return {column: count for column, count in findings.counts.items() if count}


def two() -> Log:
    """Two messages are sent and acknowledged."""
    return Log().sends("a").acked("a", 1).sends("b").acked("b", 2)


def asked() -> Log:
    """A question is sent, and the character is asked."""
    return Log().sends("q", QUESTION, asks=True).acked("q", 1).add(Generated(0.25, "q"))


def watched() -> Log:
    """The same, with somebody in the room, up to the end of the first two chunks."""
    head = asked().enters(row("q", 1, QUESTION), last=1).starts("x", 2)
    return head.chunk("x", 0, 0, ANSWER[:5]).chunk("x", 1, 5, ANSWER[5:])


TWO = (said("a", 1), said("b", 2))
ASKED = (said("q", 1, QUESTION), told("x", 2))


def killed(at: float, until: float, *meanwhile: Record) -> Log:
    """A server is killed while it writes an answer, which the database knows as unfinished until then."""
    kill = (Fault(at, "server killed"), Fault(at + 0.3, "server killed", ended=True))
    log = asked().add(Unfinished(at - 0.4, {"x": 7}), *kill, *meanwhile)
    seen = [at + number / 2 for number in range(1, round((until - at) * 2) + 1)]
    log.add(*(Unfinished(t, {"x": 7}) for t in seen), Unfinished(until + 0.5, {}))
    log.records.sort(key=lambda record: record.t)
    return log


def test_nothing_is_wrong_where_all_is_well() -> None:
    log = watched().ends("x", ANSWER).sends("c").acked("c", 3).new("c", 3)
    log.sends("c").acked("c", 3, duplicate=True)
    log.shows(row("q", 1, QUESTION), row("x", 2, ANSWER), row("c", 3))
    findings = check(log.records, (*ASKED, said("c", 3)))
    assert findings.clean
    assert findings.examples == []
    assert findings.figures["messages"] == 2
    assert findings.figures["sends"] == 3
    assert findings.figures["acks"] == 3
    assert findings.figures["acks of duplicates"] == 1
    assert findings.figures["generations"] == 1


def test_a_catch_up_over_pages_is_no_hole_and_no_repeat() -> None:
    log = two().enters(row("a", 1), last=2, has_more=False, position="")
    assert wrong(check(log.records, TWO)) == {"hole": 1}
    log = two().enters(last=0).new("a", 1).add(Closed(9, "bob", 1), Opened(9, "bob", "bob", 2))
    log.enters(row("b", 2), last=3, position="a", has_more=True)
    log.add(Paged(9, "bob", 2, ROOM, [row("c", 3)], has_more=False, after="b")).new("d", 4)
    log.sends("c").acked("c", 3).sends("d").acked("d", 4)
    log.shows(*(row(name, seq) for seq, name in enumerate("abcd", 1)))
    assert check(log.records, (*TWO, said("c", 3), said("d", 4))).clean


def test_an_answer_may_be_followed_from_the_middle() -> None:
    stream = Stream("x", 2, ANSWER[:5], 1)
    log = asked().enters(
        row("q", 1, QUESTION), row("x", 2, "", "streaming"), last=2, streams=[stream]
    )
    log.chunk("x", 1, 5, ANSWER[5:]).ends("x", ANSWER)
    assert check(log.records, ASKED).clean


def test_a_resync_that_was_told_is_no_hole() -> None:
    log = two().enters(last=0).new("b", 2)
    assert wrong(check(log.records, TWO)) == {"hole": 1}
    resync = Heard(9, "bob", 1, "room:resync", Payload(room_id=ROOM))
    log = two().enters(last=0).new("b", 2).add(resync).new("a", 1)
    assert check(log.records, TWO).clean


def test_chunks_that_a_slow_viewer_was_not_sent_are_no_fault_if_it_is_told_so() -> None:
    log = asked().enters(row("q", 1, QUESTION), last=1).starts("x", 2)
    log.chunk("x", 0, 0, ANSWER[:5]).ends("x", ANSWER)
    assert wrong(check(log.records, ASKED)) == {"text": 1}
    log.add(Heard(9, "bob", 1, "room:resync", Payload(room_id=ROOM)))
    assert check(log.records, ASKED).clean


def test_what_is_stored_of_an_answer_that_was_broken_off_is_a_beginning() -> None:
    stored = (said("q", 1, QUESTION), told("x", 2, ANSWER[:7], "interrupted"))
    assert check(asked().records, stored).clean
    for state in ("complete", "interrupted", "stopped"):
        stored = (said("q", 1, QUESTION), told("x", 2, f"{ANSWER[:7]}!", state))
        assert wrong(check(asked().records, stored)) == {"text": 1}


def test_no_kill_explains_that_a_question_has_no_answer() -> None:
    question = asked().records[:2]
    killed = check([*question, Fault(1, "server killed")], ASKED[:1])
    assert wrong(killed) == {"no answer": 1}
    settled = (ASKED[0], told("x", 2, "", "interrupted"))
    assert check([*question, Fault(1, "server killed")], settled).clean


def test_another_answer_that_was_acknowledged_is_there() -> None:
    again = Asked(1, "ann", 1, "message:regenerate", ROOM, "x")
    told_of = Replied(1.1, "ann", 1, "message:regenerate", ROOM, "x", ok=True, made="y")
    log = asked().add(again, told_of)
    assert wrong(check(log.records, ASKED)) == {"no answer": 1}
    assert check(log.records, (*ASKED, told("y", 3, "", "interrupted"))).clean


CASES: dict[str, tuple[Column, Log, Sequence[Stored]]] = {
    "an acked row is gone": ("missing", two(), TWO[:1]),
    "a confirmed row is gone": (
        "missing",
        Log().sends("a").add(Confirmed(1, "ann", ROOM, "a")),
        (),
    ),
    "a row that was shown is gone": ("missing", two().enters(last=2).new("z", 3), TWO),
    "an answer to nothing": ("missing", two(), (*TWO, told("x", 3))),
    "the same text twice": (
        "doubled",
        two().sends("c", "a").acked("c", 3),
        (*TWO, said("c", 3, "a")),
    ),
    "a row that nobody sent": ("doubled", two(), (*TWO, said("c", 3))),
    "two places": ("doubled", two().acked("b", 1), TWO),
    "new twice": ("doubled", two().enters(row("a", 1), last=1).new("b", 2).new("b", 2), TWO),
    "new after a snapshot": (
        "doubled",
        two().enters(row("a", 1), row("b", 2), last=2).new("b", 2),
        TWO,
    ),
    "two texts for an id": (
        "doubled",
        two().add(Replied(1, "ann", 1, "conflict", ROOM, "a", ok=True)),
        TWO,
    ),
    "shown twice": ("doubled", two().shows(row("a", 1), row("a", 1), row("b", 2)), TWO),
    "events swapped": ("order", two().enters(last=0).new("b", 2).new("a", 1), TWO),
    "acked before and stored after": (
        "order",
        Log().sends("a").acked("a", 2).sends("b").acked("b", 1),
        (said("b", 1), said("a", 2)),
    ),
    "sent in a row and stored otherwise": (
        "order",
        Log().sends("a").sends("b").acked("b", 1).acked("a", 2),
        (said("b", 1), said("a", 2)),
    ),
    "acked as another": ("order", Log().sends("a").acked("a", 2), (said("a", 1),)),
    "shown in another place": ("order", two().shows(row("b", 1), row("a", 2)), TWO),
    "an event is missing": (
        "hole",
        two().enters(last=0).new("b", 2).add(Left(9, "bob", 1, ROOM)),
        TWO,
    ),
    "an event is missing to the end": ("hole", two().enters(last=0).new("b", 2), TWO),
    "a snapshot with a hole": (
        "hole",
        two().enters(row("a", 1), row("c", 3), last=3).sends("c").acked("c", 3),
        (*TWO, said("c", 3)),
    ),
    "a part that looks whole": ("hole", two().enters(row("b", 2), last=2), TWO),
    "a catch-up that leaves out": (
        "hole",
        two().enters(last=0).new("a", 1).enters(last=2, position="a"),
        TWO,
    ),
    "a page with a hole": (
        "hole",
        two()
        .add(Paged(9, "bob", 1, ROOM, [row("a", 1), row("c", 3)], has_more=False))
        .sends("c")
        .acked("c", 3),
        (*TWO, said("c", 3)),
    ),
    "the end is not shown": ("hole", two().shows(row("a", 1)), TWO),
    "nothing is shown": ("hole", two().shows(), TWO),
    "the log has a hole": ("hole", Log().sends("a").acked("a", 2), (said("a", 2),)),
    "stored otherwise than sent": (
        "text",
        Log().sends("a", "one").acked("a", 1),
        (said("a", 1, "two"),),
    ),
    "told otherwise than stored": ("text", two().enters(last=2).new("a", 1, "other"), TWO),
    "a chunk is missing": (
        "text",
        asked()
        .enters(row("q", 1, QUESTION), last=1)
        .starts("x", 2)
        .chunk("x", 1, 5, ANSWER[5:])
        .ends("x", ANSWER),
        ASKED,
    ),
    "a chunk is another": (
        "text",
        asked()
        .enters(row("q", 1, QUESTION), last=1)
        .starts("x", 2)
        .chunk("x", 0, 0, "other")
        .ends("x", ANSWER),
        ASKED,
    ),
    "shown otherwise than stored": ("text", two().shows(row("a", 1, "other"), row("b", 2)), TWO),
    "an answer that was not given": ("text", asked(), (ASKED[0], told("x", 2, "other"))),
    "an end is missing": ("no end", watched(), ASKED),
    "shown as running": (
        "no end",
        asked().shows(row("q", 1, QUESTION), row("x", 2, ANSWER, "streaming")),
        ASKED,
    ),
    "two ends": ("two ends", watched().ends("x", ANSWER).ends("x", ANSWER), ASKED),
    "an end after the snapshot": (
        "two ends",
        asked().enters(row("q", 1, QUESTION), row("x", 2, ANSWER), last=2).ends("x", ANSWER),
        ASKED,
    ),
    "not ended after a kill": ("late end", killed(0.0, 17.0), ASKED),
    "not ended after a kill, when all is in order": (
        "late end",
        killed(0.0, 29.0, Fault(1, "mongod hung"), Fault(12, "mongod hung", ended=True)),
        ASKED,
    ),
    "left streaming": ("streaming", asked(), (ASKED[0], told("x", 2, ANSWER, "streaming"))),
    "two answers": ("generations", asked().add(Generated(1, "q")), (*ASKED, told("y", 3))),
    "asked twice": ("generations", asked().add(Generated(1, "q")), ASKED),
    "an answer to a remark": ("generations", Log().sends("q", QUESTION).acked("q", 1), ASKED),
    "no answer to a question": (
        "no answer",
        Log().sends("q", QUESTION, asks=True).acked("q", 1),
        ASKED[:1],
    ),
    "no answer to a send": ("unanswered", Log().sends("a").refused("a", "unavailable"), ()),
    "stored without an ack": ("unanswered", Log().sends("a"), (said("a", 1),)),
    "refused and stored": ("refused", Log().sends("a").refused("a", "too_large"), (said("a", 1),)),
    "two connections": (
        "connections",
        Log().add(*(Online(t, {"ann": ["1", "2"]}) for t in (1.0, 2.0, 3.5))),
        (),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_found(case: str) -> None:
    column, log, stored = CASES[case]
    findings = check(log.records, stored)
    assert findings.counts[column] > 0, findings.examples
    assert any(violation.column == column for violation in findings.examples)
    assert not findings.clean


def test_every_column_has_a_case() -> None:
    assert {column for column, _, _ in CASES.values()} == set(COLUMNS)


def test_what_a_server_left_has_its_time_to_end() -> None:
    findings = check(killed(0.0, 12.0).records, ASKED)
    assert findings.clean
    assert findings.slowest_left == pytest.approx(12.2)
    hung = (Fault(1, "mongod hung"), Fault(12, "mongod hung", ended=True))
    assert check(killed(0.0, 26.0, *hung).records, ASKED).clean
    again = (Fault(10, "server killed"), Fault(11, "server killed", ended=True))
    assert check(killed(0.0, 25.0, *again).records, ASKED).clean
    wrong_clock = (Fault(-3, "clock jumped"), Fault(-2, "clock jumped", ended=True))
    assert check(killed(0.0, 25.0, *wrong_clock).records, ASKED).clean
    sent_again = killed(0.0, 25.0, Unfinished(3.2, {"x": 9}))
    assert check(sent_again.records, ASKED).clean


def test_what_is_allowed_is_not_found() -> None:
    again = asked().add(Asked(1, "ann", 1, "message:regenerate", ROOM, "x"), Generated(1, "q"))
    assert check(again.records, (*ASKED, told("y", 3))).clean
    takes_over = Log().add(*(Online(t, {"ann": [str(t), "x"]}) for t in (1.0, 2.0, 3.5)))
    assert check(takes_over.records, ()).clean
    refused = Log().sends("a").refused("a", "too_large")
    assert check(refused.records, ()).clean


def test_the_time_to_recover_is_from_the_end_of_a_fault_to_the_next_new_ack() -> None:
    log = Log().sends("a").add(Fault(0.5, "server killed"), Fault(1, "server killed", ended=True))
    log.add(Acked(3.5, "ann", 1, ROOM, "a", ok=True, seq=1))
    findings = check(log.records, TWO[:1])
    assert findings.slowest_recovery == pytest.approx(2.5)
    assert findings.slowest_ack == pytest.approx(3.4)
    assert findings.faults == {"server killed": 1}
