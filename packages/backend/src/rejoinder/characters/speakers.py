"""Who said what, for a model that knows two sides only: names before the lines where more than two speak. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from rejoinder.characters.base import PastMessage, Turn

NOTE = (
    "Several speak in this conversation. Each of their messages begins with the name of who wrote it. Answer as yourself "
    "and nobody else, without a name before it."
)
NOBODY = "Guest"
_NAME_LENGTH = 64


def several(turn: Turn) -> bool:
    """True if more than one person speaks, or another character, and any of them has a name to be told apart by."""
    if not turn.user_name and not any(each.name for each in turn.history):
        return False
    people = {turn.user_id} | {each.sender_id for each in turn.history if each.role == "user"}
    return len(people) > 1 or any(_is_other(turn, each) for each in turn.history)


def told_apart(turn: Turn, past: Sequence[PastMessage]) -> tuple[list[PastMessage], str]:
    """The messages and the text that is answered, as the character sees them.

    What other characters said is somebody else's line for it. Where several speak, lines that are not its own have names.
    """
    if not several(turn):
        return list(past), turn.text
    shown = [
        replace(each, role="user", content=_named(each.name, each.content))
        if each.role == "user" or _is_other(turn, each)
        else each
        for each in past
    ]
    return shown, _named(turn.user_name, turn.text)


def _is_other(turn: Turn, message: PastMessage) -> bool:
    own = {"", turn.character_id}
    return message.role == "character" and bool(turn.character_id) and message.sender_id not in own


def _named(name: str, text: str) -> str:
    # A name is one line, or whoever has it could speak for others.
    return f"{' '.join(name.split())[:_NAME_LENGTH] or NOBODY}: {text}"
