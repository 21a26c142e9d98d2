"""What an application says of the events of a namespace."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from rejoinder_socketio.engine.session import CloseReason
from rejoinder_socketio.packets import Malformed

if TYPE_CHECKING:
    from rejoinder_socketio.connection import Connection, Event

Doing = Awaitable[None] | None
"""What is still to be done; None if all is done. A future does without the task that a coroutine needs."""


class Handler:
    """The application's side of a namespace; what it does not say does nothing.

    The calls for one connection come one after the other, in the order of what happened: what one of them
    returns is awaited before the next one.
    """

    async def on_connect(self, connection: "Connection", auth: Any) -> None:
        """Somebody wants in; what is sent to them meanwhile goes out when they are.

        `auth` is what they have sent for that: `{}` if nothing, None if it can't be decoded.

        Raises:
            Refused: they may not.
        """

    def on_open(self, connection: "Connection") -> Doing:
        """They are in, and have been told."""

    def on_event(self, connection: "Connection", event: "Event") -> Doing:
        """They have sent an event."""

    def on_malformed(
        self,
        connection: "Connection",  # noqa: ARG002 - for those who answer it
        ack_id: int | None,  # noqa: ARG002
        error: Malformed,
    ) -> None:
        """They have sent an event with a content that can't be decoded; the default ends their session.

        Raises:
            ProtocolError: the session is to end.
        """
        raise error

    def on_drained(self, connection: "Connection") -> None:
        """They read again, after volatile events were left out for them."""

    def on_slow(self, connection: "Connection") -> None:
        """They do not read what is sent: half of what may wait for them waits."""

    def on_disconnect(self, connection: "Connection", reason: CloseReason) -> Doing:
        """They are gone. Called once for each connection that `on_connect` has let in."""
