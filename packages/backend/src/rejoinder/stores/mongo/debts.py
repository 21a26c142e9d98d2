"""Answers that are owed: `owes` of their questions, so that a question and what it owes are one write.

An answer's row is another document, so that a debt is taken away a moment after it was paid, and those that were paid
meanwhile with it. A debt that stays, since the server died in that moment, is found with its answer there.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from rejoinder.errors import Unavailable
from rejoinder.stores.mongo import model
from rejoinder.stores.mongo.lanes import last_seq
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.mongo.model import Document
from rejoinder.stores.records import (
    LEASE_AHEAD_MS,
    Debt,
    Draft,
    InTurn,
    place_behind,
    place_of,
)

GATHER_SECONDS = 1.0
PAID_MAX = 10_000
CLOSE_SECONDS = 1.0
UNPLACED = 0


class Debts:
    """Reads and changes `owes` of `chat_messages`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._messages = link.messages
        self._paid: dict[str, str] = {}
        self._forgetting: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def close(self) -> None:
        """Take away what was paid, unless that takes long."""
        self._closing.set()
        if self._forgetting is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._forgetting, CLOSE_SECONDS)

    def pay(self, answer: Draft) -> None:
        """An answer has its row: its debt is taken away soon."""
        if answer.reply_to is None or len(self._paid) >= PAID_MAX:
            return
        self._paid[answer.id] = answer.reply_to
        if self._forgetting is None:
            self._forgetting = asyncio.get_running_loop().create_task(self._forget_soon())

    async def _forget_soon(self) -> None:
        try:
            while self._paid:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), GATHER_SECONDS)
                paid, self._paid = self._paid, {}
                with suppress(Unavailable):
                    await self._forget(paid)
        finally:
            # Whatever ended it, the next that are paid begin it anew.
            self._forgetting = None

    async def owe(self, debt: Debt) -> None:
        """Keep one, or renew it."""
        which = {"_id": debt.question_id, "roomId": debt.room_id}
        place = UNPLACED if debt.behind is None else place_behind(debt.behind)
        fresh: Document = {"$push": {"owes": {**model.debt_document(debt), "place": place}}}

        async def keep() -> None:
            await self._messages.update_one(
                {**which, "owes.answer": {"$ne": debt.answer_id}}, fresh
            )

        await self._link.write(keep)
        if debt.behind is None:
            await self._place(debt)
        await self.renew([debt], debt.until)

    async def _place(self, debt: Debt) -> None:
        """Give it its place, unless it has one.

        It is there already, and first until then: who looks meanwhile waits. So of two that are placed at the same time each sees the
        other, with its place or without, and one that is placed after another has begun to look goes behind that one.
        """
        waiting, last = await asyncio.gather(
            self._waiting(debt.room_id),
            self._link.read(lambda: last_seq(self._messages, debt.room_id)),
        )
        owed = [each for document in waiting for each in document["owes"]]
        places = [each["place"] for each in owed if "place" in each]
        unplaced = {"$elemMatch": {"answer": debt.answer_id, "place": UNPLACED}}
        which = {"_id": debt.question_id, "owes": unplaced}
        change = {"$set": {"owes.$.place": place_behind(last, places)}}
        await self._link.write(lambda: self._messages.update_one(which, change))

    async def in_turn(self, room_id: str) -> InTurn:
        """What is being written in a room, and what waits."""
        waiting = await self._waiting(room_id)
        places = {
            each["answer"]: place_of(document["seq"], each.get("place"))
            for document in waiting
            for each in document["owes"]
        }
        # After that: what was paid in between is seen here, as a row that is written, or was.
        written, paid = await asyncio.gather(
            self._states({"roomId": room_id, "state": "streaming"}),
            self._states({"_id": {"$in": list(places)}}),
        )
        running = {answer for answer, state in (written | paid).items() if state == "streaming"}
        left = places.keys() - paid.keys() - running
        return InTurn(
            frozenset(running),
            tuple(sorted(left, key=lambda answer: (places[answer], answer))),
        )

    async def _states(self, which: Document) -> dict[str, str]:
        rows = await self._link.read(lambda: self._messages.find(which, {"state": True}).to_list())
        return {row["_id"]: row["state"] for row in rows}

    async def _waiting(self, room_id: str) -> list[Document]:
        """The room's questions that owe something, paid or not."""
        which = {"roomId": room_id, "owes": {"$exists": True}}
        fields = {"seq": True, "owes.answer": True, "owes.place": True}
        return await self._link.read(lambda: self._messages.find(which, fields).to_list())

    async def renew(self, debts: Sequence[Debt], until: int) -> None:
        """Renew those that are still there."""
        answers = [debt.answer_id for debt in debts]
        which = {
            "_id": {"$in": [debt.question_id for debt in debts]},
            "owes.answer": {"$in": answers},
        }
        change = {"$set": {"owes.$[each].until": model.date(until)}}
        await self._link.write(
            lambda: self._messages.update_many(
                which, change, array_filters=[{"each.answer": {"$in": answers}}]
            )
        )

    async def owed(self, limit: int, now: int | None) -> list[Debt]:
        """Those whose lease has run out."""
        which: Document = {"owes.until": {"$exists": True}}
        if now is not None:
            late, wrong = model.date(now), model.date(now + LEASE_AHEAD_MS)
            which = {"$or": [{"owes.until": {"$lte": late}}, {"owes.until": {"$gt": wrong}}]}
        found = await self._link.read(lambda: self._messages.find(which).limit(limit).to_list())
        found.sort(key=lambda document: (document["roomId"], document["seq"]))
        debts = [debt for document in found for debt in model.debts_of(document)]
        return [debt for debt in debts if now is None or _run_out(debt, now)][:limit]

    async def forgive(self, debts: Sequence[Debt]) -> None:
        """Take them away."""
        await self._forget({debt.answer_id: debt.question_id for debt in debts})

    async def _forget(self, paid: dict[str, str]) -> None:
        which = {"_id": {"$in": list(paid.values())}, "owes.answer": {"$in": list(paid)}}
        others = {"$not": {"$in": ["$$each.answer", {"$literal": list(paid)}]}}
        left = {"$filter": {"input": "$owes", "as": "each", "cond": others}}
        # A field that would be empty is taken away.
        kept = {"$cond": [{"$eq": ["$owes", []]}, "$$REMOVE", "$owes"]}
        change: list[Document] = [{"$set": {"owes": left}}, {"$set": {"owes": kept}}]
        await self._link.write(lambda: self._messages.update_many(which, change))


def _run_out(debt: Debt, now: int) -> bool:
    return not now < debt.until <= now + LEASE_AHEAD_MS
