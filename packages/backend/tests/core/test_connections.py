"""A newer connection wins, as the policy says."""

import pytest

from rejoinder.core.connections import Connection, ConnectionPolicy, Connections
from rejoinder.core.users import User


def connection(connection_id: str, user_id: str = "ann", device_id: str = "") -> Connection:
    return Connection(connection_id, User(user_id), 0, 0, device_id=device_id)


@pytest.mark.parametrize(
    ("policy", "device", "replaced"),
    [
        ("single", "phone", ["1", "2"]),
        ("single", "other", ["1", "2"]),
        ("per-device", "phone", ["1"]),
        ("per-device", "other", []),
        ("multi", "phone", []),
    ],
)
def test_replaces_what_the_policy_says(
    policy: ConnectionPolicy, device: str, replaced: list[str]
) -> None:
    connections = Connections("multi")
    connections.add(connection("1", device_id="phone"))
    connections.add(connection("2", device_id="laptop"))
    connections.add(connection("3", "ben", "phone"))
    connections._policy = policy
    older = connections.add(connection("4", device_id=device))
    assert [each.id for each in older] == replaced
    for each in replaced:
        assert connections.get(each) is None
    assert connections.get("3") is not None
    assert [each.id for each in connections.of_user("ann")] == [
        each for each in ("1", "2", "4") if each not in replaced
    ]
    assert len(connections) == 4 - len(replaced)


def test_single_is_the_default() -> None:
    connections = Connections()
    connections.add(connection("1"))
    assert [older.id for older in connections.add(connection("2"))] == ["1"]


def test_a_removed_connection_is_gone_once() -> None:
    connections = Connections()
    first = connection("1")
    connections.add(first)
    assert connections.remove("1") is first
    assert connections.remove("1") is None
    assert connections.of_user("ann") == ()
    assert list(connections) == []


def test_may_change_while_one_goes_through_it() -> None:
    connections = Connections("multi")
    for number in range(3):
        connections.add(connection(str(number)))
    for each in connections:
        connections.remove(each.id)
    assert len(connections) == 0


def test_the_place_is_the_room_entered_last() -> None:
    ann = connection("1")
    places: list[object] = [ann.place]
    ann.remembered = ("before", "echo")
    places.append(ann.place)
    ann.rooms["first"] = None
    ann.rooms["second"] = "echo"
    places.append(ann.place)
    del ann.rooms["second"]
    places.append(ann.place)
    assert places == [None, ("before", "echo"), ("second", "echo"), ("first", None)]
