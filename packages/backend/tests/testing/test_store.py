"""The suite for stores finds what it is there to find."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from rejoinder.core.branches import Branching
from rejoinder.errors import Conflict, Unavailable
from rejoinder.protocol.events import ChatMessage
from rejoinder.stores.records import (
    Appended,
    Debt,
    Draft,
    EndState,
    Entrance,
    InTurn,
    Outcome,
    Page,
    Room,
    RoomOverview,
    StoredMark,
    StoredMember,
)
from rejoinder.stores.sqlite import SqliteStore
from rejoinder.testing import check_store
from rejoinder.testing.store.tools import NOW


class Forgets(SqliteStore):
    """Keeps what it was given only until it is closed."""

    async def close(self) -> None:
        await super().close()
        self._path.unlink(missing_ok=True)


class TakesAnythingTwice(SqliteStore):
    async def append(self, draft: Draft) -> Appended:
        try:
            return await super().append(draft)
        except Conflict:
            found = await self.find(draft.id)
            assert found is not None
            return Appended(found, duplicate=True)


class CountsOnesOwn(SqliteStore):
    async def rooms_of(self, user_id: str, limit: int) -> tuple[list[RoomOverview], bool]:
        overviews, more = await super().rooms_of(user_id, limit)
        return [replace(each, unread=each.last_seq - each.read_seq) for each in overviews], more


class MovesLastSeenBack(SqliteStore):
    async def put_last_seen(self, seen: Mapping[str, int]) -> None:
        statement = "UPDATE people SET last_seen = ? WHERE user_id = ?"
        rows = [(at, user_id) for user_id, at in seen.items()]
        await super().put_last_seen(seen)
        await self._write(lambda db: db.executemany(statement, rows))


class ForgetsChoices(SqliteStore):
    async def put_last_seen(self, seen: Mapping[str, int]) -> None:
        await self._write(lambda db: db.execute("UPDATE people SET hides_last_seen = 0"))
        await super().put_last_seen(seen)


class CallsDuplicatesNew(SqliteStore):
    async def append(self, draft: Draft) -> Appended:
        return replace(await super().append(draft), duplicate=False)


class CutsAtNul(SqliteStore):
    async def append(self, draft: Draft) -> Appended:
        return await super().append(replace(draft, content=draft.content.partition("\x00")[0]))


class SaysThereIsMore(SqliteStore):
    async def page_before(self, room_id: str, before: int | None, limit: int) -> Page:
        page = await super().page_before(room_id, before, limit)
        return Page(page.messages, len(page.messages) == limit)


class TurnsPagesRound(SqliteStore):
    async def page_after(self, room_id: str, after: int, limit: int) -> Page:
        page = await super().page_after(room_id, after, limit)
        return Page(page.messages[::-1], page.has_more)


class EndsTwice(SqliteStore):
    async def end_stream(self, message_id: str, content: str, state: EndState) -> bool:
        await super().end_stream(message_id, content, state)
        return True


class ForgetsUnfinished(SqliteStore):
    async def unfinished(self, limit: int, now: int | None = None) -> list[ChatMessage]:
        return []


class KnowsNoLeases(SqliteStore):
    async def unfinished(self, limit: int, now: int | None = None) -> list[ChatMessage]:
        return await super().unfinished(limit)


class RenewsNothing(SqliteStore):
    async def save_stream(
        self, message_id: str, content: str, lease_until: int | None = None
    ) -> bool:
        return await super().save_stream(message_id, content)


class LeavesWordForGood(SqliteStore):
    async def overtaken(self, server: str) -> Sequence[str]:
        left = list(await super().overtaken(server))
        await self.overtake(server, left)
        return left


class KeepsNothingShown(SqliteStore):
    async def keep_shown(self, message_id: str, content: str) -> None:
        """Nothing of it."""


class KeepsTheLastShown(SqliteStore):
    async def keep_shown(self, message_id: str, content: str) -> None:
        await self.save_stream(message_id, content)


class TrustsEveryClock(SqliteStore):
    async def unfinished(self, limit: int, now: int | None = None) -> list[ChatMessage]:
        rows = await super().unfinished(limit, now)
        with closing(sqlite3.connect(self._path)) as database:
            which = "SELECT id FROM messages WHERE lease_until > ?"
            ahead = {key for (key,) in database.execute(which, (2**62 if now is None else now,))}
        return [row for row in rows if row.id not in ahead]


class WantsALease(SqliteStore):
    """Takes a row without a lease for one that runs."""

    async def unfinished(self, limit: int, now: int | None = None) -> list[ChatMessage]:
        leased = await self._read(
            lambda db: db.execute("SELECT id FROM messages WHERE lease_until > 0").fetchall()
        )
        rows = await super().unfinished(limit, now)
        return rows if now is None else [row for row in rows if (row.id,) in leased]


class InterruptsWhatHasEnded(SqliteStore):
    async def interrupt(self, message_id: str, now: int | None = None) -> bool:
        row = await self.find(message_id)
        ended = row is not None and row.role == "character" and row.state != "streaming"
        return await super().interrupt(message_id, now) or ended


class InterruptsWhatItHasRead(SqliteStore):
    """Decides by what it has read a moment ago."""

    async def interrupt(self, message_id: str, now: int | None = None) -> bool:
        if message_id not in {row.id for row in await self.unfinished(100, now)}:
            return False
        return await super().interrupt(message_id)


class CopiesLeases(SqliteStore):
    async def put_messages(self, messages: Sequence[ChatMessage]) -> None:
        await super().put_messages(messages)
        for row in messages:
            if row.state == "streaming":
                await self.save_stream(row.id, row.content, NOW + 10_000)


class ReadsBefore(SqliteStore):
    """Decides by what it has read a moment ago."""

    async def mark_read(self, room_id: str, mark: StoredMark) -> bool:
        marks = {each.user_id: each.seq for each in await self.read_marks(room_id, 100)}
        if marks.get(mark.user_id, 0) >= mark.seq:
            return False
        await self._write(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO read_marks VALUES (?, ?, ?, ?, ?)",
                (room_id, mark.user_id, mark.message_id, mark.seq, mark.timestamp),
            )
        )
        return True


class CreatesTwice(SqliteStore):
    async def create_room(
        self, room_id: str, created_by: str, created_at: int, character_id: str | None
    ) -> Room:
        room = await super().create_room(room_id, created_by, created_at, character_id)
        return replace(room, created=True)


class LetsEverybodyIn(SqliteStore):
    """Makes whoever comes to a room a member of it."""

    async def found_room(
        self, room_id: str, founder: StoredMember, character_id: str | None
    ) -> Room:
        room = await super().found_room(room_id, founder, character_id)
        await self.add_member(room_id, founder)
        return room


class KnowsEverybody(SqliteStore):
    async def entrance(self, room_id: str, user_id: str) -> Entrance:
        found = await super().entrance(room_id, user_id)
        return replace(found, membership=replace(found.membership, member=True))


class StandsStill(SqliteStore):
    async def stand(self, room_id: str) -> tuple[int, Branching]:
        return await self.last_seq(room_id), Branching()


class ErasesNames(SqliteStore):
    async def add_member(
        self, room_id: str, member: StoredMember, removal: str | None = None
    ) -> bool:
        await self.remove_member(room_id, member.user_id)
        return await super().add_member(room_id, member)


class AddsWhoWasRemoved(SqliteStore):
    async def add_member(
        self,
        room_id: str,
        member: StoredMember,
        removal: str | None = None,
    ) -> bool:
        return await super().add_member(room_id, member)


class LooksForRemovalsFirst(SqliteStore):
    """Decides by what it has read a moment ago."""

    async def add_member(
        self, room_id: str, member: StoredMember, removal: str | None = None
    ) -> bool:
        if removal not in {None, (await self.membership(room_id, member.user_id)).removal}:
            return False
        return await super().add_member(room_id, member)


class PutsOver(SqliteStore):
    """Replaces what is there by what is put."""

    async def put_messages(self, messages: Sequence[ChatMessage]) -> None:
        for row in messages:
            await self._write(
                lambda db: db.execute(
                    "DELETE FROM messages WHERE id = ? OR (room_id = ? AND seq = ?)",
                    (row.id, row.room_id, row.seq),  # noqa: B023 - it is done at once
                )
            )
        await super().put_messages(messages)


class ShowsTheFirstRoomsOnly(SqliteStore):
    async def rooms_after(self, room_id: str, limit: int) -> list[Room]:
        return [] if room_id.endswith("a") else await super().rooms_after(room_id, limit)


class TakesAppendsBack(SqliteStore):
    """Gives a number away, and then not the row, when the caller has gone."""

    async def append(self, draft: Draft) -> Appended:
        try:
            return await super().append(draft)
        except asyncio.CancelledError:
            self._writer.submit(
                lambda db: db.execute("DELETE FROM messages WHERE id = ?", (draft.id,))
            )
            raise


class MixesGroups(SqliteStore):
    async def append_all(self, drafts: Sequence[Draft]) -> list[Outcome]:
        outcomes = await super().append_all(drafts[::-1])
        return outcomes[::-1]


class SaysNothingOfConflicts(SqliteStore):
    async def append_all(self, drafts: Sequence[Draft]) -> list[Outcome]:
        outcomes = await super().append_all(drafts)
        return [each for each in outcomes if not isinstance(each, Conflict)]


class ForgetsWhatIsOwed(SqliteStore):
    async def append_all(self, drafts: Sequence[Draft]) -> list[Outcome]:
        return await super().append_all([replace(draft, owes=None) for draft in drafts])


class NeverThinksItPaid(SqliteStore):
    async def append(self, draft: Draft) -> Appended:
        owed = [debt for debt in await self.owed(100) if debt.answer_id == draft.id]
        appended = await super().append(draft)
        kept = "INSERT INTO debts VALUES (?, ?, ?, ?, ?, ?, ?)"
        for values in map(astuple, owed):
            await self._write(lambda db: db.execute(kept, values))  # noqa: B023 - it is done at once
        return appended


class RenewsTheFirstOnly(SqliteStore):
    async def renew_debts(self, debts: Sequence[Debt], until: int) -> None:
        await super().renew_debts(debts[:1], until)


class HasItsOwnOrder(SqliteStore):
    async def in_turn(self, room_id: str) -> InTurn:
        order = await super().in_turn(room_id)
        return replace(order, owed=tuple(sorted(order.owed)))


class ForgetsWhoWrites(SqliteStore):
    async def in_turn(self, room_id: str) -> InTurn:
        return replace(await super().in_turn(room_id), running=frozenset())


class LetsThemInBefore(SqliteStore):
    """Takes another answer to an old question for one that was asked for with it."""

    async def owe(self, debt: Debt) -> None:
        question = await self.find(debt.question_id)
        await super().owe(replace(debt, behind=None if question is None else question.seq - 1))


class HangsWhenClosed(SqliteStore):
    async def ping(self) -> None:
        try:
            await super().ping()
        except Unavailable:
            return


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (Forgets, "everything_is_there_after_reopening"),
        (TakesAnythingTwice, "append_refuses_an_id_with_another_content"),
        (CallsDuplicatesNew, "append_takes_an_id_once"),
        (CutsAtNul, "append_keeps_content_to_the_byte"),
        (SaysThereIsMore, "pages_before_hold_the_newest_in_order"),
        (TurnsPagesRound, "append_"),
        (EndsTwice, "a_stream_ends_once"),
        (ForgetsUnfinished, "unfinished_are_those_that_stream"),
        (KnowsNoLeases, "a_row_is_not_left_behind_while_its_lease_runs"),
        (RenewsNothing, "a_save_renews_the_lease"),
        (LeavesWordForGood, "word_for_a_server_is_left_and_taken_once"),
        (KeepsNothingShown, "what_was_shown_is_kept_where_less_was_saved"),
        (KeepsTheLastShown, "what_was_shown_is_kept_where_less_was_saved"),
        (TrustsEveryClock, "a_lease_that_no_right_clock_gave_has_run_out"),
        (WantsALease, "a_row_without_a_lease_is_left_behind"),
        (InterruptsWhatHasEnded, "what_has_ended_is_not_left_behind"),
        (InterruptsWhatItHasRead, "a_lease_is_renewed_or_the_row_is_interrupted"),
        (CopiesLeases, "put_messages_keep_everything_in_its_place"),
        (ReadsBefore, "a_read_mark_only_goes_forward_under_concurrency"),
        (CreatesTwice, "a_room_is_created_once"),
        (LetsEverybodyIn, "a_room_is_founded_with_its_first_member"),
        (KnowsEverybody, "who_comes_is_known_with_the_room"),
        (StandsStill, "a_room_stands_where_its_log_and_its_branches_are"),
        (ErasesNames, "a_member_may_change_the_name"),
        (AddsWhoWasRemoved, "who_was_removed_is_not_added_by_who_asked_before"),
        (LooksForRemovalsFirst, "who_is_removed_stays_out_under_concurrency"),
        (PutsOver, "put_messages_refuse_what_is_taken"),
        (ShowsTheFirstRoomsOnly, "rooms_come_in_the_order_of_their_ids"),
        (TakesAppendsBack, "append_survives_cancelled_callers"),
        (MixesGroups, "append_all_does_as_append_does"),
        (SaysNothingOfConflicts, "append_all_does_as_append_does"),
        (CountsOnesOwn, "an_overview_counts_what_is_unread"),
        (MovesLastSeenBack, "last_seen_only_goes_forward"),
        (ForgetsChoices, "a_choice_is_kept_and_can_be_changed"),
        (ForgetsWhatIsOwed, "what_is_owed_is_kept_with_the_question"),
        (NeverThinksItPaid, "an_answer_pays_its_debt"),
        (RenewsTheFirstOnly, "debts_are_renewed_together"),
        (HasItsOwnOrder, "it_is_their_turn_in_the_order_of_the_questions"),
        (ForgetsWhoWrites, "an_answer_is_in_turn_until_it_has_ended"),
        (LetsThemInBefore, "what_is_asked_for_later_is_behind_what_is_there"),
        (HangsWhenClosed, "a_closed_store_is_unavailable"),
    ],
)
async def test_names_the_promise_that_is_broken(
    broken: Callable[[Path], SqliteStore], check: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError) as raised:
        await check_store(lambda: broken(tmp_path / "chat.db"))
    (note,) = raised.value.__notes__
    assert note.startswith(f"in the check {check}")
    assert str(raised.value)
