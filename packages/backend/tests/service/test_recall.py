"""What a character is handed over of a conversation."""

import pytest
from tests.service.world import Client, Puppet, World

from rejoinder.stores.records import Draft
from rejoinder.stores.sqlite import SqliteStore


class Wide(Puppet):
    """A character with a large window."""

    def __init__(self, history_bytes: int) -> None:
        super().__init__("wide")
        self.history_bytes = history_bytes


async def filled(world: World, count: int, size: int = 10) -> Client:
    """Somebody in a room with so many messages of so many bytes."""
    drafts = [
        Draft(f"m{number}", "room", "user", "ben", f"{number:0{size}}", "complete", 0)
        for number in range(count)
    ]
    await SqliteStore.append_all(world.store, drafts)
    (ann,) = await world.in_room("ann", character_id="wide")
    return ann


@pytest.mark.parametrize(
    ("history_bytes", "size", "count"),
    [
        (100_000, 10, 500),  # Never more than that.
        (1000, 10, 150),  # A page further than what surely fits.
        (1, 10, 50),
        (100_000, 1000, 150),
    ],
)
async def test_a_large_window_is_handed_over_more_but_not_more_than_it_can_hold(
    world: World, history_bytes: int, size: int, count: int
) -> None:
    wide = Wide(history_bytes)
    world.characters.add(wide)
    ann = await filled(world, 600, size)
    await ann.ask("And now?", characterId="wide")
    await world.settle()
    (turn,) = wide.turns
    assert [int(past.content) for past in turn.history] == list(range(600 - count, 600))


async def test_others_are_handed_over_the_newest_50(world: World) -> None:
    ann = await filled(world, 120)
    await ann.ask("And now?", characterId="puppet")
    await world.settle()
    (turn,) = world.puppet.turns
    assert [int(past.content) for past in turn.history] == list(range(70, 120))


async def test_who_speaks_is_told_by_name_also_of_those_who_have_left(world: World) -> None:
    ann, ben = await world.in_room("ann", "ben")
    await ben.send("I was here.")
    await ben.call("room:leave", {"roomId": "room"})
    await ann.ask("Who was?", characterId="puppet")
    world.puppet.say("Ben.", None)
    await world.advance(0.1)
    await ann.ask("/count 1", characterId="echo")
    await world.advance(1)
    await ann.ask("And then?", characterId="puppet")
    await world.settle()
    first, second = world.puppet.turns
    assert [(past.name, past.content) for past in first.history] == [("Ben", "I was here.")]
    assert (first.user_name, first.character_id) == ("Ann", "puppet")
    assert [(past.name, past.role) for past in second.history] == [
        ("Ben", "user"),
        ("Ann", "user"),
        ("Puppet", "character"),
        ("Ann", "user"),
        ("Echo", "character"),
    ]
