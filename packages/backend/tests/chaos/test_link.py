"""The way that breaks hands everything on when it is whole, and breaks as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chaos.link import DOWN, UP, Link

WAIT_SECONDS = 5.0
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def through() -> AsyncIterator[tuple[Link, Stream, Stream]]:
    """A link, and the two ends of a connection over it: the client's and the server's."""
    arrived: asyncio.Queue[Stream] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arrived.put((reader, writer))

    async with asyncio.timeout(4 * WAIT_SECONDS):
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        port = int(server.sockets[0].getsockname()[1])
        async with Link("link", lambda: port) as link:
            client = await asyncio.open_connection("127.0.0.1", link.port)
            there = await arrived.get()
            yield link, client, there
        for _, writer in (client, there):
            writer.close()
        server.close()


async def gone(end: Stream) -> bool:
    """Whether the other side has ended it: a reset counts, too."""
    try:
        return await asyncio.wait_for(end[0].read(), WAIT_SECONDS) == b""
    except ConnectionError:
        return True


async def test_everything_is_handed_on_both_ways() -> None:
    async with through() as (_, client, there):
        sent = bytes(range(256)) * 4096
        client[1].write(sent)
        assert await there[0].readexactly(len(sent)) == sent
        there[1].write(sent)
        assert await client[0].readexactly(len(sent)) == sent


async def test_a_cut_ends_both_sides() -> None:
    async with through() as (link, client, there):
        link.cut()
        assert await gone(client)
        assert await gone(there)
        assert link.pairs == set()


async def test_a_cut_in_a_frame_lets_a_part_of_it_through() -> None:
    async with through() as (link, client, there):
        link.cut_in_frame(UP, 2)
        client[1].write(b"0123456789")
        assert await there[0].readexactly(3) == b"012"
        assert await gone(there)
        assert await gone(client)


async def test_of_a_half_open_connection_one_side_is_not_told() -> None:
    for told in (UP, DOWN):
        async with through() as (link, client, there):
            link.half_open(told)
            ends = {UP: client, DOWN: there}
            assert await gone(ends.pop(told))
            (kept,) = ends.values()
            kept[1].write(b"is anybody there?")
            await kept[1].drain()
            assert not kept[0].at_eof()
            link.cut()
            assert await gone(kept)


async def test_in_the_end_who_talks_to_somebody_goes_on() -> None:
    async with through() as (link, client, there):
        link.tell_the_other()
        client[1].write(b"still")
        assert await there[0].readexactly(5) == b"still"


async def test_what_is_held_back_comes_when_it_is_healed_and_the_other_way_goes_on() -> None:
    async with through() as (link, client, there):
        link.hold(UP)
        client[1].write(b"held")
        there[1].write(b"free")
        assert await client[0].readexactly(4) == b"free"
        assert not there[0].at_eof()
        link.heal()
        assert await there[0].readexactly(4) == b"held"


async def test_what_is_held_back_is_bounded() -> None:
    async with through() as (link, client, there):
        link.hold(UP)
        sent = b"x" * 64_000_000
        client[1].write(sent)
        (pair,) = link.pairs
        source = pair.pipes[UP].source
        assert source is not None
        while source.is_reading():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        link.heal()
        assert await there[0].readexactly(len(sent)) == sent


async def test_what_is_late_keeps_its_order() -> None:
    async with through() as (link, client, there):
        loop = asyncio.get_running_loop()
        link.delays[UP] = 0.1
        begun = loop.time()
        for number in range(10):
            client[1].write(bytes([number]))
            await client[1].drain()
        assert await there[0].readexactly(10) == bytes(range(10))
        assert loop.time() - begun >= 0.1


async def test_a_slow_way_lets_so_much_through_and_no_more() -> None:
    async with through() as (link, client, there):
        loop = asyncio.get_running_loop()
        link.rates[DOWN] = 10_000
        begun = loop.time()
        there[1].write(b"x" * 4000)
        assert len(await client[0].readexactly(4000)) == 4000
        assert 0.25 < loop.time() - begun < WAIT_SECONDS
