"""Who takes part: people with one device or two, in rooms that are left for new ones as time goes on."""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import aiohttp
import jwt
from pymongo.errors import PyMongoError

from chaos.device import Device, Habits, Identity
from chaos.fleet import Fleet
from chaos.link import Link
from chaos.node import Node, Seat
from chaos.record import Recorder, now
from chaos.server import SECRET

DAY = 24 * 3600
STATUS_SECONDS = 0.25
MOVE_SECONDS = 1.0


@dataclass(frozen=True)
class Size:
    """How many there are, and what they do."""

    people: int = 24
    doubles: int = 6
    """How many of the people have a second device, which takes over now and then."""
    scripts: int = 8
    """Clients in TypeScript, besides."""
    rooms: int = 6
    rate: float = 3.5
    """Things that a person does in a second."""
    asks: float = 0.05
    """How many of them are questions to the character."""
    stay: float = 90.0
    """Seconds for which a room is used."""


@dataclass(frozen=True)
class End:
    """What is waited for when nothing is begun any more, before it is written down what everybody shows; in seconds."""

    within: float
    """How long it may take until everything that was begun is over."""
    quiet: float
    """How long nothing more is to have been written then."""
    whole: float
    """How long it may take then until everybody has heard of everything."""
    newest: Callable[[], Mapping[str, int]]
    """The number of the last row of each room, from the database."""


def token_of(user: str) -> str:
    """Valid also where the clock of the server is days off."""
    return jwt.encode({"sub": user, "exp": time.time() + 400 * DAY}, SECRET, algorithm="HS256")


@dataclass
class Rooms:
    """Which rooms are used now: each for a while, and not all new at the same time."""

    size: Size
    begun: float = field(default_factory=now)

    def name(self, slot: int) -> str:
        slot %= self.size.rooms
        generation = int((now() - self.begun) / self.size.stay + slot / self.size.rooms)
        return f"room-{slot}-{generation}"


class Crowd:
    """All clients with their links; `async with` makes them come, and go."""

    def __init__(self, fleet: Fleet, folder: Path, record: Recorder, size: Size, seed: int) -> None:
        self._fleet = fleet
        self._folder = folder
        self._record = record
        self._size = size
        self._seed = seed
        self._rng = random.Random(f"{seed} crowd")  # noqa: S311 - it is to repeat itself
        self._rooms = Rooms(size)
        self._stack = AsyncExitStack()
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._seats: list[tuple[Seat, int]] = []
        self.links: list[Link] = []
        self.people: list[list[Device]] = []
        self.node: Node | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._come()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._lives.values():
            task.cancel()
        await asyncio.gather(*self._lives.values(), return_exceptions=True)
        await self._stack.aclose()

    async def _come(self) -> None:
        size = self._size
        connector = aiohttp.TCPConnector(limit=0)
        http = await self._stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        for number in range(size.people):
            devices = 2 if number < size.doubles else 1
            self.people.append(
                [await self._device(number, device, http) for device in range(devices)]
            )
        for number in range(size.scripts):
            link = await self._link(f"t{number}")
            user = f"script-user-{number}"
            room = self._rooms.name(number)
            seat = Seat(f"t{number}", user, token_of(user), link.url, room, number % 4 == 1)
            self._seats.append((seat, number))
        if size.scripts:
            seats = [seat for seat, _ in self._seats]
            node = Node(self._folder, self._seed, seats, size.rate)
            self.node = await self._stack.enter_async_context(node)
        for device in self.devices:
            self._live(device)

    @property
    def devices(self) -> list[Device]:
        return [device for devices in self.people for device in devices]

    def _live(self, device: Device) -> None:
        self._lives[device.name] = asyncio.get_running_loop().create_task(device.live())

    async def _link(self, name: str) -> Link:
        chance = random.Random(f"{self._seed} way of {name}")  # noqa: S311 - it is to repeat itself
        link = await self._stack.enter_async_context(Link(name, self._fleet.target(chance)))
        self.links.append(link)
        return link

    async def _device(self, number: int, device: int, http: aiohttp.ClientSession) -> Device:
        name = f"p{number}{'ab'[device]}"
        user = f"user-{number}"
        slots = [number] if number % 3 else [number, number + 1]
        identity = Identity(
            name, user, token_of(user), lambda: [self._rooms.name(slot) for slot in slots]
        )
        habits = Habits(
            rate=self._size.rate * self._rng.uniform(0.5, 1.5),
            window=self._rng.choice((1, 1, 4)),
            asks=self._size.asks,
        )
        rng = random.Random(f"{self._seed} {name}")  # noqa: S311 - it is to repeat itself
        made = Device(identity, await self._link(name), self._record, http, habits, rng)
        made.away_until = now() + device * rng.uniform(1, 5)
        return made

    async def move(self) -> None:
        """Have the TypeScript clients follow to newer rooms, all the time."""
        while True:
            await asyncio.sleep(MOVE_SECONDS)
            if self.node is not None:
                names = {seat.name: self._rooms.name(slot) for seat, slot in self._seats}
                await self.node.tell("move", rooms=names)

    async def hush(self) -> None:
        """Have nobody begin anything more."""
        for device in self.devices:
            device.quiet = True
        if self.node is not None:
            await self.node.tell("quiet")

    async def settle(self, end: End) -> list[str]:
        """Let everything that was begun come to its end, and have everybody write down what is shown; what did not settle."""
        seconds = [devices[1] for devices in self.people if len(devices) > 1]
        firsts = [devices[0] for devices in self.people]
        # Nothing more is written once the second devices have sent what they still had.
        troubles = await self._seat(seconds, replace(end, quiet=0.0, whole=0.0))
        troubles += await self._seat(firsts, end)
        _show(firsts)
        if self.node is not None:
            await self.node.finish()
            self.node = None
        troubles += await self._seat(seconds, replace(end, quiet=0.0))
        _show(seconds)
        return troubles

    async def _seat(self, present: Sequence[Device], end: End) -> list[str]:
        """Of each person have that device connected, until it is settled."""
        for devices in self.people:
            for device in devices if len(devices) > 1 else ():
                self._sit(device, away=device not in present)
        return await self._settled(present, end)

    def _sit(self, device: Device, *, away: bool) -> None:
        device.away_until = now() + DAY if away else 0.0
        if away:
            device.drop()

    async def _settled(self, present: Sequence[Device], end: End) -> list[str]:
        deadline, lacking_since = now() + end.within, 0.0
        while True:
            troubles = [f"{each.name}: {each.trouble}" for each in present if not each.settled]
            if self.node is not None:
                troubles += await self.node.troubles()
            if not troubles and now() - self._record.written_at > end.quiet:
                lacking_since = lacking_since or now()
                # Who still lacks something then will be found to have a hole.
                if now() - lacking_since >= end.whole or not await self._lacking(present, end):
                    return []
            if now() > deadline:
                return troubles or ["answers are still being written"]
            await asyncio.sleep(STATUS_SECONDS)

    async def _lacking(self, present: Sequence[Device], end: End) -> list[str]:
        """Who has not heard of the last rows that are stored."""
        try:
            newest = await asyncio.to_thread(end.newest)
        except (sqlite3.Error, PyMongoError) as error:
            return [f"what is stored can't be read: {error}"]
        lacking = [says for each in present for says in each.lacks(newest)]
        if self.node is not None:
            lacking += await self.node.lacks(newest)
        return lacking


def _show(devices: Sequence[Device]) -> None:
    for device in devices:
        device.show(final=True)
