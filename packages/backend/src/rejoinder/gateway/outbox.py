"""What goes out, in the order in which the service said it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import socketio
import structlog
from socketio import packet

from rejoinder.protocol.catalogue import ServerEvent
from rejoinder.protocol.fields import ServerPayload

P = TypeVar("P", bound=ServerPayload)

LINGER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Emission:
    """An event to connections."""

    connections: list[str]
    event: str
    payload: ServerPayload


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The answer to an event of a connection."""

    connection: str
    ack_id: int
    payload: ServerPayload


@dataclass(frozen=True, slots=True)
class Closing:
    """A connection to close."""

    connection: str


class Outbox:
    """A `Delivery` over python-socketio.

    One task sends everything, acknowledgements too, so that the order of the calls is the order on each connection.
    Receivers are settled when the service speaks, not when the task comes to it.
    """

    def __init__(self, sio: socketio.AsyncServer) -> None:
        self._sio = sio
        self._waiting: asyncio.Queue[Emission | Acknowledgement | Closing] = asyncio.Queue()
        self._log = structlog.get_logger("rejoinder.gateway")
        self._lingering: set[asyncio.Task[None]] = set()

    def send(self, connections: Iterable[str], event: ServerEvent[P], payload: P) -> None:
        receivers = list(connections)
        if receivers:
            self._waiting.put_nowait(Emission(receivers, event.name, payload))

    def acknowledge(self, connection: str, ack_id: int, payload: ServerPayload) -> None:
        """Answer an event of a client, after everything that was said before."""
        self._waiting.put_nowait(Acknowledgement(connection, ack_id, payload))

    def close(self, connection: str) -> None:
        self._waiting.put_nowait(Closing(connection))

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            item = await self._waiting.get()
            try:
                if isinstance(item, Emission):
                    await self._sio.emit(item.event, item.payload, to=item.connections)
                elif isinstance(item, Acknowledgement):
                    await self._acknowledge(item)
                else:
                    await self._close(item.connection)
            except Exception:  # noqa: BLE001 - one receiver's trouble must not keep the others waiting
                self._log.exception("an event could not be sent")
            finally:
                self._waiting.task_done()

    async def flush(self) -> None:
        """Return when everything said so far is on its way."""
        await self._waiting.join()

    async def _acknowledge(self, item: Acknowledgement) -> None:
        transport = self._sio.manager.eio_sid_from_sid(item.connection, "/")
        if transport is not None:
            answer = self._sio.packet_class(packet.ACK, id=item.ack_id, data=[item.payload])
            await self._sio.eio.send(transport, answer.encode())

    async def _close(self, connection: str) -> None:
        transport = self._sio.manager.eio_sid_from_sid(connection, "/")
        await self._sio.disconnect(connection)
        if transport is not None:
            task = asyncio.create_task(self._close_transport(transport))
            self._lingering.add(task)
            task.add_done_callback(self._lingering.discard)

    async def _close_transport(self, transport: str) -> None:
        """End the connection under it when the client had time to read what was sent."""
        await asyncio.sleep(LINGER_SECONDS)
        try:
            await asyncio.wait_for(self._sio.eio.disconnect(transport), LINGER_SECONDS)
        except (KeyError, TimeoutError):
            return
