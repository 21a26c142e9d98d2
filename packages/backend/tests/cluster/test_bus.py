"""The numbers of the batches: every loss is seen, also that of the last one."""

import msgspec

from rejoinder.cluster.redis.bus import BATCH_BYTES, WAITING_BYTES, Batch, Inbox, Outbox

DECODER = msgspec.json.Decoder(Batch)


def batches(outbox: Outbox) -> list[Batch]:
    return [DECODER.decode(raw) for server, raw in outbox.take() if server == "b"]


def beat(outbox: Outbox) -> Batch:
    return DECODER.decode(dict(outbox.beats())["b"])


def test_what_is_said_between_two_takes_is_one_batch_for_each() -> None:
    outbox = Outbox("a")
    outbox.put(("b", "c"), b"1")
    outbox.put(("b",), b'{"x":2}')
    taken = dict(outbox.take())
    assert {server: DECODER.decode(raw).items for server, raw in taken.items()} == {
        "b": [msgspec.Raw(b"1"), msgspec.Raw(b'{"x":2}')],
        "c": [msgspec.Raw(b"1")],
    }
    assert outbox.take() == []


def test_a_loss_is_seen_with_the_next_batch_or_beat() -> None:
    outbox, inbox = Outbox("a"), Inbox()
    outbox.put(("b",), b"1")
    (first,) = batches(outbox)
    assert inbox.take(first) == (True, False)
    assert inbox.take(beat(outbox)) == (False, False)
    outbox.put(("b",), b"2")
    batches(outbox)
    assert inbox.take(beat(outbox)) == (True, True), "the last one was lost"
    assert inbox.take(beat(outbox)) == (False, False), "it is told once"
    outbox.put(("b",), b"3")
    batches(outbox)
    outbox.put(("b",), b"4")
    assert inbox.take(batches(outbox)[0]) == (True, True)


def test_the_first_of_all_may_be_lost_too() -> None:
    outbox, inbox = Outbox("a"), Inbox()
    outbox.put(("b",), b"1")
    batches(outbox)
    assert inbox.take(beat(outbox))[1]


def test_what_can_not_be_said_counts_as_lost() -> None:
    outbox, inbox = Outbox("a"), Inbox()
    outbox.put(("b",), b"1")
    outbox.lose()
    assert batches(outbox) == []
    assert inbox.take(beat(outbox))[1]


def test_a_batch_that_comes_twice_is_taken_once() -> None:
    outbox, inbox = Outbox("a"), Inbox()
    outbox.put(("b",), b"1")
    (batch,) = batches(outbox)
    assert inbox.take(batch) == (True, False)
    assert inbox.take(batch) == (False, False)


def test_large_batches_are_parted() -> None:
    outbox, inbox = Outbox("a"), Inbox()
    large = b'"' + b"x" * (BATCH_BYTES // 2) + b'"'
    for _ in range(5):
        outbox.put(("b",), large)
    parts = batches(outbox)
    assert [len(part.items) for part in parts] == [2, 2, 1]
    assert all(inbox.take(part) == (True, False) for part in parts)


def test_only_so_much_waits() -> None:
    outbox, inbox = Outbox("a"), Inbox()
    large = b'"' + b"x" * BATCH_BYTES + b'"'
    for _ in range(WAITING_BYTES // BATCH_BYTES):
        outbox.put(("b",), large)
    (last,) = batches(outbox)
    assert len(last.items) == 1, "the others are lost"
    assert inbox.take(last) == (True, True), "and that is seen"


def test_a_server_that_was_taken_for_gone_is_numbered_on() -> None:
    """It may have been cut off, and not have forgotten what it had heard."""
    outbox, inbox = Outbox("a"), Inbox()
    outbox.put(("b",), b"1")
    assert inbox.take(batches(outbox)[0]) == (True, False)
    outbox.forget("b")
    assert list(dict(outbox.beats())) == ["a"], "it is not spoken to any more"
    outbox.put(("b",), b"2")
    assert inbox.take(batches(outbox)[0]) == (True, False)
    inbox.forget("a")
    outbox.put(("b",), b"3")
    assert inbox.take(batches(outbox)[0]) == (True, True), "who has forgotten takes it for a loss"
