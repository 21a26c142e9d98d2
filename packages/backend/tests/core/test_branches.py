"""Which path is shown of a room, however its branches came about."""

import json
from typing import Any

import pytest
from hypothesis import given as given_values, settings, strategies as st
from msgspec import UNSET
from tests.profiles import deterministic
from tests.support.branch_cases import FILE, Node, Tree, case, text

from rejoinder.core.branches import (
    Branches,
    Branching,
    Choice,
    Fork,
    head_after,
    leads_to,
    newest_below,
    parent_of,
    path,
)
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import or_unset

seeds = st.integers(1000, 10**9)


def row(seq: int, parent: int | None = None, beside: str | None = None) -> ChatMessage:
    return ChatMessage(
        id=f"m{seq}",
        room_id="room",
        seq=seq,
        role="user",
        sender_id="ann",
        content=f"m{seq}",
        state="complete",
        timestamp="2026-01-01T00:00:00.000Z",
        parent_seq=or_unset(parent),
        variant_of=or_unset(beside),
    )


def rows_of(steps: list[dict[str, Any]]) -> list[ChatMessage]:
    return [
        row(step["seq"], step.get("parentSeq"), step.get("variantOf"))
        for step in steps
        if step["type"] == "row"
    ]


def choice_of(step: dict[str, Any]) -> Choice:
    return Choice(step["messageId"], "ann", 0, step["head"], step["lastSeq"], step["revision"])


def played(steps: list[dict[str, Any]]) -> tuple[Branches, list[ChatMessage]]:
    """A server to which it happens, one after the other."""
    branches, rows = Branches(), rows_of(steps)
    published = 0
    for step in steps:
        if step["type"] == "row":
            each = rows[published]
            published += 1
            if branches.follows and each.parent_seq is UNSET:
                branches.head = each.seq  # As `Rooms` has it for what is ordinary.
            else:
                branches.publish(each)
        elif step["type"] == "chosen":
            assert branches.choose(choice_of(step), published)
    return branches, rows


def names(rows: list[ChatMessage]) -> list[str]:
    return [each.id for each in rows]


def test_the_examples_are_those_that_are_worked_out() -> None:
    assert FILE.read_text(encoding="utf-8") == text()


@pytest.mark.parametrize("example", json.loads(FILE.read_text(encoding="utf-8")))
def test_an_example_is_shown_as_it_says(example: dict[str, Any]) -> None:
    branches, rows = played(example["steps"])
    assert branches.head == example["shown"]["head"]
    assert names(path(rows, branches.head)) == example["shown"]["path"]


@given_values(seed=seeds)
@settings(deterministic, max_examples=300)
def test_what_a_server_was_told_is_what_another_one_reads(seed: int) -> None:
    steps = case(seed)["steps"]
    branches, rows = played(steps)
    choices = [choice_of(step) for step in steps if step["type"] == "chosen"]
    forks = tuple(
        Fork(each.seq, parent_of(each), each.variant_of is not UNSET)
        for each in rows
        if each.parent_seq is not UNSET
    )
    choice = choices[-1] if choices else None
    read = Branches(len(rows), Branching(9, choice, forks))
    assert (read.head, read.follows, read.forks) == (
        branches.head,
        branches.follows,
        branches.forks,
    )
    # One that read it before the last rows were published hears of those, and of the choice among them, later.
    early = Branches(len(rows) // 2, Branching(9, choice, forks))
    for each in rows[len(rows) // 2 :]:
        early.publish(each)
    assert (early.head, early.follows, early.choice_waits) == (
        branches.head,
        branches.follows,
        None,
    )
    for older in reversed(choices):
        assert not read.choose(older, len(rows)), "an older choice is no news"


@given_values(seed=seeds)
@settings(deterministic, max_examples=300)
def test_the_rules_are_those_of_a_tree(seed: int) -> None:
    example = case(seed)
    branches, rows = played(example["steps"])
    nodes = tree_of(rows)
    last = len(rows)
    assert names(path(rows, branches.head)) == example["shown"]["path"]
    for node in nodes[1:]:
        assert newest_below(node.seq, branches.forks, last) == node.newest().seq
        line = {each.seq for each in node.line()}
        for other in nodes[1:]:
            assert leads_to(other.seq, node.seq, branches.forks) == (other.seq in line)
        leaf = node.newest().seq
        on_line = node.seq in {each.seq for each in nodes[-1].line()}
        assert branches.leaf_for(node.seq, last) == (None if on_line else leaf)


@given_values(seed=seeds, first=st.integers(0, 30))
@settings(deterministic, max_examples=200)
def test_a_page_shows_the_end_of_the_same_path(seed: int, first: int) -> None:
    branches, rows = played(case(seed)["steps"])
    whole = names(path(rows, branches.head))
    page = rows[first:]
    shown = names(path(page, branches.head))
    held = set(names(page))
    assert shown == [each for each in whole if each in held]


def tree_of(rows: list[ChatMessage]) -> list[Node]:
    tree = Tree()
    for each in rows:
        parent = None if each.parent_seq is UNSET else tree.nodes[parent_of(each)]
        tree.row(parent, beside=1 if each.variant_of is not UNSET else 0)
    return tree.nodes


def test_a_row_of_another_branch_does_not_move_the_head() -> None:
    # Two questions; the second was edited, and then the first is answered.
    branches, rows = played(
        [
            {"type": "row", "seq": 1},
            {"type": "row", "seq": 2},
            {"type": "row", "seq": 3, "parentSeq": 1, "variantOf": "m2"},
            {"type": "row", "seq": 4, "parentSeq": 2},
            {"type": "row", "seq": 5},
        ]
    )
    assert (branches.head, branches.follows) == (3, False)
    assert names(path(rows, branches.head)) == ["m1", "m3"]


def test_the_head_goes_on_after_a_choice() -> None:
    forks = (Fork(3, 1, beside=True), Fork(5, 2, beside=False))
    assert head_after(2, 4, forks, 4) == 2
    assert head_after(2, 4, forks, 6) == 6
    assert head_after(0, 0, (), 7) == 7
    assert head_after(0, 0, (Fork(2, 0, beside=False), Fork(3, 0, beside=False)), 3) == 1


def test_what_is_missing_counts_as_ordinary() -> None:
    assert names(path([row(1), row(2), row(5)], 5)) == ["m1", "m2", "m5"]
    assert names(path([row(1), row(2), row(5)], 4)) == ["m1", "m2"]
    assert path([], 4) == []


def test_a_change_that_is_missing_is_noticed() -> None:
    branches = Branches(3, Branching(2))
    assert branches.knows(1)
    assert branches.knows(3)
    assert not branches.knows(5)
    assert branches.revision == 3
    assert branches.erase("m1", 7, 4)
    assert not branches.erase("m1", 7, 4)
    for number in range(1100):
        branches.erase(f"other {number}", 7, 5)
    assert len(branches.gone) == 1000
