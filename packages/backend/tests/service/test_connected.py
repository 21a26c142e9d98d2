"""Who is connected on all servers: gathered in parts, in bounded steps, and told of where it is not whole."""

import asyncio
from collections.abc import Collection, Iterable
from contextlib import suppress

import msgspec
import pytest
from tests.service.world import Cluster, World

from rejoinder.core.connections import Connection
from rejoinder.core.users import User
from rejoinder.errors import NotFound, Unavailable
from rejoinder.protocol.rest import ListedConnection
from rejoinder.service import items
from rejoinder.service.connected import ASK_SECONDS, PART, STEP, Listing, Wanted

DECODER = msgspec.json.Decoder(items.AnyItem)
MANY = 10_000


class Others:
    """Other servers, each with connections of its own, or silent."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.of: dict[str, list[str] | None] = {}
        self.reached = True
        self.said: list[items.AnyItem] = []
        self.asked: list[tuple[str, items.WhoIsHere]] = []
        cluster = world.cluster
        monkeypatch.setattr(Cluster, "alone", property(lambda _: False))
        monkeypatch.setattr(cluster, "servers", self.servers)
        monkeypatch.setattr(cluster, "send", self.send)

    async def servers(self) -> Collection[str]:
        if not self.reached:
            raise Unavailable("The other servers can't be reached.")
        return frozenset(self.of)

    def send(self, servers: Iterable[str], item: bytes) -> None:
        said = DECODER.decode(item)
        self.said.append(said)
        for server in servers:
            if isinstance(said, items.WhoIsHere):
                self.asked.append((server, said))
                # As over a bus: not within the call.
                asyncio.get_running_loop().call_soon(self._answer, server, said)

    def _answer(self, server: str, asked: items.WhoIsHere) -> None:
        there = self.of[server]
        if there is None:
            return
        ids = sorted(each for each in there if each > asked.after)
        rows = [
            ListedConnection("user", each, "then", "then", server=server)
            for each in ids[: asked.limit]
        ]
        told = items.AreHere("", asked.call, rows, len(ids) > asked.limit)
        self.world.cluster.peers.heard(server, msgspec.json.encode(told))


@pytest.fixture
def others(world: World, monkeypatch: pytest.MonkeyPatch) -> Others:
    return Others(world, monkeypatch)


def fill(world: World, ids: Iterable[str]) -> None:
    """Have connections that nobody carries."""
    for each in ids:
        world.service._context.connections.add(Connection(each, User(each, "", None), 0, 0))


async def page(world: World, wanted: Wanted, server: str = "") -> Listing:
    return await world.service.connected.page(wanted, server)


def ids(listing: Listing) -> list[str]:
    return [each.socket_id for each in listing.connections]


@pytest.mark.parametrize("limit", [1, 7, PART, PART + 1, 900])
async def test_pages_hold_everybody_once_in_one_order(
    world: World, others: Others, limit: int
) -> None:
    everybody = sorted(f"{number * 7919 % 100_003:06}" for number in range(900))
    fill(world, everybody[::3])
    others.of = {"one": everybody[1::3], "two": everybody[2::3], "three": []}
    seen: list[str] = []
    more = True
    while more:
        listing = await page(world, Wanted(seen[-1] if seen else "", limit))
        assert listing.complete
        assert len(listing.connections) == min(limit, len(everybody) - len(seen))
        more = listing.has_more
        seen += ids(listing)
    assert seen == everybody
    assert max(asked.limit for _, asked in others.asked) <= PART


async def test_each_is_listed_with_its_server(world: World, others: Others) -> None:
    fill(world, ["b"])
    others.of = {"one": ["a"]}
    listing = await page(world, Wanted())
    listed = [(each.socket_id, each.server) for each in listing.connections]
    assert listed == [("a", "one"), ("b", world.cluster.server_id)]
    assert ids(await page(world, Wanted(), "one")) == ["a"]
    for here in ("this", world.cluster.server_id):
        assert ids(await page(world, Wanted(), here)) == ["b"]
    with pytest.raises(NotFound):
        await page(world, Wanted(), "nobody")


async def test_servers_that_do_not_answer_are_named_and_waited_for_once(
    world: World, others: Others
) -> None:
    fill(world, [f"a {number:04}" for number in range(3 * PART)])
    others.of = {"one": ["b"], "mute": None}
    asking = asyncio.ensure_future(page(world, Wanted(limit=1000)))
    await world.advance(ASK_SECONDS - 0.1, step=0.1)
    assert not asking.done()
    await world.advance(0.2, step=0.1)
    assert asking.done()
    listing = await asking
    assert (listing.complete, listing.missing, listing.has_more) == (False, ("mute",), False)
    assert len(listing.connections) == 3 * PART + 1
    assert [server for server, _ in others.asked].count("mute") == 1


async def test_without_the_others_the_own_ones_are_listed(world: World, others: Others) -> None:
    fill(world, ["a", "b"])
    others.reached = False
    listing = await page(world, Wanted())
    assert (ids(listing), listing.complete, listing.missing) == (["a", "b"], False, ())
    assert (await page(world, Wanted(), "this")).complete


async def test_somebody_is_found_on_whichever_server(world: World, others: Others) -> None:
    fill(world, ["a", "b", "c"])
    others.of = {"one": ["d"]}
    assert ids(await page(world, Wanted(user_id="b"))) == ["b", "d"], "the other one is asked, too"
    assert others.asked[0][1].user_id == "b"


async def test_what_comes_late_or_unasked_is_let_be(world: World, others: Others) -> None:
    others.of = {"one": None}
    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            await page(world, Wanted())
    row = ListedConnection("user", "x", "then", "then")
    for call in ("", *(asked.call for _, asked in others.asked)):
        told = items.AreHere("", call, [row], has_more=True)
        world.cluster.peers.heard("one", msgspec.json.encode(told))
    others.of = {}
    assert ids(await page(world, Wanted())) == []


async def test_a_full_server_answers_in_parts_and_lets_others_have_their_turn(
    world: World, others: Others
) -> None:
    fill(world, [f"{number:06}" for number in range(MANY)])
    question = items.WhoIsHere("", "call", "004999", 10_000, "")
    turns = 0

    async def others_have_turns() -> None:
        nonlocal turns
        while not others.said:
            turns += 1
            await asyncio.sleep(0)

    world.cluster.peers.heard("one", msgspec.json.encode(question))
    await others_have_turns()
    [told] = others.said
    assert isinstance(told, items.AreHere)
    listed = [each.socket_id for each in told.connections]
    assert listed == [f"{number:06}" for number in range(5000, 5000 + PART)]
    assert told.has_more
    assert turns >= MANY / STEP
    assert len(msgspec.json.encode(told)) < 64 * 1024
