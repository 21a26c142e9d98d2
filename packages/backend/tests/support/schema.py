"""Payloads held against the published schema, and more strictly: no unknown field, no null, times in full."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parents[4] / "protocol" / "schema.json"
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


@cache
def document() -> dict[str, Any]:
    """The schema as it is published."""
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return loaded


@cache
def _strict() -> dict[str, Any]:
    definitions = copy.deepcopy(document()["$defs"])
    for definition in definitions.values():
        if "properties" in definition:
            definition["additionalProperties"] = False
            for field in definition["properties"].values():
                if str(field.get("description", "")).startswith("ISO 8601"):
                    field["pattern"] = TIME
    return dict(definitions)


def problems(schema: dict[str, Any], value: object) -> list[str]:
    """What is wrong with a value that came over the wire."""
    validator = Draft202012Validator({**schema, "$defs": _strict()})
    return [
        *(f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)),
        *(f"{path} is null" for path in nulls(value)),
    ]


def nulls(value: object, path: str = "$") -> list[str]:
    """Where a value holds null; what is in `metadata` is the application's own."""
    if value is None:
        return [path]
    if isinstance(value, dict):
        return [
            found
            for key, item in value.items()
            if key != "metadata"
            for found in nulls(item, f"{path}.{key}")
        ]
    if isinstance(value, list):
        return [found for n, item in enumerate(value) for found in nulls(item, f"{path}[{n}]")]
    return []


def event_problems(name: str, arguments: tuple[object, ...]) -> list[str]:
    """What is wrong with an event of the server."""
    declared = document()["serverEvents"].get(name)
    if declared is None:
        return [f"the server sent {name!r}, which is in no table"]
    if len(arguments) != 1:
        return [f"{name} came with {len(arguments)} payloads"]
    return [f"{name} {problem}" for problem in problems(declared["payload"], arguments[0])]


def ack_problems(name: str, arguments: tuple[object, ...]) -> list[str]:
    """What is wrong with an acknowledgement."""
    declared = document()["clientEvents"].get(name, {"ack": {"$ref": "#/$defs/Failure"}})
    if len(arguments) != 1:
        return [f"the ACK of {name} came with {len(arguments)} values"]
    return [f"ACK of {name} {problem}" for problem in problems(declared["ack"], arguments[0])]
