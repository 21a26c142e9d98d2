"""Answers that are owed: `owes` of their questions, so that a question and what it owes are one write.

An answer's row is another document, so that a debt is taken away a moment after it was paid, and those that were paid
meanwhile with it. A debt that stays, since the server died in that moment, is found with its answer there.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from rejoinder.errors import Unavailable
from rejoinder.stores.mongo import model
from rejoinder.stores.mongo.link import Link
from rejoinder.stores.mongo.model import Document
from rejoinder.stores.records import LEASE_AHEAD_MS, Debt, Draft

GATHER_SECONDS = 1.0
PAID_MAX = 10_000
CLOSE_SECONDS = 1.0


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
        fresh: Document = {"$push": {"owes": model.debt_document(debt)}}

        async def keep() -> None:
            await self._messages.update_one(
                {**which, "owes.answer": {"$ne": debt.answer_id}}, fresh
            )

        await self._link.write(keep)
        await self.renew([debt], debt.until)

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
