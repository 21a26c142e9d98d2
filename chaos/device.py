"""A client in Python: one device of a user, which keeps what it writes until it is acknowledged and catches up by itself."""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import msgspec

from chaos import deeds, script
from chaos.record import (
    Acked,
    Asked,
    Closed,
    Entered,
    Heard,
    Left,
    Message,
    Opened,
    Paged,
    Payload,
    Recorder,
    Replied,
    Sent,
    Shown,
    Snapshot,
    now,
)
from chaos.view import Draft, View
from chaos.wire import Lost, Wire

ACK_SECONDS = 5.0
BEAT_SECONDS = 3.0
TICK_SECONDS = 0.05


class Way(Protocol):
    """How a client gets to a server."""

    @property
    def url(self) -> str:
        """Where it connects, this time."""
        ...


PASSING = frozenset({"unavailable", "rate_limited"})


class Reply(msgspec.Struct, rename="camel"):
    """An acknowledgement: of all together, what is looked at."""

    success: bool
    code: str = ""
    retry_after_ms: int = 0
    message_id: str = ""
    seq: int = 0
    duplicate: bool = False
    has_more: bool = False
    recovered: bool = False
    last_seq: int = 0
    messages: list[Message] = []
    streams: list[msgspec.Raw] = []


_REPLY = msgspec.json.Decoder(tuple[Reply])
_SNAPSHOT = msgspec.json.Decoder(tuple[Snapshot])
_EVENT = msgspec.json.Decoder(tuple[str, Payload])
RECORDED = frozenset(
    {
        "message:new",
        "message:stream:start",
        "message:stream:chunk",
        "message:stream:end",
        "message:stream:error",
        "room:resync",
    }
)


@dataclass(frozen=True)
class Habits:
    """How a client behaves: how often it does something in a second, and how many messages it sends without waiting."""

    rate: float
    window: int
    asks: float
    act: Callable[["Device"], None] = deeds.act
    tick: float = TICK_SECONDS
    """Seconds between two looks at what there is to do."""
    beat: float = BEAT_SECONDS


@dataclass(frozen=True)
class Identity:
    """Whose device it is; `rooms` says which rooms it wants to be in now."""

    name: str
    user: str
    token: str
    rooms: Callable[[], list[str]]


class Device:
    """One client; `live` runs until it is cancelled."""

    def __init__(
        self,
        identity: Identity,
        way: Way,
        record: Recorder,
        http: aiohttp.ClientSession,
        habits: Habits,
        rng: random.Random,
    ) -> None:
        self.name = identity.name
        self.views: dict[str, View] = {}
        self.away_until = 0.0
        """When it connects (again) after another device has taken over."""
        self.quiet = False
        """It writes nothing more, and moves to no other room."""
        self._identity = identity
        self._way = way
        self._record = record
        self._http = http
        self.habits = habits
        self.rng = rng
        self._conn = 0
        self._written = 0
        self._wire: Wire | None = None
        self._busy: set[str] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._dropping = asyncio.Event()
        self._act_at = now() + rng.uniform(0, 1)
        self._beat_at = 0.0
        self._enter_at: dict[str, float] = {}

    def rooms(self) -> list[str]:
        """Those that it wants to be in now."""
        return self._identity.rooms()

    def next_number(self) -> int:
        """Of the next message that it writes."""
        self._written += 1
        return self._written

    @property
    def connections(self) -> int:
        """How often it has connected, or tried to."""
        return self._conn

    @property
    def settled(self) -> bool:
        """Whether everything is acknowledged, and everything is here."""
        return self._wire is not None and all(
            view.inside and view.whole and not (view.damaged or view.outbox or view.running)
            for view in self.views.values()
        )

    @property
    def trouble(self) -> str:
        """Why it is not settled."""
        if self._wire is None:
            return "not connected"
        return ", ".join(
            f"{view.room}: inside {view.inside}, whole {view.whole}, damaged {view.damaged}, "
            f"{len(view.outbox)} to send, {len(view.running)} running"
            for view in self.views.values()
        )

    def lacks(self, newest: Mapping[str, int]) -> list[str]:
        """In which rooms it has not heard of the last row."""
        return [
            f"{self.name}: {view.room} to {view.last} of {newest[view.room]}"
            for view in self.views.values()
            if view.last < newest.get(view.room, 0)
        ]

    def show(self, *, final: bool) -> None:
        """Write down what it shows."""
        for view in self.views.values():
            self._show(view, final=final)

    def _show(self, view: View, *, final: bool) -> None:
        rows = [view.rows[seq] for seq in sorted(view.rows)]
        self._record(Shown(now(), self.name, view.room, rows, final))

    # --- the connection --------------------------------------------------------------------------

    async def live(self) -> None:
        while True:
            wait = self.away_until - now()
            if wait > 0:
                await asyncio.sleep(min(wait, 0.2))
                continue
            with suppress(Lost):
                await self._stay()
            await asyncio.sleep(self.rng.uniform(0.1, 1.5))

    def drop(self) -> None:
        """Lose the connection, without a word."""
        self._dropping.set()

    async def _stay(self) -> None:
        self._conn += 1
        self._dropping.clear()
        auth = {"token": self._identity.token}
        wire = await Wire.connect(self._http, self._way.url, auth, self._hear)
        self._record(Opened(now(), self.name, self._identity.user, self._conn))
        self._wire, self._beat_at = wire, now() + self.habits.beat
        loop = asyncio.get_running_loop()
        hearing = loop.create_task(wire.run())
        parts = {hearing, loop.create_task(self._tend()), loop.create_task(self._drop())}
        why = "cancelled"
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            why = hearing.result() if hearing.done() and not hearing.cancelled() else "dropped"
        finally:
            self._wire = None
            wire.abort()
            for task in (*parts, *self._work):
                task.cancel()
            await asyncio.gather(*parts, *self._work, return_exceptions=True)
            self._busy.clear()
            for view in self.views.values():
                view.outside()
            self._record(Closed(now(), self.name, self._conn, why))

    async def _drop(self) -> None:
        await self._dropping.wait()

    def _hear(self, raw: bytes) -> None:
        event, payload = _EVENT.decode(raw)
        if event in RECORDED:
            self._record(Heard(now(), self.name, self._conn, event, payload))
            if event != "room:resync":
                self._record.written_at = now()
            view = self.views.get(payload.room_id)
            if view is not None and view.inside:
                view.hear(event, payload)
                if event == "message:stream:start" and payload.reply_to.startswith(f"{self.name}."):
                    view.own_answers.append(payload.message_id)
        elif event == "connection:replaced":
            self.away_until = max(self.away_until, now() + self.rng.uniform(2, 10))

    # --- what it does all the time ---------------------------------------------------------------

    async def _tend(self) -> None:
        while True:
            self._choose_rooms()
            for view in self.views.values():
                self._care(view)
            if not self.quiet and now() >= self._act_at:
                self._act_at = now() + self.rng.expovariate(self.habits.rate)
                self.habits.act(self)
            if now() >= self._beat_at and "beat" not in self._busy:
                self.do("beat", self._beat())
            await asyncio.sleep(self.habits.tick)

    def _choose_rooms(self) -> None:
        wanted = list(self.views) if self.quiet else self.rooms()
        for room in wanted:
            if room not in self.views:
                self.views[room] = View(room)
        for view in self.views.values():
            if view.room not in wanted and view.inside and view.whole and not view.outbox:
                self.do(view.room, self.leave(view, comes_back=False))

    def _care(self, view: View) -> None:
        if not view.inside or view.damaged:
            if now() >= self._enter_at.get(view.room, 0):
                self.do(view.room, self._enter(view))
        elif not view.whole:
            self.do(view.room, self._page_on(view))
        if view.inside and not view.leaving:
            self._pump(view)

    def do(self, what: str, work: Any) -> None:
        """One thing at a time of each kind; all ends with the connection."""
        if what in self._busy:
            work.close()
            return
        self._busy.add(what)
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._work.add(task)

        def over(done: "asyncio.Task[None]") -> None:
            self._work.discard(done)
            self._busy.discard(what)
            if not done.cancelled() and done.exception() is not None:
                self.drop()
                if not isinstance(done.exception(), Lost):
                    asyncio.get_running_loop().call_exception_handler(
                        {"message": f"{self.name} failed", "exception": done.exception()}
                    )

        task.add_done_callback(over)

    async def _beat(self) -> None:
        if await self.call("heartbeat", {}) is None:
            raise Lost("no answer to a heartbeat")
        self._beat_at = now() + self.habits.beat

    async def call(
        self, event: str, payload: object, at_once: Callable[[Reply, bytes], None] | None = None
    ) -> Reply | None:
        """Ask, and wait as long as one does; `at_once` runs before anything that comes after the reply."""
        if self._wire is None:
            raise Lost
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def reply(raw: bytes) -> None:
            if answered.done():
                return
            (found,) = _REPLY.decode(raw)
            if at_once is not None:
                at_once(found, raw)
            answered.set_result(found)

        await self._wire.ask(event, payload, reply)
        try:
            return await asyncio.wait_for(answered, ACK_SECONDS)
        except TimeoutError:
            return None

    # --- rooms -----------------------------------------------------------------------------------

    async def _enter(self, view: View) -> None:
        position = view.position
        known = bool(position) or self._conn > 1
        payload = {"roomId": view.room, "characterId": script.CHARACTER}
        if position:
            payload["lastMessageId"] = position

        def entered(reply: Reply, raw: bytes) -> None:
            if not reply.success:
                return
            (snapshot,) = _SNAPSHOT.decode(raw)
            self._record(Entered(now(), self.name, self._conn, view.room, snapshot, position))
            view.enter(msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot))

        reply = await self.call("room:rejoin" if known else "room:join", payload, entered)
        pause = 1.0 if reply is not None and reply.success else self.rng.uniform(0.2, 1)
        self._enter_at[view.room] = now() + pause

    async def _page_on(self, view: View) -> None:
        if not view.rows:
            view.damaged = True
            return
        before = len(view.rows)
        await self.page(view, after=view.hole_after)
        if len(view.rows) == before:
            view.damaged = True
            await asyncio.sleep(self.rng.uniform(0.2, 0.5))

    async def page(self, view: View, *, after: str = "", before: str = "") -> None:
        payload: dict[str, object] = {"roomId": view.room, "limit": self.rng.choice((5, 50, 100))}
        payload |= {"after": after} if after else {"before": before}

        def came(reply: Reply, _raw: bytes) -> None:
            if not reply.success or not view.inside:
                return
            rows = [msgspec.structs.replace(row) for row in reply.messages]
            self._record(
                Paged(now(), self.name, self._conn, view.room, rows, reply.has_more, after, before)
            )
            view.page(reply.messages)
            if before:
                view.has_older = reply.has_more

        await self.call("messages:history", payload, came)

    async def leave(self, view: View, *, comes_back: bool) -> None:
        self._show(view, final=False)
        view.leaving = True

        def left(reply: Reply, _raw: bytes) -> None:
            if reply.success:
                self._record(Left(now(), self.name, self._conn, view.room))
                view.outside()

        reply = await self.call("room:leave", {"roomId": view.room}, left)
        view.leaving = False
        if reply is None or not reply.success:
            return
        if not comes_back:
            self.views.pop(view.room, None)
            return
        if self.rng.random() < 0.5:  # noqa: PLR2004 - with or without what it held
            view.forget()
        await asyncio.sleep(self.rng.uniform(0, 1))

    # --- messages --------------------------------------------------------------------------------

    def _pump(self, view: View) -> None:
        for draft in tuple(view.outbox.values())[: self.habits.window]:
            on_way = draft.conn == self._conn and now() - draft.at < ACK_SECONDS
            if not on_way and now() >= draft.not_before:
                draft.conn, draft.at = self._conn, now()
                # In the order of the outbox, so this must not wait for its turn.
                self.transmit(view, draft)

    def transmit(self, view: View, draft: Draft) -> None:
        """Send a message once, whether it was sent before or not."""
        sent_over = self._conn

        def reply(raw: bytes) -> None:
            (found,) = _REPLY.decode(raw)
            self._acked(view, draft, found, sent_over)

        payload = {"roomId": view.room, "messageId": draft.id, "content": draft.content}
        event = "message:send:stream" if draft.asks else "message:send"
        self._record(
            Sent(now(), self.name, self._conn, view.room, draft.id, draft.content, draft.asks)
        )
        if self._wire is not None:
            self.do(f"{draft.id} {draft.at}", self._wire.ask(event, payload, reply))

    def _acked(self, view: View, draft: Draft, reply: Reply, conn: int) -> None:
        self._record(
            Acked(
                now(),
                self.name,
                conn,
                view.room,
                draft.id,
                reply.success,
                reply.seq,
                reply.duplicate,
                reply.code,
            )
        )
        if reply.success and not reply.duplicate:
            self._record.written_at = now()
        if reply.success or reply.code not in PASSING:
            if view.outbox.pop(draft.id, None) is not None and reply.success:
                view.acked.append(draft)
        else:
            draft.conn = 0
            draft.not_before = now() + (reply.retry_after_ms / 1000 or self.rng.uniform(0.2, 1))

    async def say(self, event: str, payload: object) -> None:
        """Ask for something whose answer says nothing new."""
        await self.call(event, payload)

    async def mention(self, event: str, view: View, message_id: str, content: str = "") -> None:
        """Ask for something about a message, or send its id with another text."""
        self._record(Asked(now(), self.name, self._conn, event, view.room, message_id))
        payload = {"roomId": view.room, "messageId": message_id}
        if content:
            reply = await self.call("message:send", {**payload, "content": content})
        else:
            reply = await self.call(event, payload)
        if reply is not None:
            made = reply.message_id if event == "message:regenerate" else ""
            self._record(
                Replied(
                    now(),
                    self.name,
                    self._conn,
                    event,
                    view.room,
                    message_id,
                    reply.success,
                    reply.code,
                    made,
                )
            )
