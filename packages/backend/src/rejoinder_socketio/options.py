"""What a server allows, and how long it waits."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of a server; times are seconds, sizes bytes.

    Attributes:
        path: where it is served, with a slash at both ends.
        origins: pages of other hosts that may connect, as `https://host[:port]`; `*` lets every page connect. A page of
            the server's own host always may, and so may what is no browser and sends no `Origin`.
        ping_interval: from the start, or the last answer, to the next ping.
        ping_timeout: how long the answer to a ping may take.
        connect_timeout: how long a session may live without being connected to a namespace.
        upgrade_timeout: how long a WebSocket that is to take over a polled session may take.
        linger: how long a closed client may take to read what was sent before.
        max_payload: the largest packet, message or body of a client.
        max_fragments: of how many frames a message may consist.
        max_auth: the largest content of a packet that connects to a namespace.
        max_attachments: how many binary attachments an event may have.
        max_namespaces: to how many namespaces one session may connect.
        max_waiting: how much may wait for a client that does not read; then it is closed. From a quarter of it
            volatile events are skipped, and at half of it the application is told. For whom less than a quarter waits,
            a message may be larger than all of it.
        max_unfinished: how much may be held of what clients have begun to send and not finished, and of the headers of
            those without a namespace, all together; beyond it whoever holds most is closed.
        max_events: how many events of a client may wait for their turn, before no more is read from it; together they
            may be about as large as `max_payload`.
        max_head: the largest head of an HTTP request, where `http_protocol` is used.
        head_timeout: how long a client may take for it.
        max_unconnected: how many sessions may be without a namespace; the oldest goes for the next.
        control_rate: control frames and pongs that a client may send per second, and ten times as many at once.
        cookie: the name of a cookie with the session's id for load balancers that keep a polling client on one server.
    """

    path: str = "/socket.io/"
    origins: Collection[str] = ()
    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    connect_timeout: float = 45.0
    upgrade_timeout: float = 10.0
    linger: float = 5.0
    max_payload: int = 1_000_000
    max_fragments: int = 256
    max_auth: int = 64 * 1024
    max_attachments: int = 16
    max_namespaces: int = 16
    max_waiting: int = 1024 * 1024
    max_unfinished: int = 16 * 1024 * 1024
    max_events: int = 1024
    max_head: int = 16 * 1024
    head_timeout: float = 20.0
    max_unconnected: int = 4096
    control_rate: float = 20.0
    cookie: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.origins, str):
            raise TypeError("origins are several; a str would let in every part of itself")
