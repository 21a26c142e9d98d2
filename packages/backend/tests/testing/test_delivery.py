"""What was sent is recorded, for each connection in order."""

import pytest

from rejoinder.protocol import catalogue, events
from rejoinder.service.delivery import Delivery
from rejoinder.testing import Closed, RecordingDelivery, Sent

ANN_TYPES = events.UserTyping(room_id="room", user_id="ann")
ANN_AWAY = events.PresenceChanged(
    user_id="ann", status="away", last_seen="2026-01-01T00:00:00.000Z"
)


def test_is_a_delivery() -> None:
    delivery: Delivery = RecordingDelivery()
    delivery.send((), catalogue.USER_TYPING, ANN_TYPES)


def test_records_each_connection_in_order() -> None:
    delivery = RecordingDelivery()
    delivery.send(("a", "b"), catalogue.USER_TYPING, ANN_TYPES)
    delivery.send((name for name in ("a",)), catalogue.PRESENCE_CHANGED, ANN_AWAY)
    delivery.close("a")
    delivery.send(("a", "b"), catalogue.USER_STOPPED_TYPING, ANN_TYPES)
    assert delivery.entries("a") == (
        Sent("typing:start", ANN_TYPES),
        Sent("presence:changed", ANN_AWAY),
        Closed(),
        Sent("typing:stop", ANN_TYPES),
    )
    assert delivery.names("b") == ["typing:start", "typing:stop"]
    assert (delivery.closed("a"), delivery.closed("b"), delivery.closed("c")) == (
        True,
        False,
        False,
    )


def test_gives_the_payloads_of_one_event() -> None:
    delivery = RecordingDelivery()
    delivery.send(("a",), catalogue.USER_TYPING, ANN_TYPES)
    delivery.send(("a",), catalogue.PRESENCE_CHANGED, ANN_AWAY)
    assert delivery.payloads("a", catalogue.PRESENCE_CHANGED) == [ANN_AWAY]
    assert delivery.payloads("b", catalogue.PRESENCE_CHANGED) == []


def test_forgets_one_connection_or_all() -> None:
    delivery = RecordingDelivery()
    delivery.send(("a", "b", "c"), catalogue.USER_TYPING, ANN_TYPES)
    delivery.clear("a")
    assert [len(delivery.entries(name)) for name in "abc"] == [0, 1, 1]
    delivery.clear()
    assert [len(delivery.entries(name)) for name in "abc"] == [0, 0, 0]


def test_refuses_a_payload_of_another_event() -> None:
    with pytest.raises(TypeError, match="typing:start takes UserTyping, not PresenceChanged"):
        RecordingDelivery().send(("a",), catalogue.USER_TYPING, ANN_AWAY)
