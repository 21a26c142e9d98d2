"""Socket.IO packets as they come in.

Every event of a client, whatever its name, arrives as one `Incoming` under one name. So a client can't fire the handlers of
`connect` and `disconnect`, and what can't be decoded is still answered by its acknowledgement id.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from socketio import packet
from starlette.types import Message, Receive

INCOMING: Final = "incoming"
ATTACHMENTS_MAX: Final = 4

# Engine.IO's close, ping, pong, upgrade and no-op, or a message that holds a Socket.IO packet.
_FRAME: Final = re.compile(r"[12356][a-z]{0,8}\Z|4[0-6]")

Problem = Literal["malformed", "too_large", "binary"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event of a client; with a `problem` its arguments are not there."""

    name: str
    arguments: tuple[Any, ...]
    ack_id: int | None
    problem: Problem | None = None


class Json:
    """The JSON of packets. What can't be decoded becomes its `Problem`, so that the packet around it still counts."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def loads(self, text: str) -> Any:
        """The value, or the problem with it."""
        if len(text) > self._limit:
            return "too_large"
        try:
            value = msgspec.json.decode(text)
        except (ValueError, RecursionError):
            return "malformed"
        # A bare string is no argument list; as "malformed" it can't be taken for another problem.
        return "malformed" if isinstance(value, str) else value

    def dumps(self, value: Any, **_options: Any) -> str:
        """Compact JSON; payload structs are encoded as they are."""
        return msgspec.json.encode(value).decode()


def packet_class(limit: int) -> type[packet.Packet]:
    """The packet class for payloads of at most `limit` characters of JSON."""

    class ChatPacket(packet.Packet):  # type: ignore[misc]
        json = Json(limit)

        def decode(self, encoded_packet: str) -> int:
            attachments: int = super().decode(encoded_packet)
            if self.packet_type in (packet.EVENT, packet.BINARY_EVENT):
                content: Any = self.data
                self.data: Any = [INCOMING, self._incoming(content)]
                # Acknowledged by the gateway: python-socketio would do it past the events that are on their way.
                self.id: int | None = None
            if attachments > ATTACHMENTS_MAX:
                raise ValueError("too many attachments")
            return attachments

        def _incoming(self, data: Any) -> Incoming:
            ack_id = self.id
            if self.packet_type == packet.BINARY_EVENT:
                return Incoming("", (), ack_id, "binary")
            match data:
                case "too_large":
                    return Incoming("", (), ack_id, "too_large")
                case [str(name), *arguments]:
                    return Incoming(name, tuple(arguments), ack_id)
                case _:
                    return Incoming("", (), ack_id, "malformed")

        @classmethod
        def reconstruct_binary(cls, data: Any, _attachments: list[bytes]) -> Any:
            """The chat takes no binary: the attachments are dropped, and the event says so."""
            return data

    return ChatPacket


def packets_only(receive: Receive) -> Receive:
    """Passes over text frames that are no packets.

    At one of those python-engineio breaks off with an error, and leaves its session behind as if it were alive.
    """

    async def checked() -> Message:
        while True:
            message = await receive()
            text = message.get("text")
            if text is None or _FRAME.match(text):
                return message

    return checked
