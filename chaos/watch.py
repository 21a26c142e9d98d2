"""Asks the servers, past all links, who has more than one connection, and the database what is unfinished."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
from pymongo.errors import PyMongoError

from chaos.fleet import Fleet
from chaos.record import Online, Recorder, Unfinished, now
from chaos.server import OPERATOR, Server
from chaos.stored import Unfinished as Looked

WATCH_SECONDS = 0.5
STALE_SECONDS = 1.5
"""What a server said longer ago may not be so any more."""
OK = 200


async def watch_database(look: Callable[[], Looked], record: Recorder) -> None:
    """Write down, twice a second, what is unfinished, where the database can be read; until it is cancelled."""
    while True:
        with suppress(sqlite3.Error, PyMongoError):
            # As of when it was asked.
            asked = now()
            found = await asyncio.to_thread(look)
            record(Unfinished(asked, {**found.owed, **found.written}))
        await asyncio.sleep(WATCH_SECONDS)


@dataclass
class Watch:
    """Writes down, twice a second, what all servers say that answer."""

    fleet: Fleet
    record: Recorder
    _said: dict[str, tuple[float, dict[str, list[str]]]] = field(default_factory=dict)

    async def run(self) -> None:
        """Until it is cancelled."""
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
            asking = [self._ask(http, server) for server in self.fleet.servers]
            await asyncio.gather(self._sum_up(), *asking)

    async def _ask(self, http: aiohttp.ClientSession, server: Server) -> None:
        while True:
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                # As of when it was asked: an answer that took long tells of then.
                asked = now()
                # Of that server alone: the others are asked themselves.
                url = f"http://127.0.0.1:{server.port}/api/connections?server=this&limit=1000"
                async with http.get(url) as response:
                    if response.status == OK:
                        page = await response.json()
                        self._said[server.name] = asked, _sockets(page["connections"])
            await asyncio.sleep(WATCH_SECONDS)

    async def _sum_up(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            fresh = [said for at, said in self._said.values() if now() - at < STALE_SECONDS]
            if fresh:
                self.record(Online(now(), several(fresh)))


def _sockets(listed: list[dict[str, str]]) -> dict[str, list[str]]:
    sockets: dict[str, list[str]] = {}
    for each in listed:
        sockets.setdefault(each["id"], []).append(each["socketId"])
    return sockets


def several(said: Iterable[dict[str, list[str]]]) -> dict[str, list[str]]:
    """Users with more than one connection, on all servers together, with the ids of those."""
    sockets: dict[str, list[str]] = {}
    for each in said:
        for user, ids in each.items():
            sockets.setdefault(user, []).extend(ids)
    return {user: ids for user, ids in sockets.items() if len(ids) > 1}
