"""Whatever people do, and whenever: what each of them sees is the log."""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.profiles import deterministic
from tests.service.shuffled import ShuffledStore
from tests.service.views import Page, View
from tests.service.world import World, running

from rejoinder.core.branches import Branches
from rejoinder.core.limits import Rate
from rejoinder.protocol import events
from rejoinder.protocol.events import ChatMessage
from rejoinder.service import entering
from rejoinder.service.context import Limits

USERS = ("ann", "ben", "eve")
ROOMS = ("one", "two")
QUESTIONS = ("/count 8 40", "/count 3 700", "/fail 3", "안녕 👋 hello  there", "/count 40")
PAGE = 3
"""Small pages, so that a few messages are more than one."""

users = st.sampled_from(USERS)
rooms = st.sampled_from(("one", "one", "two"))
numbers = st.integers(1, 4)
Step = tuple[Any, ...]
steps = st.one_of(
    st.tuples(st.just("send"), users, rooms, numbers),
    st.tuples(st.just("ask"), users, rooms, numbers),
    st.tuples(st.just("new"), users, rooms),
    st.tuples(st.just("enter"), users, rooms, st.booleans(), st.booleans()),
    st.tuples(st.just("leave"), users, rooms),
    st.tuples(st.just("stop"), users, rooms),
    st.tuples(st.just("regenerate"), users, rooms),
    st.tuples(st.just("continue"), users, rooms),
    st.tuples(st.just("choose"), users, rooms, numbers),
    st.tuples(st.just("edit"), users, rooms, numbers),
    st.tuples(st.just("delete"), users, rooms, numbers),
)


class ChatMachine(RuleBasedStateMachine):
    """Three people and a character in two rooms."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._patch = patch.object(entering, "HISTORY_LIMIT", PAGE)
        self._patch.start()
        self.pages = {user_id: Page(user_id, ROOMS) for user_id in USERS}
        self.fresh = 0
        self.asked: set[str] = set()
        self.disturbed: set[str] = set()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._runner.run(work)

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        async def begin() -> None:
            limits = Limits(sends=Rate(1e6, 10**6), events=Rate(1e6, 10**6))
            make = partial(ShuffledStore, seed=seed)
            started = running(Path(self._folder.name), limits=limits, make_store=make)
            self.world = await self._stack.enter_async_context(started)
            for user_id in USERS:
                await self._connect(user_id)
                await self.pages[user_id].enter("one", with_position=False, event="room:join")

        self._run(begin())

    @rule(user_id=users)
    def connects(self, user_id: str) -> None:
        self._run(self._connect(user_id))
        self._run(self._check())

    @rule(user_id=users)
    def drops(self, user_id: str) -> None:
        page = self.pages[user_id]
        if page.client is not None:
            page.client.drop()
            page.disconnected()
        self._run(self._check())

    @rule(batch=st.lists(steps, min_size=3, max_size=12))
    def act_at_once(self, batch: list[Step]) -> None:
        """Different people at the same time; what one of them does, one after the other, as the gateway has it."""

        async def act() -> None:
            own = [[step for step in batch if step[1] == user_id] for user_id in USERS]
            await asyncio.gather(*map(self._act_in_turn, own))

        self._run(act())
        self._run(self._check())

    @rule(seconds=st.sampled_from((0.03, 0.1, 0.5, 2, 15)))
    def time_passes(self, seconds: float) -> None:
        self._run(self.world.advance(seconds, step=0.05 if seconds < 1 else 0.25))
        self._run(self._check())

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self._run(self._end())
        finally:
            self._runner.run(self._stack.aclose())
            self._runner.close()
            self._patch.stop()
            self._folder.cleanup()

    # --- steps -----------------------------------------------------------------------------------

    async def _connect(self, user_id: str) -> None:
        page = self.pages[user_id]
        page.listen()
        older, page.client = page.client, None
        client = await self.world.connect(user_id)
        assert older is None or self.world.delivery.closed(older.id)
        page.connected(client)

    async def _act_in_turn(self, own: list[Step]) -> None:
        for step in own:
            await self._act(*step)

    async def _act(self, kind: str, user_id: str, room_id: str, *more: Any) -> None:
        page = self.pages[user_id]
        client = page.client
        if client is None:
            return
        match kind:
            case "send":
                name = f"{user_id} {room_id} {more[0]}"
                await self._send("message:send", page, room_id, name, name)
            case "ask":
                name = f"{user_id} {room_id} asks {more[0]}"
                question = QUESTIONS[more[0] % len(QUESTIONS)]
                await self._send("message:send:stream", page, room_id, name, question)
            case "new":
                self.fresh += 1
                name = f"fresh {self.fresh}"
                await self._send("message:send:stream", page, room_id, name, name)
            case "enter":
                event = "room:rejoin" if more[1] else "room:join"
                await page.enter(room_id, with_position=more[0], event=event)
            case "leave":
                await page.leave(room_id)
            case "choose" | "edit" | "delete":
                await self._change(kind, page, room_id, more[0])
            case _:
                await self._disturb(kind, page, room_id)

    async def _send(self, event: str, page: Page, room_id: str, name: str, content: str) -> None:
        if not page.views[room_id].inside:
            await page.enter(room_id, with_position=True, event="room:rejoin")
        assert page.client is not None
        message = {"roomId": room_id, "content": content, "messageId": name}
        ack = await page.client.call(event, message)
        if isinstance(ack, events.Failure) and ack.code == "rate_limited":
            # So many turns wait in the room already; nothing of this one is stored.
            assert event == "message:send:stream"
            return
        assert isinstance(ack, events.MessageStored) == page.views[room_id].inside, ack
        if isinstance(ack, events.MessageStored) and event == "message:send:stream":
            self.asked.add(name)

    async def _disturb(self, kind: str, page: Page, room_id: str) -> None:
        """Stop an answer that is being written, or have another one written."""
        assert page.client is not None
        view = page.views[room_id]
        page.listen()
        names = list(view.writing) or list(view.rows.values())
        if not names:
            return
        event = "message:stream:stop" if kind == "stop" else f"message:{kind}"
        row = await self.world.store.find(names[-1])
        assert row is not None
        question = row.reply_to if row.role == "character" else row.id
        assert isinstance(question, str)
        self.disturbed.add(question)
        await page.client.call(event, {"roomId": room_id, "messageId": names[-1]})

    async def _change(self, kind: str, page: Page, room_id: str, number: int) -> None:
        """Choose, edit or delete one of the messages that a page has."""
        assert page.client is not None
        view = page.views[room_id]
        page.listen()
        names = list(view.rows.values())
        if not names:
            return
        name = names[-(number * 3 % len(names)) - 1]
        payload = {"roomId": room_id, "messageId": name}
        row = await self.world.store.find(name)
        assert row is not None
        question = row.reply_to if row.role == "character" else row.id
        if kind != "choose" and isinstance(question, str):
            self.disturbed.add(question)
        if kind == "edit":
            self.fresh += 1
            payload |= {"content": f"edited {self.fresh}"}
        await page.client.call(f"message:{kind}", payload)

    # --- what must hold --------------------------------------------------------------------------

    async def _check(self) -> None:
        await self.world.settle()
        for room_id in ROOMS:
            log = await self.world.store.page_after(room_id, 0, 10_000)
            branching = await self.world.store.branching(room_id)
            head = Branches(len(log.messages), branching).head
            assert [row.seq for row in log.messages] == list(range(1, len(log.messages) + 1))
            for page in self.pages.values():
                page.listen()
                view = page.views[room_id]
                if view.inside and view.doubtful:
                    await page.enter(room_id, with_position=True, event="room:rejoin")
                    page.listen()
                if view.inside:
                    _compare(view, log.messages)
                    assert (view.head, view.revision) == (head, branching.revision)

    async def _end(self) -> None:
        for _ in range(90):
            await self.world.advance(1)
            if not await self.world.store.unfinished(9):
                break
        await self._check()
        assert await self.world.store.unfinished(9) == []
        answers: dict[str, int] = {}
        for room_id in ROOMS:
            for row in (await self.world.store.page_after(room_id, 0, 10_000)).messages:
                assert row.state != "streaming"
                if isinstance(row.reply_to, str):
                    answers[row.reply_to] = answers.get(row.reply_to, 0) + 1
        for page in self.pages.values():
            assert not any(view.inside and view.writing for view in page.views.values())
        for question in self.asked - self.disturbed:
            assert answers.get(question) == 1, f"{question} has {answers.get(question)} answers"


def _compare(view: View, log: list[ChatMessage]) -> None:
    assert view.last == len(log), "something is stored and not shown"
    first = min(view.rows, default=view.last + 1)
    assert sorted(view.rows) == list(range(first, view.last + 1)), "a hole"
    for row in log[first - 1 :]:
        assert view.rows[row.seq] == row.id
        assert (row.id in view.writing) == (row.state == "streaming"), row
        if row.state != "streaming":
            assert view.texts[row.id] == row.content


# Shrinking takes minutes here: to look into a failure, add Phase.shrink and a timeout that is long enough.
ChatMachine.TestCase.settings = settings(
    deterministic, max_examples=150, stateful_step_count=20, phases=(Phase.generate,)
)
TestChat = pytest.mark.timeout(600)(ChatMachine.TestCase)
