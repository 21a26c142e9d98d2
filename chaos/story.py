"""What explains a hole: of its viewer and its room everything that was written down, in one file, in the order of time."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from chaos.record import Acked, Closed, Fault, Heard, Opened, Record, Sent, Stored
from chaos.violations import Violation

FOLDER = "stories"
LINE_MAX = 400


def tell(
    folder: Path, wrong: Iterable[Violation], log: Iterable[Record], rows: Sequence[Stored]
) -> None:
    """Write the story of each viewer who has a hole into `folder`, where the logs of the servers are, too."""
    viewers = sorted({violation.viewer for violation in wrong if violation.viewer is not None})
    told = list(log) if viewers else []
    for client, room in viewers:
        place = folder / FOLDER
        place.mkdir(exist_ok=True)
        story = "\n".join(lines(client, room, told, rows))
        (place / f"{client} in {room}.txt").write_text(story + "\n", encoding="utf-8")


def lines(client: str, room: str, log: Iterable[Record], rows: Iterable[Stored]) -> Iterator[str]:
    """What the viewer heard, what was broken, when others sent and heard of the same rows; and the rows."""
    for record in log:
        if _concerns(client, room, record):
            yield msgspec.json.encode(record).decode()[:LINE_MAX]
    for row in rows:
        if row.room == room:
            yield f"stored: {row.seq} {row.id}, {row.role} {row.sender}, {row.state}"


def _concerns(client: str, room: str, record: Record) -> bool:
    if isinstance(record, Fault):
        return record.target in ("", client)
    if isinstance(record, Opened | Closed):
        return record.client == client
    if isinstance(record, Heard):
        return record.payload.room_id == room
    own = getattr(record, "client", client) == client
    return getattr(record, "room", "") == room and (own or isinstance(record, Sent | Acked))
