"""The loads of messages: rooms whose members send, each delivery counted and in order."""

import re
import time
from array import array

from figures import Figures, Meter, Plan
from people import SET_UP_SECONDS, People, each
from wire import Connection, Run, Trouble, check_success

KNOWN = 256
TEXT = "안녕하세요, a message as people send them: not long, not short. " * 2

_NEW = b'42["message:new",'
_MARK = re.compile(rb"#(\d+)\.(\d+);")
_SEQ = re.compile(rb'"seq":(\d+)')


class Tally:
    """What all members and senders count together."""

    def __init__(self, run: Run, people: People) -> None:
        self.run = run
        self.people = people
        self.senders: list[Sender] = []
        self.deliveries = 0
        self.done = 0
        self.stopping = False
        self.delivery_times = array("d")
        self.send_times = array("d")
        self._known: dict[bytes, tuple[int, int, int]] = {}

    def read(self, event: bytes) -> tuple[int, int, int] | None:
        """Sender, number and `seq` of a message; None for another event.

        All members of a room get the same bytes, and to look them up costs a fraction of reading them.
        """
        found = self._known.get(event)
        if found is None and event.startswith(_NEW):
            mark, seq = _MARK.search(event), _SEQ.search(event)
            if mark is None or seq is None:
                raise Trouble("a message that nobody sent")
            found = int(mark[1]), int(mark[2]), int(seq[1])
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[event] = found
        return found

    def forget_times(self) -> None:
        """Begin anew."""
        self.delivery_times = array("d")
        self.send_times = array("d")


class Member:
    """One who hears a room: its `seq` without a hole, and each sender's messages as they were sent."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.seq = 0
        self.heard: dict[int, int] = {}
        """The number of the last message of each sender of the room."""
        self.client = tally.people.client(self.hear)

    def hear(self, event: bytes) -> None:
        """Count a delivery."""
        found = self._tally.read(event)
        if found is None:
            return
        sender, number, seq = found
        self.seq += 1
        if sender not in self.heard:
            raise Trouble("a member got a message of another room")
        due = self.heard[sender] + 1
        if seq != self.seq or number != due:
            raise Trouble(
                f"lost, repeated or out of order: a member got seq {seq} where {self.seq} was due, "
                f"message {number} of a sender where {due} was due"
            )
        self.heard[sender] = due
        self._tally.senders[sender].delivered(number)


class Sender:
    """A member who sends the next message when the last is acked and delivered to all of the room."""

    def __init__(self, tally: Tally, client: Connection, room_id: str, room_size: int) -> None:
        self._tally = tally
        self._client = client
        self._room_id = room_id
        self._room_size = room_size
        self.index = len(tally.senders)
        self.sent = 0
        self._missing = 0
        self._acked = True
        self._begun = 0.0
        tally.senders.append(self)

    @property
    def waits_for(self) -> str:
        """What is missing of the last message."""
        parts = [f"{self._missing} deliveries"] if self._missing else []
        return " and ".join([*parts, *([] if self._acked else ["the ack"])])

    def send(self) -> None:
        """Send the next message."""
        self.sent += 1
        self._missing, self._acked = self._room_size, False
        self._begun = time.perf_counter()
        payload = {
            "roomId": self._room_id,
            "content": f"#{self.index}.{self.sent};{TEXT}",
            "messageId": self._tally.people.message(self.index, self.sent),
        }
        self._client.emit("message:send", payload, self._on_ack)

    def _on_ack(self, ack: bytes) -> None:
        check_success(ack)
        self._acked = True
        if not self._missing:
            self._complete(time.perf_counter())

    def delivered(self, number: int) -> None:
        """Somebody got that message."""
        if number != self.sent or not self._missing:
            raise Trouble(f"message {number} was delivered again")
        now = time.perf_counter()
        tally = self._tally
        tally.deliveries += 1
        tally.delivery_times.append(now - self._begun)
        self._missing -= 1
        if not self._missing and self._acked:
            self._complete(now)

    def _complete(self, now: float) -> None:
        self._tally.done += 1
        self._tally.send_times.append(now - self._begun)
        if not self._tally.stopping:
            self.send()


async def talk(run: Run, plan: Plan) -> Figures:
    """Rooms full of members; for `fan-out` a unit is a delivery, for `pairs` a send that is acked and delivered."""
    with People(run, plan) as people:
        tally = Tally(run, people)
        members = [Member(tally) for _ in range(plan.clients)]
        rooms = [members[at : at + plan.room_size] for at in range(0, plan.clients, plan.room_size)]
        clients = [member.client for member in members]
        await run.until(
            each(
                [
                    people.enter(member.client, people.room(number))
                    for number, room in enumerate(rooms)
                    for member in room
                ]
            ),
            SET_UP_SECONDS,
            "letting everybody in",
        )
        await run.until(people.fence(clients), SET_UP_SECONDS, "telling of who came in")
        senders = [
            [
                Sender(tally, member.client, people.room(number), len(room))
                for member in room[: plan.senders]
            ]
            for number, room in enumerate(rooms)
        ]
        for room, its_senders in zip(rooms, senders, strict=True):
            for member in room:
                member.heard = {sender.index: 0 for sender in its_senders}
        for sender in tally.senders:
            sender.send()
        await run.go_on(plan.warm_up)
        found = await _measure(run, plan, tally)
        tally.stopping = True
        await _settle(run, plan, tally, clients)
        for room, its_senders in zip(rooms, senders, strict=True):
            _check_room(room, its_senders)
        return found


async def _measure(run: Run, plan: Plan, tally: Tally) -> Figures:
    by_delivery = plan.load == "fan-out"
    tally.forget_times()
    before = tally.deliveries if by_delivery else tally.done
    meter = Meter(plan.pid)
    await run.go_on(plan.seconds)
    after = tally.deliveries if by_delivery else tally.done
    found = meter.read(after - before, tally.delivery_times if by_delivery else tally.send_times)
    if not found.units:
        raise Trouble("nothing was delivered in the measured time")
    return found


async def _settle(run: Run, plan: Plan, tally: Tally, clients: list[Connection]) -> None:
    """Let what is on its way arrive, and what should not come, too."""
    deadline = time.perf_counter() + plan.patience
    while any(sender.waits_for for sender in tally.senders) and time.perf_counter() < deadline:
        await run.go_on(0.05)
    for sender in tally.senders:
        if sender.waits_for:
            raise Trouble(f"lost: a message still waits for {sender.waits_for}")
    await run.until(tally.people.fence(clients), SET_UP_SECONDS, "the last acks")


def _check_room(room: list[Member], senders: list[Sender]) -> None:
    heard = {member.seq for member in room}
    sent = sum(sender.sent for sender in senders)
    if heard != {sent}:
        raise Trouble(f"of {sent} messages in a room its members got {sorted(heard)}")
