"""The server process that faults happen to: started again on its data after each death, its links told where it is now."""

import asyncio
import os
import re
import signal
import struct
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECRET = "the-secret-of-a-server-that-is-only-broken"  # noqa: S105 - it opens nothing
OPERATOR = "operator-of-the-chaos"
START_SECONDS = 60.0
END_SECONDS = 30.0
REVIVE_SECONDS = 90.0
AGAIN_SECONDS = 0.5


class DidNotStart(Exception):
    """The server did not come up."""


@dataclass
class Server:
    """One server; `folder` is its own, `data` may be on a disk of its own."""

    name: str
    folder: Path
    data: Path
    flags: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    starts: int = 0
    failed_starts: int = 0
    process: "asyncio.subprocess.Process | None" = None
    patience: float = END_SECONDS
    """Seconds that it may take to end when it is told to."""
    listens: bool = False
    """Whether clients are handed on to it: from when it is up until it is ended."""

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def generations(self) -> Path:
        return self.folder / "generations.jsonl"

    @property
    def clock(self) -> Path:
        """By how much the clock of the server is wrong."""
        return self.folder / "clock"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        """Start it and wait until it has told its address.

        Raises:
            DidNotStart: it has not.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith("REJOINDER_")
        }
        given = {
            "REJOINDER_JWT_SECRET": SECRET,
            "REJOINDER_OPERATOR_TOKEN": OPERATOR,
            "REJOINDER_DATA_DIR": str(self.data),
            "CHAOS_GENERATIONS": str(self.generations),
            "CHAOS_CLOCK": str(self.clock),
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "packages" / "backend" / "src"))),
            **self.environment,
        }
        self.jump(0)
        program = (sys.executable, "-m", "chaos.app", "serve", "--port", "0", "--no-model")
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *program,
                *self.flags,
                env={**clean, **given},
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1
        self.port = await self._announced()
        self.listens = True

    async def revive(self) -> None:
        """Start it as a supervisor does: again and again, where it can't start yet."""
        deadline = asyncio.get_running_loop().time() + REVIVE_SECONDS
        while True:
            try:
                await self.start()
            except DidNotStart:
                self.failed_starts += 1
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    async def _announced(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), START_SECONDS)
        except TimeoutError:
            line = b""
        found = re.search(rb"http://[\d.]+:(\d+)", line)
        if found is None:
            await self.kill()
            raise DidNotStart(f"{line.decode()} {self.log.read_text(encoding='utf-8')[-2000:]}")
        return int(found[1])

    def jump(self, seconds: int) -> None:
        """Let the server's clock be wrong by so much from now on."""
        with self.clock.open("r+b" if self.clock.exists() else "w+b") as file:
            file.write(struct.pack("<q", seconds * 10**9))

    def tell(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)

    async def kill(self) -> None:
        """`kill -9`."""
        await self.end(signal.SIGKILL)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, by force where it does not follow."""
        self.listens = False
        if self.process is None:
            return
        self.tell(number)
        try:
            await asyncio.wait_for(self.process.wait(), self.patience)
        except TimeoutError:
            self.tell(signal.SIGKILL)
            await self.process.wait()

    def defects(self) -> list[str]:
        """Lines of the log that tell of a defect."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [
            line
            for line in lines
            if '"level": "error"' in line or '"critical"' in line or line.startswith("Traceback")
        ]
