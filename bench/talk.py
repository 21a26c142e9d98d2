"""The loads of messages: rooms whose members send, each delivery counted and in order."""

import re
import time
from array import array
from collections.abc import Sequence

from figures import Figures, Meter, Plan
from hearing import Due, Member, Room, Tally
from people import SET_UP_SECONDS, People, each
from wire import Connection, Run, Trouble, check_success

TEXT = "안녕하세요, a message as people send them: not long, not short. " * 2

_MARK = re.compile(rb"#(\d+)\.(\d+);")
_SEQ = re.compile(rb'"seq":(\d+)')


class TalkTally(Tally):
    """What all members and senders count together."""

    def __init__(self, people: People) -> None:
        super().__init__()
        self.people = people
        self.senders: list[Sender] = []
        self.done = 0
        self.stopping = False
        self.send_times = array("d")

    def forget_times(self) -> None:
        super().forget_times()
        self.send_times = array("d")


class TalkRoom(Room):
    """A room of people: its `seq` without a hole, and each sender's messages as they were sent."""

    prefix = b'42["message:new",'

    def __init__(self, tally: TalkTally, room_id: str) -> None:
        super().__init__(tally)
        self.room_id = room_id
        self.senders: dict[int, Sender] = {}

    def read(self, event: bytes, frame: bytes, place: int) -> Due:
        mark, seq = _MARK.search(event), _SEQ.search(event)
        if mark is None or seq is None:
            raise Trouble("a message that nobody sent")
        sender = self.senders.get(int(mark[1]))
        if sender is None:
            raise Trouble("a member got a message of another room")
        number = int(mark[2])
        if int(seq[1]) != place + 1 or number != sender.sent or not sender.in_the_air:
            raise Trouble(
                f"lost, repeated or out of order: a member got seq {int(seq[1])} where {place + 1} was due, "
                f"message {number} of a sender who has sent {sender.sent}"
            )
        sender.in_the_air = False
        return Due(frame, sender.begun, sender.delivered)


class Sender:
    """A member who sends the next message when the last is acked and delivered to all of the room."""

    def __init__(self, tally: TalkTally, room: TalkRoom, client: Connection) -> None:
        self._tally = tally
        self._client = client
        self.sent = 0
        self.begun = 0.0
        self.in_the_air = False
        """Whether nobody has got the last message yet."""
        self._delivered = self._acked = True
        index = len(tally.senders)
        self._event = (
            b'["message:send",{"roomId":"%b","content":"#%d.%%d;%b","messageId":"%b-%d-%%d"}]'
            % (room.room_id.encode(), index, TEXT.encode(), tally.people.prefix.encode(), index)
        )
        room.senders[index] = self
        tally.senders.append(self)

    @property
    def waits_for(self) -> str:
        """What is missing of the last message."""
        parts = [] if self._delivered else ["deliveries"]
        return " and ".join([*parts, *([] if self._acked else ["the ack"])])

    def send(self, begun: float | None = None) -> None:
        """Send the next message, which was due at that time."""
        self.sent += 1
        self.in_the_air = True
        self._delivered = self._acked = False
        self.begun = time.perf_counter() if begun is None else begun
        self._client.send_event(self._event % (self.sent, self.sent), self._on_ack)

    def _on_ack(self, ack: bytes) -> None:
        check_success(ack)
        self._acked = True
        if self._delivered:
            self._complete(time.perf_counter())

    def delivered(self, now: float) -> None:
        """All of the room have got it."""
        self._delivered = True
        if self._acked:
            self._complete(now)

    def _complete(self, now: float) -> None:
        self._tally.done += 1
        self._tally.send_times.append(now - self.begun)
        self.next()

    def next(self) -> None:
        """The last message is acked and delivered."""
        if not self._tally.stopping:
            self.send()


class Talk:
    """Rooms full of people, some of whom send."""

    def __init__(
        self, run: Run, plan: Plan, people: People, make_sender: type[Sender] = Sender
    ) -> None:
        self._run = run
        self._make_sender = make_sender
        self._plan = plan
        self._people = people
        self.tally = TalkTally(people)
        numbers = range(0, plan.clients, plan.room_size)
        self.rooms = [TalkRoom(self.tally, people.room(number)) for number, _ in enumerate(numbers)]
        self._clients = [
            [people.client(Member(room)) for _ in range(min(plan.room_size, plan.clients - begin))]
            for room, begin in zip(self.rooms, numbers, strict=True)
        ]

    @property
    def senders(self) -> Sequence[Sender]:
        """All who send."""
        return self.tally.senders

    async def enter(self) -> None:
        """Let all in."""
        entering = [
            self._people.enter(client, room.room_id)
            for room, clients in zip(self.rooms, self._clients, strict=True)
            for client in clients
        ]
        await self._run.until(each(entering), SET_UP_SECONDS, "letting everybody in")
        await self._fence("telling of who came in")
        for room, clients in zip(self.rooms, self._clients, strict=True):
            for client in clients[: self._plan.senders]:
                self._make_sender(self.tally, room, client)

    async def settle(self) -> None:
        """Send no more; let what is on its way arrive, and what should not come, too.

        Raises:
            Trouble: something is missing, or too much.
        """
        self.tally.stopping = True
        deadline = time.perf_counter() + self._plan.patience
        while self._waiting() and time.perf_counter() < deadline:
            await self._run.go_on(0.05)
        for sender in self._waiting():
            raise Trouble(f"lost: a message still waits for {sender.waits_for}")
        await self._fence("the last acks")
        for room in self.rooms:
            heard = {member.place for member in room.members}
            sent = sum(sender.sent for sender in room.senders.values())
            if heard != {sent}:
                raise Trouble(f"of {sent} messages in a room its members got {sorted(heard)}")

    def _waiting(self) -> list[Sender]:
        return [sender for sender in self.senders if sender.waits_for]

    async def _fence(self, what: str) -> None:
        clients = [client for room in self._clients for client in room]
        await self._run.until(self._people.fence(clients), SET_UP_SECONDS, what)


async def talk(run: Run, plan: Plan) -> Figures:
    """All send all the time; for `fan-out` a unit is a delivery, for `pairs` a send that is acked and delivered."""
    by_delivery = plan.load == "fan-out"
    with People(run, plan) as people:
        all_of_it = Talk(run, plan, people)
        tally = all_of_it.tally
        await all_of_it.enter()
        for sender in all_of_it.senders:
            sender.send()
        await run.go_on(plan.warm_up)
        tally.forget_times()
        before = tally.deliveries if by_delivery else tally.done
        meter = Meter(plan.pid)
        await run.go_on(plan.seconds)
        meter.stop()
        after = tally.deliveries if by_delivery else tally.done
        found = meter.read(after - before, tally.times if by_delivery else tally.send_times)
        if not found.units:
            raise Trouble("nothing was delivered in the measured time")
        await all_of_it.settle()
        return found
