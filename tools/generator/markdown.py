"""The protocol as a page for people."""

import msgspec
from msgspec import inspect

from generator.typescript import description_of, type_of
from rejoinder.protocol import events
from rejoinder.protocol.catalogue import CLIENT_EVENTS, SERVER_EVENTS
from rejoinder.protocol.constants import HISTORY_LIMIT_MAX

HEADER = f"""# The protocol

Generated from the catalogue by `make generate`. The same as JSON Schema: `protocol/schema.json`; as AsyncAPI:
`protocol/asyncapi.yaml`.

Socket.IO v5 protocol, default namespace, path `/socket.io/`, long polling or WebSocket. The handshake's `auth` takes
`token`, and optionally `reconnection` (where the client was: it is taken back there, as by `room:rejoin`), `locale` (`ko`
or `en`; else `Accept-Language` counts) and `deviceId` (for the policy `per-device`).

Every client event takes an acknowledgement callback, and works without one. An optional field is absent when there is
nothing to say; `null` is never sent, and refused. Times are ISO 8601 in UTC with milliseconds. Pages have at most
{HISTORY_LIMIT_MAX} messages.
"""


def render() -> str:
    """The text of `docs/protocol.md`."""
    lines = [HEADER, "## Client to server", ""]
    lines += ["| event | payload | acknowledgement | what it does |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {_link(event.payload)} | {_link(event.ack)} | {event.summary} |"
        for name, event in CLIENT_EVENTS.items()
    ]
    lines += ["", "Anything that fails is acknowledged with a [Failure](#failure).", ""]
    lines += [
        "## Server to client",
        "",
        "| event | payload | to | what it says |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {_link(event.payload)} | {event.audience} | {event.summary} |"
        for name, event in SERVER_EVENTS.items()
    ]
    lines += ["", "## Shapes", ""]
    for struct in _mentioned():
        lines += _shape(struct)
    return "\n".join(lines)


def _link(struct: type[msgspec.Struct]) -> str:
    return f"[{struct.__name__}](#{struct.__name__.lower()})"


def _mentioned() -> list[type[msgspec.Struct]]:
    return [
        value
        for value in vars(events).values()
        if isinstance(value, type)
        and issubclass(value, msgspec.Struct)
        and value.__module__ == events.__name__
    ]


def _shape(struct: type[msgspec.Struct]) -> list[str]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - for the type checker
    lines = [f"### {struct.__name__}", "", " ".join((struct.__doc__ or "").split()), ""]
    lines += ["| field | type | |", "|---|---|---|"]
    for field in info.fields:
        mark = "" if field.required else "?"
        shown = type_of(field.type).replace("|", "\\|")
        lines.append(f"| `{field.encode_name}{mark}` | `{shown}` | {description_of(field.type)} |")
    return [*lines, ""]
