"""A small disk in memory that can be filled up; where none may be mounted, files may grow no further instead."""

import os
import resource
import subprocess
from pathlib import Path

SIZE = 768 * 1024 * 1024
BALLAST = "ballast"


class Disk:
    """The folder for the data of a server. `small` says whether it is a disk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        mount = ("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder))
        self.small = os.geteuid() == 0 and _done(mount)

    def fill(self, pid: int) -> None:
        """From now on nothing more can be written."""
        if not self.small:
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
            return
        with (self.folder / BALLAST).open("ab") as file:
            for step in (1 << 24, 1 << 20, 4096):
                while _grow(file.fileno(), step):
                    pass

    def empty(self, pid: int) -> None:
        """There is room again."""
        (self.folder / BALLAST).unlink(missing_ok=True)
        if not self.small:
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

    def close(self) -> None:
        if self.small:
            _done(("umount", "--lazy", str(self.folder)))


def _grow(file: int, by: int) -> bool:
    try:
        os.posix_fallocate(file, os.fstat(file).st_size, by)
    except OSError:
        return False
    return True


def _done(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
