"""The prompts that are kept: of the newest answers, and never more than there is room for."""

from pathlib import Path

from hypothesis import given, strategies as st
from tests.service.world import World, running

from rejoinder.characters import Prompt, Usage
from rejoinder.protocol import catalogue
from rejoinder.service.prompts import Prompts


def prompt(text: str, model: str = "m") -> Prompt:
    return Prompt(({"role": "user", "content": text},), model)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.integers(0, 60)), max_size=60)
)
def test_the_newest_are_kept_within_the_bounds(keeps: list[tuple[str, int, int]]) -> None:
    prompts = Prompts(per_room=3, bytes_max=100)
    kept: dict[str, tuple[str, int]] = {}
    for room_id, number, size in keeps:
        message_id = f"{room_id}{number}"
        prompts.keep(room_id, message_id, "ann", prompt("x" * size), prompts.begin(room_id))
        kept.pop(message_id, None)
        kept[message_id] = (room_id, size)
        of_room = [each for each, (room, _) in kept.items() if room == room_id]
        if len(of_room) > 3:
            del kept[of_room[0]]
        while sum(size for _, size in kept.values()) > 100:
            del kept[next(iter(kept))]
        for room in "abc":
            for each in (f"{room}{place}" for place in range(10)):
                found = prompts.find(each)
                assert (found is not None) == (each in kept)
    for room in "abc":
        prompts.forget_room(room)
    assert all(prompts.find(each) is None for each in kept)


def test_one_that_is_too_large_is_not_kept_and_pushes_nothing_out() -> None:
    prompts = Prompts(bytes_max=10)
    prompts.keep("room", "a", "ann", prompt("short"), prompts.begin("room"))
    prompts.keep("room", "b", "ann", prompt("far too long"), prompts.begin("room"))
    assert prompts.find("b") is None
    assert prompts.find("a") is not None


def test_the_cost_is_told_when_it_is_known() -> None:
    prompts = Prompts()
    prompts.cost("a", Usage(1, 2))
    prompts.keep("room", "a", "ann", prompt("hi"), prompts.begin("room"))
    prompts.cost("a", Usage(3, 4))
    found = prompts.find("a")
    assert found is not None
    assert (found.usage, found.asked_by, found.prompt) == (Usage(3, 4), "ann", prompt("hi"))


def test_what_was_begun_before_it_was_forgotten_is_not_kept() -> None:
    prompts = Prompts()
    before, other = prompts.begin("room"), prompts.begin("other")
    prompts.forget_room("room")
    assert prompts.begin("room") is not before
    for message_id, room_id, began in (
        ("a", "room", before),
        ("b", "room", prompts.begin("room")),
        ("c", "other", other),
    ):
        prompts.keep(room_id, message_id, "ann", prompt("hi"), began)
    assert [each for each in "abc" if prompts.find(each)] == ["b", "c"]


async def test_what_is_deleted_while_a_prompt_is_made_is_not_kept_in_it(
    tmp_path: Path,
) -> None:
    prompts = Prompts()
    async with running(tmp_path, prompts=prompts) as world:
        (ann,) = await world.in_room("ann")
        secret = await ann.send("secret")
        answered: list[str] = []
        for _ in range(2):
            await ann.ask("hi")
            (*_, turn) = world.puppet.turns
            if not answered:
                await ann.call("message:delete", {"roomId": "room", "messageId": secret.message_id})
            turn.on_prompt(prompt(" ".join(each.content for each in turn.history)))
            world.puppet.say("Hello.", None)
            await world.advance(0.1)
            answered.append(ann.heard(catalogue.STREAM_END)[-1].message_id)
        assert "secret" in [each.content for each in world.puppet.turns[0].history]
        assert [prompts.find(each) is not None for each in answered] == [False, True]


async def test_a_server_that_keeps_none_asks_all_the_same(world: World) -> None:
    (ann,) = await world.in_room("ann")
    await ann.ask("hi")
    world.puppet.turns[0].on_prompt(prompt("hi"))
    world.puppet.say("Hello.", Usage(1, 2), None)
    await world.advance(0.1)
