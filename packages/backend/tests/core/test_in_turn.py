"""Several servers, each of which decides for itself by what it reads in the store, and never two answers at a time."""

from collections.abc import Generator, Iterator, Sequence
from itertools import count
from random import Random

from hypothesis import given, settings, strategies as st
from tests.profiles import deterministic

from rejoinder.core.in_turn import next_here
from rejoinder.stores.records import place_behind, place_of

Steps = Generator[None, None, None]
SERVERS = 3
LONG_ENOUGH = 2_000


class Room:
    """What the store has of a room, and what it tells: each method is one command, and nothing happens within one."""

    def __init__(self) -> None:
        self.last = 0
        self.owes: dict[str, tuple[int, int | None]] = {}
        self.rows: dict[str, str] = {}
        self.begun: list[str] = []

    def ask(self, answer: str) -> int:
        self.last += 1
        self.owes[answer] = (self.last, None)
        return self.last

    def place(self, answer: str) -> int:
        return place_of(*self.owes[answer])

    def order(self) -> list[str]:
        return sorted(self.owes, key=lambda answer: (self.place(answer), answer))

    def claim(self, answer: str) -> bool:
        """Whether it is this one who writes it."""
        if answer in self.rows:
            return False
        written = [each for each, state in self.rows.items() if state == "streaming"]
        assert not written, f"{answer} begins while {written} is written"
        ahead = [
            each
            for each in self.order()
            if each not in self.rows and 0 < self.place(each) < self.place(answer)
        ]
        assert not ahead, f"{answer} begins before {ahead}"
        self.rows[answer] = "streaming"
        self.begun.append(answer)
        return True


class Server:
    """One that lives until it is killed."""

    def __init__(self, room: Room, names: Iterator[int]) -> None:
        self.room = room
        self.waiting: list[str] = []
        self.running: str | None = None
        self.knows: set[str] = set()
        self.works: list[Steps] = [self.turns()]
        self._names = names

    def step(self, work: Steps) -> None:
        if next(work, "done") == "done":
            self.works.remove(work)

    def ask(self) -> Steps:
        answer = f"answer {next(self._names)}"
        self.knows.add(answer)
        self.room.ask(answer)
        yield
        self.waiting.append(answer)

    def ask_again(self, answer: str) -> Steps:
        """The question was sent to this server, too."""
        self.knows.add(answer)
        yield
        if answer not in self.waiting and answer != self.running:
            self.waiting.append(answer)

    def ask_for_another(self, seq: int) -> Steps:
        # Ids that are above and below those of the others.
        number = next(self._names)
        answer = f"{'another' if number % 2 else 'beside'} {number}"
        self.knows.add(answer)
        self.room.owes[answer] = (seq, 0)
        yield
        places = [place for _, place in self.room.owes.values() if place is not None]
        yield
        last = self.room.last
        yield
        self.room.owes[answer] = (seq, place_behind(last, places))
        yield
        self.waiting.append(answer)

    def turns(self) -> Steps:
        while True:
            waiting = tuple(self.waiting)
            owed = self.room.order()
            yield
            paid = dict(self.room.rows)
            yield
            running = [answer for answer, state in paid.items() if state == "streaming"]
            owed = [answer for answer in owed if answer not in paid]
            begun = [] if self.running is None else [self.running]
            chosen = next_here(waiting, begun, running, owed)
            if chosen is None:
                continue
            self.waiting.remove(chosen)
            self.running = chosen
            yield
            if self.room.claim(chosen):
                yield
                self.room.rows[chosen] = "ended"
            self.running = None
            self.knows.discard(chosen)


def settle(room: Room, servers: Sequence[Server]) -> None:
    """End what nobody who lives knows of, as whoever finds its lease run out does."""
    known = {answer for server in servers for answer in server.knows}
    for answer in room.owes:
        if answer not in known and room.rows.get(answer) != "ended":
            room.rows[answer] = "ended"


def forget(room: Room) -> None:
    """A debt is taken away some time after it was paid."""
    for answer in room.order():
        if room.rows.get(answer) == "ended":
            del room.owes[answer]
            return


KINDS = ("ask", "another", "again", "kill", "settle", "forget")
WEIGHTS = (6, 8, 2, 1, 1, 4)
WORK = 4
"""How often something goes on for each of these."""
ACTIONS = 150
EXAMPLES = 200


class Cluster:
    """Servers that do a step when they are told to."""

    def __init__(self) -> None:
        self.room = Room()
        self._names = count(1)
        self.servers = [Server(self.room, self._names) for _ in range(SERVERS)]

    def act(self, random: Random) -> None:
        (kind,) = random.choices(KINDS, WEIGHTS)
        at, room = random.randrange(SERVERS), self.room
        server = self.servers[at]
        if kind == "ask":
            server.works.append(server.ask())
        elif kind == "another" and room.last:
            server.works.append(server.ask_for_another(random.randint(1, room.last)))
        elif kind == "again" and (placed := [each for each in room.order() if room.place(each)]):
            server.works.append(server.ask_again(random.choice(placed)))
        elif kind == "kill":
            self.servers[at] = Server(room, self._names)
        elif kind == "settle":
            settle(room, self.servers)
        elif kind == "forget":
            forget(room)

    def work(self, random: Random) -> None:
        """One goes on while the others stand still."""
        server = random.choice(self.servers)
        for _ in range(random.choice((1, 1, 2, 4, 8))):
            server.step(random.choice(server.works))

    def all_step(self) -> None:
        settle(self.room, self.servers)
        for server in self.servers:
            for work in tuple(server.works):
                server.step(work)

    @property
    def waiting(self) -> list[str]:
        here = [answer for server in self.servers for answer in server.waiting]
        return [*here, *(each for each in self.room.owes if self.room.rows.get(each) != "ended")]


@given(st.integers(0, 2**32))
@settings(deterministic, max_examples=EXAMPLES)
def test_one_at_a_time_in_their_order_and_all_in_the_end(seed: int) -> None:
    random, cluster = Random(seed), Cluster()
    for _ in range(ACTIONS):
        cluster.act(random)
        for _ in range(WORK):
            cluster.work(random)
    for _ in range(LONG_ENOUGH):
        if not cluster.waiting:
            return
        cluster.all_step()
    raise AssertionError(f"these wait for ever: {cluster.waiting}")


def test_an_answer_that_another_server_writes_is_not_waited_for() -> None:
    """It was asked for here, too: whoever wants it stopped must not find it waiting."""
    assert next_here(["a"], [], ["a"], []) == "a"
    assert next_here(["a", "b"], [], ["c", "b"], ["a"]) == "b"


def test_what_is_begun_here_keeps_nobody_waiting() -> None:
    assert next_here(["b"], ["a"], [], ["a", "b"]) == "b"
    assert next_here(["b"], ["a"], ["a"], ["b"]) == "b"


def test_what_has_its_row_is_left_to_whoever_begins_it() -> None:
    assert next_here(["a"], [], [], ["b"]) == "a"
    assert next_here(["a"], [], ["c"], ["b"]) is None
    assert next_here([], [], [], ["b"]) is None
