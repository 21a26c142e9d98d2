"""The examples in protocol/fixtures, which the tests of the TypeScript client read as well."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from rejoinder.protocol.catalogue import CLIENT_EVENTS, SERVER_EVENTS
from rejoinder.protocol.events import Failure
from rejoinder.protocol.fields import ClientPayload, ServerPayload

PROTOCOL = Path(__file__).parents[4] / "protocol"
FIXTURES = sorted((PROTOCOL / "fixtures").glob("*.json"))
SCHEMA = json.loads((PROTOCOL / "schema.json").read_text(encoding="utf-8"))
METADATA = "metadata"


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def nulls(value: object, path: str = "") -> list[str]:
    """Where a value holds a null; what an application puts into its metadata is its own."""
    if value is None:
        return [path]
    if isinstance(value, dict):
        own = ((key, each) for key, each in value.items() if key != METADATA)
        return [found for key, each in own for found in nulls(each, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for each in value for found in nulls(each, f"{path}[]")]
    return []


def check(value: object, kind: type[ClientPayload | ServerPayload]) -> None:
    """The value is of that kind, and comes out of it as it went in."""
    converted = msgspec.convert(value, kind)
    assert msgspec.json.decode(msgspec.json.encode(converted)) == value
    schema = {**SCHEMA["$defs"][kind.__name__], "$defs": SCHEMA["$defs"]}
    Draft202012Validator(schema).validate(value)
    assert nulls(value) == []


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_is_as_the_catalogue_declares(path: Path) -> None:
    fixture = load(path)
    name, direction = fixture["event"], fixture["direction"]
    assert path.name.startswith(f"{direction}.{name.replace(':', '.')}.")
    if direction == "server":
        assert set(fixture) == {"event", "direction", "payload"}
        check(fixture["payload"], SERVER_EVENTS[name].payload)
    else:
        assert direction == "client"
        assert set(fixture) == {"event", "direction", "payload", "ack"}
        event = CLIENT_EVENTS[name]
        check(fixture["payload"], event.payload)
        check(fixture["ack"], event.ack if fixture["ack"]["success"] else Failure)


def test_every_event_has_an_example() -> None:
    loaded = [load(path) for path in FIXTURES]
    shown = {(each["direction"], each["event"]) for each in loaded}
    assert shown == {("client", name) for name in CLIENT_EVENTS} | {
        ("server", name) for name in SERVER_EVENTS
    }


@pytest.mark.parametrize("kind", ["client", "server"])
def test_every_field_is_in_an_example(kind: str) -> None:
    loaded = [load(path) for path in FIXTURES if path.name.startswith(kind)]
    for name, event in (CLIENT_EVENTS if kind == "client" else SERVER_EVENTS).items():
        payloads = [each["payload"] for each in loaded if each["event"] == name]
        fields = {field.encode_name for field in msgspec.structs.fields(event.payload)}
        assert set().union(*payloads) == fields, name
