"""JSON Schema of every payload and acknowledgement."""

import json
from typing import Any

import msgspec

from rejoinder.protocol import events, rest
from rejoinder.protocol.catalogue import CLIENT_EVENTS, SERVER_EVENTS
from rejoinder.protocol.fields import ClientPayload, ServerPayload

BASES = (ClientPayload, ServerPayload)


def structs(module: Any) -> list[type[msgspec.Struct]]:
    """The payload structs that a module defines, in the order of its text."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, BASES)
        and value not in BASES
        and value.__module__ == module.__name__
    ]


def components(ref: str) -> dict[str, Any]:
    """The schema of each struct by name, without the titles that code generators trip over."""
    _, found = msgspec.json.schema_components(
        [*structs(events), *structs(rest)], ref_template=ref + "{name}"
    )
    return {name: _without_titles(found[name]) for name in sorted(found)}


def _without_titles(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: _without_titles(value)
            for key, value in node.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_without_titles(item) for item in node] if isinstance(node, list) else node


def render() -> str:
    """The text of `protocol/schema.json`."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": "Generated from packages/backend/src/rejoinder/protocol by `make generate`.",
        "clientEvents": {
            name: {
                "payload": {"$ref": f"#/$defs/{event.payload.__name__}"},
                "ack": {
                    "anyOf": [
                        {"$ref": f"#/$defs/{event.ack.__name__}"},
                        {"$ref": "#/$defs/Failure"},
                    ]
                },
            }
            for name, event in CLIENT_EVENTS.items()
        },
        "serverEvents": {
            name: {"payload": {"$ref": f"#/$defs/{event.payload.__name__}"}}
            for name, event in SERVER_EVENTS.items()
        },
        "$defs": components("#/$defs/"),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
