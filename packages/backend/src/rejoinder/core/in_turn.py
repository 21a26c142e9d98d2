"""Whose turn it is in a room whose characters answer on several servers, as one of them decides it for itself.

Each answer that waits is owed in the store before its server looks there, and all servers see those that are owed in the same order.
So of two that look at the same time at least one sees the other, and it is the later one that waits: nobody has to ask anybody.
"""

from collections.abc import Collection, Sequence


def next_here(
    waiting: Sequence[str], begun: Collection[str], running: Collection[str], owed: Sequence[str]
) -> str | None:
    """Which of the answers that wait here may begin; None if another server's goes first, or none waits.

    Args:
        waiting: the ids of those that wait on this server, in the order of asking: all of them before it began to look.
        begun: of those that this server has begun, with a row or without.
        running: of those in the store that are being written, wherever.
        owed: of those in the store that have no row, in the order of their turns.
    """
    for answer_id in waiting:
        if answer_id in running:
            # Another server was asked for the same, and was quicker: whoever begins it finds that out, and leaves it.
            return answer_id
    if any(answer_id not in begun for answer_id in running):
        return None
    for answer_id in waiting:
        if answer_id not in owed:
            # It has ended by now, in other hands; that is found out in the same way.
            return answer_id
    for answer_id in owed:
        if answer_id in waiting:
            return answer_id
        if answer_id not in begun:
            return None
    return None
