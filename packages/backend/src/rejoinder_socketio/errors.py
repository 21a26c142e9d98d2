"""What goes wrong between a client and this server."""

from typing import Any


class ProtocolError(Exception):
    """A client has sent what the protocol does not know; its session ends with "parse error"."""


class Refused(Exception):
    """Raised by an application that does not let a client into a namespace.

    The client is told by `connect_error`, with the message and the data.
    """

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data
