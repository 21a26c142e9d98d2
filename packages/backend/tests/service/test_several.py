"""Whatever is late or lost between servers, and whenever rooms are taken up and left: in the end everybody sees the log."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings, strategies as st
from tests.profiles import deterministic
from tests.service.several import LATE, SOON, Several, several
from tests.service.views import Page
from tests.service.world import Client

from rejoinder.protocol import catalogue
from rejoinder.protocol.events import RoomAck

ROOMS = ("one", "two")
PEOPLE = 6
HEALED_SECONDS = 5.0
"""As is promised, from when nothing is broken any more."""
STEPS = 40


Two = tuple[Several, Client, Client]


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    """Two servers, and somebody on each."""
    async with several(tmp_path, 2, seed=1) as servers:
        one, other = servers.worlds
        yield (
            servers,
            await servers.over(one.let_in("ann")),
            await servers.over(other.let_in("ben")),
        )


async def sees_each_other(servers: Several, *people: Client) -> None:
    """What one of them writes comes to the others, and is not only found after the next."""
    for person in people:
        ack = await servers.over(person.send(f"{person.user_id} writes"))
        await servers.advance(HEALED_SECONDS)
        for other in people:
            assert other.heard(catalogue.MESSAGE_NEW)[-1].id == ack.message_id, other.user_id


async def takes_up(servers: Several, at: int, person: Client) -> "asyncio.Task[RoomAck]":
    """Somebody enters, and their server has said that it takes the room up, and reads the log, which takes long."""
    entering = asyncio.ensure_future(person.join())
    while not servers.air.taken_up(at, "room"):
        await servers.air.clock.advance(0.001)
    servers.stores[at].delays = (1.0,)
    return entering


async def goes_on(servers: Several, at: int, entering: "asyncio.Task[RoomAck]") -> None:
    """It still does, and comes to its end."""
    assert not entering.done()
    servers.stores[at].delays = SOON
    await servers.over(asyncio.wait_for(entering, 60))


async def test_two_that_take_a_room_up_at_the_same_time_hear_each_other(two: Two) -> None:
    """The later one speaks to the earlier one while that still reads the log."""
    servers, ann, ben = two
    entering = await takes_up(servers, 0, ann)
    await servers.over(ben.join())
    await goes_on(servers, 0, entering)
    await sees_each_other(servers, ann, ben)


async def test_who_takes_a_room_up_while_all_is_told_again_hears_the_others(two: Two) -> None:
    """While the log was read, the bus was away and came back."""
    servers, ann, ben = two
    await servers.over(ben.join())
    (cluster, _) = servers.air.servers.values()
    cluster.cut_off()
    entering = await takes_up(servers, 0, ann)
    cluster.heal()
    await servers.advance(0.25)
    assert cluster.healthy
    await goes_on(servers, 0, entering)
    await sees_each_other(servers, ben, ann)


@pytest.mark.parametrize("seconds", [1.0, 8.0], ids=["for a moment", "so long that it seems gone"])
async def test_what_was_written_where_a_room_was_taken_up_without_the_bus_is_seen(
    two: Two, seconds: float
) -> None:
    servers, ann, ben = two
    await servers.over(ben.join())
    (cluster, _) = servers.air.servers.values()
    cluster.cut_off()
    await servers.over(ann.join())
    ack = await servers.over(ann.send("out of reach"))
    await servers.advance(seconds)
    assert not cluster.healthy
    if seconds < HEALED_SECONDS:
        cluster.heal()
        await servers.advance(HEALED_SECONDS)
    assert [row.id for row in ben.heard(catalogue.MESSAGE_NEW)] == [ack.message_id]


async def test_that_a_room_is_here_is_said_until_it_is_heard(two: Two) -> None:
    servers, ann, ben = two
    await servers.over(ann.join())
    servers.air.loses = 1.0
    await servers.over(ben.join())
    await servers.advance(1.5)
    servers.air.loses = 0.0
    await servers.advance(2.5)
    await sees_each_other(servers, ann, ben)


class Crowd:
    """People on several servers, who come, write and go by chance."""

    def __init__(self, servers: Several, chance: Random) -> None:
        self._servers = servers
        self._chance = chance
        self._pages = [Page(f"user {number}", ROOMS) for number in range(PEOPLE)]
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._written = 0
        self._failures: list[BaseException | None] = []

    async def come(self) -> None:
        for number, page in enumerate(self._pages):
            world = self._servers.worlds[number % len(self._servers.worlds)]
            page.connected(await self._servers.over(world.let_in(page.user_id)))

    def act(self) -> None:
        """Have somebody do something, whatever the others are at."""
        page = self._chance.choice(self._pages)
        if page.user_id not in self._busy:
            deed = self._chance.choice((self._enter, self._write, self._leave))
            task = asyncio.ensure_future(deed(page, self._chance.choice(ROOMS)))
            self._busy[page.user_id] = task
            task.add_done_callback(lambda done: self._done(page, done))

    def _done(self, page: Page, task: "asyncio.Task[None]") -> None:
        del self._busy[page.user_id]
        if not task.cancelled():
            self._failures.append(task.exception())

    async def _enter(self, page: Page, room_id: str) -> None:
        await page.enter(room_id, with_position=True, event="room:rejoin")

    async def _write(self, page: Page, room_id: str) -> None:
        assert page.client is not None
        if page.views[room_id].inside:
            self._written += 1
            message = {"roomId": room_id, "content": f"{self._written}"}
            await page.client.call("message:send", message)

    async def _leave(self, page: Page, room_id: str) -> None:
        if page.views[room_id].inside:
            await page.leave(room_id)

    async def rest(self) -> None:
        """Let all that was begun come to its end."""
        if self._busy:
            await self._servers.over(asyncio.wait(self._busy.values()))

    async def write_last(self) -> None:
        """Somebody writes in each room, and nothing comes after it that could tell of it."""
        for room_id in ROOMS:
            inside = [page for page in self._pages if page.views[room_id].inside]
            if inside:
                await self._servers.over(self._write(self._chance.choice(inside), room_id))

    async def check(self) -> None:
        assert not any(self._failures), self._failures
        for room_id in ROOMS:
            last = await self._servers.over(self._servers.stores[0].last_seq(room_id))
            for page in self._pages:
                page.listen()
                view = page.views[room_id]
                if view.inside:
                    assert view.last == last, f"{page.user_id} in {room_id}"


def disturb(servers: Several, chance: Random) -> None:
    """Have something be late, lost or cut off from now on, or not any more."""
    match chance.randrange(8):
        case 0:
            chance.choice(servers.stores).delays = chance.choice((SOON, LATE))
        case 1:
            servers.air.delays = chance.choice((SOON, LATE))
        case 2:
            servers.air.loses = chance.choice((0.0, 0.0, 0.1, 0.5))
        case 3:
            chance.choice(tuple(servers.air.servers.values())).cut_off()
        case 4:
            chance.choice(servers.stores).faults["append"] = chance.choice(
                ("refuse", "refuse after it")
            )
        case 5:
            chance.choice(servers.stores).release()
        case _:
            chance.choice(tuple(servers.air.servers.values())).heal()


async def play(seed: int, count: int, folder: Path) -> None:
    chance = Random(seed)
    async with several(folder, count, seed) as servers:
        crowd = Crowd(servers, chance)
        await crowd.come()
        for _ in range(STEPS):
            disturb(servers, chance)
            for _ in range(chance.randrange(6)):
                crowd.act()
            await servers.advance(chance.choice((0.0, 0.05, 0.25, 0.5, 4.0)))
        servers.heal()
        await crowd.rest()
        await servers.advance(HEALED_SECONDS)
        await crowd.check()
        await crowd.write_last()
        await servers.advance(HEALED_SECONDS)
        await crowd.check()


@pytest.mark.timeout(300)
@settings(deterministic, max_examples=60)
@given(seed=st.integers(0, 2**32), count=st.sampled_from((2, 3)))
def test_in_the_end_everybody_sees_the_log(seed: int, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(seed, count, Path(folder)))
