"""Bars of the servers side by side, as SVG: small, and readable on light and on dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 720
LABELS = 190
FIGURES = 150
ROW = 30
BAR = 18
TOP = 44

# A grey that can be read on both, where the page's choice is not known.
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}.title{font-weight:600}"
    ".ours{fill:#2563eb}.other{fill:#9aa4b2}.floor{fill:none;stroke:#9aa4b2;stroke-dasharray:4 3}"
    ".range{stroke:#57606a;stroke-width:1.5}"
    "@media(prefers-color-scheme:dark){text{fill:#c9d1d9}.ours{fill:#60a5fa}.other{fill:#6e7681}"
    ".floor{stroke:#8b949e}.range{stroke:#c9d1d9}}"
)


@dataclass(frozen=True)
class Bar:
    """One server: its median, and the least and greatest of its rounds."""

    label: str
    kind: str
    """ours, other or floor"""
    value: float
    least: float
    greatest: float
    told: str


def bars(title: str, rows: Sequence[Bar]) -> str:
    """A drawing of them, from nought."""
    most = max((row.greatest for row in rows), default=0) or 1
    scale = (WIDTH - LABELS - FIGURES) / most
    height = TOP + ROW * len(rows) + 6
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="8" y="24">{escape(title)}</text>',
        *(_bar(row, TOP + ROW * number, scale) for number, row in enumerate(rows)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bar(row: Bar, top: int, scale: float) -> str:
    middle = top + BAR / 2
    begin, end = (LABELS + scale * value for value in (row.least, row.greatest))
    return (
        f'<text x="{LABELS - 8}" y="{middle + 4.5:g}" text-anchor="end">{escape(row.label)}</text>'
        f'<rect class="{row.kind}" x="{LABELS}" y="{top}" width="{max(scale * row.value, 1):.1f}" height="{BAR}" rx="2"/>'
        f'<line class="range" x1="{begin:.1f}" y1="{middle:g}" x2="{end:.1f}" y2="{middle:g}"/>'
        f'<text x="{end + 8:.1f}" y="{middle + 4.5:g}">{escape(row.told)}</text>'
    )
