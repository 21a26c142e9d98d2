"""A room as a file, page by page: Markdown for people, JSON for programs."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from rejoinder.protocol.events import ChatMessage, Member
from rejoinder.protocol.fields import given, iso, or_unset
from rejoinder.protocol.rest import ExportedRoom
from rejoinder.stores.base import Store
from rejoinder.stores.records import Room, StoredMember

Format = Literal["markdown", "json"]
PAGE: Final = 100
VERSION: Final = 1
_HEADING = re.compile(r"^(\s*)(#{1,6}(?:\s|$)|=+\s*$|-+\s*$)")
# Of CommonMark 0.31, section 4.5: what a fence of backticks is followed by has none.
_FENCE = re.compile(r" {0,3}(?P<fence>(?:`{3,}(?!.*`)|~{3,}).*)")
_TAG = re.compile(r"(\\*)<")
_ENDS: Final[Mapping[str, str]] = {
    "streaming": "is still being written",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export is made of."""

    room: Room
    members: Sequence[StoredMember]
    characters: Mapping[str, str]
    """The names of the characters that are known."""
    last_seq: int
    """Up to which message."""
    at: int
    """When, in milliseconds since the epoch."""

    def name(self, message: ChatMessage) -> str:
        """Who wrote it, for people."""
        if message.role == "character":
            return self.characters.get(message.sender_id, message.sender_id)
        names = {member.user_id: member.name for member in self.members}
        return names.get(message.sender_id) or message.sender_id


async def markdown(store: Store, exported: Exported) -> AsyncIterator[bytes]:
    """As Markdown."""
    title = exported.room.title or exported.room.id
    names = ", ".join(_line(each.name or each.user_id) for each in exported.members)
    yield f"# {_line(title)}\n\n{iso(exported.at)} · {names}\n".encode()
    async for page in _pages(store, exported):
        written = []
        for message in page:
            end = _ENDS.get(message.state)
            state = f" · {end}" if end else ""
            edited = given(message.edited_at)
            changed = f" · edited {edited}" if edited else ""
            head = f"\n## {_line(exported.name(message))} · {message.timestamp}{changed}{state}\n"
            written.append(f"{head}\n{harmless(message.content)}\n")
        yield "".join(written).encode()


async def as_json(store: Store, exported: Exported) -> AsyncIterator[bytes]:
    """As JSON, in the shape of `ExportedRoom`, a message a line."""
    room = exported.room
    whole = ExportedRoom(
        version=VERSION,
        exported_at=iso(exported.at),
        room_id=room.id,
        created_by=room.created_by,
        created_at=iso(room.created_at),
        title=or_unset(room.title),
        character_id=or_unset(room.character_id),
        characters=dict(exported.characters),
        members=[
            Member(user_id=each.user_id, status="offline", name=or_unset(each.name or None))
            for each in exported.members
        ],
        messages=[],
    )
    head, tail = msgspec.json.encode(whole).split(b'"messages":[]')
    yield head + b'"messages":['
    before = b"\n"
    async for page in _pages(store, exported):
        yield before + b",\n".join(map(msgspec.json.encode, page))
        before = b",\n"
    yield b"\n]" + tail


async def _pages(store: Store, exported: Exported) -> AsyncIterator[list[ChatMessage]]:
    after = 0
    while after < exported.last_seq:
        page = (await store.page_after(exported.room.id, after, PAGE)).messages
        rows = [row for row in page if row.seq <= exported.last_seq]
        if not rows:
            return
        after = rows[-1].seq
        shown = [row for row in rows if row.content]
        if shown:
            yield shown


def harmless(content: str) -> str:
    """A text in Markdown that is no heading, as of another message, and no HTML."""
    lines, mark = [], ""
    for line in content.splitlines():
        opened = _FENCE.fullmatch(line)
        if mark:
            lines.append(line)
            if _closes(mark, line):
                mark = ""
        elif opened is not None:
            # At the margin: an indented one may be part of a list, and end with it.
            fence = opened["fence"]
            lines.append(fence)
            mark = fence[: len(fence) - len(fence.lstrip(fence[0]))]
        else:
            lines.append(_without_tags(_HEADING.sub(r"\1\\\2", line)))
    if mark:
        lines.append(mark)
    return "\n".join(lines)


def _closes(mark: str, line: str) -> bool:
    found = line.rstrip(" \t")
    bare = found.lstrip(" ")
    return len(found) - len(bare) < 4 and bare.startswith(mark) and not bare.strip(mark[0])  # noqa: PLR2004 - more is code


def _without_tags(text: str) -> str:
    # A backslash of one's own would be taken for what ours stands before.
    return _TAG.sub(lambda found: f"{found[1]}<" if len(found[1]) % 2 else f"{found[1]}\\<", text)


def _line(text: str) -> str:
    return _without_tags(" ".join(text.split()))
