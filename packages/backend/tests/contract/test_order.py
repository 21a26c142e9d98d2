"""The order on one connection: what was acknowledged, and the events around it."""

import asyncio
import json

from tests.support.chat import Chat, Connect
from tests.support.process import ServerProcess, Start
from tests.support.raw import ACK, EVENT, Raw
from tests.support.tokens import token, unique

STAYS = 50
SENDERS = 10


async def chatter(people: list[Chat], room: str, until: asyncio.Event) -> None:
    """Everybody sends as fast as they are answered."""

    async def one(person: Chat) -> None:
        while not until.is_set():
            await asyncio.gather(*(person.send(room, f"{n}") for n in range(20)))

    await asyncio.gather(*map(one, people))


async def test_acks_and_events_come_in_the_order_in_which_they_happened(
    start: Start, connect: Connect, room: str
) -> None:
    server = start("--send-burst=100000", "--event-burst=100000")
    people = [await connect(server) for _ in range(SENDERS)]
    for person in people:
        await person.join(room)
    over = asyncio.Event()
    talk = asyncio.create_task(chatter(people, room, over))
    try:
        await _come_and_go(server, room)
    finally:
        over.set()
        await talk


async def _come_and_go(server: ServerProcess, room: str) -> None:
    """Enter, hear something, leave: after each snapshot comes the next row, after leaving comes nothing."""
    place = json.dumps({"roomId": room})
    async with Raw(server, json.dumps({"token": token(unique("user"))})) as raw:
        await raw.send(f'420["room:join",{place}]')
        stays, last, leaving = 0, None, False
        while stays < STAYS:
            text = await raw.receive()
            if found := ACK.match(text):
                [ack] = json.loads(found[2])
                assert ack["success"] is True, ack
                last, leaving = ack.get("lastSeq"), False
                if last is None:
                    stays += 1
                    await raw.send(f'420["room:join",{place}]')
            elif (found := EVENT.match(text)) and '"message:new"' in text:
                payload = json.loads(found[1])[1]
                assert last is not None, "heard in a room that was left"
                assert payload["seq"] == last + 1
                last += 1
                if not leaving:
                    leaving = True
                    await raw.send(f'420["room:leave",{place}]')
