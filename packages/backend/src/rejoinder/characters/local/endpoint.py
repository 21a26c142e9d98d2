"""Where llama.cpp's server listens, and the way there.

It always listens somewhere, and counts tokens for HTTP clients only. So it is given a Unix socket that no other user
can reach, and a key that nobody else has; where there can be no such socket, a port of this machine and the key. On
Linux the socket has no name any more as soon as it is there, so that a killed program leaves nothing behind.
"""

import http.client
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from rejoinder.characters.local.engine import EngineError

# llama.cpp takes an address for a Unix socket by this ending.
_SOCKET = "model.sock"
# The path of a Unix socket has to fit into 108 bytes.
_LONGEST_PATH = 100
_LOOPBACK = "127.0.0.1"
_SECONDS = 30.0


class Endpoint:
    """One server's address. `host` and `key` are for its parameters."""

    def __init__(self) -> None:
        self.key = secrets.token_urlsafe(32)
        self._directory = _private_directory()
        self._socket: int | None = None
        self._path = str(self._directory / _SOCKET) if self._directory else ""
        self._port = ""
        self.host = self._path or _LOOPBACK

    def opened(self, address: str) -> None:
        """The server listens now, at this address by its own words."""
        if not self._directory:
            self._port = address.rpartition(":")[2]
        elif sys.platform == "linux":
            self._socket = os.open(self._path, os.O_PATH)
            self._path = f"/proc/self/fd/{self._socket}"
            self._remove_directory()

    def post(self, path: str, content: object) -> dict[str, Any]:
        """Ask the server something and return its answer, which may be its word about an error.

        Raises:
            EngineError: There was no answer, or not one in JSON.
        """
        connection = (
            _UnixConnection(self._path)
            if self._path
            else http.client.HTTPConnection(f"{_LOOPBACK}:{self._port}", timeout=_SECONDS)
        )
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(content), headers)
            answer = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineError(f"the model did not answer: {error!r}") from error
        finally:
            connection.close()
        return answer if isinstance(answer, dict) else {}

    def close(self) -> None:
        """Leave nothing behind. A second call does nothing."""
        if self._socket is not None:
            os.close(self._socket)
            self._socket = None
        self._remove_directory()

    def _remove_directory(self) -> None:
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)


def _private_directory() -> Path | None:
    """A new directory for the socket, of this user alone; None where there can be no such socket."""
    directory: Path | None = None
    if hasattr(socket, "AF_UNIX"):
        with suppress(OSError):
            directory = Path(tempfile.mkdtemp(prefix="rejoinder-model-"))
    if directory and len(bytes(directory / _SOCKET)) > _LONGEST_PATH:
        directory.rmdir()
        directory = None
    return directory


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
