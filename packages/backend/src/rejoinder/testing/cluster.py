"""What every cluster must do, as a suite that runs against any of them.

The checks are the specification of `rejoinder.cluster.base.Cluster`. For one of your own:

    @pytest.mark.parametrize("check", CLUSTER_CHECKS, ids=lambda check: check.__name__)
    async def test_cluster(check):
        await check(lambda: MyCluster(...))

`make` returns a server that is not open yet; all that it makes belong to one cluster, and keep sessions for more than a minute.
What only several servers can show is passed over for a cluster of one (`Cluster.alone`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from rejoinder.cluster.base import Claim, Cluster
from rejoinder.core.sessions import Session

__all__ = ["CLUSTER_CHECKS", "Check", "Make", "RecordingPeers", "check_cluster"]

Make = Callable[[], Cluster]
Check = Callable[[Make], Awaitable[None]]
SECONDS = 5.0
PAUSE = 0.01


@dataclass(slots=True)
class RecordingPeers:
    """Notes down what a cluster tells."""

    items: list[tuple[str, bytes]] = field(default_factory=list)
    replaced_ids: list[str] = field(default_factory=list)
    untold_ids: list[tuple[str, str]] = field(default_factory=list)
    gone_servers: list[str] = field(default_factory=list)
    misses: list[str | None] = field(default_factory=list)
    lists: list[tuple[str, frozenset[str]]] = field(default_factory=list)

    def heard(self, server: str, item: bytes) -> None:
        """Note it down."""
        self.items.append((server, item))

    def replaced(self, connection_id: str) -> None:
        """Note it down."""
        self.replaced_ids.append(connection_id)

    def untold(self, server: str, connection_ids: Sequence[str]) -> None:
        """Note it down."""
        self.untold_ids += [(server, each) for each in connection_ids]

    def listening(self, room_id: str, servers: Collection[str]) -> None:
        """It may be told at any time."""

    def listed(self, room_id: str, servers: Collection[str]) -> None:
        """Note it down."""
        self.lists.append((room_id, frozenset(servers)))

    def missed(self, server: str | None) -> None:
        """Note it down."""
        self.misses.append(server)

    def gone(self, server: str, *, ended: bool) -> None:  # noqa: ARG002 - as the protocol has it
        """Note it down."""
        self.gone_servers.append(server)


@asynccontextmanager
async def servers(make: Make, count: int) -> AsyncIterator[list[tuple[Cluster, RecordingPeers]]]:
    """Servers that are open within the block; a cluster of one has one, which counts for all."""
    first = make()
    alone = first.alone
    opened = [(each, RecordingPeers()) for each in (first, *(make() for _ in range(count - 1)))]
    opened = opened[:1] if alone else opened
    try:
        for cluster, peers in opened:
            await cluster.open(peers)
        yield opened * count if alone else opened
    finally:
        for cluster, _ in opened:
            await cluster.close()


def fresh(kind: str) -> str:
    """An id that nothing has yet, so that checks can share a cluster."""
    return f"{kind}_{uuid4().hex}"


def claim(user_id: str, device_id: str = "") -> Claim:
    """A new connection of somebody."""
    return Claim(fresh("connection"), user_id, device_id)


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for it.

    Raises:
        AssertionError: it did not come.
    """
    deadline = asyncio.get_running_loop().time() + SECONDS
    while not holds():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"within {SECONDS} s: {what}")
        await asyncio.sleep(PAUSE)


def expect(actual: object, expected: object, what: str) -> None:
    """Fail with a sentence unless the two are equal."""
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r:.500}, got {actual!r:.500}")


async def check_the_newest_connection_wins(make: Make) -> None:
    """Wherever it is, the older one is told, once; the newer one has a higher place."""
    async with servers(make, 2) as ((first, told), (second, told_too)):
        user = fresh("user")
        older, newer = claim(user), claim(user)
        before = await first.claim(older, "single")
        after = await second.claim(newer, "single")
        await until(lambda: older.connection_id in told.replaced_ids, "the older one is replaced")
        expect(told.replaced_ids.count(older.connection_id), 1, "how often it is told")
        expect(
            newer.connection_id in told_too.replaced_ids,
            expected=False,
            what="the newer one is replaced",
        )
        expect(after.since > before.since, expected=True, what="the newer one has the higher place")


async def check_many_at_once_leave_one(make: Make) -> None:
    """Of many connections at the same time all but one are replaced."""
    async with servers(make, 2) as both:
        user = fresh("user")
        claims = [claim(user) for _ in range(20)]
        await asyncio.gather(
            *(both[at % 2][0].claim(each, "single") for at, each in enumerate(claims))
        )
        ids = {each.connection_id for each in claims}

        def replaced() -> set[str]:
            return ids & {each for _, peers in both for each in peers.replaced_ids}

        await until(lambda: len(replaced()) == len(ids) - 1, "all but one are replaced")


async def check_a_device_has_one_connection_of_its_own(make: Make) -> None:
    """Per device, another device's connection stays."""
    async with servers(make, 2) as ((first, told), (second, _)):
        user = fresh("user")
        phone, desk, phone_again = claim(user, "phone"), claim(user, "desk"), claim(user, "phone")
        await first.claim(phone, "per-device")
        await first.claim(desk, "per-device")
        await second.claim(phone_again, "per-device")
        await until(lambda: phone.connection_id in told.replaced_ids, "the phone's is replaced")
        expect(
            desk.connection_id in told.replaced_ids, expected=False, what="the desk's is replaced"
        )


async def check_several_may_stay(make: Make) -> None:
    """With `multi` nobody is replaced, and the user is connected until the last is gone."""
    async with servers(make, 2) as ((first, told), (second, _)):
        user = fresh("user")
        one, two = claim(user), claim(user)
        await first.claim(one, "multi")
        await second.claim(two, "multi")
        first.release(one.connection_id, None)
        expect(await first.connected(user), expected=True, what="connected with one left")
        second.release(two.connection_id, None)
        expect(await second.connected(user), expected=False, what="connected with none left")
        expect(told.replaced_ids, [], "who was replaced")


async def check_a_session_is_given_out_once(make: Make) -> None:
    """On whichever server the user comes back."""
    async with servers(make, 2) as ((first, _), (second, _)):
        user = fresh("user")
        session = Session(user, "room ü", None, 1_767_225_600_123)
        older, newer = claim(user), claim(user)
        expect((await first.claim(older, "single")).session, None, "a session of somebody new")
        first.release(older.connection_id, session)
        await first.connected(user)
        expect((await second.claim(newer, "single")).session, session, "the session")
        second.release(newer.connection_id, None)
        expect((await first.claim(claim(user), "single")).session, None, "the session again")


async def check_who_was_replaced_leaves_no_session(make: Make) -> None:
    """Its end comes after its replacement."""
    async with servers(make, 2) as ((first, told), (second, _)):
        user = fresh("user")
        older, newer = claim(user), claim(user)
        await first.claim(older, "single")
        await second.claim(newer, "single")
        await until(lambda: older.connection_id in told.replaced_ids, "the older one is replaced")
        first.release(older.connection_id, Session(user, "room", None, 1))
        await first.connected(user)
        expect((await second.claim(claim(user), "single")).session, None, "a session")


async def check_a_session_may_be_kept_ahead(make: Make) -> None:
    """Who comes back before the end of the older connection is known is given it."""
    async with servers(make, 2) as ((first, _), (second, _)):
        user = fresh("user")
        older = claim(user)
        session = Session(user, "room", "echo", 1_767_225_600_123)
        await first.claim(older, "single")
        await first.keep(session)
        expect((await second.claim(claim(user), "single")).session, session, "the session")
        first.release(older.connection_id, session)
        await first.connected(user)
        expect((await second.claim(claim(user), "single")).session, None, "the session again")


async def check_rooms_have_their_listeners(make: Make) -> None:
    """Each server hears of the others, and of those only, that listen to a room."""
    async with servers(make, 2) as ((first, _), (second, _)):
        if first.alone:
            expect(list(await first.listen(fresh("room"))), [], "others in a room")
            return
        room = fresh("room")
        expect(set(await first.listen(room)), set(), "others, for the first")
        expect(set(await second.listeners(room)), {first.server_id}, "who listens, from outside")
        expect(set(await second.listen(room)), {first.server_id}, "others, for the second")
        first.ignore(room)
        await first.listeners(room)
        expect(set(await second.listeners(room)), set(), "others, when the first is gone")
        expect(set(await second.listen(fresh("room"))), set(), "others in another room")


async def check_the_servers_that_live_are_known(make: Make) -> None:
    """Each server knows the others within a few seconds."""
    async with servers(make, 2) as ((first, _), (second, _)):
        if first.alone:
            expect(list(await first.servers()), [], "the other servers")
            return
        for one, other in ((first, second), (second, first)):
            while set(await one.servers()) != {other.server_id}:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(PAUSE)


async def check_what_is_sent_arrives_in_order(make: Make) -> None:
    """To those that it is sent to, and to nobody else."""
    async with servers(make, 3) as ((first, _), (second, heard), (third, other)):
        if first.alone:
            return
        sent = [b"[%d]" % number for number in range(1000)]
        for at, item in enumerate(sent):
            first.send((second.server_id,), item)
            if at % 100 == 0:
                await asyncio.sleep(0)
        first.send((second.server_id, third.server_id), b'"both"')
        await until(lambda: len(heard.items) == len(sent) + 1, "everything arrives")
        expect([item for _, item in heard.items], [*sent, b'"both"'], "what arrives")
        expect({server for server, _ in heard.items}, {first.server_id}, "from whom")
        await until(lambda: len(other.items) == 1, "what was for both arrives")


async def check_an_item_that_fails_holds_up_no_other(make: Make) -> None:
    """What comes with it, and after it, is heard."""

    @dataclass(slots=True)
    class Picky(RecordingPeers):
        def heard(self, server: str, item: bytes) -> None:
            if item == b"1":
                raise ValueError("This one is not taken in, as the check has it.")
            RecordingPeers.heard(self, server, item)

    async with servers(make, 1) as ((first, _),):
        if first.alone:
            return
        second, peers = make(), Picky()
        await second.open(peers)
        sent = [b"0", b"1", b"2"]
        for item in sent:
            first.send((second.server_id,), item)
        await until(lambda: len(peers.items) == len(sent) - 1, "the others are heard")
        expect([item for _, item in peers.items], [b"0", b"2"], "what is heard")
        expect(peers.misses.count(first.server_id), 0, "how often something counts as missed")
        await second.close()


async def check_a_server_that_ends_is_gone(make: Make) -> None:
    """The others are told at once, and it listens nowhere."""
    async with servers(make, 1) as ((first, told),):
        if first.alone:
            return
        second, room, heard = make(), fresh("room"), RecordingPeers()
        await second.open(heard)
        await second.listen(room)
        expect(set(await first.listen(room)), {second.server_id}, "who listens")
        first.send((second.server_id,), b"1")
        await until(lambda: bool(heard.items), "it is spoken to")
        await second.close()
        await until(lambda: second.server_id in told.gone_servers, "it is told that it is gone")
        expect(set(await first.listeners(room)), set(), "who listens then")


CLUSTER_CHECKS: tuple[Check, ...] = (
    check_the_newest_connection_wins,
    check_many_at_once_leave_one,
    check_a_device_has_one_connection_of_its_own,
    check_several_may_stay,
    check_a_session_is_given_out_once,
    check_who_was_replaced_leaves_no_session,
    check_a_session_may_be_kept_ahead,
    check_rooms_have_their_listeners,
    check_the_servers_that_live_are_known,
    check_what_is_sent_arrives_in_order,
    check_an_item_that_fails_holds_up_no_other,
    check_a_server_that_ends_is_gone,
)


async def check_cluster(make: Make) -> None:
    """Put a cluster through everything that the chat may ask of one.

    Raises:
        AssertionError: the cluster broke a promise of `Cluster`; a note on it names the check.
    """
    for check in CLUSTER_CHECKS:
        try:
            await check(make)
        except BaseException as error:
            error.add_note(f"in the check {getattr(check, '__name__', check)}")
            raise
