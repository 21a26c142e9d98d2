"""News of very many at once: nobody waits for all of it, and it is told as it is by then."""

from dataclasses import replace

import msgspec
import pytest
from structlog.testing import capture_logs
from tests.service.world import Client, World

from rejoinder.core.others import Somebody
from rejoinder.protocol import catalogue
from rejoinder.service import items, telling
from rejoinder.service.tasks import Tasks
from rejoinder.service.telling import AT_ONCE, PAUSE_SECONDS, Telling
from rejoinder.testing import FakeClock

ANN = Somebody("ann", "Ann", "online")
OTHER = "other"
CROWD = 12
PORTION = 60
"""In these tests: what tells so many takes a portion."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "AT_ONCE", PORTION)


def says(world: World, item: items.Item) -> None:
    world.cluster.peers.heard(OTHER, msgspec.json.encode(item))


async def test_portions_follow_each_other_in_order() -> None:
    clock = FakeClock()
    tasks = Tasks()
    waiting = Telling(clock, tasks)
    told: list[int] = []

    def news(number: int) -> int:
        told.append(number)
        return AT_ONCE // 2

    for number in (1, 2, 3, 4, 5):
        waiting.tell(number, lambda number=number: news(number))  # type: ignore[misc]
    assert (told, len(waiting)) == ([1, 2], 3)
    waiting.tell(4, lambda: news(44))
    await clock.advance(PAUSE_SECONDS)
    assert (told, len(waiting)) == ([1, 2, 3, 44], 1)
    waiting.tell(6, lambda: news(6))
    await clock.advance(PAUSE_SECONDS)
    assert (told, len(waiting)) == ([1, 2, 3, 44, 5, 6], 0)
    await clock.advance(2 * PAUSE_SECONDS)
    waiting.tell(7, lambda: news(7))
    assert told[-1] == 7, "after a pause it is told at once"
    await tasks.close()


async def test_what_fails_keeps_nothing_else_from_being_told() -> None:
    clock, tasks, told = FakeClock(), Tasks(), list[str]()
    waiting = Telling(clock, tasks)

    def last() -> int:
        told.append("last")
        return 1

    waiting.tell("first", lambda: AT_ONCE)
    waiting.tell("broken", lambda: 1 // 0)
    waiting.tell("last", last)
    with capture_logs() as logs:
        await clock.advance(PAUSE_SECONDS)
    assert told == ["last"]
    assert [line["log_level"] for line in logs] == ["error"]
    await tasks.close()


async def crowd(world: World) -> tuple[list[Client], list[Somebody]]:
    """People here, and as many of another server, in one room."""
    clients = await world.in_room(*(f"user {number}" for number in range(CROWD)))
    others = [replace(ANN, user_id=f"other {number}") for number in range(CROWD)]
    says(world, items.Here("room", others, answer=False))
    await world.advance(5)
    world.delivery.clear()
    return clients, others


@pytest.mark.usefixtures("small")
async def test_a_server_that_dies_with_a_crowd_holds_up_nothing(world: World) -> None:
    clients, others = await crowd(world)
    world.cluster.peers.gone(OTHER, ended=False)
    heard = [each.user_id for each in clients[0].heard(catalogue.PRESENCE_CHANGED)]
    assert len(heard) == PORTION / CROWD
    # Somebody comes back before it was told that they are gone.
    says(world, items.Entered("room", others[-1], "rejoin"))
    await world.advance(2)
    for client in clients:
        shown = client.heard(catalogue.PRESENCE_CHANGED)
        offline = [each.user_id for each in shown if each.status == "offline"]
        assert sorted(offline) == sorted(each.user_id for each in others[:-1])
        assert [each.status for each in shown if each.user_id == others[-1].user_id] == ["online"]
    world.delivery.clear()
    await world.advance(world.service._context.limits.session_timeout)
    for client in clients:
        left = [each.user_id for each in client.heard(catalogue.USER_LEFT)]
        assert sorted(left) == sorted(each.user_id for each in others[:-1])


@pytest.mark.usefixtures("small")
async def test_a_crowd_that_is_cut_off_here_is_told_of_in_portions(world: World) -> None:
    clients, _ = await crowd(world)
    (eve,) = await world.in_room("eve")
    for client in clients[1:]:
        client.drop()
    world.delivery.clear()
    limits = world.service._context.limits
    await world.advance(limits.presence_grace + 2)
    gone = [client.user_id for client in clients[1:]]
    offline = [each.user_id for each in eve.heard(catalogue.PRESENCE_CHANGED)]
    assert sorted(offline) == sorted(gone)
    await world.advance(limits.session_timeout)
    for client in (clients[0], eve):
        left = [each.user_id for each in client.heard(catalogue.USER_LEFT)]
        assert sorted(left) == sorted(gone)
