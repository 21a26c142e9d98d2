"""Socket.IO v5 packets, as they stand in the text messages of Engine.IO. Source: Socket.IO protocol, revision 5.

`4` `type` [`attachments` `-`] [`/namespace` `,`] [`ack id`] [JSON]
"""

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct

from rejoinder_socketio.engine.packets import Outgoing
from rejoinder_socketio.errors import ProtocolError

CONNECT: Final = 0
DISCONNECT: Final = 1
EVENT: Final = 2
ACK: Final = 3
CONNECT_ERROR: Final = 4
BINARY_EVENT: Final = 5
BINARY_ACK: Final = 6

# What the libraries of clients and servers call their own events: nobody may send one of these names.
RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)

Problem = Literal["not JSON", "no event", "reserved name", "attachments"]

_HEAD: Final = re.compile(rb"4([0-6])(?:(\d{1,10})-)?(?:(/[^,]*)(?:,|\Z))?(\d{1,16})?")
_LIST: Final = msgspec.json.Decoder(list[Raw])
# The elements of a long list may be so many that they take thirty times its size, so there it must be a short one.
_LONG: Final = 16 * 1024
_MANY: Final = 256
_NO: Final = Raw()
_FEW: Final = msgspec.json.Decoder(
    msgspec.defstruct(
        "_Few",
        [(f"item_{number}", Raw, _NO) for number in range(_MANY)],
        array_like=True,
        forbid_unknown_fields=True,
    )
)
_NAME: Final = msgspec.json.Decoder(str)
_ANY: Final = msgspec.json.Decoder()
_PLACEHOLDER: Final = "_placeholder"
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


class Malformed(ProtocolError):
    """The content of a packet whose head is good."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem: Problem = problem


class Packet:
    """A packet as it came in; `content` is its JSON."""

    __slots__ = ("ack_id", "attachments", "content", "namespace", "type")

    def __init__(
        self, kind: int, attachments: int, namespace: str, ack_id: int | None, content: bytes
    ) -> None:
        self.type = kind
        self.attachments = attachments
        self.namespace = namespace
        self.ack_id = ack_id
        self.content = content


def decode(packet: bytes) -> Packet:
    """The packet in a message of Engine.IO.

    Raises:
        ProtocolError: it is none.
    """
    head = _HEAD.match(packet)
    if head is None:
        raise ProtocolError("an unknown type of packet")
    kind, attachments, place, ack_id = head.groups()
    try:
        namespace = "/" if place is None else place.decode()
    except UnicodeDecodeError as error:
        raise ProtocolError("a namespace is not UTF-8") from error
    return Packet(
        kind[0] - 0x30,
        0 if attachments is None else int(attachments),
        namespace,
        None if ack_id is None else int(ack_id),
        packet[head.end() :],
    )


def decode_json(content: bytes) -> Any:
    """Any JSON.

    Raises:
        Malformed: it is none.
    """
    try:
        return _ANY.decode(content)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error


def decode_event(content: bytes) -> tuple[str, list[Raw]]:
    """The name of an event, and its arguments, which are looked over but not decoded.

    Raises:
        Malformed: it is no event.
    """
    arguments = decode_list(content)
    try:
        name = _NAME.decode(arguments[0])
    except (ValueError, IndexError) as error:
        raise Malformed("no event") from error
    if name in RESERVED:
        raise Malformed("reserved name")
    return name, arguments[1:]


def decode_list(content: bytes) -> list[Raw]:
    """The elements of a JSON array.

    Raises:
        Malformed: it is none.
    """
    try:
        if len(content) < _LONG:
            return _LIST.decode(content)
        return [item for item in msgspec.structs.astuple(_FEW.decode(content)) if item is not _NO]
    except msgspec.ValidationError as error:
        raise Malformed("no event") from error
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error


def restored(value: Any, attachments: Sequence[bytes]) -> Any:
    """The value with its attachments in the places that are kept for them.

    Raises:
        Malformed: a place is for no attachment, or lies too deep.
    """
    try:
        return _restored(value, attachments)
    except RecursionError as error:
        raise Malformed("not JSON") from error


def _restored(value: Any, attachments: Sequence[bytes]) -> Any:
    if isinstance(value, list):
        return [_restored(item, attachments) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(_PLACEHOLDER) is True:
        number = value.get("num")
        if type(number) is not int or not 0 <= number < len(attachments):
            raise Malformed("attachments")
        return attachments[number]
    return {key: _restored(item, attachments) for key, item in value.items()}


def encode_event(
    namespace: str, name: str, arguments: Sequence[Any], ack_id: int | None = None
) -> Outgoing:
    """An event. Arguments are JSON values, bytes, or what msgspec encodes."""
    return _encode(EVENT, namespace, (name, *arguments), ack_id)


def encode_ack(namespace: str, ack_id: int, arguments: Sequence[Any]) -> Outgoing:
    """The acknowledgement of an event."""
    return _encode(ACK, namespace, arguments, ack_id)


def encode_connect(namespace: str, connection_id: str) -> Outgoing:
    """The client is connected to the namespace."""
    return _plain(CONNECT, namespace, {"sid": connection_id})


def encode_connect_error(namespace: str, message: str, data: Any = None) -> Outgoing:
    """The client is not let in."""
    content = {"message": message} if data is None else {"message": message, "data": data}
    return _plain(CONNECT_ERROR, namespace, content)


def encode_disconnect(namespace: str) -> Outgoing:
    """The client is disconnected from the namespace."""
    return Outgoing(b"41" if namespace == "/" else b"41%b," % namespace.encode())


def _plain(kind: int, namespace: str, content: Any) -> Outgoing:
    place = b"" if namespace == "/" else namespace.encode() + b","
    return Outgoing(b"4%d%b%b" % (kind, place, msgspec.json.encode(content)))


def _encode(kind: int, namespace: str, arguments: Sequence[Any], ack_id: int | None) -> Outgoing:
    attachments: list[bytes] = []
    for argument in arguments:
        # Most are names and structs, of which is known at a glance that there is nothing binary in them.
        if (
            type(argument) not in _PLAIN
            and not isinstance(argument, Struct)
            and _holds_binary(argument)
        ):
            arguments = [_taken_apart(each, attachments) for each in arguments]
            break
    head = b"4%d" % kind if not attachments else b"4%d%d-" % (kind + 3, len(attachments))
    if namespace != "/":
        head += namespace.encode() + b","
    if ack_id is not None:
        head += b"%d" % ack_id
    return Outgoing(head + msgspec.json.encode(arguments), attachments)


def _holds_binary(value: Any) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return isinstance(value, bytes | bytearray | memoryview)
    for item in value:
        if type(item) not in _PLAIN and not isinstance(item, Struct) and _holds_binary(item):
            return True
    return False


def _taken_apart(value: Any, attachments: list[bytes]) -> Any:
    if isinstance(value, dict):
        return {key: _taken_apart(item, attachments) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_taken_apart(item, attachments) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        attachments.append(bytes(value))
        return {_PLACEHOLDER: True, "num": len(attachments) - 1}
    return value
