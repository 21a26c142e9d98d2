"""The attacker as a process of its own, so that the others' waits are those of the server: `attacker PORT NAME SIZE SEED`."""

import asyncio
import os
import sys
import time

from tests.socket_io.hostile.attacks import ATTACKS
from tests.socket_io.hostile.malformed import storm

FUZZ = "malformed"
SECONDS = 3.0
"""An attack is repeated until it has lasted so long."""


async def attack(port: int, name: str, size: int, seed: int) -> None:
    """Do it; `size` is how many packets, for malformed ones."""
    if name == FUZZ:
        connections = await storm(port, seed, size)
        sys.stdout.write(f"{connections}\n")
        return
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        await ATTACKS[name](port, size)


if __name__ == "__main__":
    os.nice(19)
    asyncio.run(attack(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
