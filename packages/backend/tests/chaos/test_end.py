"""What a run ends with: all is in order, everybody has had the time that is promised them, and a hole is explained."""

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from chaos.crowd import Crowd, End, Size
from chaos.device import Device
from chaos.faults import Faults
from chaos.fleet import Fleet
from chaos.harm import Harm
from chaos.link import DOWN, UP
from chaos.record import Acked, Fault, Record, Recorder, Sent, Stored
from chaos.story import tell
from chaos.violations import Violation
from tests.chaos.test_link import gone, through


class Viewer:
    """Who has everything that they know of, and does not know of the last row until they are told."""

    settled = True
    trouble = ""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.last = 1

    def lacks(self, newest: Mapping[str, int]) -> list[str]:
        self.asked.set()
        return ["the last row"] if self.last < newest["room"] else []


async def ended(viewer: Viewer, folder: Path, whole: float) -> "asyncio.Task[list[str]]":
    """The end of a run with only them."""
    with Recorder(folder / "log.jsonl") as record:
        crowd = Crowd(Fleet([]), folder, record, Size(people=0, scripts=0), seed=1)
        end = End(within=60.0, quiet=0.0, whole=whole, newest=lambda: {"room": 2})
        return asyncio.ensure_future(crowd._settled([cast("Device", viewer)], end))


async def test_who_has_not_heard_of_the_last_row_is_waited_for(tmp_path: Path) -> None:
    viewer = Viewer()
    end = await ended(viewer, tmp_path, whole=60.0)
    for _ in range(2):
        viewer.asked.clear()
        await viewer.asked.wait()
    assert not end.done()
    viewer.last = 2
    assert await end == []


async def test_they_are_not_waited_for_longer_than_is_promised(tmp_path: Path) -> None:
    end = await ended(Viewer(), tmp_path, whole=0.3)
    assert await end == [], "what they show then has a hole, which is found"


async def test_who_talks_to_nobody_is_told_in_the_end(tmp_path: Path) -> None:
    with Recorder(tmp_path / "log.jsonl") as record:
        for told in (UP, DOWN):
            async with through() as (link, client, there):
                link.half_open(told)
                ends = {UP: client, DOWN: there}
                assert await gone(ends.pop(told))
                rng = random.Random(1)
                await Faults(cast("Harm", None), [link], record, rng).end()
                (kept,) = ends.values()
                assert await gone(kept)


def test_a_hole_is_told_with_all_that_concerns_it(tmp_path: Path) -> None:
    log: list[Record] = [
        Fault(1.0, "redis killed"),
        Fault(1.1, "cut", "ann"),
        Fault(1.2, "cut", "ben"),
        Sent(1.3, "ben", 1, "room", "m1", "m1"),
        Sent(1.4, "ben", 1, "another room", "m2", "m2"),
        Acked(1.5, "ben", 1, "room", "m1", ok=True, seq=1),
    ]
    rows = [Stored("room", 1, "m1", "user", "ben", "m1", "complete")]
    tell(tmp_path, [Violation("hole", "ann lacks m1", 2.0, ("ann", "room"))], log, rows)
    (story,) = (tmp_path / "stories").iterdir()
    assert story.name == "ann in room.txt"
    text = story.read_text(encoding="utf-8")
    for told in ("redis killed", '"ann"', '"m1"', '"seq":1', "stored: 1 m1"):
        assert told in text
    assert "m2" not in text
    assert '"target":"ben"' not in text
