"""Figures that a program writes into a page itself, so that no hand can mistake them."""

from collections.abc import Sequence
from pathlib import Path


def put_section(page: Path, name: str, lines: Sequence[str]) -> None:
    """Replace what is between the two marks of that name."""
    begin, end = f"<!-- {name}: made by a command -->", f"<!-- {name}: end -->"
    text = page.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, also_found, after = rest.partition(end)
    if not (found and also_found):
        raise ValueError(f"{page.name} has no marks for {name}")
    page.write_text("\n".join([before + begin, "", *lines, "", end + after]), encoding="utf-8")
