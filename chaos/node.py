"""The clients in TypeScript, the very ones of the package, in one Node process that is told what to do line by line."""

import asyncio
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec

from chaos import script
from chaos.server import ROOT

FRONTEND = ROOT / "packages" / "frontend"
PROGRAM = FRONTEND / "src" / "lib" / "client" / "testing" / "chaos.ts"
ANSWER_SECONDS = 10.0


class Seat(msgspec.Struct):
    """One client: whose it is, how it gets to the server, and the room that it is in."""

    name: str
    user: str
    token: str
    url: str
    room: str
    asks: bool


class Node:
    """The process; it is gone when this is left."""

    def __init__(self, folder: Path, seed: int, seats: Sequence[Seat], rate: float) -> None:
        self.log = folder / "node.jsonl"
        self._folder = folder
        self._plan = {
            "log": str(self.log),
            "seed": seed,
            "character": script.CHARACTER,
            "rate": rate,
            "seats": seats,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        bundle, plan = self._folder / "chaos.mjs", self._folder / "node.json"
        await asyncio.to_thread(_bundle, bundle)
        plan.write_bytes(msgspec.json.encode(self._plan))
        self.log.touch()
        with (self._folder / "node.log").open("wb") as errors:
            self._process = await asyncio.create_subprocess_exec(
                "node",
                str(bundle),
                str(plan),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()

    async def tell(self, what: str, **more: object) -> None:
        """Give an order."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode({"do": what, **more}) + b"\n")
        await self._process.stdin.drain()

    async def troubles(self) -> list[str]:
        """Why which client is not settled yet."""
        return await self._ask("status")

    async def lacks(self, newest: Mapping[str, int]) -> list[str]:
        """Which clients have not heard of the last row of their room."""
        return await self._ask("lacks", newest=newest)

    async def finish(self) -> None:
        """Have everybody write down what is shown; then the process is gone."""
        await self._ask("finish")

    async def _ask(self, what: str, **more: object) -> list[str]:
        await self.tell(what, **more)
        assert self._process is not None
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), ANSWER_SECONDS)
        return msgspec.json.decode(line, type=list[str])


def _bundle(target: Path) -> None:
    program = FRONTEND / "node_modules" / ".bin" / "rolldown"
    command = [str(program), str(PROGRAM), "--platform", "node", "--format", "esm"]
    subprocess.run([*command, "--file", str(target)], check=True, capture_output=True)
