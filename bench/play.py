"""The load generator: a process of its own that plays all clients of one run. A plan comes in, an outcome goes out."""

import gc
import sys
from collections.abc import Awaitable, Callable, Mapping

import msgspec
import uvloop

from come import come, stay
from figures import Figures, Load, Outcome, Plan
from pages import pages
from storm import storm
from talk import talk
from watch import watch
from wire import Run, Trouble

LOADS: Mapping[Load, Callable[[Run, Plan], Awaitable[Figures]]] = {
    "fan-out": talk,
    "pairs": talk,
    "streams": watch,
    "crowd": watch,
    "connects": come,
    "storm": storm,
    "idle": stay,
    "pages": pages,
}


async def play(plan: Plan) -> Outcome:
    """Do what was planned."""
    run = Run()
    try:
        return Outcome(await LOADS[plan.load](run, plan))
    except* (Trouble, OSError) as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        trouble = str(first) or repr(first)
    return Outcome(trouble=trouble)


def main() -> None:
    """Play the plan on standard input."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    # A collection among so many objects would be seen in the latencies as if the server had paused.
    gc.disable()
    outcome = uvloop.run(play(plan))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main()
