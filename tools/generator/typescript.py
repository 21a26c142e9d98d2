"""TypeScript types of the events, payloads and constants."""

import re
from typing import Any, get_args

import msgspec
from msgspec import inspect

from generator.schema import structs
from rejoinder import errors
from rejoinder.protocol import constants, events, fields, rest
from rejoinder.protocol.catalogue import CLIENT_EVENTS, SERVER_EVENTS

HEADER = (
    "// Generated from packages/backend/src/rejoinder/protocol by `make generate`. Do not edit.\n"
)

ALIASES = {
    "Role": events.Role,
    "MessageState": events.MessageState,
    "ConnectedStatus": events.ConnectedStatus,
    "PresenceStatus": events.PresenceStatus,
    "Quality": events.Quality,
    "ResyncReason": events.ResyncReason,
    "AuthReason": events.AuthReason,
    "ErrorCode": errors.ErrorCode,
}

# What the TypeScript side has beyond the wire.
CLIENT_ONLY = {
    "ChatMessage": [
        "/** Delivery as this client sees it; it does not travel. */",
        "status?: MessageStatus",
    ]
}

# Said once in schema.json; beside every id and time it would be noise.
EVERYWHERE = {
    str(msgspec.json.schema(kind).get("description")) for kind in (fields.Id, fields.Timestamp)
}

CLIENT_TYPES = """
/** Delivery of a message as its sender sees it. */
export type MessageStatus = 'pending' | 'sent' | 'failed'

export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'reconnecting' | 'failed'

/** The acknowledgement of a send, whichever way it went. */
export interface MessageAck {
  success: boolean
  messageId?: string
  timestamp?: string
  seq?: number
  duplicate?: boolean
  parentSeq?: number
  error?: string
  code?: ErrorCode
  retryAfterMs?: number
}
"""


def render_socket() -> str:
    """The text of `src/lib/types/socket.ts`."""
    parts = [HEADER]
    parts += [
        f"export const {name} = {value!r}\n"
        for name, value in vars(constants).items()
        if name.isupper() and isinstance(value, int)
    ]
    parts.append("")
    parts += [f"export type {name} = {_literals(alias)}\n" for name, alias in ALIASES.items()]
    parts.append(CLIENT_TYPES)
    parts += [_interface(struct) for struct in structs(events)]
    parts.append(_event_maps())
    return "\n".join(part.rstrip("\n") for part in parts) + "\n"


def render_rest() -> str:
    """The text of `src/lib/types/rest.ts`."""
    interfaces = [_interface(struct) for struct in structs(rest)]
    named = set(re.findall(r"\w+", "\n".join(interfaces)))
    own = {struct.__name__ for struct in structs(rest)}
    names = ({struct.__name__ for struct in structs(events)} | set(ALIASES)) & named - own
    parts = [HEADER, f"import type {{ {', '.join(sorted(names))} }} from './socket'\n", *interfaces]
    return "\n".join(part.rstrip("\n") for part in parts) + "\n"


def _event_maps() -> str:
    lines = ["", "export interface ClientToServerEvents {"]
    for name, event in CLIENT_EVENTS.items():
        reply = f"ack?: (reply: {_ack_name(event.ack.__name__)}) => void"
        optional = "?" if event.payload_optional else ""
        lines += [
            f"  /** {event.summary} */",
            f"  '{name}': (payload{optional}: {event.payload.__name__}, {reply}) => void",
        ]
    lines += ["}", "", "export interface ServerToClientEvents {"]
    for name, server_event in SERVER_EVENTS.items():
        lines += [
            f"  /** {server_event.summary} */",
            f"  '{name}': (payload: {server_event.payload.__name__}) => void",
        ]
    lines += [
        "}",
        "",
        "/** Every event name, in either direction. */",
        "export type SocketEvent = keyof ClientToServerEvents | keyof ServerToClientEvents",
    ]
    for constant, table in (
        ("CLIENT_EVENTS", CLIENT_EVENTS),
        ("SERVER_EVENTS", SERVER_EVENTS),
    ):
        side = "ClientToServerEvents" if constant == "CLIENT_EVENTS" else "ServerToClientEvents"
        lines += ["", f"export const {constant} = ["]
        lines += [f"  '{name}'," for name in table]
        lines.append(f"] as const satisfies readonly (keyof {side})[]")
    return "\n".join(lines)


def _ack_name(name: str) -> str:
    return "MessageAck" if name == "MessageStored" else f"{name} | Failure"


def _interface(struct: type[msgspec.Struct]) -> str:
    info = inspect.type_info(struct)
    if not isinstance(info, inspect.StructType):
        message = f"{struct.__name__} is not a struct"
        raise TypeError(message)
    lines = ["", f"/** {_summary(struct)} */", f"export interface {struct.__name__} {{"]
    for field in info.fields:
        description = description_of(field.type)
        if description and description not in EVERYWHERE:
            lines.append(f"  /** {description} */")
        mark = "" if field.required else "?"
        lines.append(f"  {field.encode_name}{mark}: {type_of(field.type)}")
    lines += [f"  {line}" for line in CLIENT_ONLY.get(struct.__name__, [])]
    lines.append("}")
    return "\n".join(lines)


def _summary(struct: type[msgspec.Struct]) -> str:
    return " ".join((struct.__doc__ or "").split("\n\n")[0].split())


def description_of(kind: inspect.Type) -> str:
    """What a field's type says of itself; empty for nothing."""
    if isinstance(kind, inspect.UnionType):
        return next(filter(None, map(description_of, kind.types)), "")
    if isinstance(kind, inspect.Metadata):
        return str((kind.extra_json_schema or {}).get("description", ""))
    return ""


def _literals(alias: Any) -> str:
    return " | ".join(f"'{value}'" for value in get_args(alias))


def type_of(kind: inspect.Type) -> str:  # noqa: C901, PLR0911 - one case a kind
    """A field's type in TypeScript."""
    match kind:
        case inspect.Metadata():
            return type_of(kind.type)
        case inspect.UnionType():
            shown = [type_of(item) for item in kind.types]
            return " | ".join(dict.fromkeys(shown))
        case inspect.LiteralType():
            return _literal(kind.values)
        case inspect.StructType():
            return kind.cls.__name__
        case inspect.ListType():
            return f"{type_of(kind.item_type)}[]"
        case inspect.DictType():
            return f"Record<{type_of(kind.key_type)}, {type_of(kind.value_type)}>"
        case inspect.StrType():
            return "string"
        case inspect.IntType() | inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.AnyType():
            return "unknown"
        case _:
            message = f"no TypeScript for {kind}"
            raise TypeError(message)


def _literal(values: tuple[Any, ...]) -> str:
    for name, alias in ALIASES.items():
        if set(get_args(alias)) == set(values):
            return name
    return " | ".join(str(v).lower() if isinstance(v, bool) else f"'{v}'" for v in values)
