"""What a client asks for when it comes, and whether it may: the query, the origin, the headers of the answer."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Final, Literal
from urllib.parse import parse_qs

from rejoinder_socketio.options import Options

Transport = Literal["polling", "websocket"]

REVISION: Final = "4"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_LENGTH: Final = 24
LENGTH_REQUIRED: Final = 411
TIMED_OUT: Final = 408
TOO_LARGE: Final = 413
UNREAD: Final = frozenset({LENGTH_REQUIRED, TIMED_OUT, TOO_LARGE})


class Rejection(Exception):
    """A request that gets no session; `status` is HTTP's, `code` Engine.IO's."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.body = json.dumps({"code": code, "message": message}).encode()


def unknown_session() -> Rejection:
    """The session is not there, or not any more."""
    return Rejection(1, "Session ID unknown")


def bad_request() -> Rejection:
    """The session is there, but not for this."""
    return Rejection(3, "Bad request")


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a client.

    Attributes:
        transport: the one it comes over.
        session_id: the session that it names; "" if it wants a new one.
        headers: with names in lower case.
        address: the client's; "" if it is not known.
    """

    transport: Transport
    session_id: str
    headers: Mapping[str, str]
    address: str


def understood(
    transport: Transport, method: str, query: bytes, headers: Mapping[str, str], address: str
) -> Request:
    """The request behind an HTTP request or a WebSocket's handshake.

    Raises:
        Rejection: it is not one of the protocol.
    """
    asked = _parameters(query.decode("latin-1"))
    name = asked.get("transport", "")
    if name not in {"polling", "websocket"}:
        raise Rejection(0, "Transport unknown")
    session_id = asked.get("sid", "")
    if asked.get("EIO", "") != REVISION:
        raise Rejection(5, "Unsupported protocol version")
    if name != transport:
        raise bad_request()
    if not session_id and method != "GET":
        raise Rejection(2, "Bad handshake method")
    return Request(transport, session_id, headers, address)


def _parameters(query: str) -> Mapping[str, str]:
    """Each parameter that has a value, as it was given first."""
    if "%" in query or "+" in query:
        return {name: values[0] for name, values in parse_qs(query).items()}
    given: dict[str, str] = {}
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        if value:
            given.setdefault(name, value)
    return given


def accept_key(headers: dict[str, str]) -> bytes:
    """The answer to the handshake's key. Source: RFC 6455, section 4.2.

    Raises:
        Rejection: it is no handshake.
    """
    key = headers.get("sec-websocket-key", "").encode("latin-1")
    if len(key) != _KEY_LENGTH or headers.get("sec-websocket-version") != "13":
        raise bad_request()
    return b64encode(sha1(key + _GUID).digest())  # noqa: S324 - the protocol asks for it


def check_origin(headers: Mapping[str, str], options: Options) -> None:
    """Let only pages in that may connect.

    Raises:
        Rejection: this one may not.
    """
    origin = headers.get("origin")
    if origin is None or "*" in options.origins or origin in options.origins:
        return
    if _own(origin, headers):
        return
    raise Rejection(4, "Forbidden")


def cors_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """What lets a page of another host, which may connect, read the answers."""
    origin = headers.get("origin")
    if origin is None:
        return []
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def _own(origin: str, headers: Mapping[str, str]) -> bool:
    """Whether the page is one of this host, whatever ends TLS before it."""
    forwarded = headers.get("x-forwarded-host", "").partition(",")[0].strip()
    host = origin.partition("://")[2]
    return bool(host) and host in {headers.get("host", ""), forwarded}
