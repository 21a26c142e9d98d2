"""What a run is to do and what it came to, as the processes tell each other; and how it is measured."""

import time
from array import array
from pathlib import Path
from typing import Literal

import msgspec

Load = Literal["fan-out", "pairs", "streams", "crowd", "connects", "storm", "idle", "pages"]


class Plan(msgspec.Struct, frozen=True):
    """One run of a load against a server that is up."""

    load: Load
    url: str
    pid: int
    secret: str
    seconds: float
    """of measuring"""
    warm_up: float
    """seconds of the same load before it"""
    patience: float
    """seconds that what is on its way at the end may take"""
    clients: int
    room_size: int
    senders: int
    """members of a room who send, each the next message when the last is acked and delivered to all"""
    messages: int = 0
    """that were missed, or that a long room has"""
    rate: float = 0.0
    """sends a second of all, where they are sent at fixed times"""


class Figures(msgspec.Struct, frozen=True):
    """What came of a run."""

    units: int
    """counted in the measured time"""
    rate: float
    """units a second"""
    server_us: float
    """microseconds of the server's CPU for a unit"""
    p50: float
    """milliseconds"""
    p99: float
    """milliseconds"""
    rss: float
    """MiB of the server at the end of the measured time"""
    server: float
    """share of its core that the server used: near 1 where it was the limit"""
    generator: float
    """share of its core that the load generator used: well below 1 where it was not"""
    each: float = 0.0
    """idle: KiB of the server for a connection"""
    whole: float = 0.0
    """storm: milliseconds until the last was back"""
    alone_p50: float = 0.0
    """pages: milliseconds of a send while nobody reads pages"""
    alone_p99: float = 0.0
    send_p50: float = 0.0
    """pages: milliseconds of a send while somebody does"""
    send_p99: float = 0.0


class Outcome(msgspec.Struct, frozen=True):
    """The answer of the load generator: figures, or why there are none."""

    figures: Figures | None = None
    trouble: str = ""


def cpu_seconds(pid: int) -> float:
    """CPU time of a process with all its threads, in user and kernel mode."""
    # The clock of another process, as clock_getcpuclockid(3) makes its number: /proc/[pid]/stat counts only in hundredths.
    return time.clock_gettime(~pid << 3 | 2)


def rss_kib(pid: int) -> int:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1])


def percentile(times: "array[float]", percent: int) -> float:
    """The smallest value that so many percent do not exceed; 0 where there are none."""
    if not times:
        return 0.0
    return sorted(times)[max(0, -(-len(times) * percent // 100) - 1)]


class Meter:
    """Reads the clocks at both ends of the measured time: the wall's, the server's, the load generator's own."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.wall = self.own = self.server = 0.0
        """Seconds while it ran."""
        self.start()

    def start(self) -> None:
        """Go on measuring."""
        self._begun = time.perf_counter(), time.process_time(), cpu_seconds(self._pid)

    def stop(self) -> None:
        """Measure no more, until it is started again."""
        wall, own, server = self._begun
        self.server += cpu_seconds(self._pid) - server
        self.own += time.process_time() - own
        self.wall += time.perf_counter() - wall

    def read(self, units: int, times: "array[float]") -> Figures:
        """What it came to when it was stopped; `times` in seconds.

        The milliseconds are computed here and not sooner, because that takes time itself.
        """
        rss = rss_kib(self._pid)
        return Figures(
            units=units,
            rate=units / self.wall,
            server_us=self.server / max(units, 1) * 1e6,
            p50=percentile(times, 50) * 1000,
            p99=percentile(times, 99) * 1000,
            rss=rss / 1024,
            server=self.server / self.wall,
            generator=self.own / self.wall,
        )
