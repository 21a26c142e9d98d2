"""What happens in a room, and what is shown of it then: examples for both languages, in protocol/fixtures/branches.

They are worked out here with a tree of nodes, in another way than the server and the client have it. To write them anew, from
packages/backend: `python -m tests.support.branch_cases`.
"""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[4] / "protocol" / "fixtures" / "branches" / "cases.json"
CASES = 80
Step = dict[str, Any]


@dataclass
class Node:
    """A row, and what follows it."""

    seq: int
    parent: "Node | None"
    children: list["Node"] = field(default_factory=list)
    deleted: bool = False

    def newest(self) -> "Node":
        """The newest row below it, or itself."""
        return max(
            (child.newest() for child in self.children), key=lambda node: node.seq, default=self
        )

    def line(self) -> list["Node"]:
        """From the beginning to it."""
        return [*(self.parent.line() if self.parent else []), self]


@dataclass
class Tree:
    """A room, one step after the other."""

    root: Node = field(default_factory=lambda: Node(0, None))
    nodes: list[Node] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    revision: int = 0

    def __post_init__(self) -> None:
        self.nodes.append(self.root)
        self.head = self.root

    def row(self, parent: Node | None = None, *, beside: int = 0) -> None:
        """A row follows the one before it, or the one that is named."""
        before = self.nodes[-1]
        node = Node(len(self.nodes), parent or before)
        step: Step = {"type": "row", "seq": node.seq}
        if parent is not None:
            step["parentSeq"] = parent.seq
        if beside:
            step["variantOf"] = f"m{beside}"
        node.parent.children.append(node)  # type: ignore[union-attr]
        self.nodes.append(node)
        self.steps.append(step)
        if beside or node.parent is self.head:
            self.head = node

    def follow(self) -> None:
        """An ordinary message, as a server puts it in: it goes on from the head."""
        self.row(None if self.head is self.nodes[-1] else self.head)

    def vary(self, seq: int) -> None:
        """Something beside a row."""
        self.row(self.nodes[seq].parent, beside=seq)

    def choose(self, seq: int) -> None:
        """Somebody turns to the branch of a row."""
        self.head = self.nodes[seq].newest()
        self.revision += 1
        self.steps.append(
            {
                "type": "chosen",
                "messageId": f"m{seq}",
                "head": self.head.seq,
                "lastSeq": len(self.nodes) - 1,
                "revision": self.revision,
            }
        )

    def delete(self, seq: int) -> None:
        """A text goes."""
        self.nodes[seq].deleted = True
        self.revision += 1
        self.steps.append({"type": "deleted", "messageId": f"m{seq}", "revision": self.revision})

    def shown(self) -> dict[str, Any]:
        """What everybody sees then: the path, and at each place the alternatives where there is more than one."""
        path = self.head.line()[1:]
        variants: dict[str, list[str]] = {}
        for node in path:
            beside = node.parent.children if node.parent else []
            offered = [each for each in beside if each is node or each.children or not each.deleted]
            if len(offered) > 1:
                variants[f"m{node.seq}"] = [f"m{each.seq}" for each in offered]
        return {
            "head": self.head.seq,
            "path": [f"m{node.seq}" for node in path],
            "variants": variants,
        }


def case(seed: int) -> dict[str, Any]:
    """One example."""
    chance, tree = random.Random(seed), Tree()
    for number in range(chance.choice((0, 0, 1, 3))):
        tree.row(tree.root if number else None)
    for _ in range(chance.randint(2, 25)):
        last = len(tree.nodes) - 1
        what = chance.choices(
            ("follow", "late", "vary", "choose", "delete"),
            (6, 1, 3, 3, 1) if last else (1, 0, 0, 0, 0),
        )[0]
        seq = chance.randint(1, max(last, 1))
        if what == "follow":
            tree.follow()
        elif what == "late":
            # An answer that was asked for on another branch.
            leaf = tree.nodes[seq].newest()
            tree.row(None if leaf is tree.nodes[-1] else leaf)
        else:
            getattr(tree, what)(seq)
    return {"steps": tree.steps, "shown": tree.shown()}


def cases() -> list[dict[str, Any]]:
    """All of them, always the same."""
    return [case(seed) for seed in range(CASES)]


def text() -> str:
    """As the file has them."""
    lines = ",\n".join(json.dumps(each) for each in cases())
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
